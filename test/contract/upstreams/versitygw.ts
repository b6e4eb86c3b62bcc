import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { newCredentials } from '../credentials.ts';
import { freePort, installedVersion, startServer } from '../process.ts';
import { REGION } from '../gateway.ts';
import { programOf, type UpstreamKind } from './upstream.ts';

/** Over its POSIX backend. */
export const versitygw: UpstreamKind = {
  title: 'versitygw',
  tools: ['versitygw'],
  integrity: 'trailer',
  version: () => installedVersion(programOf('versitygw')),
  async start({ folder, certificate }) {
    const [objects, metadata, versions] = ['objects', 'metadata', 'versions'].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    for (const place of [objects, metadata, versions]) await mkdir(place, { recursive: true });
    const port = await freePort();
    const credentials = newCredentials();
    const endpoint = `${certificate ? 'https' : 'http'}://127.0.0.1:${port}`;
    const server = await startServer(
      {
        file: programOf('versitygw'),
        args: [
          ...`--port 127.0.0.1:${port} --region ${REGION} --keep-alive --quiet --health /health`.split(' '),
          ...(certificate ? ['--cert', certificate.cert, '--key', certificate.key] : []),
          'posix',
          '--sidecar',
          metadata,
          '--versioning-dir',
          versions,
          objects,
        ],
        env: {
          ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
          ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        },
        folder,
      },
      `${endpoint}/health`,
      certificate?.ca,
    );
    return { ...server, endpoint, credentials, ...(certificate && { caFile: certificate.ca }) };
  },
};
