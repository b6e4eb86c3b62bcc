export { createDevStore, type DevStore } from './dev-store.ts';
