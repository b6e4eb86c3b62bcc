/** Making, finding and removing buckets: upstream, and in the gateway's own register. */
import { renderCreateBucketConfiguration, renderLocation, S3Error } from '../../s3/index.ts';
import { emptyAnswer, xmlAnswer, type Answer } from '../answer.ts';
import { forward, forwardedHeaders, head, send, xmlPayload } from '../forward.ts';
import type { Performance, PerformDependencies } from '../perform.ts';
import type { Place } from '../routes.ts';
import { UpstreamRefusal, upstreamOutcome } from '../upstream-error.ts';

/** Never takes over a bucket that exists: not one of another account, and not one that is only upstream. */
export async function createBucket(
  { request, document, signal }: Performance,
  dependencies: PerformDependencies,
): Promise<Answer> {
  const { region, routes, store, directory } = dependencies;
  const name = request.address.bucket ?? '';
  const ownerAccount =
    request.caller.type === 'key' ? request.caller.key.principal.accountId : dependencies.accountId;
  if (request.caller.type === 'anonymous')
    throw new S3Error('AccessDenied', { reason: 'anonymous CreateBucket' });
  checkLocation(document.kind === 'create-bucket' ? document.locationConstraint : undefined, region);
  // Also one that has no place any more: its upstream may come back, and its policy stays.
  const record = (await directory.find(name))?.record;
  if (record !== undefined)
    throw new S3Error(
      record.ownerAccount === ownerAccount ? 'BucketAlreadyOwnedByYou' : 'BucketAlreadyExists',
      { details: { BucketName: name } },
    );
  if (routes.virtual.includes(name))
    throw new S3Error('BucketAlreadyExists', { details: { BucketName: name }, reason: 'a virtual bucket' });
  const route = routes.forNew(name);
  if (route === undefined)
    throw new S3Error('AccessDenied', {
      reason: `no upstream for a new bucket \`${name}\`: none has it in \`buckets\`, and none is the default`,
    });
  const { place } = route;
  if (await existsUpstream({ request, signal }, place, dependencies))
    throw new S3Error('BucketAlreadyExists', {
      details: { BucketName: name },
      reason: 'the bucket exists upstream',
    });
  const { payload, headers } =
    place.upstream.region === 'us-east-1'
      ? { payload: { kind: 'none' } as const, headers: [] }
      : xmlPayload(renderCreateBucketConfiguration(place.upstream.region));
  const options = forwardedHeaders(request).filter(([header]) => CREATION_HEADERS.has(header));
  const response = await send(
    request,
    { payload, signal, headers: [...headers, ...options], place },
    dependencies,
  );
  response.body.discard();
  const added = await store.addBucket({
    name,
    ownerAccount,
    upstream: route.upstream,
    createdAt: dependencies.now(),
  });
  await directory.refresh();
  // Another request was faster, and upstreams such as us-east-1 let the owner make a bucket twice.
  if (!added) throw new S3Error('BucketAlreadyOwnedByYou', { details: { BucketName: name } });
  return {
    ...emptyAnswer(200, ['location', `/${name}`, 'content-length', '0']),
    upstream: upstreamOutcome(response),
  };
}

/** The register forgets the bucket with what is set for it, so that a later one of that name starts without. */
export async function deleteBucket(
  { request, signal }: Performance,
  dependencies: PerformDependencies,
): Promise<Answer> {
  const forget = async (): Promise<void> => {
    await dependencies.store.deleteBucket(request.address.bucket ?? '');
    await dependencies.directory.refresh();
  };
  try {
    const answer = await forward(request, { payload: { kind: 'none' }, signal }, dependencies);
    await forget();
    return answer;
  } catch (error) {
    // Deleted behind the gateway's back: without this, the name could neither be used nor made again.
    if (error instanceof UpstreamRefusal && error.code === 'NoSuchBucket') await forget();
    throw error;
  }
}

export async function headBucket(
  { request, signal }: Performance,
  dependencies: PerformDependencies,
): Promise<Answer> {
  const answer = await forward(request, { payload: { kind: 'none' }, signal }, dependencies);
  return {
    ...answer,
    headers: [
      ...answer.headers,
      'x-amz-bucket-region',
      dependencies.region,
      'x-amz-access-point-alias',
      'false',
    ],
  };
}

/** The region that clients sign for is the gateway's, wherever the bucket is. */
export async function getBucketLocation(
  { request, signal }: Performance,
  dependencies: PerformDependencies,
): Promise<Answer> {
  return xmlAnswer(renderLocation(dependencies.region), await head(request, { signal }, dependencies));
}

/** What a new bucket is given beside its region. */
const CREATION_HEADERS: ReadonlySet<string> = new Set([
  'x-amz-bucket-object-lock-enabled',
  'x-amz-object-ownership',
]);

function checkLocation(constraint: string | undefined, region: string): void {
  const expected = region === 'us-east-1' ? undefined : region;
  if (constraint === expected || constraint === region) return;
  if (constraint === undefined)
    throw new S3Error('IllegalLocationConstraintException', {
      message:
        'The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.',
    });
  throw new S3Error('IllegalLocationConstraintException', {
    message: `The ${constraint} location constraint is incompatible for the region specific endpoint this request was sent to.`,
  });
}

/** Asked first, since AWS answers 200 when the upstream's own account makes a bucket again. */
async function existsUpstream(
  { request, signal }: Pick<Performance, 'request' | 'signal'>,
  place: Place,
  dependencies: PerformDependencies,
): Promise<boolean> {
  try {
    await head(request, { signal, place }, dependencies);
    return true;
  } catch (error) {
    if (!(error instanceof UpstreamRefusal)) throw error;
    if (error.status === 404) return false;
    // 403: somebody else's bucket, or a right that the gateway lacks. Either way it is not ours to make.
    if (error.status === 403) return true;
    throw error;
  }
}
