/** GetObject and HeadObject. */
import { queryValue, S3Error, type WireRequest } from '../s3/index.ts';
import { parseRange, type ByteRange } from './byte-range.ts';
import type { Call, Reply, Store } from './call.ts';
import { checkReadConditions, rangeApplies } from './conditions.ts';
import { parseInteger } from './listing-query.ts';
import { requireObject } from './object-commit.ts';
import { renderChecksumHeaders, renderObjectHeaders } from './object-headers.ts';
import type { Segment, StoredObject } from './object-records.ts';

export function getObject(call: Call, store: Store): Reply {
  const { status, headers, range, segments } = selectBytes(call, store);
  // INVARIANT: no await between the look-up of the segments and this.
  const release = store.files.hold(segments);
  return { status, headers, body: { ...range, segments, release } };
}

export function headObject(call: Call, store: Store): Reply {
  const { status, headers } = selectBytes(call, store);
  return { status, headers };
}

interface Selection {
  readonly status: 200 | 206;
  readonly headers: Readonly<Record<string, string>>;
  readonly range: ByteRange;
  readonly segments: readonly Segment[];
}

function selectBytes({ wire, bucket, key }: Call, store: Store): Selection {
  const object = requireObject(store, bucket, key);
  checkReadConditions(wire.headers, object);
  const headers = renderObjectHeaders(object, wire.query);
  const segments = store.catalog.objects.segments(object);
  const part = selectPart(wire, object, segments);
  const range = part?.range ?? selectRange(wire, object);
  if (part !== undefined && object.partsCount !== undefined)
    headers['x-amz-mp-parts-count'] = String(object.partsCount);
  if (wire.headers.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED') {
    const checksum = part === undefined ? object.checksum : part.checksum;
    // That of the whole says nothing about a range.
    if (range === undefined || part !== undefined) Object.assign(headers, renderChecksumHeaders(checksum));
  }
  const { start, length } = range ?? { start: 0, length: object.size };
  headers['content-length'] = String(length);
  const partial = range !== undefined && object.size > 0;
  if (partial) headers['content-range'] = `bytes ${start}-${start + length - 1}/${object.size}`;
  return { status: partial ? 206 : 200, headers, range: { start, length }, segments };
}

function selectRange(wire: WireRequest, object: StoredObject): ByteRange | undefined {
  const header = wire.headers.get('range');
  return header === undefined || !rangeApplies(wire.headers, object)
    ? undefined
    : parseRange(header, object.size);
}

/** What `partNumber` asks for; an object that was not made of parts has one. */
function selectPart(
  wire: WireRequest,
  object: StoredObject,
  segments: readonly Segment[],
): { readonly range: ByteRange; readonly checksum: StoredObject['checksum'] } | undefined {
  if (queryValue(wire.query, 'partNumber') === undefined) return undefined;
  const number = parseInteger(wire.query, 'partNumber') ?? 0;
  if (wire.headers.has('range'))
    throw new S3Error('InvalidRequest', {
      message: 'Cannot specify both Range header and partNumber query parameter',
    });
  let start = 0;
  for (const segment of segments) {
    if (segment.number === number) {
      const checksum =
        object.partsCount === undefined || segment.checksum === undefined
          ? object.checksum
          : { ...segment.checksum, type: object.checksum?.type ?? ('COMPOSITE' as const) };
      return { range: { start, length: segment.size }, checksum };
    }
    start += segment.size;
  }
  throw new S3Error('InvalidPartNumber', {
    details: {
      ActualPartCount: String(object.partsCount ?? 1),
      PartNumberRequested: String(number),
    },
  });
}
