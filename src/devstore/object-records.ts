/** Objects in the index, and the segments that hold their bytes. */
import type { DatabaseSync } from 'node:sqlite';
import type { ChecksumAlgorithm } from '../body/index.ts';
import type { BodyChecksum, ObjectChecksum } from './checksums.ts';
import type { Tag } from './tagging.ts';

/** What a client says about an object besides its bytes. */
export interface ObjectDescription {
  /** Lower-case name → value: Content-Type and its like, and `x-amz-meta-*`, as they came over the wire. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tags: readonly Tag[];
  readonly storageClass: string;
}

/** An immutable data file, and what its bytes were when it was written. */
export interface Segment {
  readonly number: number;
  readonly file: string;
  readonly size: number;
  /** Hex. */
  readonly md5: string;
  readonly checksum: BodyChecksum | undefined;
  /** Epoch milliseconds, whole seconds. */
  readonly modified: number;
}

export interface StoredObject extends ObjectDescription {
  readonly size: number;
  /** With its quotation marks. */
  readonly etag: string;
  /** Epoch milliseconds, whole seconds. */
  readonly modified: number;
  readonly checksum: ObjectChecksum | undefined;
  /** Only of an object made by a multipart upload. */
  readonly partsCount: number | undefined;
  /** The owner of its segments. */
  readonly data: string;
}

export interface ListedObject {
  readonly key: Buffer;
  readonly size: number;
  readonly etag: string;
  readonly modified: number;
  readonly storageClass: string;
  readonly checksum: Pick<ObjectChecksum, 'algorithm' | 'type'> | undefined;
}

export interface ObjectRecords {
  find(bucket: string, key: string): StoredObject | undefined;
  /** In order of their numbers; they say nothing once the object was replaced. */
  segments(object: StoredObject): Segment[];
  /** There must be no object of that key. */
  insert(bucket: string, key: string, object: StoredObject, segments: readonly Segment[]): void;
  /** Removes the object, if there is one; the files that nothing refers to any more. */
  remove(bucket: string, key: string): string[];
  setTags(bucket: string, key: string, tags: readonly Tag[]): void;
  isEmpty(bucket: string): boolean;
  /** In order of the keys' bytes, from `from` (included) up to `until` (excluded; undefined: the end), lazily. */
  scan(bucket: string, from: Buffer, until: Buffer | undefined): Iterable<ListedObject>;
}

/** Greater than every UTF-8 key, which never holds this byte. */
export const END = Buffer.from([0xff]);

export function createObjectRecords(db: DatabaseSync): ObjectRecords {
  const find = db.prepare('SELECT * FROM objects WHERE bucket = ? AND key = ?');
  const insert = db.prepare(
    `INSERT INTO objects (bucket, key, size, etag, modified, storage_class, checksum_algorithm, checksum_type,
      checksum_value, parts_count, data, headers, tags) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const remove = db.prepare('DELETE FROM objects WHERE bucket = ? AND key = ? RETURNING data');
  const setTags = db.prepare('UPDATE objects SET tags = ? WHERE bucket = ? AND key = ?');
  const any = db.prepare('SELECT 1 FROM objects WHERE bucket = ? LIMIT 1');
  const scan = db.prepare(
    `SELECT key, size, etag, modified, storage_class, checksum_algorithm, checksum_type
      FROM objects WHERE bucket = ? AND key >= ? AND key < ? ORDER BY key`,
  );
  const segments = createSegmentRecords(db);
  return {
    find(bucket, key) {
      const row = find.get(bucket, Buffer.from(key));
      return row === undefined ? undefined : toObject(row);
    },
    segments: (object) => segments.list(object.data),
    insert(bucket, key, object, parts) {
      insert.run(
        bucket,
        Buffer.from(key),
        object.size,
        object.etag,
        object.modified,
        object.storageClass,
        object.checksum?.algorithm ?? null,
        object.checksum?.type ?? null,
        object.checksum?.value ?? null,
        object.partsCount ?? null,
        object.data,
        JSON.stringify(object.headers),
        JSON.stringify(object.tags),
      );
      for (const part of parts) segments.insert(object.data, part);
    },
    remove(bucket, key) {
      const row = remove.get(bucket, Buffer.from(key));
      return row === undefined ? [] : segments.removeAll(row['data'] as string);
    },
    setTags: (bucket, key, tags) => void setTags.run(JSON.stringify(tags), bucket, Buffer.from(key)),
    isEmpty: (bucket) => any.get(bucket) === undefined,
    *scan(bucket, from, until) {
      for (const row of scan.iterate(bucket, from, until ?? END)) yield toListed(row);
    },
  };
}

interface SegmentRecords {
  list(owner: string): Segment[];
  insert(owner: string, segment: Segment): void;
  /** The file that nothing refers to any more, if there was a segment of that number. */
  remove(owner: string, number: number): string | undefined;
  /** The files that nothing refers to any more. */
  removeAll(owner: string): string[];
}

export function createSegmentRecords(db: DatabaseSync): SegmentRecords {
  const list = db.prepare('SELECT * FROM segments WHERE owner = ? ORDER BY number');
  const insert = db.prepare(
    `INSERT INTO segments (owner, number, file, size, md5, checksum_algorithm, checksum_value, modified)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const remove = db.prepare('DELETE FROM segments WHERE owner = ? AND number = ? RETURNING file');
  const removeAll = db.prepare('DELETE FROM segments WHERE owner = ? RETURNING file');
  return {
    list: (owner) => list.all(owner).map(toSegment),
    insert(owner, { number, file, size, md5, checksum, modified }) {
      insert.run(
        owner,
        number,
        file,
        size,
        md5,
        checksum?.algorithm ?? null,
        checksum?.value ?? null,
        modified,
      );
    },
    remove: (owner, number) => remove.get(owner, number)?.['file'] as string | undefined,
    removeAll: (owner) => removeAll.all(owner).map((row) => row['file'] as string),
  };
}

function toObject(row: Record<string, unknown>): StoredObject {
  const algorithm = row['checksum_algorithm'] as ChecksumAlgorithm | null;
  return {
    size: row['size'] as number,
    etag: row['etag'] as string,
    modified: row['modified'] as number,
    storageClass: row['storage_class'] as string,
    checksum:
      algorithm === null
        ? undefined
        : {
            algorithm,
            type: row['checksum_type'] as ObjectChecksum['type'],
            value: row['checksum_value'] as string,
          },
    partsCount: (row['parts_count'] as number | null) ?? undefined,
    data: row['data'] as string,
    headers: JSON.parse(row['headers'] as string) as Record<string, string>,
    tags: JSON.parse(row['tags'] as string) as readonly Tag[],
  };
}

function toListed(row: Record<string, unknown>): ListedObject {
  const algorithm = row['checksum_algorithm'] as ChecksumAlgorithm | null;
  return {
    key: toBuffer(row['key']),
    size: row['size'] as number,
    etag: row['etag'] as string,
    modified: row['modified'] as number,
    storageClass: row['storage_class'] as string,
    checksum:
      algorithm === null ? undefined : { algorithm, type: row['checksum_type'] as ObjectChecksum['type'] },
  };
}

function toSegment(row: Record<string, unknown>): Segment {
  const algorithm = row['checksum_algorithm'] as ChecksumAlgorithm | null;
  return {
    number: row['number'] as number,
    file: row['file'] as string,
    size: row['size'] as number,
    md5: row['md5'] as string,
    checksum: algorithm === null ? undefined : { algorithm, value: row['checksum_value'] as string },
    modified: row['modified'] as number,
  };
}

/** A view of a BLOB column. */
export function toBuffer(blob: unknown): Buffer {
  const bytes = blob as Uint8Array;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
