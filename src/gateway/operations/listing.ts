/**
 * Pages of keys, versions, uploads and parts: asked for in the names of the place where the bucket is, and written anew
 * in the client's. See docs/decisions/0012.
 */
import {
  BUCKET_FIELDS,
  KEY_FIELDS,
  parseListing,
  queryValue,
  renderListing,
  type ListedEntry,
  type Listing,
  type ListingField,
  type ListingKind,
  type OperationName,
  type QueryParameter,
} from '../../s3/index.ts';
import { withoutFraming, xmlAnswer, type Answer } from '../answer.ts';
import type { Authorized } from '../authorize.ts';
import { canonicalUserId } from '../canonical-user.ts';
import { answerHeaders, forwardedQuery, send } from '../forward.ts';
import type { Performance, PerformDependencies } from '../perform.ts';
import { clientKey, isMapped, placeOf, upstreamPrefix } from '../place.ts';
import type { Place } from '../routes.ts';
import { unavailable, upstreamOutcome } from '../upstream-error.ts';

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** Operations whose answer is a page, with the root of its document. */
const LISTINGS: Partial<Record<OperationName, ListingKind>> = {
  ListMultipartUploads: 'ListMultipartUploadsResult',
  ListObjectVersions: 'ListVersionsResult',
  ListObjects: 'ListBucketResult',
  ListObjectsV2: 'ListBucketResult',
  ListParts: 'ListPartsResult',
};

/**
 * The root of the page that the answer to a request is; undefined for one that is no page, or that can pass as it is: a
 * ListObjectsV2 that asks for no owners, in a bucket whose names are the same upstream, says nothing of the upstream.
 */
export function rewrittenListing(request: Authorized): ListingKind | undefined {
  const { operation, address, effective, bucket } = request;
  const kind = LISTINGS[operation.name];
  if (kind === undefined || operation.name !== 'ListObjectsV2' || bucket === undefined) return kind;
  const passes =
    !isMapped(bucket.place, address.bucket ?? '') && queryValue(effective.query, 'fetch-owner') === undefined;
  return passes ? undefined : kind;
}

/** What a page repeats of its query. */
const REPEATED: Readonly<Record<string, ListingField>> = {
  delimiter: 'Delimiter',
  'key-marker': 'KeyMarker',
  marker: 'Marker',
  prefix: 'Prefix',
  'start-after': 'StartAfter',
};

function askedFor(query: readonly QueryParameter[]): Listing['fields'] {
  const asked: { [name in ListingField]?: string } = {};
  for (const { name, value } of query) {
    const field = REPEATED[name];
    if (field !== undefined) asked[field] = value;
  }
  return asked;
}

/** Query parameters that are keys, or the beginning of some. */
const KEY_PARAMETERS: ReadonlySet<string> = new Set(['key-marker', 'marker', 'prefix', 'start-after']);
/** The parameter behind which a page begins; undefined for one that begins at its token or number alone. */
const MARKERS: Partial<Record<OperationName, string>> = {
  ListMultipartUploads: 'key-marker',
  ListObjectVersions: 'key-marker',
  ListObjects: 'marker',
};

export async function list(
  performance: Performance,
  kind: ListingKind,
  dependencies: PerformDependencies,
): Promise<Answer> {
  const { request } = performance;
  const place = placeOf(request);
  const query = upstreamQuery(request, place, dependencies);
  const first = await page(performance, kind, query, dependencies);
  const marker = MARKERS[request.operation.name];
  // Alone on its page, what has the prefix itself for a key would leave the client without a key to go on from.
  const stuck =
    marker !== undefined &&
    first.listing.fields.IsTruncated === 'true' &&
    first.listing.entries.length + first.listing.commonPrefixes.length === 0;
  const { listing, outcome, headers } = stuck
    ? await page(performance, kind, startingAt(query, marker, place.prefix), dependencies)
    : first;
  const owner = request.bucket?.ownerAccount ?? dependencies.accountId;
  const answer = xmlAnswer(renderListing(listing, canonicalUserId(owner)), outcome);
  return { ...answer, headers: [...headers, ...answer.headers] };
}

