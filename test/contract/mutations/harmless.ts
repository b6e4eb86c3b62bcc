/**
 * Which changes of one byte leave a request what it was: they may be accepted, and are counted apart. Every other
 * change must be refused.
 */
import type { Upload, Zone } from './uploads.ts';

/** The reason why the request means the same with `value` at `at`; undefined when it does not. */
export function harmlessReason(upload: Upload, at: number, value: number): string | undefined {
  const { bytes, zones } = upload;
  const zone = zones.find(({ start, end }) => at >= start && at < end);
  if (zone === undefined) throw new Error('no such byte');
  const old = bytes[at] ?? 0;
  const change: Change = { text: lineAt(bytes, zone, at), old, value };
  switch (zone.kind) {
    case 'request line':
      return inRequestLine(change);
    case 'headers':
      return inHeader(change, upload);
    case 'framing':
      return inFraming(change);
    case 'part headers':
      return inPartHeaders(change);
    case 'unsigned data':
      return 'the file of a browser form without a checksum: S3 has nothing signed of it, it is stored as it was sent';
    case 'boundary':
    case 'field':
    case 'data':
      return undefined;
  }
}

interface Change {
  readonly text: Line;
  readonly old: number;
  readonly value: number;
}

interface Line {
  /** Without its line end. */
  readonly line: string;
  /** Of the change, in the line. */
  readonly column: number;
}

function inRequestLine({ text: { line, column }, old, value }: Change): string | undefined {
  if (column === line.length - 1 && value === code('0')) return 'HTTP version 1.0: it is not signed';
  const before = line.slice(Math.max(0, column - 2), column);
  const escaped = before.endsWith('%') || /%[0-9A-Fa-f]$/.test(before);
  return escaped && sameLetter(old, value) ? 'percent-escapes in lower case' : undefined;
}

function inHeader(
  { text: { line, column }, old, value }: Change,
  { unsigned, zones }: Upload,
): string | undefined {
  const colon = line.indexOf(':');
  const name = line.slice(0, colon);
  // Also its line end: what is broken by that is the request, which is then refused.
  if (unsigned.includes(name) && column < line.length) return `${name}: it is not signed`;
  if (column < colon) return sameLetter(old, value) ? 'header names in another case' : undefined;
  if (name === 'Transfer-Encoding' && sameLetter(old, value)) return 'Transfer-Encoding in another case';
  const browserForm = zones.some(({ kind }) => kind === 'boundary');
  if (browserForm && name === 'Content-Type' && column < line.indexOf('=')) {
    if (sameLetter(old, value)) return 'Content-Type of a browser form in another case';
    if (line[column - 1] === ';' && /\s/.test(String.fromCharCode(value)))
      return 'white space before the boundary of a browser form';
  }
  if (browserForm && name === 'Content-Length') {
    const changed = line.slice(0, column) + String.fromCharCode(value) + line.slice(column + 1);
    if (Number(changed.slice(colon + 1)) === Number(line.slice(colon + 1)) - 2)
      return 'Content-Length of a browser form without its last line break';
  }
  if (old !== code(' ')) return undefined;
  if (column === colon + 1) {
    if (value === code('\t')) return 'white space before a header value';
    if (name === 'Content-Length' && value === code('0')) return 'Content-Length with a leading zero';
  }
  const parts = name === 'Authorization' && line[column - 1] === ',';
  return parts && value === code('\t') ? 'white space between the parts of Authorization' : undefined;
}

function inFraming({ text: { line, column }, old, value }: Change): string | undefined {
  if (!sameLetter(old, value)) return undefined;
  const size = /^[0-9a-f]+(?=;|$)/.exec(line)?.[0].length ?? 0;
  if (column < size) return 'chunk sizes in upper case';
  if (size > 0) return 'chunk extensions in another case: their name, and the hex digits of the signature';
  if (column < line.indexOf(':')) return 'trailer names in another case';
  return line.startsWith('x-amz-trailer-signature:')
    ? 'hex digits of the trailer signature in upper case'
    : undefined;
}

/** Of a browser form: nothing signs the names of its fields, but a field by another name is another field. */
function inPartHeaders({ text: { line, column }, old, value }: Change): string | undefined {
  // What is broken by a line end is the form.
  if (column >= line.length) return undefined;
  if (!line.startsWith('Content-Disposition:'))
    return 'the Content-Type of the file in a browser form: it is not signed, and not used';
  const filename = line.indexOf(' filename=');
  if (filename !== -1 && column >= filename)
    return 'the name of the file in a browser form: it is not signed, and no field uses it';
  if (sameLetter(old, value)) return 'names in the parts of a browser form in another case';
  return old === code(' ') && value === code('\t') ? 'white space in the parts of a browser form' : undefined;
}

function lineAt(bytes: Buffer, zone: Zone, at: number): Line {
  const before = bytes.lastIndexOf('\r\n', Math.max(zone.start, at - 1));
  const start = at > zone.start && before >= zone.start && before + 2 <= at ? before + 2 : zone.start;
  const end = bytes.indexOf('\r\n', start);
  return {
    line: bytes.toString('latin1', start, end === -1 ? zone.end : Math.min(end, zone.end)),
    column: at - start,
  };
}

/** Two different cases of one letter. */
function sameLetter(a: number, b: number): boolean {
  return (a ^ b) === 0x20 && /[A-Za-z]/.test(String.fromCharCode(a));
}

function code(character: string): number {
  return character.charCodeAt(0);
}
