/** Whose signature is it said to be? */
import type { KeyDirectory, ResolvedKey } from '../identity/index.ts';
import { S3Error } from '../s3/index.ts';
import type { SignatureClaim } from '../sigv4/index.ts';

export interface KeyLookup {
  readonly keys: KeyDirectory;
  readonly now: () => number;
}

/**
 * The key that a claim names, believed so far by nobody: the signature is still to be checked.
 * @throws S3Error `InvalidAccessKeyId`, `InvalidToken`; rejects otherwise only when the store fails.
 */
export async function activeKey(claim: SignatureClaim, { keys, now }: KeyLookup): Promise<ResolvedKey> {
  const key = await keys.find(claim.accessKeyId);
  const reason =
    key === undefined
      ? 'unknown access key'
      : key.status !== 'Active'
        ? 'the access key is disabled'
        : key.expiresAt !== undefined && key.expiresAt <= now()
          ? 'the access key has expired'
          : undefined;
  if (key === undefined || reason !== undefined)
    throw new S3Error('InvalidAccessKeyId', {
      details: { AWSAccessKeyId: claim.accessKeyId },
      ...(reason !== undefined && { reason }),
    });
  // Keys of this store are long-term ones: a session token beside one belongs to something else.
  if (claim.sessionToken !== undefined) throw new S3Error('InvalidToken');
  return key;
}
