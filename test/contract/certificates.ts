/** A certificate authority of one run, and a server certificate of it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runOrThrow } from './process.ts';

/** Paths of PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** The authority to trust. */
  readonly ca: string;
}

/** For `127.0.0.1` and `localhost`, good for two days. */
export async function makeCertificate(openssl: string, folder: string): Promise<Certificate> {
  await mkdir(folder, { recursive: true });
  const files = { ca: join(folder, 'ca.pem'), cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const caKey = join(folder, 'ca-key.pem');
  const request = async (out: string, keyOut: string, ...args: readonly string[]): Promise<void> => {
    const made = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'.split(' ');
    await runOrThrow({
      file: openssl,
      args: ['req', '-x509', ...made, '-out', out, '-keyout', keyOut, ...args],
      folder,
    });
  };
  // Its own configuration file: the system's adds extensions that differ from one system to the next.
  const config = join(folder, 'openssl.cnf');
  await writeFile(config, '[req]\ndistinguished_name = name\n[name]\n');
  await request(
    files.ca,
    caKey,
    '-config',
    config,
    '-subj',
    '/CN=Contract tests',
    ...extensions('basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'),
    ...extensions('subjectKeyIdentifier=hash'),
  );
  await request(
    files.cert,
    files.key,
    '-config',
    config,
    '-subj',
    '/CN=127.0.0.1',
    '-CA',
    files.ca,
    '-CAkey',
    caKey,
    ...extensions('subjectAltName=IP:127.0.0.1,DNS:localhost', 'basicConstraints=critical,CA:FALSE'),
    ...extensions('keyUsage=critical,digitalSignature', 'extendedKeyUsage=serverAuth'),
    ...extensions('subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid'),
  );
  return files;
}

function extensions(...lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => ['-addext', line]);
}
