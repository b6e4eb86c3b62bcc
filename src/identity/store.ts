/** The seam between identity and where it is kept: what every store holds, and what absence and failure mean. */

/**
 * Where keys, principals, policies and buckets are kept.
 *
 * INVARIANT: a method that changes something changes all of it or nothing, and has reached the disk when it resolves.
 * Every method rejects only when the store fails (locked, damaged, unreachable), or with a plain error for a caller's
 * bug; what was not found is `undefined` or `false`.
 */
export interface IdentityStore {
  /** Where the data is, for messages; never a secret. */
  readonly location: string;

  /** Resolves to undefined for an unknown key. The principal's policies come first, then the key's own, by name. */
  findKey(accessKeyId: string): Promise<StoredIdentity | undefined>;
  /** All keys, or those of users of one name; by user name, then creation, then id. */
  listKeys(filter?: { readonly userName?: string }): Promise<readonly StoredKeyOwner[]>;
  /** Makes the principal when its ARN is new, else adds `principal.tags` to its tags. False: the key id is taken. */
  addKey(addition: KeyAddition): Promise<boolean>;
  /** False for an unknown key. */
  setKeyStatus(accessKeyId: string, status: KeyStatus): Promise<boolean>;
  /** Deletes the key and its own policies; its principal stays. False for an unknown key. */
  deleteKey(accessKeyId: string): Promise<boolean>;
  /**
   * Replaces all keys of all root principals by one, if they are exactly `expected` now (compare and set, since
   * several gateways may start at once). False when they are not, or when another principal has the new key's id.
   */
  replaceRootKeys(addition: KeyAddition, expected: readonly string[]): Promise<boolean>;
  /** The ids of the master keys that stored secrets are encrypted with, with how many secrets each has. */
  masterKeyUse(): Promise<ReadonlyMap<string, number>>;

  /** Resolves to undefined for an unknown ARN. */
  findPrincipal(arn: string): Promise<StoredPrincipalPolicies | undefined>;
  /** Adds or replaces the policy of that name. False when the owner is unknown. */
  putPolicy(owner: PolicyOwner, policy: StoredPolicy): Promise<boolean>;
  /** False when there is no such policy. */
  deletePolicy(owner: PolicyOwner, name: string): Promise<boolean>;

  /** Resolves to undefined for a bucket that was not made through the gateway and has nothing set here. */
  findBucket(name: string): Promise<StoredBucket | undefined>;
  /** The buckets made through the gateway, in byte order of their names. */
  listBuckets(): Promise<readonly BucketRecord[]>;
  /**
   * At once with the removal of what was set for the name while no bucket had it. False: a bucket of that name is
   * registered already; it stays as it was, with all that is set for it.
   */
  addBucket(bucket: BucketRecord): Promise<boolean>;
  /** Removes the bucket and what is set for it. False when there was nothing of it. */
  deleteBucket(name: string): Promise<boolean>;
  /** Also for a bucket that only exists upstream. Replaces the policy before. */
  putBucketPolicy(name: string, policy: BucketPolicyRecord): Promise<void>;
  /** False when there was none. */
  deleteBucketPolicy(name: string): Promise<boolean>;
  /** Also for a bucket that only exists upstream. Replaces the configuration before. */
  putBucketCors(name: string, cors: BucketCorsRecord): Promise<void>;
  /** False when there was none. */
  deleteBucketCors(name: string): Promise<boolean>;
  /** Also for a bucket that only exists upstream. Replaces the configuration before. */
  putPublicAccessBlock(name: string, block: PublicAccessBlockRecord): Promise<void>;
  /** False when there was none. */
  deletePublicAccessBlock(name: string): Promise<boolean>;

  /** A cheap value that differs after any change, by whichever process. */
  changeToken(): Promise<string>;
  close(): Promise<void>;
}

/** The store cannot be used as it is; the message says why, and what to do. */
export class IdentityStoreError extends Error {
  override readonly name = 'IdentityStoreError';
}

export type KeyStatus = 'Active' | 'Inactive';

/** How a key came to be. `configured`: the root key that the configuration sets. */
export type KeyOrigin = 'issued' | 'imported' | 'generated' | 'configured';

export interface StoredPrincipal {
  readonly type: 'user' | 'root';
  readonly arn: string;
  readonly accountId: string;
  readonly userName: string;
  readonly userId: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

export interface StoredKey {
  readonly accessKeyId: string;
  /** As `encryptSecret` made it. */
  readonly encryptedSecret: string;
  readonly masterKeyId: string;
  readonly status: KeyStatus;
  readonly origin: KeyOrigin;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** Epoch milliseconds; undefined: never. */
  readonly expiresAt: number | undefined;
  readonly description: string | undefined;
}

export interface StoredPolicy {
  readonly name: string;
  /** The JSON text as it was given. */
  readonly document: string;
}

export interface StoredKeyOwner {
  readonly key: StoredKey;
  readonly principal: StoredPrincipal;
}

export interface StoredIdentity extends StoredKeyOwner {
  readonly principalPolicies: readonly StoredPolicy[];
  readonly keyPolicies: readonly StoredPolicy[];
}

export interface StoredPrincipalPolicies {
  readonly principal: StoredPrincipal;
  readonly policies: readonly StoredPolicy[];
}

export interface KeyAddition extends StoredKeyOwner {
  /** The key's own policies. */
  readonly policies: readonly StoredPolicy[];
}

export type PolicyOwner =
  | { readonly type: 'principal'; readonly arn: string }
  | { readonly type: 'key'; readonly accessKeyId: string };

export interface BucketRecord {
  readonly name: string;
  readonly ownerAccount: string;
  /** The name of the upstream where it was made; undefined for one from before there were several. */
  readonly upstream: string | undefined;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

export interface BucketPolicyRecord {
  /** The JSON text as it was given. */
  readonly document: string;
  /** Epoch milliseconds. */
  readonly changedAt: number;
}

export interface BucketCorsRecord {
  /** S3's XML: see `parseCorsConfiguration`. */
  readonly document: string;
  /** Epoch milliseconds. */
  readonly changedAt: number;
}

export interface PublicAccessBlockRecord {
  /** S3's XML: see `parsePublicAccessBlock`. */
  readonly document: string;
  /** Epoch milliseconds. */
  readonly changedAt: number;
}

export interface StoredBucket {
  /** Undefined for a bucket that was not made through the gateway. */
  readonly record: BucketRecord | undefined;
  readonly policy: BucketPolicyRecord | undefined;
  readonly cors: BucketCorsRecord | undefined;
  readonly publicAccessBlock: PublicAccessBlockRecord | undefined;
}
