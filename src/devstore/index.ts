export type { DevStoreLog } from './call.ts';
export { createDevStore, type DevStore, type DevStoreOptions } from './dev-store.ts';
