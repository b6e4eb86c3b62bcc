export { type CommandIo } from './command-io.ts';
export { runKeysCommand } from './keys/keys.ts';
