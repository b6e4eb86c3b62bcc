/**
 * From the keys that were used to patterns of keys: a few keys of a folder stay what they are, many become `folder/*`,
 * and parts that change from key to key become `*`.
 */
import { generalSegment, literalSegment } from './key-segment.ts';

/** Keys below one folder that stay apart; more become `folder/*`. */
const FEW = 3;
/** Names at the top of a bucket that stay apart; more become the whole bucket. */
const MANY_AT_TOP = 20;
/** Different patterns that are kept apart while keys are read; of others the folder is kept. */
const MAX_PATTERNS = 50_000;

/** Stands alone: a key of that name is written as a literal. */
const EVERYTHING = '*';

export interface KeyUse {
  /** Epoch milliseconds. */
  readonly time: number;
  readonly requestId: string;
}

/** A part of a Resource element behind the bucket's name and the slash. */
export interface KeyPattern {
  readonly pattern: string;
  /** How often keys that it stands for were used. */
  readonly count: number;
  /** The latest. */
  readonly last: KeyUse;
}

interface Counted {
  readonly count: number;
  readonly last: KeyUse;
}

/** Takes keys one by one, in any order. */
export class KeyPatterns {
  readonly #endsOpen: boolean;
  /** By segments, joined by slashes: the first as it is, the others with `*` for what changes. */
  readonly #seen = new Map<string, Counted>();

  /** @param options.endsOpen what ends with a slash stands for all that begins so: of prefixes that are listed. */
  constructor(options: { readonly endsOpen: boolean }) {
    this.#endsOpen = options.endsOpen;
  }

  add(key: string, use: KeyUse): void {
    const [top = '', ...below] = key.split('/');
    const segments = [literalSegment(top), ...below.map(generalSegment)];
    let pattern = segments.join('/');
    if (this.#seen.size >= MAX_PATTERNS && !this.#seen.has(pattern))
      pattern = segments.length > 1 ? `${segments[0]}/*` : EVERYTHING;
    const known = this.#seen.get(pattern);
    this.#seen.set(
      pattern,
      known === undefined ? { count: 1, last: use } : together([known, { count: 1, last: use }]),
    );
  }

  /** Cover every key that was added; sorted by their text. Which keys came first makes no difference. */
  patterns(): readonly KeyPattern[] {
    const root = new Folder();
    for (const [pattern, counted] of this.#seen) root.add(pattern.split('/'), counted);
    const found = root
      .top()
      .map(([pattern, counted]): Found => [
        this.#endsOpen && pattern.endsWith('/') ? `${pattern}*` : pattern,
        counted,
      ]);
    return withoutCovered(found)
      .map(([pattern, { count, last }]) => ({ pattern, count, last }))
      .toSorted((left, right) => (left.pattern < right.pattern ? -1 : 1));
  }
}

type Found = readonly [pattern: string, counted: Counted];

class Folder {
  /** Of the key that ends here. */
  #own: Counted | undefined;
  readonly #below = new Map<string, Folder>();

  add([segment, ...more]: readonly string[], counted: Counted): void {
    if (segment === undefined) {
      this.#own = this.#own === undefined ? counted : together([this.#own, counted]);
      return;
    }
    let next = this.#below.get(segment);
    if (next === undefined) this.#below.set(segment, (next = new Folder()));
    next.add(more, counted);
  }

  /** Of a whole bucket: its first names are kept apart as long as it goes. */
  top(): readonly Found[] {
    const alike = Map.groupBy(this.#below.keys(), generalSegmentOfLiteral);
    const found = [...alike].flatMap(([general, names]) => {
      // `tenant-*` says as little of others as the names do; a bare `*` would be everything.
      if (names.length <= FEW || general.startsWith('*')) return names.flatMap((name) => this.#named(name));
      const merged = new Folder();
      for (const name of names) this.#below.get(name)?.mergeInto(merged);
      return merged.#patterns(general);
    });
    const names = new Set(found.map(([pattern]) => pattern.split('/', 1)[0]));
    return names.size > MANY_AT_TOP || names.has(EVERYTHING)
      ? [[EVERYTHING, together(found.map(([, counted]) => counted))]]
      : found;
  }

  #named(name: string): readonly Found[] {
    const folder = this.#below.get(name);
    return folder === undefined ? [] : folder.#patterns(name);
  }

  mergeInto(other: Folder, path: readonly string[] = []): void {
    if (this.#own !== undefined) other.add(path, this.#own);
    for (const [name, folder] of this.#below) folder.mergeInto(other, [...path, name]);
  }

  /** @param path of this folder, without the slash at its end. */
  #patterns(path: string): readonly Found[] {
    const own: readonly Found[] = this.#own === undefined ? [] : [[path, this.#own]];
    const below = [...this.#below].flatMap(([name, folder]) => folder.#patterns(`${path}/${name}`));
    const all = `${path}/*`;
    const isWhole = below.length > FEW || below.some(([pattern]) => pattern === all);
    if (!isWhole) return [...own, ...below];
    return [...own, [all, together(below.map(([, counted]) => counted))]];
  }
}

/** A literal of a policy has no more that changes than the segment that it stands for. */
function generalSegmentOfLiteral(literal: string): string {
  return literal.includes('${') ? literal : generalSegment(literal);
}

/** A `*` goes beyond slashes: `a/*` covers all of `a/`, and `a/*`, slash, `*` with it. */
function withoutCovered(found: readonly Found[]): readonly Found[] {
  const shorter = found.map(([pattern, counted]): Found => [
    pattern.replaceAll(/(?:\/\*)+(?=\/\*(?:\/|$))/g, ''),
    counted,
  ]);
  const folders = shorter
    .map(([pattern]) => pattern)
    .filter((pattern) => pattern.endsWith('/*') && !pattern.slice(0, -1).includes('*'))
    .toSorted((left, right) => left.length - right.length);
  const merged = new Map<string, Counted>();
  for (const [pattern, counted] of shorter) {
    const covering = folders.find((folder) => pattern.startsWith(folder.slice(0, -1))) ?? pattern;
    const known = merged.get(covering);
    merged.set(covering, known === undefined ? counted : together([known, counted]));
  }
  return [...merged];
}

function together(all: readonly Counted[]): Counted {
  return all.reduce((left, right) => ({
    count: left.count + right.count,
    last: right.last.time > left.last.time ? right.last : left.last,
  }));
}
