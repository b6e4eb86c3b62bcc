/**
 * Ceph's object gateway over the smallest cluster that it runs on: one monitor and one object store daemon that keeps
 * everything in memory.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newCredentials } from '../credentials.ts';
import {
  type Command,
  freePort,
  printedVersion,
  runOrThrow,
  type Server,
  startDaemon,
  startServer,
} from '../process.ts';
import { programOf, type UpstreamKind } from './upstream.ts';

export const radosgw: UpstreamKind = {
  title: 'Ceph radosgw',
  tools: ['radosgw', 'radosgw-admin', 'ceph', 'ceph-mon', 'ceph-osd', 'monmaptool'],
  // Version 16 knows no trailers: it answers 400.
  integrity: 'signed-chunks',
  version: () => printedVersion(programOf('radosgw'), '--version'),
  async start({ folder, certificate }) {
    const cluster = await startCluster(folder);
    try {
      const port = await freePort();
      const credentials = newCredentials();
      const front = certificate
        ? `ssl_endpoint=127.0.0.1:${port} ssl_certificate=${certificate.cert} ssl_private_key=${certificate.key}`
        : `endpoint=127.0.0.1:${port}`;
      const endpoint = `${certificate ? 'https' : 'http'}://127.0.0.1:${port}`;
      await cluster.run(
        'radosgw-admin',
        ...'user create --uid gateway --display-name Gateway --max-buckets 0'.split(' '),
        '--access-key',
        credentials.accessKeyId,
        '--secret-key',
        credentials.secretAccessKey,
      );
      const args = ['-n', 'client.admin', `--rgw-frontends=beast ${front}`, '-f'];
      const command = await cluster.daemon('radosgw', ...args);
      const server = await startServer(command, endpoint, certificate?.ca);
      cluster.daemons.push(server);
      return {
        ...server,
        close: () => cluster.close(),
        endpoint,
        credentials,
        ...(certificate && { caFile: certificate.ca }),
      };
    } catch (error) {
      await cluster.close();
      throw error;
    }
  },
};

type Program = 'radosgw' | 'radosgw-admin' | 'ceph' | 'ceph-mon' | 'ceph-osd' | 'monmaptool';

interface Cluster {
  /** Runs a program of Ceph to its end with the cluster's configuration. */
  run(program: Program, ...args: readonly string[]): Promise<void>;
  /** The command of a daemon, with a folder of its own. */
  daemon(program: Program, ...args: readonly string[]): Promise<Command>;
  /** What `close` stops, the last first. */
  readonly daemons: Server[];
  close(): Promise<void>;
}

async function startCluster(folder: string): Promise<Cluster> {
  const config = join(folder, 'ceph.conf');
  const daemons: Server[] = [];
  const cluster: Cluster = {
    async run(program, ...args) {
      await runOrThrow({ file: programOf(program), args: [...args, '-c', config], folder });
    },
    async daemon(program, ...args) {
      const home = join(folder, `run-${program}`);
      await mkdir(home);
      return { file: programOf(program), args: [...args, '-c', config], folder: home };
    },
    daemons,
    async close() {
      for (const daemon of daemons.toReversed()) await daemon.close();
    },
  };
  try {
    const [osd, monMap] = [randomUUID(), join(folder, 'monmap')];
    const { fsid, addresses } = await configure(folder, config);
    const keyring = join(folder, 'keyring');
    await writeFile(keyring, renderKeyring(), { mode: 0o600 });
    await cluster.run('monmaptool', '--create', '--fsid', fsid, '--addv', 'a', addresses, monMap);
    await cluster.run('ceph-mon', '-i', 'a', '--mkfs', '--monmap', monMap, '--keyring', keyring);
    daemons.push(startDaemon(await cluster.daemon('ceph-mon', '-i', 'a', '-f')));
    // It waits for the monitor.
    await cluster.run('ceph', '--connect-timeout', '30', 'osd', 'new', osd);
    await cluster.run('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', osd);
    daemons.push(startDaemon(await cluster.daemon('ceph-osd', '-i', '0', '-f')));
    return cluster;
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

async function configure(
  folder: string,
  path: string,
): Promise<{ readonly fsid: string; readonly addresses: string }> {
  const fsid = randomUUID();
  const addresses = `[v2:127.0.0.1:${await freePort()},v1:127.0.0.1:${await freePort()}]`;
  for (const name of ['mon', 'osd']) await mkdir(join(folder, name), { recursive: true });
  const settings = {
    global: {
      fsid,
      'mon host': addresses,
      'public network': '127.0.0.0/8',
      keyring: join(folder, 'keyring'),
      'log file': join(folder, '$name.log'),
      'log to stderr': 'false',
      'admin socket': '',
      'run dir': folder,
      'crash dir': folder,
      'auth allow insecure global id reclaim': 'false',
      'mon data': join(folder, 'mon'),
      'mon data avail crit': 1,
      'mon allow pool size one': 'true',
      'mon max pg per osd': 10_000,
      'osd pool default size': 1,
      'osd pool default min size': 1,
      'osd pool default pg num': 4,
      'osd pool default pgp num': 4,
      'osd pool default pg autoscale mode': 'off',
      'osd crush chooseleaf type': 0,
    },
    osd: {
      'osd data': join(folder, 'osd'),
      'osd objectstore': 'memstore',
      'memstore device bytes': 8 * 1024 ** 3,
      // Stops without writing its memory to the disk.
      'osd fast shutdown': 'true',
    },
  };
  await writeFile(path, renderSections(settings));
  return { fsid, addresses };
}

/** Without authentication between the daemons radosgw takes half a minute to start. */
function renderKeyring(): string {
  return renderSections({
    'mon.': { key: newKey(), 'caps mon': '"allow *"' },
    'client.admin': { key: newKey(), 'caps mon': '"allow *"', 'caps osd': '"allow *"' },
    'osd.0': { key: newKey(), 'caps mon': '"allow profile osd"', 'caps osd': '"allow *"' },
  });
}

function renderSections(
  sections: Readonly<Record<string, Readonly<Record<string, string | number>>>>,
): string {
  const lines: string[] = [];
  for (const [section, values] of Object.entries(sections)) {
    lines.push(`[${section}]`);
    for (const [name, value] of Object.entries(values)) lines.push(`${name} = ${value}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Ceph's encoding of a secret: its type (1 is AES), its time, its length, its bytes. */
function newKey(): string {
  const head = Buffer.alloc(12);
  head.writeUInt16LE(1, 0);
  head.writeUInt32LE(Math.floor(Date.now() / 1000), 2);
  head.writeUInt16LE(16, 10);
  return Buffer.concat([head, randomBytes(16)]).toString('base64');
}
