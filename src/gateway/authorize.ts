/**
 * May this caller do this? Every action that the request implies is decided; one refusal refuses the request. Only
 * this file makes an `Authorized`, and only an `Authorized` can be forwarded or answered.
 */
import type { Decision, StatementRef } from '../policy/index.ts';
import {
  checkAcl,
  checkCustomerKeys,
  parseCopySource,
  requiredActions,
  S3Error,
  switchedParts,
  type CopySource,
  type RequiredAction,
} from '../s3/index.ts';
import type { Bucket, Buckets } from './buckets.ts';
import { requireBodies } from './body-requirement.ts';
import { requireSwitches } from './bucket-switches.ts';
import { requireInPrefix, requireSize, requireWritable } from './bucket-limits.ts';
import type { BodyContext } from './condition-facts.ts';
import { decideCopiedTags } from './copied-tags.ts';
import { decideAll, type DecideDependencies, type Decided } from './decide.ts';
import { ExistingTags } from './existing-tags.ts';
import { requireKeyTransport } from './key-transport.ts';
import type { Authenticated } from './stages.ts';

const AUTHORIZED: unique symbol = Symbol('authorized');

export interface Authorized extends Authenticated {
  readonly [AUTHORIZED]: true;
  /** The bucket of the request; undefined at service level and for a bucket that is about to be made. */
  readonly bucket: Bucket | undefined;
  /** With the account that owns it. */
  readonly copySource: (CopySource & { readonly bucketOwner: string }) | undefined;
  /** The bucket of `copySource`. */
  readonly sourceBucket: Bucket | undefined;
  /** What became known of the tags of objects that are decided on. */
  readonly existingTags: ExistingTags;
  /** What let the request pass; empty where each entry of the body is decided on its own. */
  readonly decided: readonly Decided[];
}

/** A policy's refusal: its decisions, of which the last refuses, go into the audit record. */
export class PolicyRefusal extends S3Error {
  readonly decided: readonly Decided[];
  /** The account that owns the bucket; undefined where there is none. */
  readonly bucketOwner: string | undefined;

  constructor(
    decided: readonly Decided[],
    options: {
      readonly message: string | undefined;
      readonly reason: string;
      readonly bucketOwner: string | undefined;
    },
  ) {
    const { message, reason, bucketOwner } = options;
    super('AccessDenied', { ...(message !== undefined && { message }), reason });
    this.decided = decided;
    this.bucketOwner = bucketOwner;
  }
}

export interface AuthorizeDependencies extends DecideDependencies {
  readonly buckets: Buckets;
}

/**
 * @param options.feed reads what the buffered body says that policies may ask for; not called where the operation is off
 * for the bucket, and refused whatever the body says.
 * @param options.signal ends a look-up of the tags that an object has.
 * @throws PolicyRefusal for a denied action, S3Error for a bucket that does not exist, an ACL, or another owner than
 * expected, UpstreamRefusal when such a look-up fails; rejects otherwise only when the store fails.
 */
export async function authorize(
  request: Authenticated,
  { feed, signal }: { readonly feed: () => Promise<BodyContext>; readonly signal: AbortSignal },
  dependencies: AuthorizeDependencies,
): Promise<Authorized> {
  const { operation, address, effective } = request;
  checkAcl(effective);
  checkCustomerKeys(effective.headers);
  const copySource = sourceOf(request);
  const body = (await isSwitchedOff(request, dependencies)) ? {} : await feed();
  // Looked up when the body is there: who sends it slowly is decided by what holds at its end.
  const bucket = address.bucket === undefined ? undefined : await dependencies.buckets.find(address.bucket);
  const source = await findSource(copySource, bucket, dependencies);

  const concerned = (required: RequiredAction): Bucket | undefined =>
    ownerOf(required, { bucket, source, request, copySource });
  const required = requiredActions(operation, effective, address, copySource);
  const existingTags = new ExistingTags(signal);
  const deciding = { bucketOf: concerned, body, existingTags };
  const decided = await decideAll(request, required, deciding, dependencies);
  const last = decided.at(-1);
  if (last?.decision.effect === 'Deny') throw refusal(request, decided, last, concerned(last.required));
  // Entries are decided later, and who may touch none of them learns nothing of the bucket.
  if (!operation.perEntry) requireBucket(request, bucket);
  if (copySource !== undefined && source === undefined) throw noSuchBucket(request, copySource.bucket);
  checkExpectedOwner(effective.headers.get('x-amz-source-expected-bucket-owner'), source);
  if (bucket !== undefined && source !== undefined) requireSameUpstream(bucket, source);
  const ofTags =
    copySource === undefined || source === undefined
      ? []
      : await decideCopiedTags(request, { source: copySource, bucket: source }, deciding, dependencies);
  const lastOfTags = ofTags.at(-1);
  if (lastOfTags?.decision.effect === 'Deny')
    throw refusal(request, [...decided, ...ofTags], lastOfTags, concerned(lastOfTags.required));
  return {
    ...request,
    [AUTHORIZED]: true,
    bucket,
    copySource: copySource && source && { ...copySource, bucketOwner: source.ownerAccount },
    sourceBucket: copySource && source,
    existingTags,
    decided: [...decided, ...ofTags],
  };
}

