/** A listening store in a temporary folder, and ways to talk to it. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { onTestFinished } from 'vitest';
import { createDevStore } from '../../src/devstore/index.ts';
import { encodeUriComponent, encodeUriPath, type QueryParameter } from '../../src/s3/index.ts';
import { createSigningKeys, Secret, sha256Hex, signRequest } from '../../src/sigv4/index.ts';

export const REGION = 'us-east-1';
const ACCESS_KEY_ID = 'AKIAIOSFODNN7EXAMPLE';
const SECRET_ACCESS_KEY = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

export interface TestStore {
  readonly endpoint: string;
  readonly directory: string;
  readonly client: S3Client;
  /** What is said of failures that are not the client's. */
  readonly failures: readonly unknown[];
  readonly makeClient: (config: Partial<S3ClientConfig>) => S3Client;
  readonly send: (request: RawRequest) => Promise<RawResponse>;
  readonly close: () => Promise<void>;
}

export interface RawRequest {
  readonly method: string;
  /** Decoded. */
  readonly path: string;
  readonly query?: readonly QueryParameter[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent after the signature was made. */
  readonly unsignedHeaders?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Instead of the body's sha256. */
  readonly payloadHash?: string;
  readonly secretAccessKey?: string;
  /** Epoch milliseconds. */
  readonly signedAt?: number;
}

interface RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** The error code of an error document. */
  readonly code: string | undefined;
}

/** Starts a store; in an own folder, which goes when the test ends, unless one is given. */
export async function startStore(
  options: { readonly directory?: string; readonly region?: string; readonly now?: () => number } = {},
): Promise<TestStore> {
  const directory = options.directory ?? (await makeFolder());
  const region = options.region ?? REGION;
  const failures: unknown[] = [];
  const store = createDevStore({
    directory,
    credentials: { accessKeyId: ACCESS_KEY_ID, secretAccessKey: new Secret(SECRET_ACCESS_KEY) },
    region,
    now: options.now ?? Date.now,
    log: { error: (fields) => failures.push(fields) },
  });
  const { endpoint } = await store.listen();
  const clients: S3Client[] = [];
  const makeClient = (config: Partial<S3ClientConfig>): S3Client => {
    const client = new S3Client({
      endpoint,
      region,
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY },
      ...config,
    });
    clients.push(client);
    return client;
  };
  const close = async (): Promise<void> => {
    for (const client of clients) client.destroy();
    await store.close();
  };
  onTestFinished(close);
  return {
    endpoint,
    directory,
    client: makeClient({}),
    failures,
    makeClient,
    send: (request) => sendRaw(endpoint, region, request),
    close,
  };
}

export async function makeFolder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'bucketwarden-devstore-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** The names of the data files, and of those that are being written. */
export async function filesOf(directory: string): Promise<{ data: string[]; temporary: string[] }> {
  return {
    data: await readdir(join(directory, 'data')),
    temporary: await readdir(join(directory, 'tmp')),
  };
}

/** The code of the S3 error that a command is refused with. */
export async function codeOf(command: Promise<unknown>): Promise<string> {
  try {
    await command;
  } catch (error) {
    return (error as Error).name;
  }
  return 'no error';
}

/** The signed header fields and the target of a request. */
export function signRaw(
  endpoint: string,
  region: string,
  request: RawRequest,
): { readonly target: string; readonly headers: readonly string[] } {
  const query = request.query ?? [];
  const headers = signRequest(
    {
      method: request.method,
      path: request.path,
      query,
      headers: [['host', endpoint.slice('http://'.length)], ...Object.entries(request.headers ?? {})],
      payloadHash: request.payloadHash ?? sha256Hex(request.body ?? ''),
    },
    {
      credentials: {
        accessKeyId: ACCESS_KEY_ID,
        secretAccessKey: new Secret(request.secretAccessKey ?? SECRET_ACCESS_KEY),
        secretVersion: '',
      },
      region,
      signingKeys: createSigningKeys({ max: 1 }),
    },
    request.signedAt ?? Date.now(),
  );
  const search = query
    .map(({ name, value }) => `${encodeUriComponent(name)}=${encodeUriComponent(value)}`)
    .join('&');
  return {
    target: `${encodeUriPath(request.path)}${search === '' ? '' : `?${search}`}`,
    headers: [...headers, ...Object.entries(request.unsignedHeaders ?? {}).flat()],
  };
}

function sendRaw(endpoint: string, region: string, request: RawRequest): Promise<RawResponse> {
  const { target, headers } = signRaw(endpoint, region, request);
  const { hostname, port } = new URL(endpoint);
  const length = ['content-length', String(Buffer.byteLength(request.body ?? ''))];
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        hostname,
        port,
        path: target,
        method: request.method,
        headers: [...headers, ...length],
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const body = Buffer.concat(chunks);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body,
            code: /<Error><Code>([^<]+)</.exec(body.toString())?.[1],
          });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(request.body);
  });
}
