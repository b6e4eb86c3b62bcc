/** Content-Encoding as it is stored: `aws-chunked` describes the transfer to the gateway, not the object. */

/** Removes every `aws-chunked` token, in any case; undefined when nothing is left, or for an absent header. */
export function withoutAwsChunked(contentEncoding: string | undefined): string | undefined {
  if (contentEncoding === undefined) return undefined;
  const tokens = contentEncoding.split(',').map((token) => token.trim());
  const kept = tokens.filter((token) => token.toLowerCase() !== 'aws-chunked');
  // A value without the token passes byte for byte.
  if (kept.length === tokens.length) return contentEncoding;
  return kept.length === 0 ? undefined : kept.join(', ');
}
