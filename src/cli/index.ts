export { type CommandIo } from './command-io.ts';
export { runKeysCommand } from './keys/keys.ts';
export { serveCommand } from './serve.ts';
