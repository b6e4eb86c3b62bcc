/** Multipart uploads in the index, with their parts. */
import type { DatabaseSync } from 'node:sqlite';
import type { ChecksumAlgorithm } from '../body/index.ts';
import type { ChecksumType } from './checksums.ts';
import {
  createSegmentRecords,
  END,
  toBuffer,
  type ObjectDescription,
  type Segment,
} from './object-records.ts';
import type { Tag } from './tagging.ts';

export interface StoredUpload extends ObjectDescription {
  /** Ids of one key sort by the time of their start. */
  readonly id: string;
  /** Epoch milliseconds, whole seconds. */
  readonly initiated: number;
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType } | undefined;
}

interface ListedUpload extends Omit<StoredUpload, 'headers' | 'tags'> {
  readonly key: Buffer;
}

export interface UploadRecords {
  find(bucket: string, key: string, id: string): StoredUpload | undefined;
  insert(bucket: string, key: string, upload: StoredUpload): void;
  /** Removes the upload but not its parts. */
  remove(bucket: string, key: string, id: string): void;
  /** Removes every upload of a bucket with its parts; the files that nothing refers to any more. */
  removeAll(bucket: string): string[];
  parts(id: string): Segment[];
  /** The file of the part that was replaced, if there was one. */
  putPart(id: string, part: Segment): string | undefined;
  /** The files that nothing refers to any more. */
  removeParts(id: string): string[];
  /**
   * By key, then by id: what follows (`from`, `afterId`) up to the key `until` (excluded; undefined: the end), lazily.
   * An empty `afterId` comes before every upload of a key.
   */
  scan(
    bucket: string,
    range: { readonly from: Buffer; readonly afterId: string; readonly until: Buffer | undefined },
  ): Iterable<ListedUpload>;
}

export function createUploadRecords(db: DatabaseSync): UploadRecords {
  const find = db.prepare('SELECT * FROM uploads WHERE bucket = ? AND key = ? AND id = ?');
  const insert = db.prepare(
    `INSERT INTO uploads (bucket, key, id, initiated, storage_class, checksum_algorithm, checksum_type, headers, tags)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const remove = db.prepare('DELETE FROM uploads WHERE bucket = ? AND key = ? AND id = ?');
  const removeAll = db.prepare('DELETE FROM uploads WHERE bucket = ? RETURNING id');
  const scan = db.prepare(
    'SELECT * FROM uploads WHERE bucket = ? AND (key, id) > (?, ?) AND key < ? ORDER BY key, id',
  );
  const segments = createSegmentRecords(db);
  return {
    find(bucket, key, id) {
      const row = find.get(bucket, Buffer.from(key), id);
      return row === undefined ? undefined : toUpload(row);
    },
    insert(bucket, key, upload) {
      insert.run(
        bucket,
        Buffer.from(key),
        upload.id,
        upload.initiated,
        upload.storageClass,
        upload.checksum?.algorithm ?? null,
        upload.checksum?.type ?? null,
        JSON.stringify(upload.headers),
        JSON.stringify(upload.tags),
      );
    },
    remove: (bucket, key, id) => void remove.run(bucket, Buffer.from(key), id),
    removeAll: (bucket) => removeAll.all(bucket).flatMap((row) => segments.removeAll(row['id'] as string)),
    parts: (id) => segments.list(id),
    putPart(id, part) {
      const replaced = segments.remove(id, part.number);
      segments.insert(id, part);
      return replaced;
    },
    removeParts: (id) => segments.removeAll(id),
    *scan(bucket, { from, afterId, until }) {
      for (const row of scan.iterate(bucket, from, afterId, until ?? END))
        yield { ...toUpload(row), key: toBuffer(row['key']) };
    },
  };
}

function toUpload(row: Record<string, unknown>): StoredUpload {
  const algorithm = row['checksum_algorithm'] as ChecksumAlgorithm | null;
  return {
    id: row['id'] as string,
    initiated: row['initiated'] as number,
    storageClass: row['storage_class'] as string,
    checksum: algorithm === null ? undefined : { algorithm, type: row['checksum_type'] as ChecksumType },
    headers: JSON.parse(row['headers'] as string) as Record<string, string>,
    tags: JSON.parse(row['tags'] as string) as readonly Tag[],
  };
}
