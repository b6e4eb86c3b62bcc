import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { newCredentials } from '../credentials.ts';
import { freePort, installedVersion, startServer } from '../process.ts';
import { REGION } from '../gateway.ts';
import { programOf, type UpstreamKind } from './upstream.ts';

/** One node over one folder. */
export const minio: UpstreamKind = {
  title: 'MinIO',
  tools: ['minio'],
  integrity: 'trailer',
  version: () => installedVersion(programOf('minio')),
  async start({ folder, certificate }) {
    const [objects, certificates] = [join(folder, 'objects'), join(folder, 'certificates')];
    await Promise.all([mkdir(objects, { recursive: true }), mkdir(certificates, { recursive: true })]);
    if (certificate) {
      await copyFile(certificate.cert, join(certificates, 'public.crt'));
      await copyFile(certificate.key, join(certificates, 'private.key'));
    }
    const port = await freePort();
    const credentials = newCredentials();
    const endpoint = `${certificate ? 'https' : 'http'}://127.0.0.1:${port}`;
    const server = await startServer(
      {
        file: programOf('minio'),
        args: ['server', '--quiet', '--address', `127.0.0.1:${port}`, '--certs-dir', certificates, objects],
        env: {
          MINIO_ROOT_USER: credentials.accessKeyId,
          MINIO_ROOT_PASSWORD: credentials.secretAccessKey,
          MINIO_SITE_REGION: REGION,
          MINIO_BROWSER: 'off',
          MINIO_UPDATE: 'off',
        },
        folder,
      },
      `${endpoint}/minio/health/ready`,
      certificate?.ca,
    );
    return { ...server, endpoint, credentials, ...(certificate && { caFile: certificate.ca }) };
  },
};
