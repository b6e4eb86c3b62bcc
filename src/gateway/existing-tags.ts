/** The tags that objects have upstream, looked up for policies that ask for them. */
import { objectArn, parseTagging, S3Error, type RequiredAction, type Tag } from '../s3/index.ts';
import { UpstreamUnreachable, type UpstreamRequest, type UpstreamResponse } from '../upstream/index.ts';
import type { UpstreamOutcome } from './answer.ts';
import type { Bucket } from './buckets.ts';
import { upstreamKey } from './place.ts';
import { headerOf } from './raw-headers.ts';
import { readRefusal, unavailable, upstreamOutcome, type UpstreamRefusal } from './upstream-error.ts';

/** Ten tags of 128 and 256 characters, however they are escaped. */
const MAX_ANSWER_BYTES = 65_536;
const NONE: readonly Tag[] = [];

/** Of one request: each object is asked for once. */
export class ExistingTags {
  readonly #signal: AbortSignal;
  readonly #known = new Map<string, readonly Tag[]>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Undefined when they have not been looked up. */
  known(required: RequiredAction): readonly Tag[] | undefined {
    return this.#known.size === 0 ? undefined : this.#known.get(identityOf(required));
  }

  /**
   * With the gateway's own credentials. None for an object or a bucket that is not there.
   * @throws UpstreamRefusal `ServiceUnavailable` when the upstream does not tell, S3Error when it is not asked at all.
   */
  async lookUp(required: RequiredAction, bucket: Bucket | undefined): Promise<readonly Tag[]> {
    const known = this.known(required);
    if (known !== undefined) return known;
    const tags = bucket === undefined ? NONE : await fetchTags(required, bucket, this.#signal);
    this.#known.set(identityOf(required), tags);
    return tags;
  }
}

function identityOf({ resource, versionId }: RequiredAction): string {
  return versionId === undefined ? resource : `${versionId}\n${resource}`;
}

async function fetchTags(
  { resource, versionId }: RequiredAction,
  { name, place }: Bucket,
  signal: AbortSignal,
): Promise<readonly Tag[]> {
  const key = placedKey(place, resource.slice(objectArn(name, '').length));
  if (key === undefined) return NONE;
  const query = [{ name: 'tagging', value: '' }];
  if (versionId !== undefined) query.push({ name: 'versionId', value: versionId });
  const response = await ask(place.upstream, {
    method: 'GET',
    bucket: place.bucket,
    key,
    query,
    headers: [],
    payload: { kind: 'none' },
    signal,
  });
  if (response.status === 200) return readTags(response);
  // Nobody reads a version that is a delete marker, and it has no tags.
  const isDeleteMarker = headerOf(response.headers, 'x-amz-delete-marker') === 'true';
  const refusal = await readRefusal(response, { method: 'GET', about: 'object' });
  if (isDeleteMarker || (refusal.status === 404 && NOTHING.has(refusal.code))) return NONE;
  throw unknown(refusal.upstream, refusal.upstream.cause ?? `${refusal.status} ${refusal.code}`);
}

/** Nothing is there, or it has no tags. */
const NOTHING: ReadonlySet<string> = new Set([
  'NoSuchBucket',
  'NoSuchKey',
  'NoSuchTagSet',
  'NoSuchTagSetError',
  'NoSuchVersion',
]);

/** Undefined for a key that no object of the bucket can have upstream. */
function placedKey(place: Bucket['place'], key: string): string | undefined {
  try {
    return upstreamKey(place, key);
  } catch (error) {
    if (error instanceof S3Error) return undefined;
    throw error;
  }
}

async function ask(
  upstream: Bucket['place']['upstream'],
  request: UpstreamRequest,
): Promise<UpstreamResponse> {
  try {
    return await upstream.send(request);
  } catch (error) {
    if (error instanceof UpstreamUnreachable) throw unknown(NO_OUTCOME, error.message);
    throw error;
  }
}

const NO_OUTCOME: UpstreamOutcome = {
  status: undefined,
  requestId: undefined,
  id2: undefined,
  errorCode: undefined,
  cause: undefined,
};

/** A store that does not know the sub-resource may answer with the object itself. */
async function readTags(response: UpstreamResponse): Promise<readonly Tag[]> {
  try {
    return parseTagging((await response.body.read(MAX_ANSWER_BYTES)).toString('utf8'), 'object');
  } catch (error) {
    throw unknown(upstreamOutcome(response), String(error));
  }
}

function unknown(outcome: UpstreamOutcome, cause: string): UpstreamRefusal {
  return unavailable(
    outcome,
    `a policy asks for the tags of the object, and the upstream does not tell: ${cause}`,
  );
}
