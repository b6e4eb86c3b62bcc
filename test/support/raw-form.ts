/**
 * Browser forms by hand: bytes of multipart/form-data (RFC 7578), and policies signed as the S3 API reference describes it.
 * Shares no code with the gateway.
 */
import { createHmac } from 'node:crypto';
import type { Header, RawRequest } from './raw-signer.ts';
import type { Credentials } from './running-gateway.ts';

export const BOUNDARY = '----WebKitFormBoundaryQ2x8T0aVbN5cYk1e';

/** Name and value, in the order of the form. */
export type Field = readonly [name: string, value: string | Buffer];

export interface FormParts {
  readonly fields: readonly Field[];
  readonly file: Buffer | string;
  /** Undefined: no such parameter. */
  readonly filename?: string | undefined;
  readonly boundary?: string;
  /** Fields that come after the file. */
  readonly behind?: readonly Field[];
  /** What stands behind the last boundary; a line break, as browsers write it. */
  readonly end?: string;
}

/** The body, and where the file stands in it. */
export interface FormBody {
  readonly body: Buffer;
  /** Of the file's first byte. */
  readonly fileStart: number;
  /** Of the first byte after the file. */
  readonly fileEnd: number;
}

export function formBody(parts: FormParts): FormBody {
  const { fields, file, boundary = BOUNDARY, behind = [], end = '\r\n' } = parts;
  const filename = 'filename' in parts ? parts.filename : 'file.bin';
  const named = filename === undefined ? '' : `; filename="${filename}"`;
  const head = Buffer.concat([
    ...fields.map((field) => part(boundary, field)),
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="file"${named}\r\nContent-Type: application/octet-stream\r\n\r\n`,
    ),
  ]);
  const content = Buffer.from(file as string);
  const rest = Buffer.concat([
    Buffer.from('\r\n'),
    ...behind.map((field) => part(boundary, field)),
    Buffer.from(`--${boundary}--${end}`),
  ]);
  return {
    body: Buffer.concat([head, content, rest]),
    fileStart: head.length,
    fileEnd: head.length + content.length,
  };
}

/** The request of a form, unsigned as a browser sends it. */
export function formRequest(
  options: {
    readonly host: string;
    readonly target: string;
    readonly headers?: readonly Header[];
  } & FormParts,
): RawRequest {
  const { host, target, headers = [], boundary = BOUNDARY } = options;
  const { body } = formBody(options);
  return {
    method: 'POST',
    target,
    headers: [
      ['Host', host],
      ['Content-Type', `multipart/form-data; boundary=${boundary}`],
      ['Content-Length', String(body.length)],
      ...headers,
    ],
    body,
  };
}

/** What stands in `conditions`. */
type Condition = Readonly<Record<string, unknown>> | readonly unknown[];

export interface PolicyOptions {
  readonly credentials: Credentials;
  readonly bucket: string;
  /** Each is covered by a condition of its own, unless `conditions` says otherwise. */
  readonly fields: readonly Field[];
  /** Besides those for the fields, the bucket and the signature. */
  readonly conditions?: readonly Condition[];
  /** In place of everything that would be written. */
  readonly document?: unknown;
  /** Epoch milliseconds. */
  readonly at?: number;
  readonly expiration?: string;
  readonly region?: string;
}

/** The fields with those of the signature behind them. */
export function signedFields(options: PolicyOptions): readonly Field[] {
  const { credentials, bucket, fields, conditions = [], at = Date.now(), region = 'us-east-1' } = options;
  const timestamp = new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const scope = `${timestamp.slice(0, 8)}/${region}/s3/aws4_request`;
  const signing: Field[] = [
    ['x-amz-algorithm', 'AWS4-HMAC-SHA256'],
    ['x-amz-credential', `${credentials.accessKeyId}/${scope}`],
    ['x-amz-date', timestamp],
  ];
  const own = [...fields, ...signing]
    .filter(([name]) => name !== 'bucket')
    .map(([name, value]): Condition => {
      const text = value.toString();
      const variable = text.indexOf('${filename}');
      return variable === -1 ? { [name]: text } : ['starts-with', `$${name}`, text.slice(0, variable)];
    });
  const document = options.document ?? {
    expiration: options.expiration ?? new Date(at + 3_600_000).toISOString(),
    conditions: [{ bucket }, ...own, ...conditions],
  };
  const policy = Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)).toString(
    'base64',
  );
  return [
    ...fields,
    ...signing,
    ['policy', policy],
    ['x-amz-signature', signPolicy(policy, scope, credentials)],
  ];
}

/** @param scope `yyyyMMdd/region/s3/aws4_request` */
function signPolicy(
  policy: string,
  scope: string,
  { secretAccessKey }: Pick<Credentials, 'secretAccessKey'>,
): string {
  const key = scope
    .split('/')
    .reduce<Buffer>(
      (secret, part_) => createHmac('sha256', secret).update(part_).digest(),
      Buffer.from(`AWS4${secretAccessKey}`),
    );
  return createHmac('sha256', key).update(policy).digest('hex');
}

function part(boundary: string, [name, value]: Field): Buffer {
  return Buffer.concat([
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`),
    Buffer.from(value as string),
    Buffer.from('\r\n'),
  ]);
}
