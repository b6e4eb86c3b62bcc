/** What a candidate would have decided otherwise in the past: counted, grouped, with a few examples of each group. */
import type { Reason } from './decision-words.ts';

type Effect = Reason['effect'];

/** One decision that the candidate makes otherwise. */
export interface Difference {
  /** Epoch milliseconds. */
  readonly time: number;
  readonly requestId: string;
  /** ARN, or `anonymous`. */
  readonly principal: string;
  readonly action: string;
  /** ARN. */
  readonly resource: string;
  /** Undefined for what concerns no bucket. */
  readonly bucket: string | undefined;
  readonly recorded: Reason;
  readonly candidate: Effect;
  /** Why the candidate decides so: called for the examples that are shown. */
  readonly why: () => Reason;
  /** What the policies decide that are in force now, without the candidate. */
  readonly inForce: Effect;
}

type GroupField = 'action' | 'bucket' | 'inForce' | 'principal';

export interface DifferenceGroup extends Pick<Difference, GroupField> {
  readonly recorded: Effect;
  readonly candidate: Effect;
  readonly count: number;
  /** The first ones. */
  readonly examples: readonly DifferenceExample[];
}

export interface DifferenceExample extends Pick<Difference, 'recorded' | 'requestId' | 'resource' | 'time'> {
  readonly candidate: Reason;
}

/** Decisions that cannot be made again, for one reason. */
interface UndecidableGroup {
  readonly problem: string;
  readonly count: number;
  /** Of the first one. */
  readonly requestId: string;
}

export interface ReplayReport {
  /** Requests of which a decision is recorded. */
  readonly requests: number;
  readonly decisions: number;
  readonly same: number;
  readonly wouldAllow: number;
  readonly wouldDeny: number;
  /** Epoch milliseconds of the first and of the last request; undefined when there was none. */
  readonly since: number | undefined;
  readonly until: number | undefined;
  /** The most frequent first. */
  readonly differences: readonly DifferenceGroup[];
  readonly undecidable: readonly UndecidableGroup[];
}

/** Beyond so many groups differences are counted, and not shown. */
const MAX_GROUPS = 10_000;
const MAX_EXAMPLES = 3;
const OTHER = 'for other reasons';

export class ReplayCounter {
  #requests = 0;
  #same = 0;
  readonly #effects = { Allow: 0, Deny: 0 };
  #since: number | undefined;
  #until: number | undefined;
  readonly #groups = new Map<string, { first: Difference; count: number; examples: DifferenceExample[] }>();
  readonly #problems = new Map<string, { count: number; requestId: string }>();

  /** @param time epoch milliseconds. */
  request(time: number): void {
    this.#requests++;
    this.#since = Math.min(this.#since ?? time, time);
    this.#until = Math.max(this.#until ?? time, time);
  }

  same(): void {
    this.#same++;
  }

  different(difference: Difference): void {
    this.#effects[difference.candidate]++;
    const { principal, action, bucket, candidate, inForce } = difference;
    const id = JSON.stringify([principal, action, bucket, candidate, inForce]);
    const group = this.#groups.get(id);
    if (group === undefined) {
      if (this.#groups.size < MAX_GROUPS)
        this.#groups.set(id, { first: difference, count: 1, examples: [exampleOf(difference)] });
      return;
    }
    group.count++;
    if (group.examples.length < MAX_EXAMPLES) group.examples.push(exampleOf(difference));
  }

  undecidable(problem: string, requestId: string): void {
    const known = this.#problems.get(problem);
    if (known !== undefined) known.count++;
    else if (this.#problems.size < MAX_GROUPS || problem === OTHER)
      this.#problems.set(problem, { count: 1, requestId });
    else this.undecidable(OTHER, requestId);
  }

  report(): ReplayReport {
    const undecidable = [...this.#problems].map(([problem, { count, requestId }]) => ({
      problem,
      count,
      requestId,
    }));
    const unknown = undecidable.reduce((sum, { count }) => sum + count, 0);
    const { Allow: wouldAllow, Deny: wouldDeny } = this.#effects;
    return {
      requests: this.#requests,
      decisions: this.#same + wouldAllow + wouldDeny + unknown,
      same: this.#same,
      wouldAllow,
      wouldDeny,
      since: this.#since,
      until: this.#until,
      differences: [...this.#groups.values()]
        .map(({ first, count, examples }) => ({
          principal: first.principal,
          action: first.action,
          bucket: first.bucket,
          recorded: first.recorded.effect,
          candidate: first.candidate,
          inForce: first.inForce,
          count,
          examples,
        }))
        .toSorted((left, right) => right.count - left.count),
      undecidable: undecidable.toSorted((left, right) => right.count - left.count),
    };
  }
}

function exampleOf({ time, requestId, resource, recorded, why }: Difference): DifferenceExample {
  return { time, requestId, resource, recorded, candidate: why() };
}
