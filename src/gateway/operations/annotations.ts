/** Annotations of objects, for upstreams that know them. Their answers name bucket and key, and are written anew. */
import {
  asPathsToo,
  objectArn,
  parseAnnotationListing,
  queryValue,
  renderAnnotationListing,
  renderPutAnnotation,
  type QueryParameter,
} from '../../s3/index.ts';
import { withoutFraming, xmlAnswer, type Answer } from '../answer.ts';
import type { Authorized } from '../authorize.ts';
import { decide } from '../decide.ts';
import { answerHeaders, forward, forwardedHeaders, forwardedQuery, send, streamPayload } from '../forward.ts';
import { incorrectToken } from '../listing-token.ts';
import type { Performance, PerformDependencies } from '../perform.ts';
import { isMapped, placeOf } from '../place.ts';
import { unavailable, upstreamOutcome } from '../upstream-error.ts';

/** A thousand of them, with names of 512 bytes that are escaped. */
const MAX_LISTING_BYTES = 4 * 1024 * 1024;

/** To be called for an upstream that has shown that it knows annotations. */
export async function putObjectAnnotation(
  { request, body: open, signal }: Performance,
  dependencies: PerformDependencies,
): Promise<Answer> {
  const body = await open().open({ maxLength: request.bucket?.maxObjectBytes });
  const options = { payload: streamPayload(request, body), signal, upload: body };
  const { body: of, headers, upstream } = await forward(request, options, dependencies);
  if (of.kind === 'stream') of.stream.discard();
  const name = queryValue(request.effective.query, 'annotationName');
  const answer = xmlAnswer(renderPutAnnotation({ key: request.address.key ?? '', name }), upstream);
  return { ...answer, headers: [...withoutFraming(headers), ...answer.headers] };
}

export async function listObjectAnnotations(
  { request, signal }: Performance,
  dependencies: PerformDependencies,
): Promise<Answer> {
  const { bucket = '', key = '' } = request.address;
  const { listingTokens } = dependencies;
  const mapped = isMapped(placeOf(request), bucket);
  const scope = `annotations of ${bucket}`;
  const query = forwardedQuery(request).map((parameter): QueryParameter => {
    if (!mapped || parameter.name !== 'continuation-token') return parameter;
    const value = listingTokens.open(scope, parameter.value);
    if (value === undefined) throw incorrectToken();
    return { name: parameter.name, value };
  });
  const response = await send(request, { query, payload: { kind: 'none' }, signal }, dependencies);
  const outcome = upstreamOutcome(response);
  try {
    const page = parseAnnotationListing((await response.body.read(MAX_LISTING_BYTES)).toString('utf8'), {
      replication: request.bucket?.operations.has('replication') === true,
    });
    const { nextContinuationToken: next } = page;
    // It may tell where the bucket is.
    const told = mapped && next !== undefined ? listingTokens.seal(scope, next) : next;
    const continuationToken = queryValue(request.effective.query, 'continuation-token');
    const answer = xmlAnswer(
      renderAnnotationListing({ ...page, nextContinuationToken: told }, { bucket, key, continuationToken }),
      outcome,
    );
    const headers = withoutFraming(answerHeaders(request, response, dependencies));
    return { ...answer, headers: [...headers, ...answer.headers] };
  } catch (error) {
    throw unavailable(outcome, `the upstream's list of annotations cannot be used: ${String(error)}`);
  }
}

const DIRECTIVE = 'x-amz-object-annotation-directive';

/**
 * The headers of a copy. S3 copies the annotations of the source unless it is told otherwise: so it is told, for a
 * caller who may not read those, or not write them here. Whoever asks for them in so many words is decided by that.
 */
export function copyHeaders(
  request: Authorized,
  dependencies: PerformDependencies,
): readonly (readonly [name: string, value: string])[] {
  const headers = forwardedHeaders(request);
  const isKnown = request.bucket?.operations.has('annotations') === true;
  if (!isKnown || headers.some(([name]) => name === DIRECTIVE) || mayCopyAnnotations(request, dependencies))
    return headers;
  return [...headers, [DIRECTIVE, 'EXCLUDE']];
}

function mayCopyAnnotations(
  { copySource: from, sourceBucket, bucket, ...request }: Authorized,
  dependencies: PerformDependencies,
): boolean {
  if (from === undefined || sourceBucket === undefined || bucket === undefined) return false;
  const { versionId } = from;
  const read = versionId === undefined ? 's3:GetObjectAnnotation' : 's3:GetObjectVersionAnnotation';
  const sides = [
    { action: read, of: sourceBucket, key: from.key, versionId },
    { action: 's3:PutObjectAnnotation', of: bucket, key: request.address.key ?? '', versionId: undefined },
  ];
  return sides.every(({ action, of, key, versionId: version }) =>
    asPathsToo({ action, resource: objectArn(of.name, key), bucket: of.name, versionId: version }).every(
      (required) => decide(request, required, of, {}, dependencies).decision.effect === 'Allow',
    ),
  );
}
