/** `x-amz-region-set`: where a SigV4A signature holds. */

/**
 * Whether a comma-separated list names the region. Entries are compared whole and without case, `*` stands for any
 * run of characters, and an empty entry for nothing, as S3 takes them; white space belongs to the entry.
 */
export function regionSetIncludes(regionSet: string, region: string): boolean {
  const wanted = region.toLowerCase();
  return regionSet
    .toLowerCase()
    .split(',')
    .some((entry) => entry !== '' && matches(entry, wanted));
}

/** In linear steps over the parts between the stars: a backtracking pattern would be an attack. */
function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*');
  const [first = ''] = parts;
  const last = parts.at(-1) ?? '';
  if (parts.length === 1) return pattern === text;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length)
    return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
