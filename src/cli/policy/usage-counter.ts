/** What one caller did, out of its records: what a policy for it is made of, and what it leaves out. */
import type { EntryResult, LoggedRecord } from '../../audit/index.ts';
import {
  GrantUse,
  PolicyGenerator,
  type GeneratedPolicy,
  type PolicySource,
  type UnusedGrant,
} from '../../policy/index.ts';
import { inShort } from './decision-words.ts';
import { recordedRequests, UnrecordedKeyError, type RecordedRequest } from './recorded-request.ts';

export interface Proposal extends GeneratedPolicy {
  /** As it was asked for. */
  readonly who: string;
  /** ARNs and access key ids that were met. */
  readonly principals: readonly string[];
  readonly accessKeyIds: readonly string[];
  /** Epoch milliseconds of the first and of the last request; undefined when there was none. */
  readonly first: number | undefined;
  readonly last: number | undefined;
  /** Requests of the caller of which a decision is recorded, and what of their decisions the proposal is made of. */
  readonly requests: number;
  readonly decisions: number;
  readonly leftOut: {
    /** By action, bucket and reason; the most frequent first. */
    readonly refused: readonly CountedGroup[];
    /** Allowed, and not done: broken off, failed, or refused by something else than a policy. */
    readonly failed: number;
    /** The record does not hold the prefix that was listed. */
    readonly unknown: number;
    /** Undefined when the policies that the caller has are not known; `problem` says why. */
    readonly unused: readonly UnusedGrant[] | undefined;
    readonly problem: string | undefined;
  };
  /** What was allowed by other policies than the caller's own: by the name of the policy. */
  readonly byOthers: readonly { readonly policy: string; readonly count: number }[];
}

export interface CountedGroup {
  readonly action: string;
  readonly where: string;
  readonly reason: string;
  readonly count: number;
  /** Of the latest. */
  readonly time: number;
  readonly requestId: string;
}

/** Groups that are kept apart. */
const MAX_GROUPS = 10_000;
const MAX_NAMES = 100;

export class UsageCounter {
  readonly #who: string;
  readonly #generator = new PolicyGenerator();
  readonly #grants: GrantUse | undefined;
  readonly #principals = new Set<string>();
  readonly #keys = new Set<string>();
  readonly #refused = new Map<string, CountedGroup>();
  readonly #byOthers = new Map<string, number>();
  /** Buckets in which objects were looked for that are not there, with how often. */
  readonly #missing = new Map<string, number>();
  #first: number | undefined;
  #last: number | undefined;
  #requests = 0;
  #decisions = 0;
  #failed = 0;
  #unknown = 0;

  /** @param options.policies that the caller has now; undefined when they are not known. */
  constructor(options: { readonly who: string; readonly policies: readonly PolicySource[] | undefined }) {
    this.#who = options.who;
    this.#grants = options.policies && new GrantUse(options.policies);
  }

