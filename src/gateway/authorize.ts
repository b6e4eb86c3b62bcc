/**
 * May this caller do this? Every action that the request implies is decided; one refusal refuses the request. Only
 * this file makes an `Authorized`, and only an `Authorized` can be forwarded or answered.
 */
import {
  evaluate,
  type CompiledPolicy,
  type Decision,
  type PolicyPrincipal,
  type StatementRef,
} from '../policy/index.ts';
import {
  bucketArn,
  checkAcl,
  checkCustomerKeys,
  keyAsPath,
  objectArn,
  parseCopySource,
  requiredActions,
  S3Error,
  switchedParts,
  type CopySource,
  type OperationName,
  type RequiredAction,
} from '../s3/index.ts';
import type { Bucket, Buckets } from './buckets.ts';
import { requireBodies } from './body-requirement.ts';
import { requireSwitches } from './bucket-switches.ts';
import { requireInPrefix, requireSize, requireWritable } from './bucket-limits.ts';
import { conditionContext, type BodyContext } from './condition-context.ts';
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
  /** What let the request pass; undefined where each entry of the body is decided on its own. */
  readonly decided: Decided | undefined;
}

/** A decision and what it was about. */
export interface Decided {
  readonly required: RequiredAction;
  readonly decision: Decision;
}

/** A policy's refusal: its decision goes into the audit record. */
export class PolicyRefusal extends S3Error {
  readonly decided: Decided;
  /** The account that owns the bucket; undefined where there is none. */
  readonly bucketOwner: string | undefined;

