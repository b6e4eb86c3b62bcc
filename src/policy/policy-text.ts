/** The text of a policy document, out of the bytes of a file. */
import { PolicyError, type PolicyType } from './error.ts';
import { INVALID_JSON } from './json.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * JSON is UTF-8 (RFC 8259, section 8.1). A lenient reader makes U+FFFD of the bytes of another encoding, and a Deny on
 * such a key would deny nothing.
 * @throws PolicyError with the place of the first byte that is not UTF-8.
 */
export function policyText(bytes: Uint8Array, type: PolicyType): string {
  try {
    return utf8.decode(bytes);
  } catch {
    const position = firstWrong(bytes);
    const detail = 'the document is not UTF-8 here; save it as UTF-8';
    throw new PolicyError(INVALID_JSON, { type, position, detail });
  }
}

const LINE_FEED = 0x0a;

function firstWrong(bytes: Uint8Array): { readonly line: number; readonly column: number } {
  let line = 1;
  let start = 0;
  // No byte of a longer character is a line feed: each line can be read by itself.
  for (;;) {
    const end = bytes.indexOf(LINE_FEED, start);
    const text = bytes.subarray(start, end === -1 ? undefined : end);
    if (end === -1 || !isUtf8(text)) return { line, column: validPrefix(text) + 1 };
    start = end + 1;
    line++;
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    utf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** How many UTF-16 units stand before the first wrong byte. */
function validPrefix(bytes: Uint8Array): number {
  const lenient = new TextDecoder('utf-8', { ignoreBOM: true });
  let [valid, wrong] = [0, bytes.length];
  // Up to three bytes at its end can be the beginning of a character: such a prefix is valid too, as far as it is known.
  while (wrong - valid > 1) {
    const middle = (valid + wrong) >> 1;
    if (isUtf8Prefix(bytes.subarray(0, middle))) valid = middle;
    else wrong = middle;
  }
  return lenient.decode(bytes.subarray(0, valid), { stream: true }).length;
}

function isUtf8Prefix(bytes: Uint8Array): boolean {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    decoder.decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
