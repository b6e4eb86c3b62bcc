/** Fills in the condition keys of a request, one at a time, when a policy asks for them. */
import type { ContextLookup } from '../policy/index.ts';
import {
  parseCopySource,
  parseTaggingHeader,
  queryValue,
  type CopySource,
  type OperationName,
} from '../s3/index.ts';
import type { Authenticated } from './stages.ts';

/** What the request's small XML body adds, or an entry of it. */
export interface BodyContext {
  /** `s3:versionid` of an entry of DeleteObjects. */
  readonly versionId?: string | undefined;
  readonly locationConstraint?: string | undefined;
  /** `GOVERNANCE` or `COMPLIANCE` */
  readonly lockMode?: string | undefined;
  /** ISO 8601. */
  readonly retainUntil?: string | undefined;
  /** `ON` or `OFF` */
  readonly legalHold?: string | undefined;
  readonly inventoryFields?: readonly string[] | undefined;
  readonly tags?: readonly { readonly key: string; readonly value: string }[] | undefined;
}

/** Of the resource that is decided on. */
export interface ResourceContext {
  /** 12 digits. */
  readonly account: string;
  readonly region: string;
}

/** What policies may ask of one decision. */
export interface ConditionContext {
  readonly lookup: ContextLookup;
  /** As AWS writes them; a key that is not among them has no value. */
  readonly names: () => readonly string[];
}

const LISTINGS = new Set(['ListObjects', 'ListObjectsV2', 'ListObjectVersions']);
const REQUEST_TAG = 's3:requestobjecttag/';
const PRINCIPAL_TAG = 'aws:principaltag/';
/** Keys whose value is the header of the same name. */
const HEADER_KEYS: ReadonlySet<string> = new Set([
  'x-amz-acl',
  'x-amz-metadata-directive',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-storage-class',
  'x-amz-website-redirect-location',
  'if-match',
  'if-none-match',
]);

/** Source: S3 API reference, "Amazon S3 Signature Version 4 authentication-specific policy keys". */
const AUTH_TYPES = { header: 'REST-HEADER', presigned: 'REST-QUERY-STRING', post: 'POST' } as const;

/** Source: S3 User Guide, "Enforce conditional writes on Amazon S3 buckets". */
const CREATIONS: Partial<Record<OperationName, 'true' | 'false'>> = {
  CompleteMultipartUpload: 'true',
  CopyObject: 'true',
  CreateMultipartUpload: 'false',
  PostObject: 'true',
  PutObject: 'true',
  UploadPart: 'false',
  UploadPartCopy: 'false',
};
const EXISTING_TAG = 's3:existingobjecttag/';

/**
 * Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3", and IAM User Guide,
 * "AWS global condition context keys". A key that is not filled in is absent, and throws where the upstream alone
 * knows its value: a Deny that hangs on it would otherwise never hold.
 * @param now epoch milliseconds.
 */
export function conditionContext(
  request: Authenticated,
  now: number,
  body: BodyContext = {},
  resource?: ResourceContext,
): ConditionContext {
  const lookup: ContextLookup = (key) => {
    if (key === 's3:resourceaccount') return resource?.account;
    if (key.startsWith('s3:')) return s3Key(key, request, now, body);
    if (key.startsWith(PRINCIPAL_TAG)) return principalTag(request, key.slice(PRINCIPAL_TAG.length));
    if (key === 'aws:resourceaccount') return resource?.account;
    if (key === 'aws:requestedregion') return resource?.region;
    return globalKey(key, request, now);
  };
  return { lookup, names: () => presentNames(request, body) };
}

/** The keys that the request may have, as AWS writes them: for the record. */
function presentNames(request: Authenticated, body: BodyContext): readonly string[] {
  const { caller } = request;
  const principalTags = caller.type === 'anonymous' ? [] : Object.keys(caller.key.principal.tags);
  return [
    ...NAMES,
    ...principalTags.map((tag) => `aws:PrincipalTag/${tag}`),
    ...(requestTags(request, body) ?? []).map(({ key }) => `s3:RequestObjectTag/${key}`),
  ];
}

