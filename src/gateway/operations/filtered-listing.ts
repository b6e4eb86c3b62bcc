/**
 * A page with nothing on it that the caller may not read. The upstream is asked on until the page is full, so that where it
 * ends tells nothing of what was left out; where that would take too long, its end is sealed. See docs/filtered-listings.md.
 */
import { setImmediate } from 'node:timers/promises';
import {
  queryValue,
  type ListedEntry,
  type Listing,
  type ListingField,
  type ListingKind,
  type OperationName,
  type QueryParameter,
} from '../../s3/index.ts';
import type { Authorized } from '../authorize.ts';
import type { Bucket } from '../buckets.ts';
import { forwardedQuery } from '../forward.ts';
import { createListingFilter, type ListingFilter } from '../listing-filter.ts';
import { incorrectToken, type ListingTokens } from '../listing-token.ts';
import type { Performance, PerformDependencies } from '../perform.ts';
import { placeOf, upstreamPrefix } from '../place.ts';
import { unavailable } from '../upstream-error.ts';
import { placedQuery, readPage, type ListingPage } from './listing-page.ts';

/** Of the upstream, for one of the client. */
const MAX_PAGES = 10;
/** Of the pages after the first. */
const LARGE_PAGE = '1000';
const DEFAULT_SIZE = 1000;
/** Behind every key that begins like what stands before it. */
const LAST_CHARACTER = '\u{10FFFF}';

/** How an operation says where a page begins and ends, and how large it is. ListObjectsV2 is asked as ListObjects. */
interface Paging {
  readonly elements: readonly ListedEntry['element'][];
  readonly size: 'max-keys' | 'max-uploads';
  readonly sizeField: ListingField;
  readonly marker: 'key-marker' | 'marker';
  readonly next: ListingField;
  /** Of those that have several entries of one key. */
  readonly id?: {
    readonly marker: 'upload-id-marker' | 'version-id-marker';
    readonly next: ListingField;
    readonly element: 'UploadId' | 'VersionId';
  };
}

const OBJECTS: Paging = {
  elements: ['Contents'],
  size: 'max-keys',
  sizeField: 'MaxKeys',
  marker: 'marker',
  next: 'NextMarker',
};

const PAGINGS: Partial<Record<OperationName, Paging>> = {
  ListObjects: OBJECTS,
  ListObjectsV2: OBJECTS,
  ListObjectVersions: {
    elements: ['Version', 'DeleteMarker'],
    size: 'max-keys',
    sizeField: 'MaxKeys',
    marker: 'key-marker',
    next: 'NextKeyMarker',
    id: { marker: 'version-id-marker', next: 'NextVersionIdMarker', element: 'VersionId' },
  },
  ListMultipartUploads: {
    elements: ['Upload'],
    size: 'max-uploads',
    sizeField: 'MaxUploads',
    marker: 'key-marker',
    next: 'NextKeyMarker',
    id: { marker: 'upload-id-marker', next: 'NextUploadIdMarker', element: 'UploadId' },
  },
};

/** Behind what a page begins: a key or a common prefix, of several entries of a key the one with the id. */
interface Position {
  readonly key: string;
  readonly id?: string | undefined;
}

/** An entry or a common prefix, in the order of the listing. */
interface Item extends Position {
  readonly entry: ListedEntry | undefined;
}

/** @throws S3Error for a token that is not the caller's, UpstreamRefusal as `readPage`. */
export async function filteredPage(
  performance: Performance,
  kind: ListingKind,
  bucket: Bucket,
  dependencies: PerformDependencies,
): Promise<ListingPage> {
  const { request } = performance;
  const paging = PAGINGS[request.operation.name];
  if (paging === undefined) throw new Error(`${request.operation.name} is no listing of keys`);
  const filter = createListingFilter(request, bucket, paging.elements, dependencies);
  const seals = sealsOf(request, dependencies.listingTokens);
  const prefix = queryValue(request.effective.query, 'prefix') ?? '';
  const start = startOf(request, paging, seals);
  const ask = (position: Position | undefined, size: string | undefined): Promise<ListingPage> =>
    readPage(performance, kind, upstreamQuery(request, paging, { position, size }), dependencies);

  // Whether there is more below a prefix that leads nowhere would tell whether anything is there.
  if (!filter.reaches(prefix)) {
    const page = await ask(undefined, '1');
    const size = queryValue(request.effective.query, paging.size) ?? String(DEFAULT_SIZE);
    return clientPage(request, paging, page, { size, shown: [], next: undefined });
  }

  const first = await ask(start, queryValue(request.effective.query, paging.size));
  const size = sizeOf(first, paging);
  const shown: Item[] = [];
  let page = first;
  let position = start;
  let next: string | Position | undefined;
  for (let pages = 1; ; pages++) {
    const items = itemsOf(page.listing, paging);
    // A store that gives more than it was asked for (versitygw, of prefixes) may not know how to go on from within.
    const room = pages === 1 ? Infinity : Number(size);
    const isFull = await take(items, { filter, shown, room });
    const { end, isLast } = endOf(page, items, paging, position);
    const last = shown.at(-1);
    // What is behind a full page may all be hidden; to find out would be as dear as the next page.
    if (last !== undefined && (isFull || (!isLast && shown.length >= Number(size)))) {
      // Where nothing was left out behind it, the store's own end is what it understands best.
      next = !isFull && last === items.at(-1) && !isSame(last, end) ? seals.seal(end) : last;
      break;
    }
    if (isLast) break;
    position = behind(end, { filter, prefix, delimiter: queryValue(request.effective.query, 'delimiter') });
    if (pages === MAX_PAGES) {
      next = seals.seal(position);
      break;
    }
    page = await ask(position, LARGE_PAGE);
  }
  const isV2 = request.operation.name === 'ListObjectsV2';
  return clientPage(request, paging, first, {
    size,
    shown,
    next: isV2 && typeof next === 'object' ? seals.seal(next) : next,
  });
}