  add(record: LoggedRecord): void {
    const requests = recordedRequests(record);
    if (requests.length === 0) return;
    const { time, principal, accessKeyId } = record;
    this.#requests++;
    this.#first = Math.min(this.#first ?? time, time);
    this.#last = Math.max(this.#last ?? time, time);
    if (principal !== undefined && this.#principals.size < MAX_NAMES) this.#principals.add(principal);
    if (accessKeyId !== undefined && this.#keys.size < MAX_NAMES) this.#keys.add(accessKeyId);
    for (const each of requests)
      if (each.decision.effect === 'Deny') this.#refuse(each, record);
      else if (isDone(record, each.entry)) this.#use(each, record);
      else this.#failed++;
    const [first] = requests;
    if (record.status === 404 && first?.bucket !== undefined && record.key !== undefined)
      this.#missing.set(first.bucket, (this.#missing.get(first.bucket) ?? 0) + 1);
  }

  /** @param problem why the policies of the caller are not known. */
  proposal(problem: string | undefined): Proposal {
    const generated = this.#generator.generate();
    return {
      ...generated,
      remarks: [...generated.remarks, ...this.#missingRemarks(generated)],
      who: this.#who,
      principals: [...this.#principals].toSorted(),
      accessKeyIds: [...this.#keys].toSorted(),
      first: this.#first,
      last: this.#last,
      requests: this.#requests,
      decisions: this.#decisions,
      leftOut: {
        refused: [...this.#refused.values()].toSorted((left, right) => right.count - left.count),
        failed: this.#failed,
        unknown: this.#unknown,
        unused: this.#grants?.unused(),
        problem,
      },
      byOthers: [...this.#byOthers].map(([policy, count]) => ({ policy, count })),
    };
  }

  #use(
    { decision, request }: RecordedRequest,
    { time, requestId, principal, accessKeyId }: LoggedRecord,
  ): void {
    const { action, resource, by } = decision;
    try {
      const prefix = textOf(request.context('s3:prefix'));
      const delimiter = textOf(request.context('s3:delimiter'));
      this.#generator.add({ action, resource, prefix, delimiter, time, requestId });
    } catch (error) {
      if (!(error instanceof UnrecordedKeyError)) throw error;
      this.#unknown++;
      return;
    }
    this.#decisions++;
    this.#grants?.add(request);
    if (by === undefined || isOwn(by.policy, { principal, accessKeyId })) return;
    if (this.#byOthers.has(by.policy) || this.#byOthers.size < MAX_NAMES)
      this.#byOthers.set(by.policy, (this.#byOthers.get(by.policy) ?? 0) + 1);
  }

  #refuse({ decision, bucket }: RecordedRequest, { time, requestId }: LoggedRecord): void {
    const { action, resource } = decision;
    const where = bucket ?? resource;
    const reason = inShort(decision);
    const id = JSON.stringify([action, where, reason]);
    const known = this.#refused.get(id);
    if (known === undefined && this.#refused.size >= MAX_GROUPS) return;
    const isLatest = known === undefined || time >= known.time;
    this.#refused.set(id, {
      action,
      where,
      reason,
      count: (known?.count ?? 0) + 1,
      time: isLatest ? time : known.time,
      requestId: isLatest ? requestId : known.requestId,
    });
  }

  /** Who may not list a bucket gets 403 for a key that is not there. */
  #missingRemarks({ document }: GeneratedPolicy): readonly string[] {
    return [...this.#missing].flatMap(([bucket, count]) => {
      const isListed = document.Statement.some(
        ({ Action, Resource, Condition }) =>
          Condition === undefined &&
          Action.includes('s3:ListBucket') &&
          Resource.some((each) => each.endsWith(`:::${bucket}`)),
      );
      return isListed
        ? []
        : [
            `${count} ${count === 1 ? 'request' : 'requests'} for keys of ${bucket} that are not there got 404; by the proposal it is 403. A client that hangs on it needs s3:ListBucket on the bucket, without a condition on s3:prefix.`,
          ];
    });
  }
}

/** Policies of a user and of a key are named after them; the root user needs none. */
function isOwn(
  policy: string,
  { principal = '', accessKeyId }: Pick<LoggedRecord, 'accessKeyId' | 'principal'>,
): boolean {
  if (principal.endsWith(':root')) return true;
  const owner = policy.slice(0, policy.indexOf('/') + 1);
  return owner === `${accessKeyId}/` || owner === `${principal.slice(principal.lastIndexOf('/') + 1)}/`;
}

/** What the store refused or could not do was not used; that something is not there, or not changed, is an answer. */
const ANSWERS: ReadonlySet<number> = new Set([404, 412, 416]);

/** What the store answered counts: that something is not there may have been told to the client as 403. */
function isDone({ outcome, status = 0, upstream }: LoggedRecord, entry: EntryResult | undefined): boolean {
  const answered = entry?.status ?? upstream?.status ?? status;
  return outcome === 'completed' && answered > 0 && (answered < 400 || ANSWERS.has(answered));
}

function textOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
