/** `bucketwarden keys …`: the access keys of the gateway. */
import { defineGroup, type ExitCode } from '../command.ts';
import { type CommandIo } from '../command-io.ts';
import { deleteKey } from './delete-key.ts';
import { importKey } from './import-key.ts';
import { issueKey } from './issue-key.ts';
import { disableKey, enableKey } from './key-status.ts';
import { listKeys } from './list-keys.ts';
import { showKey } from './show-key.ts';

/**
 * Works while the gateway runs, and before its first start.
 *
 * @param args what follows `keys` on the command line.
 */
export function runKeysCommand(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  return KEYS.run(args, io);
}

const KEYS = defineGroup('keys', 'Access keys: who may sign, and what for.', [
  issueKey,
  importKey,
  listKeys,
  showKey,
  disableKey,
  enableKey,
  deleteKey,
]);
