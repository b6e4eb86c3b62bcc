/**
 * Which changes of one byte leave a request what it was: they may be accepted, and are counted apart. Every other
 * change must be refused.
 */
import { type Upload, UNSIGNED_HEADER, type Zone } from './uploads.ts';

/** The reason why the request means the same with `value` at `at`; undefined when it does not. */
export function harmlessReason({ bytes, zones }: Upload, at: number, value: number): string | undefined {
  const zone = zones.find(({ start, end }) => at >= start && at < end);
  if (zone === undefined) throw new Error('no such byte');
  const old = bytes[at] ?? 0;
  const change: Change = { text: lineAt(bytes, zone, at), old, value };
  switch (zone.kind) {
    case 'request line':
      return inRequestLine(change);
    case 'headers':
      return inHeader(change);
    case 'framing':
      return inFraming(change);
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

function inHeader({ text: { line, column }, old, value }: Change): string | undefined {
  const colon = line.indexOf(':');
  const name = line.slice(0, colon);
  // Also its line end: what is broken by that is the request, which is then refused.
  if (name === UNSIGNED_HEADER && column < line.length) return `${UNSIGNED_HEADER}: it is not signed`;
  if (column < colon) return sameLetter(old, value) ? 'header names in another case' : undefined;
  if (name === 'Transfer-Encoding' && sameLetter(old, value)) return 'Transfer-Encoding in another case';
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
