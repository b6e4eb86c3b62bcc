/** Objects whose size the request does not tell: what they are made of is looked up where the bucket has a limit. */
import { parseListing, S3Error, type CompletedPart, type WireHeaders } from '../../s3/index.ts';
import type { Authorized } from '../authorize.ts';
import { requireSize } from '../bucket-limits.ts';
import { send } from '../forward.ts';
import type { PerformDependencies } from '../perform.ts';
import { headerOf } from '../raw-headers.ts';
import { unavailable, upstreamOutcome } from '../upstream-error.ts';

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const SOURCE_KEY = 'x-amz-copy-source-server-side-encryption-customer-';

/**
 * Looks at the source of a copy.
 * @throws S3Error `EntityTooLarge`; UpstreamRefusal when the source cannot be looked at.
 */
export async function requireCopySize(
  request: Authorized,
  signal: AbortSignal,
  dependencies: PerformDependencies,
): Promise<void> {
  const { bucket, copySource, sourceBucket, effective } = request;
  if (bucket?.maxObjectBytes === undefined || copySource === undefined || sourceBucket === undefined) return;
  const range = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(effective.headers.get('x-amz-copy-source-range') ?? '');
  if (range !== null) {
    requireSize(Number(range[2]) - Number(range[1]) + 1, bucket);
    return;
  }
  const { versionId } = copySource;
  const response = await send(
    request,
    {
      method: 'HEAD',
      place: sourceBucket.place,
      key: copySource.key,
      query: versionId === undefined ? [] : [{ name: 'versionId', value: versionId }],
      headers: customerKey(effective.headers),
      payload: { kind: 'none' },
      signal,
    },
    dependencies,
  );
  response.body.discard();
  const length = headerOf(response.headers, 'content-length');
  const size = length === undefined ? undefined : Number(length);
  if (size === undefined || !Number.isSafeInteger(size))
    throw unavailable(upstreamOutcome(response), 'the upstream does not tell the size of the source');
  requireSize(size, bucket);
}

/**
 * Adds up the parts that an upload is completed with.
 * @throws S3Error `EntityTooLarge`, `InvalidPart` for another part than the one that is there; UpstreamRefusal when the
 * parts cannot be listed.
 */
export async function requireCompletedSize(
  request: Authorized,
  parts: readonly CompletedPart[],
  signal: AbortSignal,
  dependencies: PerformDependencies,
): Promise<void> {
  const { bucket, effective } = request;
  if (bucket?.maxObjectBytes === undefined) return;
  const wanted = new Map(parts.map(({ partNumber, etag }) => [partNumber, bare(etag)]));
  const uploadId = effective.query.filter(({ name }) => name === 'uploadId');
  let size = 0;
  let marker = '0';
  for (;;) {
    const query = [...uploadId, { name: 'part-number-marker', value: marker }];
    const options = { method: 'GET', query, headers: [], payload: { kind: 'none' }, signal } as const;
    const response = await send(request, options, dependencies);
    const outcome = upstreamOutcome(response);
    const listing = parseListing(
      (await response.body.read(MAX_ANSWER_BYTES)).toString('utf8'),
      'ListPartsResult',
    );
    for (const { content } of listing.entries) {
      const etag = wanted.get(Number(content['PartNumber']));
      if (etag === undefined) continue;
      const { ETag: there } = content;
      // Else a larger part could take its place before the upload is completed.
      if (typeof there !== 'string' || etag !== bare(there)) throw new S3Error('InvalidPart');
      size += Number(content['Size']);
    }
    if (!Number.isSafeInteger(size))
      throw unavailable(outcome, 'the upstream lists parts without their size');
    const { IsTruncated, NextPartNumberMarker: next } = listing.fields;
    if (IsTruncated !== 'true') break;
    if (next === undefined || !(Number(next) > Number(marker)))
      throw unavailable(outcome, 'the upstream lists parts without an end');
    marker = next;
  }
  requireSize(size, bucket);
}

/** Clients send entity tags with and without quotes. */
function bare(etag: string): string {
  return etag.replaceAll('"', '');
}

/** The key that the source is encrypted with, as a HEAD of it has to name it. */
function customerKey(headers: WireHeaders): (readonly [string, string])[] {
  return [...headers.entries()].flatMap(([name, value]): (readonly [string, string])[] =>
    name.startsWith(SOURCE_KEY) ? [[name.replace('copy-source-', ''), value]] : [],
  );
}
