/** The listener with TLS: clients, condition keys, log fields, and a certificate that is renewed. */
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { mkdtemp, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runGateway, type Credentials, type RunningGateway } from '../support/running-gateway.ts';
import { makeCertificate } from './support/certificate.ts';

const Bucket = 'docs';
let gateway: RunningGateway;
let dataDir: string;
let certFile: string;
let keyFile: string;
let s3: S3Client;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'bucketwarden-'));
  certFile = join(dataDir, 'tls.crt');
  keyFile = join(dataDir, 'tls.key');
  await renew();
  const accessLog = join(dataDir, 'access.log');
  gateway = await runGateway({
    dataDir,
    env: { TLS_CERT: certFile, TLS_KEY: keyFile, ACCESS_LOG: accessLog },
  });
  s3 = await clientOf(gateway.root);
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'hello' }));
});

afterAll(async () => {
  await gateway.stop();
});

/** A new certificate in place of the one before, replaced as renewal tools do. */
async function renew(): Promise<void> {
  const { cert, key } = makeCertificate();
  for (const [file, pem] of [
    [keyFile, key],
    [certFile, cert],
  ] as const) {
    await writeFile(`${file}.new`, pem);
    await rename(`${file}.new`, file);
  }
}

/** A client that trusts the certificate of now. */
async function clientOf(credentials: Credentials): Promise<S3Client> {
  const ca = await readFile(certFile);
  return gateway.client(credentials, { requestHandler: { httpsAgent: { ca, keepAlive: false } } });
}

/** SHA-256 of the certificate that the listener shows. */
function shownCertificate(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: gateway.port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.end();
    });
    socket.on('error', reject);
  });
}

test('objects go through, and the records name protocol and cipher', async () => {
  expect(gateway.url).toMatch(/^https:/);
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'k' }));
  expect(await got.Body?.transformToString()).toBe('hello');
  const requestId = got.$metadata.requestId ?? '';
  expect(await gateway.record(requestId)).toMatchObject({
    tls: { protocol: 'TLSv1.3', cipher: expect.stringMatching(/^TLS_/) as string },
  });
});

test('plain HTTP on the port gets no answer from S3', async () => {
  await expect(fetch(gateway.url.replace('https', 'http'))).rejects.toThrow('fetch failed');
});

test('protocols before TLS 1.2 are refused', async () => {
  const handshake = new Promise((resolve, reject) => {
    const socket = connect(
      {
        host: '127.0.0.1',
        port: gateway.port,
        rejectUnauthorized: false,
        minVersion: 'TLSv1',
        maxVersion: 'TLSv1.1',
        ciphers: 'DEFAULT@SECLEVEL=0',
      },
      () => {
        resolve(socket.getProtocol());
      },
    );
    socket.on('error', reject);
  });
  await expect(handshake).rejects.toMatchObject({
    code: expect.stringMatching(/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/) as string,
  });
});

describe('condition keys', () => {
  test.each([
    [
      'aws:SecureTransport',
      { Bool: { 'aws:SecureTransport': 'true' } },
      { Bool: { 'aws:SecureTransport': 'false' } },
    ],
    [
      's3:TlsVersion',
      { NumericGreaterThanEquals: { 's3:TlsVersion': '1.2' } },
      { NumericLessThan: { 's3:TlsVersion': '1.2' } },
    ],
    [
      's3:TlsVersion as a number',
      { NumericEquals: { 's3:TlsVersion': 1.3 } },
      { NumericEquals: { 's3:TlsVersion': 1.2 } },
    ],
  ])('%s', async (_, holds, fails) => {
    const printed = await gateway.keys(['issue', '--user', 'guest', '--no-policy', '--output', 'json']);
    const { AccessKeyId = '', SecretAccessKey = '' } = JSON.parse(printed) as Record<string, string>;
    const guest = await clientOf({ accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey });
    const allowIf = (condition: object): Promise<unknown> => {
      const AWS = 'arn:aws:iam::000000000000:user/guest';
      const Resource = `arn:aws:s3:::${Bucket}/*`;
      const statement = {
        Effect: 'Allow',
        Principal: { AWS },
        Action: 's3:GetObject',
        Resource,
        Condition: condition,
      };
      const Policy = JSON.stringify({ Version: '2012-10-17', Statement: statement });
      return s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    };
    await allowIf(holds);
    await guest.send(new GetObjectCommand({ Bucket, Key: 'k' }));
    await allowIf(fails);
    await expect(guest.send(new GetObjectCommand({ Bucket, Key: 'k' }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
  });
});

describe('the certificate', () => {
  test('is taken up when its files change', async () => {
    const before = await shownCertificate();
    const reloaded = gateway.line(({ msg }) => msg === 'certificate reloaded');
    await renew();
    await reloaded;
    expect(await shownCertificate()).not.toBe(before);
    const client = await clientOf(gateway.root);
    await client.send(new GetObjectCommand({ Bucket, Key: 'k' }));
  });

  test('stays when the new one cannot be used', async () => {
    const before = await shownCertificate();
    const kept = gateway.line(({ msg }) => msg === 'certificate cannot be used, the one in use stays');
    await writeFile(certFile, 'not a certificate');
    await gateway.reload();
    await kept;
    expect(await shownCertificate()).toBe(before);
  });
});