/** One page, in the client's words. */
async function page(
  { request, signal }: Performance,
  kind: ListingKind,
  query: readonly QueryParameter[],
  dependencies: PerformDependencies,
): Promise<{
  readonly listing: Listing;
  readonly outcome: ReturnType<typeof upstreamOutcome>;
  /** Less those of the upstream's own text. */
  readonly headers: readonly string[];
}> {
  const response = await send(request, { query, payload: { kind: 'none' }, signal }, dependencies);
  const outcome = upstreamOutcome(response);
  try {
    const text = (await response.body.read(MAX_ANSWER_BYTES)).toString('utf8');
    const place = placeOf(request);
    const listing = inClientsKeys(parseListing(text, kind, askedFor(query)), place);
    const fields = clientFields(listing, request, place, dependencies);
    const headers = withoutFraming(answerHeaders(request, response, dependencies));
    return { listing: { ...listing, fields }, outcome, headers };
  } catch (error) {
    throw unavailable(outcome, `the upstream's listing cannot be used: ${String(error)}`);
  }
}

function upstreamQuery(
  request: Authorized,
  place: Place,
  { listingTokens }: PerformDependencies,
): readonly QueryParameter[] {
  const query = forwardedQuery(request);
  const { bucket = '' } = request.address;
  if (!isMapped(place, bucket)) return query;
  const mapped = query.map(({ name, value }) => {
    if (name === 'continuation-token') return { name, value: listingTokens.open(bucket, value) };
    // An empty marker is none.
    const isKey = KEY_PARAMETERS.has(name) && (value !== '' || name === 'prefix');
    return isKey ? { name, value: upstreamPrefix(place, value) } : { name, value };
  });
  const ofKeys = request.operation.name !== 'ListParts';
  return ofKeys && place.prefix !== '' && !mapped.some(({ name }) => name === 'prefix')
    ? [...mapped, { name: 'prefix', value: place.prefix }]
    : mapped;
}

function startingAt(
  query: readonly QueryParameter[],
  marker: string,
  key: string,
): readonly QueryParameter[] {
  const others = query.filter(({ name }) => name !== marker && !name.endsWith('-id-marker'));
  return [...others, { name: marker, value: key }];
}

/** @throws Error for a key that is not below the place's prefix. */
function inClientsKeys(listing: Listing, place: Place): Listing {
  if (place.prefix === '') return listing;
  const entries: ListedEntry[] = [];
  for (const entry of listing.entries) {
    const key = entry.key === undefined ? undefined : below(place, entry.key);
    // The object that has the prefix for a name: it is not in the virtual bucket, where its key would be empty.
    if (key !== '') entries.push({ ...entry, key });
  }
  const commonPrefixes = listing.commonPrefixes.map((prefix) => below(place, prefix));
  const dropped = listing.entries.length - entries.length;
  const { KeyCount } = listing.fields;
  return {
    ...listing,
    entries,
    commonPrefixes,
    fields: {
      ...listing.fields,
      ...(KeyCount !== undefined && dropped > 0 && { KeyCount: String(Number(KeyCount) - dropped) }),
    },
  };
}

function below(place: Place, key: string): string {
  const own = clientKey(place, key);
  if (own === undefined) throw new Error('a key that is not below the prefix that was asked for');
  return own;
}

/**
 * What the page says of itself: the client's own parameters, and where the next one begins.
 * @throws Error for a marker that is not below the place's prefix.
 */
function clientFields(
  { fields }: Listing,
  { address, effective }: Authorized,
  place: Place,
  { listingTokens }: PerformDependencies,
): Listing['fields'] {
  const { bucket = '' } = address;
  if (!isMapped(place, bucket)) return fields;
  const { NextContinuationToken: next } = fields;
  const mapped: { [name in ListingField]?: string } = { ...fields };
  for (const name of BUCKET_FIELDS) if (fields[name] !== undefined) mapped[name] = bucket;
  for (const name of KEY_FIELDS) {
    const value = fields[name];
    if (value !== undefined && value !== '') mapped[name] = below(place, value);
  }
  if (fields.ContinuationToken !== undefined)
    mapped.ContinuationToken = queryValue(effective.query, 'continuation-token') ?? '';
  if (next !== undefined && next !== '') mapped.NextContinuationToken = listingTokens.seal(bucket, next);
  return mapped;
}
