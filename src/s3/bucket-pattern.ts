/** Patterns of bucket names, as an operator writes them. */

/** `*` stands for any characters, also none; everything else for itself. Linear in the length of the name for each star. */
export function matchesBucketPattern(pattern: string, bucket: string): boolean {
  let p = 0;
  let b = 0;
  let star = -1;
  let resume = 0;
  while (b < bucket.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p++;
      resume = b;
    } else if (p < pattern.length && pattern[p] === bucket[b]) {
      p++;
      b++;
    } else if (star === -1) return false;
    else {
      p = star + 1;
      b = ++resume;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