const NAMES: readonly string[] = [
  'aws:CurrentTime',
  'aws:EpochTime',
  'aws:PrincipalAccount',
  'aws:PrincipalArn',
  'aws:PrincipalIsAWSService',
  'aws:PrincipalType',
  'aws:Referer',
  'aws:RequestedRegion',
  'aws:ResourceAccount',
  'aws:SecureTransport',
  'aws:SourceIp',
  'aws:UserAgent',
  'aws:ViaAWSService',
  'aws:userid',
  'aws:username',
  's3:InventoryAccessibleOptionalFields',
  's3:ObjectCreationOperation',
  's3:RequestObjectTagKeys',
  's3:ResourceAccount',
  's3:TlsVersion',
  's3:VersionId',
  's3:authType',
  's3:delimiter',
  's3:if-match',
  's3:if-none-match',
  's3:locationconstraint',
  's3:max-keys',
  's3:object-lock-legal-hold',
  's3:object-lock-mode',
  's3:object-lock-remaining-retention-days',
  's3:object-lock-retain-until-date',
  's3:prefix',
  's3:signatureAge',
  's3:signatureversion',
  's3:x-amz-acl',
  's3:x-amz-content-sha256',
  's3:x-amz-copy-source',
  's3:x-amz-metadata-directive',
  's3:x-amz-server-side-encryption',
  's3:x-amz-server-side-encryption-aws-kms-key-id',
  's3:x-amz-server-side-encryption-customer-algorithm',
  's3:x-amz-storage-class',
  's3:x-amz-website-redirect-location',
];

function s3Key(
  key: string,
  request: Authenticated,
  now: number,
  body: BodyContext,
): string | readonly string[] | undefined {
  const { caller, operation, effective } = request;
  const listing = LISTINGS.has(operation.name);
  switch (key) {
    case 's3:prefix':
      return listing ? queryValue(effective.query, 'prefix') : undefined;
    case 's3:delimiter':
      return listing ? queryValue(effective.query, 'delimiter') : undefined;
    case 's3:max-keys':
      return listing ? (queryValue(effective.query, 'max-keys') ?? '1000') : undefined;
    case 's3:authtype':
      if (caller.type === 'anonymous') return undefined;
      return AUTH_TYPES[caller.claim.form];
    case 's3:signatureversion':
      return caller.type === 'anonymous' ? undefined : caller.claim.algorithm;
    case 's3:signatureage':
      return caller.type === 'anonymous' ? undefined : String(Math.max(0, now - caller.claim.signedAt));
    case 's3:tlsversion':
      return request.tls === undefined ? undefined : /^TLSv(\d(?:\.\d)?)$/.exec(request.tls.protocol)?.[1];
    case 's3:x-amz-content-sha256':
      return request.payloadHash;
    case 's3:versionid':
      return body.versionId ?? queryValue(effective.query, 'versionId') ?? copySource(request)?.versionId;
    case 's3:x-amz-copy-source': {
      const source = copySource(request);
      return source && `${source.bucket}/${source.key}`;
    }
    case 's3:objectcreationoperation':
      return CREATIONS[operation.name];
    case 's3:locationconstraint':
      return body.locationConstraint;
    case 's3:object-lock-mode':
      return body.lockMode ?? effective.headers.get('x-amz-object-lock-mode');
    case 's3:object-lock-retain-until-date':
      return retainUntil(request, body);
    case 's3:object-lock-remaining-retention-days':
      return remainingDays(retainUntil(request, body), now);
    case 's3:object-lock-legal-hold':
      return body.legalHold ?? effective.headers.get('x-amz-object-lock-legal-hold');
    case 's3:inventoryaccessibleoptionalfields':
      return body.inventoryFields;
    case 's3:requestobjecttagkeys':
      return requestTags(request, body)?.map((tag) => tag.key);
    default:
      if (key.startsWith(EXISTING_TAG))
        throw new Error(
          's3:ExistingObjectTag is not supported: the tags of an object are known upstream only',
        );
      if (key.startsWith(REQUEST_TAG)) return requestTag(request, body, key.slice(REQUEST_TAG.length));
      return HEADER_KEYS.has(key.slice(3)) ? effective.headers.get(key.slice(3)) : undefined;
  }
}

