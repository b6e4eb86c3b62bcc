/** The headers of one part of a form. Sources: RFC 7578, section 4; WHATWG HTML, "Multipart form data". */
import { S3Error } from './error.ts';
import { stripWhiteSpace } from './white-space.ts';

export interface PartHeaders {
  /** As sent. */
  readonly name: string;
  readonly filename: string | undefined;
}

/**
 * Headers other than the three that RFC 7578 knows are ignored, as it demands.
 * @param bytes header lines with line breaks between them, and none at the end.
 * @throws S3Error `MalformedPOSTRequest` for what two parsers could read differently: folded lines, a second
 * Content-Disposition or `name`, a transfer encoding that changes the bytes, and what is not UTF-8.
 */
export function parsePartHeaders(bytes: Buffer): PartHeaders {
  let disposition: PartHeaders | undefined;
  for (const line of decode(bytes).split('\r\n')) {
    const [, name, padded] = HEADER.exec(line) ?? [];
    if (name === undefined || padded === undefined) throw malformed(`a header line that is none`);
    const value = stripWhiteSpace(padded);
    switch (name.toLowerCase()) {
      case 'content-disposition':
        if (disposition !== undefined) throw malformed('two Content-Disposition headers');
        disposition = parseDisposition(value);
        break;
      case 'content-transfer-encoding':
        if (!/^(?:7bit|8bit|binary)$/i.test(value)) throw malformed('a Content-Transfer-Encoding');
        break;
      default:
    }
  }
  if (disposition === undefined) throw malformed('a part without Content-Disposition');
  return disposition;
}

/** Token, colon, value without control characters. */
// eslint-disable-next-line no-control-regex
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\u0000-\u0008\u000A-\u001F\u007F]*)$/;

function parseDisposition(value: string): PartHeaders {
  const type = /^form-data(?=[ \t]*(?:;|$))/i.exec(value)?.[0];
  if (type === undefined) throw malformed('a part that is no form-data');
  // Browsers escape only quotes and line breaks, as `%22`, `%0A` and `%0D`; other clients write `\"`.
  const parameter = /[ \t]*;[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/y;
  const parameters = new Map<string, string>();
  let at = type.length;
  for (;;) {
    parameter.lastIndex = at;
    const match = parameter.exec(value);
    if (match === null) break;
    at = parameter.lastIndex;
    const name = (match[1] as string).toLowerCase();
    if (parameters.has(name)) throw malformed(`the parameter ${name} comes twice`);
    parameters.set(name, match[2]?.replaceAll('\\"', '"') ?? (match[3] as string));
  }
  const name = parameters.get('name');
  const rest = stripWhiteSpace(value.slice(at));
  if (name === undefined || (rest !== '' && rest !== ';'))
    throw malformed('a Content-Disposition that cannot be read');
  return { name, filename: parameters.get('filename') };
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Buffer): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new S3Error('MalformedPOSTRequest', { cause, reason: 'the headers of a part are not UTF-8' });
  }
}

function malformed(reason: string): S3Error {
  return new S3Error('MalformedPOSTRequest', { reason });
}
