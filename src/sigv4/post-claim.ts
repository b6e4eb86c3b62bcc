/**
 * The signature of a browser form: an HMAC over its policy, base64 as sent. Source: S3 API reference, "Browser-Based
 * Uploads Using POST (AWS Signature Version 4)"; recorded answers of S3 for the words of each refusal.
 */
import { missingField, S3Error, type PostFields, type WireRequest } from '../s3/index.ts';
import { ALGORITHM } from './canonical.ts';
import { refuseSignedRequest, type ClaimContext, type SignatureClaim } from './claim.ts';
import { parseCredential } from './credential.ts';
import { parseAmzDate } from './date.ts';
import { UNSIGNED_PAYLOAD } from './payload.ts';
import type { VerificationKey } from './signing-key.ts';
import { isSignatureOf, spacedHex } from './verify.ts';

/** Of each of them all are needed, in the order in which S3 misses them. */
const REQUIRED = ['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Date', 'X-Amz-Signature', 'Policy'] as const;
const OPTIONAL = ['x-amz-security-token'] as const;
/** Of Signature Version 2. */
const VERSION_2 = ['awsaccesskeyid', 'signature'] as const;

const MAX_SKEW_MS = 900_000;
/** For as long as a signing key is valid. The policy's own expiration comes sooner as a rule. */
const MAX_AGE_MS = 604_800_000;

export interface PostClaim {
  readonly claim: SignatureClaim & { readonly form: 'post' };
  /** base64, what was signed. */
  readonly policy: string;
}

/**
 * Reads the signature of a form; undefined for an anonymous one. A form is not signed by header or query. Its date is that of the page it stands in, so that
 * it may lie back as far as its policy allows.
 * @throws S3Error `InvalidArgument` for anything missing or malformed and for SigV4A, `InvalidRequest` for SigV2,
 * `AccessDenied` for a policy that nobody signed, `RequestTimeTooSkewed`.
 */
export function parsePostClaim(
  request: WireRequest,
  fields: PostFields,
  context: ClaimContext,
): PostClaim | undefined {
  refuseSignedRequest(request);
  if (VERSION_2.some((name) => fields.has(name)))
    throw new S3Error('InvalidRequest', {
      message: 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
      reason: 'a form signed with SigV2: the client must be told to use signature version 4 (`s3v4`)',
    });
  const values = REQUIRED.map((name) => fields.get(name.toLowerCase())?.value);
  const signing = values.slice(0, -1);
  const [algorithm, credentialText, timestamp, signature, policy] = values;
  if (signing.every((value) => value === undefined) && !OPTIONAL.some((name) => fields.has(name))) {
    if (policy === undefined) return undefined;
    throw new S3Error('AccessDenied', { reason: 'a form with a policy that is not signed' });
  }
  const missing = values.indexOf(undefined);
  if (
    algorithm === undefined ||
    credentialText === undefined ||
    timestamp === undefined ||
    signature === undefined ||
    policy === undefined
  )
    throw missingField(REQUIRED[missing] as string);
  if (algorithm !== ALGORITHM)
    throw invalid('X-Amz-Algorithm', algorithm, `X-Amz-Algorithm only supports "${ALGORITHM}" in forms`);
  const credential = parseCredential(credentialText, ALGORITHM, context.region);
  if ('problem' in credential)
    throw invalid('X-Amz-Credential', credentialText, credential.problem, credential.details);
  const signedAt = parseAmzDate(timestamp);
  if (signedAt === undefined)
    throw invalid('X-Amz-Date', timestamp, 'X-Amz-Date must be formated via ISO8601 Long format');
  if (credential.scope.date !== timestamp.slice(0, 8))
    throw invalid(
      'X-Amz-Credential',
      credentialText,
      'Invalid credential date. Date is not the same as X-Amz-Date.',
    );
  if (signedAt - context.now > MAX_SKEW_MS || context.now - signedAt > MAX_AGE_MS)
    throw new S3Error('RequestTimeTooSkewed', {
      details: {
        RequestTime: timestamp,
        ServerTime: `${new Date(context.now).toISOString().slice(0, 19)}Z`,
        MaxAllowedSkewMilliseconds: String(signedAt > context.now ? MAX_SKEW_MS : MAX_AGE_MS),
      },
    });
  return {
    policy,
    claim: {
      form: 'post',
      algorithm: ALGORITHM,
      ...credential,
      signedHeaders: [],
      signature,
      timestamp,
      signedAt,
      sessionToken: fields.get('x-amz-security-token')?.value,
      payloadHash: UNSIGNED_PAYLOAD,
    },
  };
}

/** @throws S3Error `SignatureDoesNotMatch`, with what was signed but never the expected signature. */
export function verifyPostSignature({ claim, policy }: PostClaim, key: VerificationKey): void {
  if (isSignatureOf(policy, claim.signature, key)) return;
  throw new S3Error('SignatureDoesNotMatch', {
    details: {
      AWSAccessKeyId: claim.accessKeyId,
      StringToSign: policy,
      SignatureProvided: claim.signature,
      StringToSignBytes: spacedHex(policy),
    },
  });
}

function invalid(
  name: string,
  value: string,
  message: string,
  more?: Readonly<Record<string, string>>,
): S3Error {
  return new S3Error('InvalidArgument', {
    message,
    details: { ArgumentName: name, ArgumentValue: value, ...more },
  });
}
