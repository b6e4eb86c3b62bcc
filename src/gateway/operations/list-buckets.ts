/** ListBuckets shows what exists at the gateway and the caller may see, never the upstream account's buckets as such. */
import {
  parseListBuckets,
  renderListBuckets,
  queryValue,
  S3Error,
  type ListedBucket,
} from '../../s3/index.ts';
import { xmlAnswer, type Answer, type UpstreamOutcome } from '../answer.ts';
import type { Authorized } from '../authorize.ts';
import { decide, mayList } from '../decide.ts';
import type { Bucket } from '../buckets.ts';
import { canonicalUserId } from '../canonical-user.ts';
import { sendToService } from '../forward.ts';
import type { Performance, PerformDependencies } from '../perform.ts';
import { UpstreamRefusal, upstreamOutcome } from '../upstream-error.ts';

/** S3's own most for `max-buckets`. */
const MAX_BUCKETS = 10_000;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const UNKNOWN_DATE = new Date(0).toISOString();

export async function listBuckets(
  performance: Performance,
  dependencies: PerformDependencies,
): Promise<Answer> {
  const { request } = performance;
  const { query } = request.effective;
  const prefix = queryValue(query, 'prefix');
  const region = queryValue(query, 'bucket-region');
  const after = decodeToken(queryValue(query, 'continuation-token'));
  const max = parseMax(queryValue(query, 'max-buckets'));
  if (request.caller.type === 'anonymous')
    throw new S3Error('AccessDenied', { reason: 'anonymous ListBuckets' });

  const { candidates, upstream } = await candidateBuckets(performance, dependencies);
  const visible: ListedBucket[] = [];
  let truncated = false;
  for (const name of [...candidates.keys()].sort()) {
    if (name <= after || !name.startsWith(prefix ?? '')) continue;
    if (region !== undefined && region !== dependencies.region) continue;
    const bucket = await dependencies.buckets.find(name);
    if (bucket === undefined || !maySee(request, bucket, dependencies)) continue;
    truncated = visible.length === max;
    if (truncated) break;
    visible.push({
      name,
      creationDate: candidates.get(name) ?? UNKNOWN_DATE,
      bucketRegion: dependencies.region,
    });
  }
  const last = visible.at(-1);
  return xmlAnswer(
    renderListBuckets({
      ownerId: canonicalUserId(request.caller.key.principal.accountId),
      buckets: visible,
      ...(prefix !== undefined && { prefix }),
      ...(truncated && last !== undefined && { continuationToken: encodeToken(last.name) }),
    }),
    upstream,
  );
}

/** Owner account only, as on AWS; of those, the buckets that the caller may list or locate. */
function maySee(request: Authorized, bucket: Bucket, dependencies: PerformDependencies): boolean {
  if (request.caller.type === 'anonymous' || bucket.ownerAccount !== request.caller.key.principal.accountId)
    return false;
  if (mayList(request, bucket, dependencies)) return true;
  const locate = {
    action: 's3:GetBucketLocation',
    resource: `arn:aws:s3:::${bucket.name}`,
    bucket: bucket.name,
  };
  return decide(request, locate, bucket, {}, dependencies).decision.effect === 'Allow';
}

interface Candidates {
  /** Names with their creation date: the register's, and those upstream that the configuration names. */
  readonly candidates: ReadonlyMap<string, string>;
  /** Of the last upstream that was asked. */
  readonly upstream: UpstreamOutcome | undefined;
}

async function candidateBuckets(
  { signal }: Performance,
  { store, routes }: PerformDependencies,
): Promise<Candidates> {
  const candidates = new Map<string, string>();
  for (const name of routes.virtual) candidates.set(name, UNKNOWN_DATE);
  for (const { name, createdAt } of await store.listBuckets())
    candidates.set(name, new Date(createdAt).toISOString());
  let outcome: UpstreamOutcome | undefined;
  for (const upstream of routes.listed)
    try {
      const response = await sendToService(upstream, { query: [], signal });
      outcome = upstreamOutcome(response);
      const listed = parseListBuckets((await response.body.read(MAX_ANSWER_BYTES)).toString('utf8'));
      for (const { name, creationDate } of listed.buckets)
        if (!candidates.has(name) && routes.configured(name)?.upstream === upstream)
          candidates.set(name, creationDate);
    } catch (error) {
      // The gateway's upstream credentials need no right to list buckets: what it knows itself is shown.
      if (!(error instanceof UpstreamRefusal) || error.status !== 403) throw error;
      outcome = error.upstream;
    }
  return { candidates, upstream: outcome };
}

function parseMax(text: string | undefined): number {
  if (text === undefined) return MAX_BUCKETS;
  const max = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (max >= 1 && max <= MAX_BUCKETS) return max;
  throw new S3Error('InvalidArgument', {
    message: `max-buckets must be a number from 1 to ${MAX_BUCKETS}`,
    details: { ArgumentName: 'max-buckets', ArgumentValue: text },
  });
}

function encodeToken(name: string): string {
  return Buffer.from(name, 'utf8').toString('base64url');
}

function decodeToken(token: string | undefined): string {
  return token === undefined ? '' : Buffer.from(token, 'base64url').toString('utf8');
}
