export { createDevStore } from './dev-store.ts';
