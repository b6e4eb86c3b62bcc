/**
 * The client's side of aws-chunked, as the S3 API reference describes it: what the decoder is tested against.
 * It computes with node:crypto alone.
 */
import { createHash, createHmac } from 'node:crypto';
import {
  CHECKSUM_ALGORITHMS,
  createChecksum,
  type BodyDeclaration,
  type ChecksumAlgorithm,
  type PayloadDeclaration,
} from '../../src/body/index.ts';
import { S3Error } from '../../src/s3/index.ts';
import { createChunkVerifier } from '../../src/sigv4/index.ts';

const DATE = '20130524';
const TIMESTAMP = '20130524T000000Z';
const SCOPE = `${DATE}/us-east-1/s3/aws4_request`;
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const SEED = '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9';

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const SIGNING_KEY = ['us-east-1', 's3', 'aws4_request'].reduce<Buffer>(hmac, hmac(`AWS4${SECRET}`, DATE));

export type Form = 'signed' | 'signed-trailer' | 'unsigned-trailer';
export const FORMS: readonly Form[] = ['signed', 'signed-trailer', 'unsigned-trailer'];

export interface ClientOptions {
  readonly form: Form;
  /** The signature of the request. */
  readonly seed?: string;
  readonly algorithm?: ChecksumAlgorithm;
  /** What the trailer says instead of the object's checksum. */
  readonly trailerValue?: string;
  readonly trailerName?: string;
  /** Ends the trailer's line as minio-go does. */
  readonly shortTrailerLine?: boolean;
}

/** The encoded body of an object sent in these chunks, none of them empty. */
export function encode(chunks: readonly Buffer[], options: ClientOptions): Buffer {
  const { form, algorithm = 'crc32' } = options;
  const parts: (Buffer | string)[] = [];
  let previous = options.seed ?? SEED;
  const sign = (type: string, hashes: string): string =>
    (previous = hmac(SIGNING_KEY, [type, TIMESTAMP, SCOPE, previous, hashes].join('\n')).toString('hex'));
  const sizeLine = (chunk: Buffer): string =>
    form === 'unsigned-trailer'
      ? `${chunk.length.toString(16)}\r\n`
      : `${chunk.length.toString(16)};chunk-signature=${sign('AWS4-HMAC-SHA256-PAYLOAD', `${sha256('')}\n${sha256(chunk)}`)}\r\n`;

  for (const chunk of chunks) parts.push(sizeLine(chunk), chunk, '\r\n');
  parts.push(sizeLine(Buffer.alloc(0)));
  if (form !== 'signed') {
    const name = options.trailerName ?? CHECKSUM_ALGORITHMS[algorithm].header;
    const value = options.trailerValue ?? checksumOf(algorithm, Buffer.concat(chunks));
    parts.push(`${name}:${value}${options.shortTrailerLine ? '\n' : ''}\r\n`);
    if (form === 'signed-trailer')
      parts.push(
        `x-amz-trailer-signature:${sign('AWS4-HMAC-SHA256-TRAILER', sha256(`${name.toLowerCase()}:${value}\n`))}\r\n`,
      );
  }
  parts.push('\r\n');
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
}

/** What the gateway knows of such a request; a new one for each reading, since the signature chain advances. */
export function declare(
  length: number,
  options: Pick<ClientOptions, 'form' | 'algorithm' | 'seed'>,
): BodyDeclaration {
  const { form, algorithm = 'crc32' } = options;
  const payload: PayloadDeclaration =
    form === 'unsigned-trailer'
      ? { kind: 'chunked-unsigned' }
      : {
          kind: 'chunked-signed',
          trailer: form === 'signed-trailer',
          chunks: createChunkVerifier({
            timestamp: TIMESTAMP,
            scope: { date: DATE, region: 'us-east-1', service: 's3' },
            signingKey: SIGNING_KEY,
            signature: options.seed ?? SEED,
          }),
        };
  const trailer = form === 'signed' ? undefined : algorithm;
  return { payload, length, trailer, checksum: undefined, md5: undefined };
}

export function checksumOf(algorithm: ChecksumAlgorithm, data: Buffer): string {
  const checksum = createChecksum(algorithm);
  checksum.update(data);
  return checksum.digest().toString('base64');
}

export async function* sourceOf(...pieces: readonly Buffer[]): AsyncGenerator<Buffer, void, undefined> {
  yield* pieces;
}

/** Cuts at the given offsets. */
export function cut(data: Buffer, offsets: readonly number[]): readonly Buffer[] {
  const bounds = [0, ...offsets.toSorted((a, b) => a - b), data.length];
  return bounds.slice(1).map((end, i) => data.subarray(bounds[i], end));
}

export interface Outcome {
  /** What came out, until the end or the refusal. */
  readonly released: Buffer;
  readonly refusal:
    | { readonly code: string; readonly message: string; readonly details: Readonly<Record<string, string>> }
    | undefined;
}

/** Runs to the end or to the `S3Error` that refuses; another error fails the test. */
export async function outcomeOf(open: () => Promise<AsyncIterable<Buffer>>): Promise<Outcome> {
  const released: Buffer[] = [];
  try {
    for await (const chunk of await open()) released.push(chunk);
    return { released: Buffer.concat(released), refusal: undefined };
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    const { code, message, details } = error;
    return { released: Buffer.concat(released), refusal: { code, message, details } };
  }
}
