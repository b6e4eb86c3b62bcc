/**
 * A store that answers listings alone, of what a test puts into it. Source: S3 API reference, ListObjects,
 * ListObjectVersions, ListMultipartUploads.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** In any order; several entries of one key stay in theirs. */
export interface StoredEntry {
  readonly key: string;
  /** Of a version or an upload. */
  readonly id?: string;
  readonly isDeleteMarker?: boolean;
}

export interface ListingStore {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  /** What it holds, whatever the name of the bucket, and how much a page has at most. */
  hold(entries: readonly StoredEntry[], pageSize?: number): void;
  /** Targets of the requests since `hold`. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

export async function openListingStore(): Promise<ListingStore> {
  let entries: readonly StoredEntry[] = [];
  let maximum = 1000;
  let asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const { searchParams } = new URL(request.url ?? '', 'http://store');
    response.setHeader('content-type', 'application/xml');
    response.end(page(entries, searchParams, maximum));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold(held, pageSize = 1000) {
      maximum = pageSize;
      entries = held.toSorted((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
      asked = [];
    },
    get asked() {
      return asked;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

interface Kind {
  readonly root: string;
  readonly marker: string;
  readonly idMarker?: string;
  readonly idElement?: string;
  readonly next: string;
  readonly nextId?: string;
  readonly size: string;
}

const OBJECTS: Kind = { root: 'ListBucketResult', marker: 'marker', next: 'NextMarker', size: 'max-keys' };
const VERSIONS: Kind = {
  root: 'ListVersionsResult',
  marker: 'key-marker',
  idMarker: 'version-id-marker',
  idElement: 'VersionId',
  next: 'NextKeyMarker',
  nextId: 'NextVersionIdMarker',
  size: 'max-keys',
};
const UPLOADS: Kind = {
  root: 'ListMultipartUploadsResult',
  marker: 'key-marker',
  idMarker: 'upload-id-marker',
  idElement: 'UploadId',
  next: 'NextKeyMarker',
  nextId: 'NextUploadIdMarker',
  size: 'max-uploads',
};

function page(entries: readonly StoredEntry[], query: URLSearchParams, maximum: number): string {
  const kind = query.has('versions') ? VERSIONS : query.has('uploads') ? UPLOADS : OBJECTS;
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const size = Math.min(Number(query.get(kind.size) ?? '1000'), maximum);
  const rest = behindMarker(entries, query, kind).filter(({ key }) => key.startsWith(prefix));
  const shown: { readonly xml: string; readonly key: string; readonly id: string | undefined }[] = [];
  let isTruncated = false;
  for (const entry of rest) {
    const at = delimiter === '' ? -1 : entry.key.indexOf(delimiter, prefix.length);
    const common = at === -1 ? undefined : entry.key.slice(0, at + delimiter.length);
    if (common !== undefined && (common === shown.at(-1)?.key || common === query.get(kind.marker))) continue;
    isTruncated = shown.length === size && size > 0;
    if (shown.length === size) break;
    shown.push(
      common === undefined
        ? { xml: render(entry, kind), key: entry.key, id: entry.id }
        : {
            xml: `<CommonPrefixes><Prefix>${text(common)}</Prefix></CommonPrefixes>`,
            key: common,
            id: undefined,
          },
    );
  }
  const last = shown.at(-1);
  // Of objects S3 tells it with a delimiter alone.
  const tellsNext = isTruncated && (kind !== OBJECTS || delimiter !== '');
  const next = tellsNext
    ? `<${kind.next}>${text(last?.key ?? '')}</${kind.next}>${
        kind.nextId === undefined || last?.id === undefined
          ? ''
          : `<${kind.nextId}>${last.id}</${kind.nextId}>`
      }`
    : '';
  const sizeElement = kind === UPLOADS ? 'MaxUploads' : 'MaxKeys';
  const encoding = query.get('encoding-type') === 'url' ? '<EncodingType>url</EncodingType>' : '';
  const body = shown.map(({ xml }) => xml).join('');
  const xml = `<Prefix>${text(prefix)}</Prefix><${sizeElement}>${size}</${sizeElement}>${encoding}<IsTruncated>${String(isTruncated)}</IsTruncated>${next}${body}`;
  return `<${kind.root}>${xml}</${kind.root}>`;

  function text(key: string): string {
    return query.get('encoding-type') === 'url'
      ? encodeURIComponent(key)
      : key.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  }

  function render({ key, id, isDeleteMarker }: StoredEntry, { idElement }: Kind): string {
    const element =
      kind === UPLOADS
        ? 'Upload'
        : kind === OBJECTS
          ? 'Contents'
          : isDeleteMarker === true
            ? 'DeleteMarker'
            : 'Version';
    const ids = idElement === undefined || id === undefined ? '' : `<${idElement}>${id}</${idElement}>`;
    return `<${element}><Key>${text(key)}</Key>${ids}</${element}>`;
  }
}

function behindMarker(
  entries: readonly StoredEntry[],
  query: URLSearchParams,
  kind: Kind,
): readonly StoredEntry[] {
  const marker = query.get(kind.marker) ?? '';
  if (marker === '') return entries;
  const id = kind.idMarker === undefined ? null : query.get(kind.idMarker);
  const own = entries.findIndex((entry) => entry.key === marker && entry.id === id);
  if (id !== null && own !== -1) return entries.slice(own + 1);
  return entries.filter(({ key }) => Buffer.compare(Buffer.from(key), Buffer.from(marker)) > 0);
}
