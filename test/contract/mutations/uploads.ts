/** Valid uploads in every form, as the bytes that go over the wire, with what each of these bytes is. */
import { createHash } from 'node:crypto';
import {
  type Header,
  presign,
  type RawRequest,
  renderHead,
  signHeader,
  type SignOptions,
} from '../../support/raw-signer.ts';
import { SDK_CHECKSUM_NAMES, type SdkChecksum, sdkChecksum } from '../../support/sdk-checksums.ts';
import type { Credentials } from '../credentials.ts';

type ZoneKind =
  | 'request line'
  | 'headers'
  | 'framing'
  | 'data'
  /** Of a browser form: the lines between its parts, what is said of a part, a value, and a file without a checksum. */
  | 'boundary'
  | 'part headers'
  | 'field'
  | 'unsigned data';

export interface Zone {
  readonly kind: ZoneKind;
  readonly start: number;
  /** After the last byte. */
  readonly end: number;
}

export interface Upload {
  /** The whole request. */
  readonly bytes: Buffer;
  /** Every byte is in one of them. */
  readonly zones: readonly Zone[];
  /** Names of headers that nobody signs and nothing depends on. */
  readonly unsigned: readonly string[];
}

/** One way to upload. */
export interface Form {
  readonly name: string;
  /** A part of a multipart upload, not an object. */
  readonly part: boolean;
  /** Of its data, in bytes, if it is a form for these alone. */
  readonly sizes?: readonly number[];
  make(options: UploadOptions): Promise<Upload>;
}

export interface UploadOptions {
  readonly credentials: Credentials;
  readonly bucket: string;
  readonly key: string;
  /** As the Host header says it. */
  readonly host: string;
  /** Path, and for a part its query. */
  readonly target: string;
  readonly data: Buffer;
}

type Signing = 'sigv4' | 'sigv4a';

/** Written so that canonicalization has something to do. A part has none of these. */
const SIGNED_HEADERS: readonly Header[] = [
  ['Content-Type', 'text/plain'],
  ['x-amz-meta-Note', 'two  spaces, one comma'],
  ['Cache-Control', 'no-cache'],
];

export const UNSIGNED_HEADER = 'User-Agent';
const UNSIGNED: readonly Header[] = [[UNSIGNED_HEADER, 'contract/1.0']];

const CHUNK_SIZE = 8192;

/** Every form for objects and for parts, but those of browsers. */
export function allForms(): readonly Form[] {
  const forms: Form[] = [];
  for (const part of [false, true]) {
    const add = (name: string, make: Form['make']): void => {
      forms.push({ name: part ? `${name}, part` : name, part, make });
    };
    add('sha256', (options) => plain(options, 'sigv4', {}));
    add('sha256, Content-MD5', async (options) =>
      plain(options, 'sigv4', { headers: [md5Header(options.data)] }),
    );
    add('sha256, SigV4A', (options) => plain(options, 'sigv4a', {}));
    add('UNSIGNED-PAYLOAD, Content-MD5', (options) =>
      plain(options, 'sigv4', { headers: [md5Header(options.data)], payloadHash: 'UNSIGNED-PAYLOAD' }),
    );
    add('presigned, Content-MD5', (options) => presigned(options, 'sigv4', [md5Header(options.data)]));
    add('presigned, sha256', (options) =>
      presigned(options, 'sigv4', [['x-amz-content-sha256', sha256Hex(options.data)]]),
    );
    for (const signing of ['sigv4', 'sigv4a'] as const)
      add(`signed chunks${titleOf(signing)}`, (options) => framed(options, { signing, signed: true }));
    // A part has a checksum only in an upload that was begun with the same algorithm.
    for (const algorithm of part ? (['CRC32'] as const) : SDK_CHECKSUM_NAMES) {
      add(`sha256, ${algorithm}`, async (options) =>
        plain(options, 'sigv4', { headers: [await checksum(algorithm, options.data)] }),
      );
      add(`UNSIGNED-PAYLOAD, ${algorithm}`, async (options) =>
        plain(options, 'sigv4', {
          headers: [await checksum(algorithm, options.data)],
          payloadHash: 'UNSIGNED-PAYLOAD',
        }),
      );
      add(`presigned, ${algorithm}`, async (options) =>
        presigned(options, 'sigv4', [await checksum(algorithm, options.data)]),
      );
      for (const signing of ['sigv4', 'sigv4a'] as const) {
        const trailer = algorithm;
        add(`signed chunks, ${algorithm} trailer${titleOf(signing)}`, (options) =>
          framed(options, { signing, signed: true, trailer }),
        );
        add(`unsigned chunks, ${algorithm} trailer${titleOf(signing)}`, (options) =>
          framed(options, { signing, signed: false, trailer }),
        );
      }
      add(`unsigned chunks, ${algorithm} trailer, Transfer-Encoding: chunked`, (options) =>
        framed(options, { signing: 'sigv4', signed: false, trailer: algorithm, transferChunks: true }),
      );
    }
  }
  return forms;
}

