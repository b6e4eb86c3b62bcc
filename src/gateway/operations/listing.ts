/**
 * Pages of keys, versions, uploads and parts: asked for in the names of the place where the bucket is, and written anew
 * in the client's. See docs/decisions/0012.
 */
import {
  queryValue,
  renderListing,
  type Listing,
  type ListingField,
  type ListingKind,
  type OperationName,
  type QueryParameter,
} from '../../s3/index.ts';
import { xmlAnswer, type Answer } from '../answer.ts';
import type { Authorized } from '../authorize.ts';
import { canonicalUserId } from '../canonical-user.ts';
import { forwardedQuery } from '../forward.ts';
import { incorrectToken } from '../listing-token.ts';
import type { Performance, PerformDependencies } from '../perform.ts';
import { isMapped, placeOf } from '../place.ts';
import { filteredPage } from './filtered-listing.ts';
import { placedQuery, readPage, type ListingPage } from './listing-page.ts';

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
    !bucket.filterListings &&
    !isMapped(bucket.place, address.bucket ?? '') &&
    queryValue(effective.query, 'fetch-owner') === undefined;
  return passes ? undefined : kind;
}

export async function list(
  performance: Performance,
  kind: ListingKind,
  dependencies: PerformDependencies,
): Promise<Answer> {
  const { bucket } = performance.request;
  // The parts of an upload are all of one key, which the caller may list.
  const isFiltered = bucket?.filterListings === true && kind !== 'ListPartsResult';
  const { listing, outcome, headers } = isFiltered
    ? await filteredPage(performance, kind, bucket, dependencies)
    : await wholePage(performance, kind, dependencies);
  const owner = bucket?.ownerAccount ?? dependencies.accountId;
  const answer = xmlAnswer(renderListing(listing, canonicalUserId(owner)), outcome);
  return { ...answer, headers: [...headers, ...answer.headers] };
}

/** The parameter behind which a page begins; undefined for one that begins at its token or number alone. */
const MARKERS: Partial<Record<OperationName, string>> = {
  ListMultipartUploads: 'key-marker',
  ListObjectVersions: 'key-marker',
  ListObjects: 'marker',
};

async function wholePage(
  performance: Performance,
  kind: ListingKind,
  dependencies: PerformDependencies,
): Promise<ListingPage> {
  const { request } = performance;
  const place = placeOf(request);
  const query = upstreamQuery(request, dependencies);
  const first = await readPage(performance, kind, query, dependencies);
  const marker = MARKERS[request.operation.name];
  // Alone on its page, what has the prefix itself for a key would leave the client without a key to go on from.
  const stuck =
    marker !== undefined &&
    first.listing.fields.IsTruncated === 'true' &&
    first.listing.entries.length + first.listing.commonPrefixes.length === 0;
  const page = stuck
    ? await readPage(performance, kind, startingAt(query, marker, place.prefix), dependencies)
    : first;
  const fields = withSealedTokens(page.listing.fields, request, dependencies);
  return { ...page, listing: { ...page.listing, fields } };
}

function upstreamQuery(
  request: Authorized,
  { listingTokens }: PerformDependencies,
): readonly QueryParameter[] {
  const place = placeOf(request);
  const query = forwardedQuery(request);
  const { bucket = '' } = request.address;
  if (!isMapped(place, bucket)) return query;
  const opened = query.map(({ name, value }) => {
    if (name !== 'continuation-token') return { name, value };
    const token = listingTokens.open(bucket, value);
    if (token === undefined) throw incorrectToken();
    return { name, value: token };
  });
  return placedQuery(request, place, opened);
}

function startingAt(
  query: readonly QueryParameter[],
  marker: string,
  key: string,
): readonly QueryParameter[] {
  const others = query.filter(({ name }) => name !== marker && !name.endsWith('-id-marker'));
  return [...others, { name: marker, value: key }];
}

/** Of a bucket that has another name upstream: the client's own token, and where the next page begins. */
function withSealedTokens(
  fields: Listing['fields'],
  { address, effective, bucket }: Authorized,
  { listingTokens }: PerformDependencies,
): Listing['fields'] {
  const { bucket: name = '' } = address;
  if (bucket === undefined || !isMapped(bucket.place, name)) return fields;
  const { NextContinuationToken: next } = fields;
  const sealed: { [field in ListingField]?: string } = { ...fields };
  if (fields.ContinuationToken !== undefined)
    sealed.ContinuationToken = queryValue(effective.query, 'continuation-token') ?? '';
  if (next !== undefined && next !== '') sealed.NextContinuationToken = listingTokens.seal(name, next);
  return sealed;
}
