/** `serve`: runs the gateway until it is told to stop. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, loadConfig, type Config } from '../config/index.ts';
import type { Secret } from '../sigv4/index.ts';
import { createLogger, type Logger } from '../telemetry/index.ts';
import { defineCommand, type Command } from './command.ts';
import { CommandError } from './command-error.ts';
import type { CommandIo } from './command-io.ts';
import { quickStart } from './quick-start.ts';

/** What `serve` needs of a running gateway. */
interface ServedGateway {
  readonly url: string;
  readonly rootKey:
    | { readonly kind: 'created'; readonly accessKeyId: string; readonly secretAccessKey: Secret }
    | { readonly kind: 'configured' | 'existing'; readonly accessKeyId: string };
  reload(): Promise<void>;
  close(): Promise<void>;
}

interface ServeDependencies {
  readonly start: (config: Config, log: Logger) => Promise<ServedGateway>;
  /** Resolves when the process is told to stop; calls `onReload` for each request to reload. */
  readonly untilStopped: (onReload: () => void) => Promise<string>;
}

const CREDENTIALS_FILE = 'administrator.env';

export function serveCommand({ start, untilStopped }: ServeDependencies): Command {
  return defineCommand({
    name: 'serve',
    summary: 'Run the gateway.',
    positionals: [],
    options: {
      config: {
        type: 'string',
        short: 'c',
        value: 'FILE',
        help: 'settings as YAML; the environment beats them',
      },
    },
    async run(values, _, io) {
      const config = loadConfig({ env: io.env, ...(values.config !== undefined && { file: values.config }) });
      const output = createLogger({ level: config.logLevel });
      let gateway: ServedGateway | undefined;
      // Listened for from the beginning: a signal that comes while it starts must not cut it off half-way.
      const stopped = untilStopped(() => void gateway?.reload());
      try {
        gateway = await startOrExplain(() => start(config, output.log), config);
        welcome(gateway, config, io);
        const signal = await stopped;
        output.log.info({ signal }, 'stopping');
        await gateway.close();
        output.log.info('stopped');
      } finally {
        await output.close();
      }
    },
  });
}

async function startOrExplain<T>(start: () => Promise<T>, { listen, adminListen }: Config): Promise<T> {
  try {
    return await start();
  } catch (error) {
    if (error instanceof ConfigError || !(error instanceof Error)) throw error;
    const { code, port } = error as Error & { readonly code?: unknown; readonly port?: unknown };
    if (code !== 'EADDRINUSE') throw error;
    const setting = port === listen.port ? 'BUCKETWARDEN_LISTEN' : 'BUCKETWARDEN_ADMIN_LISTEN';
    const taken = port === listen.port ? listen : adminListen;
    throw new CommandError(
      `Port ${taken.port} is in use already. Stop what listens there, or set ${setting} to another address.`,
    );
  }
}

/**
 * The secret of a new administrator key is shown once, and only where no log can keep it: on a terminal, else in a file
 * that only its owner reads.
 */
function welcome({ url, rootKey }: ServedGateway, config: Config, io: CommandIo): void {
  if (rootKey.kind !== 'created') {
    io.stderr.write(`Bucketwarden listens on ${url}\n`);
    return;
  }
  const exports = [
    `export AWS_ACCESS_KEY_ID=${rootKey.accessKeyId}`,
    `export AWS_SECRET_ACCESS_KEY=${rootKey.secretAccessKey.expose()}`,
  ];
  const common = { url, region: config.region };
  if (io.stderr.isTTY === true) {
    io.stderr.write(quickStart({ ...common, become: exports, note: 'The secret is shown once, here.' }));
    return;
  }
  const file = join(config.dataDir, CREDENTIALS_FILE);
  writeFileSync(file, `${exports.join('\n')}\n`, { mode: 0o600 });
  chmodSync(file, 0o600);
  const note = `The administrator's key is in ${file}, readable by you alone. Keep it safe.`;
  io.stderr.write(quickStart({ ...common, become: [`. '${file.replaceAll("'", String.raw`'\''`)}'`], note }));
}
