export {
  assertAccessKeyId,
  IdentityInputError,
  newAccessKeyId,
  newSecretAccessKey,
  parseSecretAccessKey,
} from './access-key.ts';
export {
  attachedPolicies,
  replacePolicies,
  type AttachedPolicy,
  type PolicyReplacements,
} from './attached-policies.ts';
export {
  createBucketDirectory,
  type BucketDirectory,
  type BucketPolicy,
  type KnownBucket,
} from './bucket-directory.ts';
export { decryptSecret, encryptSecret, SecretUnusableError } from './encrypted-secret.ts';
export {
  createKeyDirectory,
  type DirectoryOptions,
  type IdentityProblem,
  type KeyDirectory,
  type ResolvedKey,
} from './key-directory.ts';
export {
  loadMasterKey,
  MasterKeyError,
  parseMasterKey,
  type LoadedMasterKey,
  type MasterKey,
  type MasterKeyOptions,
} from './master-key.ts';
export { openIdentity, type IdentitySource, type OpenedIdentity } from './open-identity.ts';
export { newUser, userArn, type Principal } from './principal.ts';
export { ensureRootKey, type RootKeyOptions, type RootKeyOutcome } from './root-key.ts';
export { SCOPE_POLICY_NAME, scopePolicy, type KeyScope, type ScopeAccess } from './scope-policy.ts';
export { openSqliteStore } from './sqlite-store.ts';
export { IdentityStoreError } from './store.ts';
export type {
  BucketCorsRecord,
  BucketPolicyRecord,
  BucketRecord,
  IdentityStore,
  KeyAddition,
  KeyOrigin,
  KeyStatus,
  PolicyOwner,
  PublicAccessBlockRecord,
  StoredBucket,
  StoredIdentity,
  StoredKey,
  StoredKeyOwner,
  StoredPolicy,
  StoredPrincipal,
  StoredPrincipalPolicies,
} from './store.ts';
