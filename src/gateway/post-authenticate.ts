/** Who signed this form, and does the policy that they signed allow it? */
import { parseBodyDeclaration } from '../body/index.ts';
import { checkPostPolicy, conflictingField, parsePostPolicy } from '../s3/index.ts';
import {
  parsePostClaim,
  UNSIGNED_PAYLOAD,
  verifyPostSignature,
  type PostClaim,
  type SigningKeys,
} from '../sigv4/index.ts';
import { activeKey, type KeyLookup } from './active-key.ts';
import { MAX_UPLOAD_BYTES } from './incoming-bytes.ts';
import { objectTags } from './object-tags.ts';
import type { Authenticated, OpenForm } from './stages.ts';

export interface AuthenticateFormDependencies extends KeyLookup {
  readonly signingKeys: SigningKeys;
  readonly region: string;
}

/**
 * A form without a signature is anonymous: what it may do is up to the bucket's policy.
 * @throws S3Error as `parsePostClaim`, `verifyPostSignature`, `parsePostPolicy` and `checkPostPolicy`; rejects otherwise
 * only when the store fails.
 */
export async function authenticateForm(
  request: OpenForm,
  dependencies: AuthenticateFormDependencies,
): Promise<Authenticated> {
  const { wire, form, address } = request;
  const { region } = dependencies;
  const now = dependencies.now();
  const bucket = address.bucket ?? '';
  const signed = parsePostClaim(wire, form.fields, { region, now });
  const caller = signed === undefined ? ANONYMOUS : await signer(signed, dependencies);
  const policy = signed && parsePostPolicy(signed.policy);
  if (policy !== undefined) checkPostPolicy(policy, form.fields, { bucket, now });
  const named = form.fields.get('bucket');
  if (named !== undefined && named.value !== bucket)
    throw conflictingField('the field `bucket` is not the bucket that the form was sent to');
  return {
    ...request,
    form: { ...form, policy },
    caller,
    payloadHash: UNSIGNED_PAYLOAD,
    objectTags: objectTags(request),
    body: declareFile(request),
  };
}

const ANONYMOUS = { type: 'anonymous' } as const;

async function signer(
  signed: PostClaim,
  dependencies: AuthenticateFormDependencies,
): Promise<Authenticated['caller']> {
  const { claim } = signed;
  const key = await activeKey(claim, dependencies);
  verifyPostSignature(signed, dependencies.signingKeys.verificationKey(key, claim.scope));
  return { type: 'key', key, claim };
}

/** The fields declare checksums, as headers do for a PUT; nothing declares the length. */
function declareFile({ form, effective, operation }: OpenForm): Authenticated['body'] {
  const told = form.size.kind === 'told' ? form.size.length : undefined;
  const headers = effective.headers.with(['content-length', String(told ?? 0)]);
  const rules = {
    mode: 'stream',
    maxLength: MAX_UPLOAD_BYTES,
    ...(operation.checksums !== undefined && { checksumHeaders: operation.checksums }),
  } as const;
  const declaration = parseBodyDeclaration(headers, { kind: 'unsigned' }, rules);
  return told === undefined
    ? { ...declaration, length: undefined, maxLength: MAX_UPLOAD_BYTES }
    : declaration;
}