function globalKey(key: string, request: Authenticated, now: number): string | undefined {
  const principal = request.caller.type === 'key' ? request.caller.key.principal : undefined;
  switch (key) {
    case 'aws:sourceip':
      return request.remoteAddress;
    case 'aws:securetransport':
      return String(request.secure);
    case 'aws:currenttime':
      return new Date(now).toISOString();
    case 'aws:epochtime':
      return String(Math.floor(now / 1000));
    case 'aws:useragent':
      return request.effective.headers.get('user-agent');
    case 'aws:referer':
      return request.effective.headers.get('referer');
    case 'aws:principalarn':
      return principal?.arn;
    case 'aws:principalaccount':
      return principal?.accountId;
    case 'aws:principaltype':
      return principal === undefined ? 'Anonymous' : principal.type === 'root' ? 'Account' : 'User';
    case 'aws:userid':
      return principal?.userId ?? 'anonymous';
    case 'aws:username':
      return principal?.type === 'user' ? principal.userName : undefined;
    // No service of AWS calls, for itself or for somebody.
    case 'aws:principalisawsservice':
      return principal === undefined ? undefined : 'false';
    case 'aws:viaawsservice':
      return 'false';
    default:
      return undefined;
  }
}

const DAY_MS = 86_400_000;

/** The retention that the request asks for; what an object has is known upstream only, and no action asks for it. */
function retainUntil({ effective }: Authenticated, body: BodyContext): string | undefined {
  return body.retainUntil ?? effective.headers.get('x-amz-object-lock-retain-until-date');
}

/**
 * Begun days count, so that one who asks for ten days is not below ten by the time that the request took.
 * @throws Error for a date that cannot be read: a Deny on its length would otherwise not hold.
 */
function remainingDays(date: string | undefined, now: number): string | undefined {
  if (date === undefined) return undefined;
  const time = Date.parse(date);
  if (Number.isNaN(time)) throw new Error(`the retention date \`${date}\` cannot be read`);
  return String(Math.ceil((time - now) / DAY_MS));
}

/** As it was understood and is forwarded, whichever way the client has written it. */
function copySource({ effective }: Authenticated): CopySource | undefined {
  const header = effective.headers.get('x-amz-copy-source');
  return header === undefined ? undefined : parseCopySource(header);
}

/** Tag keys are compared without case in condition keys, values never are. */
function principalTag(request: Authenticated, lowerCaseKey: string): string | undefined {
  if (request.caller.type === 'anonymous') return undefined;
  const { tags } = request.caller.key.principal;
  for (const name of Object.keys(tags)) if (name.toLowerCase() === lowerCaseKey) return tags[name];
  return undefined;
}

/** @throws Error for tags whose keys differ in case alone: a condition can speak of one of them only. */
function requestTag(request: Authenticated, body: BodyContext, lowerCaseKey: string): string | undefined {
  const tags = requestTags(request, body)?.filter((tag) => tag.key.toLowerCase() === lowerCaseKey);
  if (tags !== undefined && tags.length > 1)
    throw new Error(`several tags of the request are \`${lowerCaseKey}\`, in different case`);
  return tags?.[0]?.value;
}

/** Tags out of the XML body, or out of `x-amz-tagging`. */
function requestTags(request: Authenticated, body: BodyContext): BodyContext['tags'] {
  if (body.tags !== undefined) return body.tags;
  const header = request.effective.headers.get('x-amz-tagging');
  return header === undefined || header === '' ? undefined : parseTaggingHeader(header);
}