/**
 * What holds for the bucket of a request whatever policies allow; for those whom they allow something.
 * @throws S3Error for one that does not exist, another owner than expected, or what the bucket's settings refuse.
 */
export function requireBucket(request: Authenticated, bucket: Bucket | undefined): void {
  const { operation, address, effective } = request;
  if (address.bucket !== undefined && bucket === undefined && operation.name !== 'CreateBucket')
    throw noSuchBucket(request, address.bucket);
  checkExpectedOwner(effective.headers.get('x-amz-expected-bucket-owner'), bucket);
  if (bucket === undefined) return;
  requireInPrefix(operation, bucket);
  requireWritable(operation, bucket);
  requireSwitches(bucket, switchedParts(operation, effective.headers));
  requireKeyTransport(request, bucket.place.upstream);
  requireBodies(request, bucket.bodies);
  if (operation.body === 'stream') requireSize(request.body?.length, bucket);
}

/**
 * Of a request whose body came after it was decided: the bucket is still the one that it was decided for, and not one of
 * that name which somebody else has made since.
 * @throws S3Error `NoSuchBucket`; rejects otherwise only when the store fails.
 */
export async function requireSameBucket(
  { bucket }: Authorized,
  { buckets }: Pick<AuthorizeDependencies, 'buckets'>,
): Promise<void> {
  if (bucket === undefined) return;
  const now = await buckets.find(bucket.name);
  const isSame =
    now !== undefined &&
    now.ownerAccount === bucket.ownerAccount &&
    now.record?.createdAt === bucket.record?.createdAt;
  if (isSame) return;
  throw new S3Error('NoSuchBucket', {
    details: { BucketName: bucket.name },
    reason: `the bucket \`${bucket.name}\` was removed while the body came`,
  });
}

/** The refusal of one action, in the words that AWS has for a caller of the same account. */
function refusal(
  request: Authenticated,
  decided: readonly Decided[],
  { required, decision }: Decided,
  bucket: Bucket | undefined,
): PolicyRefusal {
  if (decision.effect === 'Allow') throw new Error('a refusal of what is allowed');
  const { caller } = request;
  const why = describe(decision);
  const reason = `${required.action} on ${required.resource}: ${why.internal}`;
  // Anonymous callers and other accounts learn nothing about the policies.
  const tell = caller.type === 'key' && bucket?.ownerAccount === caller.key.principal.accountId;
  const message = tell
    ? `User: ${caller.key.principal.arn} is not authorized to perform: ${required.action} on resource: "${required.resource}" ${why.external(required.action)}`
    : undefined;
  // A refusal about the source of a copy says nothing of the bucket that the record is about.
  const bucketOwner = required.bucket === request.address.bucket ? bucket?.ownerAccount : undefined;
  return new PolicyRefusal(decided, { message, reason, bucketOwner });
}