/** So many are decided before others have a turn: a policy made for it takes milliseconds for each. */
const TURN = 8;

/** Puts what may be seen behind `shown`. True when something does not fit any more. */
async function take(
  items: readonly Item[],
  page: { readonly filter: ListingFilter; readonly shown: Item[]; readonly room: number },
): Promise<boolean> {
  const { filter, shown, room } = page;
  for (const [index, item] of items.entries()) {
    if (index % TURN === TURN - 1) await setImmediate();
    const isSeen = item.entry === undefined ? filter.reaches(item.key) : filter.shows(item.entry);
    if (!isSeen) continue;
    if (shown.length >= room) return true;
    shown.push(item);
  }
  return false;
}

/** Entries and common prefixes in the order of the bytes of their keys. */
function itemsOf({ entries, commonPrefixes }: Listing, { id }: Paging): readonly Item[] {
  const keys = entries.map((entry): Item => {
    const of = id && entry.content[id.element];
    return { key: entry.key ?? '', id: typeof of === 'string' ? of : undefined, entry };
  });
  if (commonPrefixes.length === 0) return keys;
  const items = [...keys, ...commonPrefixes.map((key): Item => ({ key, entry: undefined }))];
  // The order of the entries of one key is the upstream's.
  const bytes = new Map(items.map((item) => [item, Buffer.from(item.key)]));
  return items.toSorted((a, b) => Buffer.compare(bytes.get(a) as Buffer, bytes.get(b) as Buffer));
}

function isSame(a: Position, b: Position): boolean {
  return a.key === b.key && a.id === b.id;
}

/** @throws UpstreamRefusal for a page that leads nowhere. */
function endOf(
  { listing, outcome }: ListingPage,
  items: readonly Item[],
  paging: Paging,
  start: Position | undefined,
): { readonly end: Position; readonly isLast: boolean } {
  const { fields } = listing;
  const last = items.at(-1);
  const named = fields[paging.next];
  const end: Position =
    named === undefined || named === ''
      ? { key: last?.key ?? '', id: last?.id }
      : { key: named, id: paging.id && fields[paging.id.next] };
  const isLast = fields.IsTruncated !== 'true';
  if (!isLast && start !== undefined && isSame(start, end))
    throw unavailable(outcome, "the upstream's listing does not go on");
  return { end, isLast };
}

/**
 * Behind everything hidden that begins like the end of the page: what lies below a prefix of somebody else is not read
 * through. A common prefix is passed by its own name, as stores know it.
 */
function behind(
  end: Position,
  options: {
    readonly filter: ListingFilter;
    readonly prefix: string;
    readonly delimiter: string | undefined;
  },
): Position {
  const { filter, prefix, delimiter = '' } = options;
  if (!end.key.startsWith(prefix) || filter.reaches(end.key)) return end;
  const characters = Array.from(end.key.slice(prefix.length));
  let reached = 0;
  let unreached = characters.length;
  while (unreached - reached > 1) {
    const middle = (reached + unreached) >> 1;
    if (filter.reaches(prefix + characters.slice(0, middle).join(''))) reached = middle;
    else unreached = middle;
  }
  const beginning = characters.slice(0, unreached).join('');
  if (delimiter !== '' && beginning.includes(delimiter)) return end;
  const key = prefix + beginning + LAST_CHARACTER;
  // INVARIANT: never back: keys may begin with that character, too.
  return end.key.startsWith(key) ? end : { key };
}

/** The client's in the names of the place, with where and how much in place of its own. */
function upstreamQuery(
  request: Authorized,
  { size: sizeName, marker, id }: Paging,
  { position, size }: { readonly position: Position | undefined; readonly size: string | undefined },
): readonly QueryParameter[] {
  const place = placeOf(request);
  const own = new Set<string>([...OF_V2, sizeName, marker, ...(id === undefined ? [] : [id.marker])]);
  const kept = forwardedQuery(request).filter(({ name }) => !own.has(name));
  const query = [...placedQuery(request, place, kept)];
  if (size !== undefined) query.push({ name: sizeName, value: size });
  if (position === undefined) return query;
  query.push({ name: marker, value: upstreamPrefix(place, position.key) });
  if (position.id !== undefined && id !== undefined) query.push({ name: id.marker, value: position.id });
  return query;
}

