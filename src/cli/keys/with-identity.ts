/** Opens what the gateway uses: the same configuration, store and master key. */
import { loadConfig, type Config } from '../../config/index.ts';
import { openIdentity, type OpenedIdentity } from '../../identity/index.ts';
import { warn, type CommandIo } from '../command-io.ts';

/** Runs `work` over the configured store, and closes it again. */
export async function withIdentity<Result>(
  io: CommandIo,
  configFile: string | undefined,
  work: (identity: OpenedIdentity, config: Config) => Promise<Result>,
): Promise<Result> {
  const config = loadConfig({ env: io.env, ...(configFile === undefined ? {} : { file: configFile }) });
  const identity = await openIdentity(config, io);
  try {
    for (const warning of identity.warnings) warn(io, warning);
    return await work(identity, config);
  } finally {
    await identity.store.close();
  }
}
