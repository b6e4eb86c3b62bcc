/** A request out of a file: as a proxy, a debug log or `nc` wrote it down. */
import { CommandError } from '../command-error.ts';

export interface CapturedRequest {
  readonly method: string;
  readonly target: string;
  /** Name, value, name, value…; latin1 characters, one for each byte. */
  readonly rawHeaders: readonly string[];
  /** As long as Content-Length says; undefined without one, or when less was captured. */
  readonly body: Buffer | undefined;
}

const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+)(?: HTTP\/\d(?:\.\d)?)?$/;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/s;

/**
 * Request line, headers, an empty line and perhaps a body, with CRLF or LF.
 * @throws CommandError that names the line which is none of it, without what stands there: it may be a signature.
 */
export function parseCapturedRequest(bytes: Buffer): CapturedRequest {
  const { head, body } = split(bytes);
  const lines = head.split('\n').map((line) => line.replace(/\r$/, ''));
  const [, method, target] = REQUEST_LINE.exec(lines[0] ?? '') ?? [];
  if (method === undefined || target === undefined)
    throw new CommandError('Line 1 is no request line: `GET /bucket/key HTTP/1.1` is expected.');
  const rawHeaders: string[] = [];
  for (const [index, line] of lines.slice(1).entries()) {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw new CommandError(`Line ${index + 2} is no header: \`Name: value\` is expected, on one line.`);
    rawHeaders.push(name, value);
  }
  return { method, target, rawHeaders, body: bodyOf(body, rawHeaders) };
}

function split(bytes: Buffer): { readonly head: string; readonly body: Buffer } {
  // Editors and shells put an empty line first.
  let start = 0;
  while (bytes[start] === 0x0a || bytes[start] === 0x0d) start++;
  const ends = ['\r\n\r\n', '\n\n', '\r\n\n', '\n\r\n'].flatMap((end) => {
    const at = bytes.indexOf(end, start, 'latin1');
    return at === -1 ? [] : [{ at, length: end.length }];
  });
  const end = ends.reduce<(typeof ends)[number] | undefined>(
    (first, each) => (first === undefined || each.at < first.at ? each : first),
    undefined,
  );
  const headEnd = end?.at ?? bytes.length;
  return {
    head: bytes.toString('latin1', start, headEnd).replace(/[\r\n]+$/, ''),
    body: bytes.subarray(end === undefined ? bytes.length : end.at + end.length),
  };
}

/** Without Content-Length what follows is no body, or one in chunks; an editor may have added a line break. */
function bodyOf(rest: Buffer, rawHeaders: readonly string[]): Buffer | undefined {
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && /^content-length$/i.test(name));
  const declared = at === -1 ? Number.NaN : Number(rawHeaders[at + 1]);
  return declared <= rest.length ? rest.subarray(0, declared) : undefined;
}