const OF_V2 = ['continuation-token', 'fetch-owner', 'list-type', 'start-after'];

function sizeOf({ listing }: ListingPage, { sizeField }: Paging): string {
  const size = listing.fields[sizeField] ?? '';
  return /^\d+$/.test(size) ? size : String(DEFAULT_SIZE);
}

/** A sealed position has a multiple of it. */
const SEALED_BYTES = 256;

interface Seals {
  seal(position: Position): string;
  /** Undefined for anything that was not sealed for this caller and this listing. */
  open(text: string): Position | undefined;
}

/** A position is of one caller, bucket, operation, prefix and delimiter: it finds out nothing elsewhere. */
function sealsOf({ caller, address, operation, effective }: Authorized, tokens: ListingTokens): Seals {
  const scope = JSON.stringify([
    'filtered',
    address.bucket,
    caller.type === 'key' ? caller.key.principal.arn : caller.type,
    operation.name,
    queryValue(effective.query, 'prefix') ?? '',
    queryValue(effective.query, 'delimiter') ?? '',
  ]);
  return {
    seal({ key, id }) {
      const text = JSON.stringify(id === undefined ? [key] : [key, id]);
      const size = Buffer.byteLength(text);
      // Its length would tell that of the key.
      const padding = Math.ceil(size / SEALED_BYTES) * SEALED_BYTES - size;
      return tokens.seal(scope, text + ' '.repeat(padding));
    },
    open(text) {
      const opened = tokens.open(scope, text);
      if (opened === undefined) return undefined;
      const [key = '', id] = JSON.parse(opened) as readonly string[];
      return { key, id };
    },
  };
}

/** Where the client's page begins. A marker that is not sealed is a key, whatever it looks like. */
function startOf({ operation, effective }: Authorized, paging: Paging, seals: Seals): Position | undefined {
  const value = (name: string): string | undefined => {
    const text = queryValue(effective.query, name);
    return text === '' ? undefined : text;
  };
  if (operation.name === 'ListObjectsV2') {
    const token = value('continuation-token');
    const after = value('start-after');
    if (token === undefined) return after === undefined ? undefined : { key: after };
    const opened = seals.open(token);
    if (opened === undefined) throw incorrectToken();
    return opened;
  }
  const marker = value(paging.marker);
  if (marker === undefined) return undefined;
  return seals.open(marker) ?? { key: marker, id: paging.id && value(paging.id.marker) };
}

const OF_STORES_PAGE: readonly ListingField[] = [
  'ContinuationToken',
  'KeyCount',
  'Marker',
  'NextContinuationToken',
  'StartAfter',
];

/** The page as the client asked for it: its own parameters, what it may see, and where the next one begins. */
function clientPage(
  { operation, effective }: Authorized,
  paging: Paging,
  page: ListingPage,
  content: {
    readonly size: string;
    readonly shown: readonly Item[];
    /** Sealed, or what the caller may see. */
    readonly next: string | Position | undefined;
  },
): ListingPage {
  const { size, shown, next } = content;
  const isV2 = operation.name === 'ListObjectsV2';
  const asked = (name: string): string | undefined => queryValue(effective.query, name);
  const known: { [name in ListingField]?: string } = { ...page.listing.fields };
  // What the store says of its own page counts what is left out, and tells where that is.
  for (const name of [...OF_STORES_PAGE, paging.next]) delete known[name];
  known.IsTruncated = String(next !== undefined);
  known[paging.sizeField] = size;
  if (paging.id !== undefined) delete known[paging.id.next];
  const nextKey = typeof next === 'object' ? next.key : next;
  if (isV2) {
    known.KeyCount = String(shown.length);
    setPresent(known, 'StartAfter', asked('start-after'));
    setPresent(known, 'ContinuationToken', asked('continuation-token'));
    setPresent(known, 'NextContinuationToken', nextKey);
  } else if (paging.id === undefined) {
    known.Marker = asked('marker') ?? '';
    setPresent(known, 'NextMarker', nextKey);
  } else {
    known.KeyMarker = asked('key-marker') ?? '';
    known[paging.id.marker === 'version-id-marker' ? 'VersionIdMarker' : 'UploadIdMarker'] =
      asked(paging.id.marker) ?? '';
    setPresent(known, paging.next, nextKey);
    setPresent(known, paging.id.next, typeof next === 'object' ? next.id : undefined);
  }
  const withOwners = !isV2 || asked('fetch-owner') === 'true';
  return {
    ...page,
    listing: {
      ...page.listing,
      fields: known,
      entries: shown.flatMap(({ entry }) =>
        entry === undefined ? [] : [withOwners ? entry : { ...entry, people: [] }],
      ),
      commonPrefixes: shown.flatMap(({ key, entry }) => (entry === undefined ? [key] : [])),
    },
  };
}

function setPresent(
  fields: { [name in ListingField]?: string },
  name: ListingField,
  value: string | undefined,
): void {
  if (value !== undefined) fields[name] = value;
}
