/** One page of a listing: asked for in the names of the place where the bucket is, and read in those of the client. */
import {
  BUCKET_FIELDS,
  KEY_FIELDS,
  parseListing,
  type ListedEntry,
  type Listing,
  type ListingField,
  type ListingKind,
  type QueryParameter,
} from '../../s3/index.ts';
import { withoutFraming } from '../answer.ts';
import type { Authorized } from '../authorize.ts';
import { answerHeaders, send } from '../forward.ts';
import type { Performance, PerformDependencies } from '../perform.ts';
import { clientKey, isMapped, placeOf, upstreamPrefix } from '../place.ts';
import type { Place } from '../routes.ts';
import { unavailable, upstreamOutcome } from '../upstream-error.ts';

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

export interface ListingPage {
  /** In the client's names; its tokens are the upstream's. */
  readonly listing: Listing;
  readonly outcome: ReturnType<typeof upstreamOutcome>;
  /** Less those of the upstream's own text. */
  readonly headers: readonly string[];
}

/**
 * @param query in the names of the place.
 * @throws UpstreamRefusal, `ServiceUnavailable` among others for a page that cannot be used.
 */
export async function readPage(
  { request, signal }: Pick<Performance, 'request' | 'signal'>,
  kind: ListingKind,
  query: readonly QueryParameter[],
  dependencies: PerformDependencies,
): Promise<ListingPage> {
  const response = await send(request, { query, payload: { kind: 'none' }, signal }, dependencies);
  const outcome = upstreamOutcome(response);
  try {
    const text = (await response.body.read(MAX_ANSWER_BYTES)).toString('utf8');
    const place = placeOf(request);
    const listing = inClientsKeys(parseListing(text, kind, askedFor(query)), place);
    const fields = inClientsFields(listing.fields, request, place);
    const headers = withoutFraming(answerHeaders(request, response, dependencies));
    return { listing: { ...listing, fields }, outcome, headers };
  } catch (error) {
    throw unavailable(outcome, `the upstream's listing cannot be used: ${String(error)}`);
  }
}

/** The client's query in the names of the place, with the prefix that the bucket is. */
export function placedQuery(
  request: Pick<Authorized, 'operation'>,
  place: Place,
  query: readonly QueryParameter[],
): readonly QueryParameter[] {
  if (place.prefix === '') return query;
  const placed = query.map(({ name, value }) => {
    // An empty marker is none.
    const isKey = KEY_PARAMETERS.has(name) && (value !== '' || name === 'prefix');
    return isKey ? { name, value: upstreamPrefix(place, value) } : { name, value };
  });
  const ofKeys = request.operation.name !== 'ListParts';
  return ofKeys && !placed.some(({ name }) => name === 'prefix')
    ? [...placed, { name: 'prefix', value: place.prefix }]
    : placed;
}

/** Query parameters that are keys, or the beginning of some. */
const KEY_PARAMETERS: ReadonlySet<string> = new Set(['key-marker', 'marker', 'prefix', 'start-after']);

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

/** @throws Error for a marker that is not below the place's prefix. */
function inClientsFields(
  fields: Listing['fields'],
  { address: { bucket = '' } }: Pick<Authorized, 'address'>,
  place: Place,
): Listing['fields'] {
  if (!isMapped(place, bucket)) return fields;
  const mapped: { [name in ListingField]?: string } = { ...fields };
  for (const name of BUCKET_FIELDS) if (fields[name] !== undefined) mapped[name] = bucket;
  for (const name of KEY_FIELDS) {
    const value = fields[name];
    if (value !== undefined && value !== '') mapped[name] = below(place, value);
  }
  return mapped;
}

function below(place: Place, key: string): string {
  const own = clientKey(place, key);
  if (own === undefined) throw new Error('a key that is not below the prefix that was asked for');
  return own;
}