  constructor(
    decided: Decided,
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

export interface AuthorizeDependencies {
  readonly buckets: Buckets;
  readonly accountId: string;
  readonly region: string;
  readonly now: () => number;
}

type DecideDependencies = Pick<AuthorizeDependencies, 'accountId' | 'now' | 'region'>;

/**
 * @param feed reads what the buffered body says that policies may ask for; not called where the operation is off for the
 * bucket, and refused whatever the body says.
 * @throws PolicyRefusal for a denied action, S3Error for a bucket that does not exist, an ACL, or another owner than
 * expected; rejects otherwise only when the store fails.
 */
export async function authorize(
  request: Authenticated,
  feed: () => Promise<BodyContext>,
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

  let decided: Decided | undefined;
  if (!operation.perEntry)
    for (const required of requiredActions(operation, effective, address, copySource)) {
      const owner = ownerOf(required, { bucket, source, request, copySource });
      const decision = decide(request, required, owner, body, dependencies);
      decided = { required, decision };
      if (decision.effect === 'Deny') throw refusal(request, required, decision, owner);
    }
  // Entries are decided later, and who may touch none of them learns nothing of the bucket.
  if (!operation.perEntry) requireBucket(request, bucket);
  if (copySource !== undefined && source === undefined) throw noSuchBucket(request, copySource.bucket);
  checkExpectedOwner(effective.headers.get('x-amz-source-expected-bucket-owner'), source);
  if (bucket !== undefined && source !== undefined) requireSameUpstream(bucket, source);
  return {
    ...request,
    [AUTHORIZED]: true,
    bucket,
    copySource: copySource && source && { ...copySource, bucketOwner: source.ownerAccount },
    sourceBucket: copySource && source,
    decided,
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
 * One action on one resource. A bucket whose policy is broken, or that is unknown, is denied by that alone.
 *
 * INVARIANT: a key is decided as its bytes and, where those look like a path with `..`, `.` or empty segments, as the
 * path that they resolve to as well: an upstream that keeps objects as files would open that one, and a scope of
 * `public/*` must not reach `secret` as `public/../secret`. See docs/decisions/0009.
 */
export function decide(
  request: Authenticated,
  required: RequiredAction,
  bucket: Bucket | undefined,
  body: BodyContext,
  dependencies: DecideDependencies,
): Decision {
  const decision = decideResource(request, required, bucket, body, dependencies);
  const resolved = resolvedResource(required);
  if (resolved === undefined || decision.effect === 'Deny') return decision;
  const other = decideResource(request, { ...required, resource: resolved }, bucket, body, dependencies);
  return other.effect === 'Deny' ? other : decision;
}

/** Undefined where the key is what a file system would make of it. */
function resolvedResource({ resource, bucket }: RequiredAction): string | undefined {
  if (bucket === undefined || !(resource.includes('//') || resource.includes('/.'))) return undefined;
  const prefix = objectArn(bucket, '');
  if (!resource.startsWith(prefix)) return undefined;
  const key = resource.slice(prefix.length);
  const path = keyAsPath(key);
  return path === key ? undefined : prefix + path;
}

function decideResource(
  request: Authenticated,
  required: RequiredAction,
  bucket: Bucket | undefined,
  body: BodyContext,
  dependencies: DecideDependencies,
): Decision {
  const repairs = bucket !== undefined && isRepair(request, bucket);
  if (bucket?.policy.kind === 'broken' && !repairs)
    return { effect: 'Deny', because: { kind: 'error', cause: bucket.policy.problem } };
  const { caller } = request;
  const resource = bucket?.policy.kind === 'policy' && !repairs ? bucket.policy.policy : undefined;
  const resourceAccount = bucket?.ownerAccount ?? dependencies.accountId;
  return evaluate(
    {
      action: required.action,
      resource: required.resource,
      resourceAccount,
      principal: policyPrincipal(request),
      context: conditionContext(request, dependencies.now(), body, {
        account: resourceAccount,
        region: dependencies.region,
      }),
    },
    {
      identity: caller.type === 'key' ? caller.key.policies : NO_POLICIES,
      ...(resource !== undefined && { resource }),
    },
  );
}

/**
 * Whether the caller may list the bucket: who may not learns nothing of what is missing in it. `s3:prefix` is absent
 * in this check, as on AWS.
 */
export function mayList(request: Authenticated, bucket: Bucket, dependencies: DecideDependencies): boolean {
  const required = { action: 's3:ListBucket', resource: bucketArn(bucket.name), bucket: bucket.name };
  return decide(request, required, bucket, {}, dependencies).effect === 'Allow';
}

/** May the caller take this action on the object of the request, besides what it asked for? */
export function mayAlso(request: Authorized, action: string, dependencies: DecideDependencies): boolean {
  const { bucket, address } = request;
  if (bucket === undefined || address.key === undefined) return false;
  const required = { action, resource: objectArn(bucket.name, address.key), bucket: bucket.name };
  return decide(request, required, bucket, {}, dependencies).effect === 'Allow';
}

/** The refusal of one action, in the words that AWS has for a caller of the same account. */
function refusal(
  request: Authenticated,
  required: RequiredAction,
  decision: Decision & { readonly effect: 'Deny' },
  bucket: Bucket | undefined,
): PolicyRefusal {
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
  return new PolicyRefusal({ required, decision }, { message, reason, bucketOwner });
}

/**
 * The root user of the owner's account reads, replaces and removes a bucket policy whatever that policy says: else one
 * that denies everybody could never be repaired. Source: S3 API reference, PutBucketPolicy.
 */
function isRepair({ caller, operation }: Authenticated, bucket: Bucket): boolean {
  return (
    POLICY_OPERATIONS.has(operation.name) &&
    caller.type === 'key' &&
    caller.key.principal.type === 'root' &&
    caller.key.principal.accountId === bucket.ownerAccount
  );
}

const POLICY_OPERATIONS: ReadonlySet<OperationName> = new Set([
  'DeleteBucketPolicy',
  'GetBucketPolicy',
  'PutBucketPolicy',
]);

const NO_POLICIES: readonly CompiledPolicy[] = [];

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

function policyPrincipal({ caller }: Authenticated): PolicyPrincipal {
  if (caller.type === 'anonymous') return caller;
  const { type, arn, accountId, userName, userId } = caller.key.principal;
  return { type, arn, accountId, userName, userId };
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
