/** One page of a listing in the order of keys, with keys behind a delimiter rolled up. */

export interface KeyPageQuery {
  readonly prefix: Buffer;
  /** Empty: nothing is rolled up. */
  readonly delimiter: Buffer;
  /** The first key that may be listed. */
  readonly from: Buffer;
  /** Of entries: keys and common prefixes together. */
  readonly maximum: number;
}

export interface KeyPage<Row> {
  readonly rows: readonly Row[];
  readonly commonPrefixes: readonly Buffer[];
  /** Whether there is more. */
  readonly truncated: boolean;
  /** The last entry, if there is one: a key or a common prefix. */
  readonly last: Buffer | undefined;
  /** Where the next page starts, when truncated. */
  readonly next: Buffer | undefined;
}

/**
 * Collects a page. What a common prefix hides is skipped by a new scan behind it, never read.
 * @param scan the rows from a key on (that key included), in the order of their keys' bytes, up to `until`.
 */
export function collectKeyPage<Row extends { readonly key: Buffer }>(
  query: KeyPageQuery,
  scan: (from: Buffer, until: Buffer | undefined) => Iterable<Row>,
): KeyPage<Row> {
  const { prefix, delimiter, maximum } = query;
  const rows: Row[] = [];
  const commonPrefixes: Buffer[] = [];
  const until = successor(prefix);
  let from = Buffer.compare(query.from, prefix) > 0 ? query.from : prefix;
  let last: Buffer | undefined;
  let next: Buffer | undefined;
  if (maximum === 0) return { rows, commonPrefixes, truncated: false, last, next };
  const isFull = (): boolean => rows.length + commonPrefixes.length === maximum;

  scanning: while (true) {
    for (const row of scan(from, until)) {
      if (isFull()) {
        next = row.key;
        break scanning;
      }
      const common = commonPrefixOf(row.key, prefix, delimiter);
      if (common !== undefined) {
        commonPrefixes.push(common);
        last = common;
        from = successor(common) as Buffer;
        continue scanning;
      }
      rows.push(row);
      last = row.key;
    }
    break;
  }
  return { rows, commonPrefixes, truncated: next !== undefined, last, next };
}

/**
 * The first key that a marker (`marker`, `start-after`, `key-marker`) leaves: the one behind it or, when the marker
 * is a common prefix of this very listing, the one behind everything that it hides.
 */
export function keyAfter(marker: Buffer, prefix: Buffer, delimiter: Buffer): Buffer {
  const common = startsWith(marker, prefix) ? commonPrefixOf(marker, prefix, delimiter) : undefined;
  if (common?.length === marker.length) return successor(common) as Buffer;
  return Buffer.concat([marker, Buffer.from([0])]);
}

function commonPrefixOf(key: Buffer, prefix: Buffer, delimiter: Buffer): Buffer | undefined {
  if (delimiter.length === 0) return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : key.subarray(0, at + delimiter.length);
}

/** The least key that is greater than every key with that prefix; undefined (none) for the empty prefix. */
function successor(prefix: Buffer): Buffer | undefined {
  if (prefix.length === 0) return undefined;
  const next = Buffer.from(prefix);
  // The last byte of UTF-8 is never 0xFF.
  next[next.length - 1] = (next.at(-1) as number) + 1;
  return next;
}

function startsWith(key: Buffer, prefix: Buffer): boolean {
  return key.length >= prefix.length && key.subarray(0, prefix.length).equals(prefix);
}