async function plain(
  options: UploadOptions,
  signing: Signing,
  more: Pick<SignOptions, 'headers' | 'payloadHash'>,
): Promise<Upload> {
  const request = signHeader({
    ...base(options, signing),
    ...more,
    headers: [...describing(options), ...(more.headers ?? [])],
    unsigned: UNSIGNED,
    body: options.data,
  });
  return assemble(request, [{ kind: 'data', bytes: options.data }]);
}

async function presigned(
  options: UploadOptions,
  signing: Signing,
  headers: readonly Header[],
): Promise<Upload> {
  const request = presign({
    ...base(options, signing),
    headers: [...describing(options), ...headers],
    unsigned: UNSIGNED,
    body: options.data,
    expires: 300,
  });
  return assemble(request, [{ kind: 'data', bytes: options.data }]);
}

interface Framing {
  readonly signing: Signing;
  /** Whether the chunks are. */
  readonly signed: boolean;
  readonly trailer?: SdkChecksum;
  /** In chunks of HTTP instead of a Content-Length. */
  readonly transferChunks?: true;
}

export interface Piece {
  readonly kind: ZoneKind;
  readonly bytes: Buffer;
}

/** Source: S3 API reference, "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks". */
async function framed(options: UploadOptions, framing: Framing): Promise<Upload> {
  const { data } = options;
  const trailer = framing.trailer && (await checksum(framing.trailer, data));
  const request = signHeader({
    ...base(options, framing.signing),
    payloadHash: payloadHashOf(framing),
    headers: [
      ...describing(options),
      ['Content-Encoding', 'aws-chunked'],
      ['x-amz-decoded-content-length', String(data.length)],
      ...(trailer ? ([['x-amz-trailer', trailer[0]]] as const) : []),
    ],
    // Its own framing is added below.
    unsigned: [...UNSIGNED, ['Content-Length', '0']],
  });
  const pieces: Piece[] = [];
  const line = (text: string): void => {
    pieces.push({ kind: 'framing', bytes: Buffer.from(`${text}\r\n`, 'latin1') });
  };
  const size = (chunk: Buffer): void => {
    const signature = framing.signed ? `;chunk-signature=${request.chain.chunk(chunk)}` : '';
    line(chunk.length.toString(16) + signature);
  };
  for (let at = 0; at < data.length; at += CHUNK_SIZE) {
    const chunk = data.subarray(at, at + CHUNK_SIZE);
    size(chunk);
    pieces.push({ kind: 'data', bytes: chunk });
    line('');
  }
  size(Buffer.alloc(0));
  if (trailer) {
    line(trailer.join(':'));
    if (framing.signed) line(`x-amz-trailer-signature:${request.chain.trailer(`${trailer.join(':')}\n`)}`);
  }
  line('');
  const length = pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const headers = request.headers.filter(([name]) => name !== 'Content-Length');
  if (!framing.transferChunks)
    return assemble({ ...request, headers: [...headers, ['Content-Length', String(length)]] }, pieces);
  return assemble({ ...request, headers: [...headers, ['Transfer-Encoding', 'chunked']] }, [
    { kind: 'framing', bytes: Buffer.from(`${length.toString(16)}\r\n`) },
    ...pieces,
    { kind: 'framing', bytes: Buffer.from('\r\n0\r\n\r\n') },
  ]);
}

function payloadHashOf({ signing, signed, trailer }: Framing): string {
  if (!signed) return 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
  const algorithm = signing === 'sigv4' ? 'AWS4-HMAC-SHA256' : 'AWS4-ECDSA-P256-SHA256';
  return `STREAMING-${algorithm}-PAYLOAD${trailer ? '-TRAILER' : ''}`;
}

function describing({ target }: UploadOptions): readonly Header[] {
  return target.includes('?') ? [] : SIGNED_HEADERS;
}

function base({ credentials, host, target }: UploadOptions, signing: Signing): SignOptions {
  return {
    credentials,
    host,
    target,
    method: 'PUT',
    ...(signing === 'sigv4a' && { regionSet: '*' }),
  };
}

/** A request with these pieces as its body. */
export function assemble(request: Omit<RawRequest, 'body'>, pieces: readonly Piece[]): Upload {
  const head = renderHead(request);
  const lineEnd = head.indexOf('\r\n') + 2;
  const zones: Zone[] = [
    { kind: 'request line', start: 0, end: lineEnd },
    { kind: 'headers', start: lineEnd, end: head.length },
  ];
  let start = head.length;
  for (const { kind, bytes } of pieces) {
    zones.push({ kind, start, end: start + bytes.length });
    start += bytes.length;
  }
  const bytes = Buffer.concat([head, ...pieces.map((piece) => piece.bytes)]);
  return { bytes, zones, unsigned: [UNSIGNED_HEADER] };
}

export function md5Header(data: Buffer): Header {
  return ['Content-MD5', createHash('md5').update(data).digest('base64')];
}

export async function checksum(algorithm: SdkChecksum, data: Buffer): Promise<Header> {
  return [`x-amz-checksum-${algorithm.toLowerCase()}`, await sdkChecksum(algorithm, data)];
}

function sha256Hex(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function titleOf(signing: Signing): string {
  return signing === 'sigv4a' ? ', SigV4A' : '';
}
