/**
 * The text without spaces and tabs at its ends: white space as HTTP has it (RFC 9110, section 5.6.3), and no other.
 * By hand, since a pattern that ends in `[ \t]+$` is tried anew at every space within the text: 20 KB of them, which
 * anybody may send, would stop the process for seconds.
 */
export function stripWhiteSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhiteSpace(text, start)) start++;
  while (end > start && isWhiteSpace(text, end - 1)) end--;
  return text.slice(start, end);
}

function isWhiteSpace(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x20 || code === 0x09;
}
