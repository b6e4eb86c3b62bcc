/**
 * Percent-encoding as SigV4 defines it: everything but `A-Z a-z 0-9 - . _ ~` becomes `%XX` with upper-case hex.
 * Source: "Authenticating Requests (AWS Signature Version 4)", UriEncode().
 */

const HEX = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`);
const UNRESERVED = new Uint8Array(128);
for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~')
  UNRESERVED[c.charCodeAt(0)] = 1;

/** Encodes one query name or value: `/` is encoded too. */
export function encodeUriComponent(text: string): string {
  return encode(text, false);
}

/** Encodes a path (or an object key inside one): `/` stays, nothing is normalised. */
export function encodeUriPath(text: string): string {
  return encode(text, true);
}

/**
 * Decodes `%XX` exactly once; `+` stays a plus. Resolves to undefined for a broken escape, or for bytes that
 * are not valid UTF-8: the caller answers `InvalidURI`.
 */
export function decodeUri(text: string): string | undefined {
  if (!text.includes('%') && isAscii(text)) return text;
  try {
    // decodeURIComponent refuses broken escapes, overlong forms, surrogates and truncated sequences.
    // Raw non-ASCII bytes arrive as latin1 characters and are not allowed in a request target.
    return isAscii(text) ? decodeURIComponent(text) : undefined;
  } catch {
    return undefined;
  }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

function encode(text: string, keepSlash: boolean): string {
  let clean = true;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 128 && (UNRESERVED[c] === 1 || (keepSlash && c === 0x2f))) continue;
    clean = false;
    break;
  }
  if (clean) return text;
  let out = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const plain = byte < 128 && (UNRESERVED[byte] === 1 || (keepSlash && byte === 0x2f));
    out += plain ? String.fromCharCode(byte) : (HEX[byte] as string);
  }
  return out;
}
