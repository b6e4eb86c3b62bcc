/** Uploads by browser forms (POST Object), with a policy signed by SigV4. */
import { BOUNDARY, formBody, signedFields, type Field } from '../../support/raw-form.ts';
import type { Header } from '../../support/raw-signer.ts';
import { SDK_CHECKSUM_NAMES } from '../../support/sdk-checksums.ts';
import {
  assemble,
  checksum,
  md5Header,
  UNSIGNED_HEADER,
  type Form,
  type Piece,
  type Upload,
  type UploadOptions,
} from './uploads.ts';

/** In bytes; the gateway spools no more than this in these tests. */
export const SPOOLED = 128 * 1024;

/** By the way in which the gateway learns the length of the file. */
const LENGTHS = [
  { name: 'small', sizes: [0, 1, 100, 5000, 60_000] },
  { name: 'spooled', sizes: [66_000, 100_000] },
  { name: 'told by Content-Length', sizes: [SPOOLED + 1, 200_000] },
  { name: 'Transfer-Encoding: chunked', sizes: [0, 5000, 100_000] },
] as const;

/** What keeps the file of the form from being another one: nothing but its checksum does. */
const CHECKSUMS: readonly {
  readonly name: string;
  readonly field?: (data: Buffer) => Header | Promise<Header>;
}[] = [
  { name: 'no checksum' },
  { name: 'Content-MD5', field: md5Header },
  ...SDK_CHECKSUM_NAMES.map((name) => ({ name, field: (data: Buffer) => checksum(name, data) })),
];

/** Every browser form. A part of a multipart upload cannot be sent so. */
export function browserForms(): readonly Form[] {
  return LENGTHS.flatMap(({ name: length, sizes }) =>
    CHECKSUMS.map(({ name, field }) => ({
      name: `browser form, ${length}, ${name}`,
      part: false,
      sizes,
      make: async (options) =>
        browserForm(options, length === 'Transfer-Encoding: chunked', await field?.(options.data)),
    })),
  );
}

function browserForm(options: UploadOptions, transferChunks: boolean, sum: Header | undefined): Upload {
  const { credentials, bucket, key, host, data } = options;
  const fields: readonly Field[] = [
    ['key', key],
    ['Content-Type', 'text/plain'],
    ['x-amz-meta-Note', 'two  spaces, one comma'],
    ...(sum ? [sum] : []),
  ];
  const { body, fileStart, fileEnd } = formBody({
    fields: signedFields({ credentials, bucket, fields }),
    file: data,
  });
  const pieces: readonly Piece[] = [
    ...headPieces(body.subarray(0, fileStart)),
    { kind: sum ? 'data' : 'unsigned data', bytes: data },
    { kind: 'boundary', bytes: body.subarray(fileEnd) },
  ];
  const length: Header = transferChunks
    ? ['Transfer-Encoding', 'chunked']
    : ['Content-Length', String(body.length)];
  const request = {
    method: 'POST',
    target: `/${bucket}`,
    headers: [
      ['Host', host],
      ['Content-Type', `multipart/form-data; boundary=${BOUNDARY}`],
      [UNSIGNED_HEADER, 'contract/1.0'],
      length,
    ],
  } as const;
  const framed: readonly Piece[] = [
    { kind: 'framing', bytes: Buffer.from(`${body.length.toString(16)}\r\n`) },
    ...pieces,
    { kind: 'framing', bytes: Buffer.from('\r\n0\r\n\r\n') },
  ];
  return { ...assemble(request, transferChunks ? framed : pieces), unsigned: [UNSIGNED_HEADER, 'Host'] };
}

const DELIMITER = `\r\n--${BOUNDARY}`;
const END_OF_HEADERS = '\r\n\r\n';

/** @param head the form up to the first byte of its file. */
function headPieces(head: Buffer): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  const upTo = (end: number, kind: Piece['kind']): void => {
    pieces.push({ kind, bytes: head.subarray(at, end) });
    at = end;
  };
  while (at < head.length) {
    upTo(head.indexOf(BOUNDARY, at) + BOUNDARY.length + 2, 'boundary');
    upTo(head.indexOf(END_OF_HEADERS, at) + END_OF_HEADERS.length, 'part headers');
    if (at < head.length) upTo(head.indexOf(DELIMITER, at), 'field');
  }
  return pieces;
}
