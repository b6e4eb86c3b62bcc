/** Authorities and client certificate of an upstream, from files that may be replaced while it runs. */
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { createSecureContext, getCACertificates } from 'node:tls';
import type { UpstreamTlsFiles } from './options.ts';

/** For `tls.connect`. */
export interface TlsMaterial {
  /** Said each time: else NODE_TLS_REJECT_UNAUTHORIZED of the environment could switch it off. */
  readonly rejectUnauthorized: true;
  readonly ca?: string[];
  readonly cert?: string;
  readonly key?: string;
}

/** @throws Error that names the file: unreadable, no PEM, or a key that is not the certificate's. */
export function readTlsFiles(files: UpstreamTlsFiles | undefined): TlsMaterial {
  if (files === undefined) return { rejectUnauthorized: true };
  const { caFile, certFile, keyFile } = files;
  const own = caFile === undefined ? undefined : read(caFile);
  if (own !== undefined) check(`\`${String(caFile)}\` holds no usable certificate`, { ca: own });
  const material: TlsMaterial = {
    rejectUnauthorized: true,
    ...(own !== undefined && { ca: [...getCACertificates('default'), own] }),
    ...(certFile !== undefined && { cert: read(certFile) }),
    ...(keyFile !== undefined && { key: read(keyFile) }),
  };
  check(`\`${certFile ?? ''}\` and \`${keyFile ?? ''}\` are no certificate and its key`, {
    cert: material.cert,
    key: material.key,
  });
  return material;
}

const POLL_MS = 2_000;

/** Polled, since mounted secrets are replaced by links that file events do not follow. Returns what ends it. */
export function watchTlsFiles(files: UpstreamTlsFiles | undefined, onChange: () => void): () => void {
  const paths = [files?.caFile, files?.certFile, files?.keyFile].filter((path) => path !== undefined);
  for (const path of paths) watchFile(path, { interval: POLL_MS, persistent: false }, onChange);
  return () => {
    for (const path of paths) unwatchFile(path, onChange);
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`\`${path}\` cannot be read`, { cause: error });
  }
}

function check(problem: string, context: Parameters<typeof createSecureContext>[0]): void {
  try {
    // A file without a certificate is taken for an empty list.
    if (context?.ca !== undefined && !String(context.ca).includes('-----BEGIN')) throw new Error('no PEM');
    createSecureContext(context);
  } catch (error) {
    throw new Error(problem, { cause: error });
  }
}