/** The bucket whose policy and account count. One that is asked to be made is nobody's, whoever has that name. */
function ownerOf(
  required: RequiredAction,
  known: {
    readonly request: Authenticated;
    readonly bucket: Bucket | undefined;
    readonly source: Bucket | undefined;
    readonly copySource: CopySource | undefined;
  },
): Bucket | undefined {
  const { request, bucket, source, copySource } = known;
  if (request.operation.name === 'CreateBucket') return undefined;
  const ofSource = required.bucket === copySource?.bucket && required.bucket !== request.address.bucket;
  return ofSource ? source : bucket;
}

async function isSwitchedOff(
  { operation: { needs }, address }: Authenticated,
  { buckets }: AuthorizeDependencies,
): Promise<boolean> {
  if (needs === undefined || address.bucket === undefined) return false;
  const bucket = await buckets.find(address.bucket);
  return bucket !== undefined && !bucket.operations.has(needs);
}

/** What is copied, or renamed: then it is in the same bucket. */
function sourceOf({ effective, address }: Authenticated): CopySource | undefined {
  const copied = effective.headers.get('x-amz-copy-source');
  if (copied !== undefined) return parseCopySource(copied);
  const renamed = effective.headers.get(RENAME_SOURCE);
  if (renamed === undefined) return undefined;
  const source = parseCopySource(renamed);
  if (source.bucket !== address.bucket || source.versionId !== undefined)
    throw new S3Error('InvalidArgument', {
      message: 'The source of a rename is a key of the same bucket, written as bucket/key.',
      details: { ArgumentName: RENAME_SOURCE, ArgumentValue: renamed },
    });
  return source;
}

const RENAME_SOURCE = 'x-amz-rename-source';

async function findSource(
  copySource: CopySource | undefined,
  target: Bucket | undefined,
  { buckets }: AuthorizeDependencies,
): Promise<Bucket | undefined> {
  if (copySource === undefined || copySource.bucket === target?.name) return target;
  return buckets.find(copySource.bucket);
}

/** Reached only by callers whose own policies allow the action: they may know that nothing is there. */
function noSuchBucket({ caller }: Authenticated, bucket: string): S3Error {
  return caller.type === 'anonymous'
    ? new S3Error('AccessDenied', { reason: `no bucket \`${bucket}\` at the gateway` })
    : new S3Error('NoSuchBucket', { details: { BucketName: bucket } });
}

/** No upstream can read at another one. */
function requireSameUpstream(bucket: Bucket, source: Bucket): void {
  if (source.place.upstream === bucket.place.upstream) return;
  throw new S3Error('InvalidRequest', {
    message: `The bucket \`${source.name}\` is kept in another store than \`${bucket.name}\`: read the object and write it instead of copying it.`,
    reason: 'a copy from one upstream to another',
  });
}

function checkExpectedOwner(expected: string | undefined, bucket: Bucket | undefined): void {
  if (expected === undefined || expected === bucket?.ownerAccount) return;
  throw new S3Error('AccessDenied', { reason: `the bucket's owner is not the expected \`${expected}\`` });
}

function describe(decision: Decision & { readonly effect: 'Deny' }): {
  readonly internal: string;
  readonly external: (action: string) => string;
} {
  const { because } = decision;
  switch (because.kind) {
    case 'explicit':
      return {
        internal: `explicit Deny in ${statementName(because.by)}`,
        external: () => 'with an explicit deny in a policy',
      };
    case 'implicit':
      return {
        internal: `no Allow in ${because.missing} policies`,
        external: (action) => `because no ${MISSING[because.missing]} allows the ${action} action`,
      };
    // AWS says so too, and names the setting in refusals of PutBucketPolicy alone.
    case 'restricted':
      return {
        internal: `RestrictPublicBuckets, and the bucket policy is public by ${statementName(because.publicBy)}`,
        external: () => 'with an explicit deny in a resource-based policy',
      };
    case 'error':
      return {
        internal: `a policy could not be evaluated: ${String(because.cause)}`,
        external: () => 'because a policy could not be evaluated',
      };
  }
}

const MISSING = {
  identity: 'identity-based policy',
  resource: 'resource-based policy',
  boundary: 'permissions boundary',
  session: 'session policy',
} as const;

function statementName({ policy, sid, index }: StatementRef): string {
  return `${policy}, statement ${sid === undefined ? index + 1 : `\`${sid}\``}`;
}
