/** The policies that a gateway enforces, to be looked at: nothing is made where there is nothing. */
import { existsSync } from 'node:fs';
import { loadConfig, type Config } from '../../config/index.ts';
import { openSqliteStore, type IdentityStore } from '../../identity/index.ts';
import { CommandError } from '../command-error.ts';
import type { CommandIo } from '../command-io.ts';

export interface OpenedPolicies {
  readonly store: IdentityStore;
  readonly config: Config;
}

/**
 * Runs `work` over the configuration and its store, and closes that again.
 * @throws CommandError where no store is; ConfigError, IdentityStoreError.
 */
export async function withEnforcedPolicies<Result>(
  io: CommandIo,
  configFile: string | undefined,
  work: (opened: OpenedPolicies) => Promise<Result>,
): Promise<Result> {
  const config = loadConfig({ env: io.env, ...(configFile !== undefined && { file: configFile }) });
  const { path } = config.store;
  if (!existsSync(path))
    throw new CommandError(
      `There is no store at \`${path}\`. Give the gateway's configuration with -c, or run where the gateway runs.`,
    );
  const store = openSqliteStore(path, { now: io.now });
  try {
    return await work({ store, config });
  } finally {
    await store.close();
  }
}
