/** Takes secrets out of a request target or a URL, and leaves every other byte as it was. */
import { isSecretField } from '../s3/index.ts';

const REDACTED = 'REDACTED';

/** Parameters of other AWS APIs and of S3 Express that carry tokens. */
const OTHER_SECRETS: ReadonlySet<string> = new Set([
  'samlassertion',
  'secretaccesskey',
  'sessiontoken',
  'webidentitytoken',
  'x-amz-s3session-token',
]);

/**
 * Replaces the values of parameters that carry a secret, a token or a signature (SigV4's, SigV2's, SSE-C keys), in any
 * case and percent-encoding of their names, and the user information of an absolute URL. Cautious about separators:
 * after the path, a parameter may begin after `?`, `&`, `;` or `#`, and its value ends at `&` or at the end. A value that
 * is such a URL itself, percent-encoded as pages that show a file take it, is replaced as a whole.
 */
export function redactRequestUri(uri: string): string {
  return redactParameters(redactUserInformation(uri), MAX_NESTING);
}

/** How often a value may be encoded. */
const MAX_NESTING = 3;

function redactParameters(uri: string, nesting: number): string {
  const query = uri.search(/[?#]/);
  if (query === -1) return uri;
  let out = '';
  let copied = 0;
  let start = query + 1;
  while (start < uri.length) {
    const equals = uri.indexOf('=', start);
    if (equals === -1) break;
    // Separators without a `=` between: only the last part before it is the name.
    let nameStart = start;
    for (
      let next = firstSeparator(uri, nameStart);
      next !== -1 && next < equals;
      next = firstSeparator(uri, nameStart)
    )
      nameStart = next + 1;
    const isSecret = isSecretName(uri.slice(nameStart, equals));
    const ampersand = uri.indexOf('&', equals);
    const valueEnd = ampersand === -1 ? uri.length : ampersand;
    if (isSecret) {
      out += uri.slice(copied, equals + 1) + REDACTED;
      copied = valueEnd;
      start = valueEnd + 1;
    } else {
      const next = firstSeparator(uri, equals + 1);
      const end = next === -1 ? uri.length : next;
      if (holdsSecret(uri.slice(equals + 1, end), nesting)) {
        out += uri.slice(copied, equals + 1) + REDACTED;
        copied = end;
      }
      start = end + 1;
    }
  }
  return copied === 0 ? uri : out + uri.slice(copied);
}

function holdsSecret(value: string, nesting: number): boolean {
  let text = value;
  for (let level = 0; level < nesting && text.includes('%'); level += 1) {
    text = decodeLoosely(text);
    if (redactParameters(text, 0) !== text) return true;
  }
  return false;
}

/** `http://name:password@host/…`, which no S3 client sends, but a forward proxy's client or a referer may. */
function redactUserInformation(uri: string): string {
  const authority = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.exec(uri)?.[0].length;
  if (authority === undefined) return uri;
  let end = authority;
  while (end < uri.length && !'/?#'.includes(uri.charAt(end))) end++;
  const at = uri.lastIndexOf('@', end - 1);
  return at < authority ? uri : uri.slice(0, authority) + REDACTED + uri.slice(at);
}

function firstSeparator(uri: string, from: number): number {
  for (let i = from; i < uri.length; i++) {
    const c = uri.charCodeAt(i);
    // ? & ; #
    if (c === 0x3f || c === 0x26 || c === 0x3b || c === 0x23) return i;
  }
  return -1;
}

function isSecretName(encoded: string): boolean {
  // Twice, since something behind may decode once more; unlike a URI decoder, a broken escape decides nothing.
  const name = decodeLoosely(decodeLoosely(encoded)).trim().toLowerCase();
  return isSecretField(name) || OTHER_SECRETS.has(name);
}

function decodeLoosely(text: string): string {
  return text.includes('%')
    ? text.replaceAll(/%[0-9a-fA-F]{2}/g, (escape) =>
        String.fromCharCode(Number.parseInt(escape.slice(1), 16)),
      )
    : text;
}
