/** Buckets in the index. */
import type { DatabaseSync } from 'node:sqlite';
import type { Tag } from './tagging.ts';

export interface StoredBucket {
  readonly name: string;
  /** Epoch milliseconds, whole seconds. */
  readonly created: number;
  /** Undefined when no tag set was put. */
  readonly tags: readonly Tag[] | undefined;
}

export interface BucketRecords {
  find(name: string): StoredBucket | undefined;
  /** False when the bucket exists already. */
  insert(name: string, created: number): boolean;
  /** Removes the bucket's own record only. */
  remove(name: string): void;
  setTags(name: string, tags: readonly Tag[] | undefined): void;
  /** In order of their names, from `from` (included) on. */
  list(query: { readonly prefix: string; readonly from: string; readonly limit: number }): StoredBucket[];
}

export function createBucketRecords(db: DatabaseSync): BucketRecords {
  const find = db.prepare('SELECT * FROM buckets WHERE name = ?');
  const insert = db.prepare('INSERT OR IGNORE INTO buckets (name, created) VALUES (?, ?)');
  const remove = db.prepare('DELETE FROM buckets WHERE name = ?');
  const setTags = db.prepare('UPDATE buckets SET tags = ? WHERE name = ?');
  const list = db.prepare(
    'SELECT * FROM buckets WHERE name >= ? AND substr(name, 1, length(?)) = ? ORDER BY name LIMIT ?',
  );
  return {
    find(name) {
      const row = find.get(name);
      return row === undefined ? undefined : toBucket(row);
    },
    insert: (name, created) => insert.run(name, created).changes === 1,
    remove: (name) => void remove.run(name),
    setTags: (name, tags) => void setTags.run(tags === undefined ? null : JSON.stringify(tags), name),
    list: ({ prefix, from, limit }) => list.all(from, prefix, prefix, limit).map(toBucket),
  };
}

function toBucket(row: Record<string, unknown>): StoredBucket {
  const tags = row['tags'] as string | null;
  return {
    name: row['name'] as string,
    created: row['created'] as number,
    tags: tags === null ? undefined : (JSON.parse(tags) as readonly Tag[]),
  };
}
