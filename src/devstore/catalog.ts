/** The index of the store: one SQLite database that says which buckets, objects and uploads exist, and in which files. */
import { DatabaseSync } from 'node:sqlite';
import { createBucketRecords, type BucketRecords } from './bucket-records.ts';
import { createObjectRecords, type ObjectRecords } from './object-records.ts';
import { createUploadRecords, type UploadRecords } from './upload-records.ts';

export interface Catalog {
  readonly buckets: BucketRecords;
  readonly objects: ObjectRecords;
  readonly uploads: UploadRecords;
  /** Runs `work` whole or not at all; on disk when it returns. Synchronous, so nothing comes between. */
  transaction<Result>(work: () => Result): Result;
  /** Whether a record points to this data file. */
  refersTo(file: string): boolean;
  close(): void;
}

// Keys are BLOBs: their order is that of their UTF-8 bytes, as S3 lists them, and no byte of them means anything.
// A segment belongs to an object (`owner` is its data id) or, as a part, to an upload (`owner` is the upload id).
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS buckets (
    name TEXT PRIMARY KEY, created INTEGER NOT NULL, tags TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL, key BLOB NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL, modified INTEGER NOT NULL,
    storage_class TEXT NOT NULL, checksum_algorithm TEXT, checksum_type TEXT, checksum_value TEXT,
    parts_count INTEGER, data TEXT NOT NULL, headers TEXT NOT NULL, tags TEXT NOT NULL,
    PRIMARY KEY (bucket, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS uploads (
    bucket TEXT NOT NULL, key BLOB NOT NULL, id TEXT NOT NULL, initiated INTEGER NOT NULL,
    storage_class TEXT NOT NULL, checksum_algorithm TEXT, checksum_type TEXT,
    headers TEXT NOT NULL, tags TEXT NOT NULL,
    PRIMARY KEY (bucket, key, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS segments (
    owner TEXT NOT NULL, number INTEGER NOT NULL, file TEXT NOT NULL UNIQUE, size INTEGER NOT NULL,
    md5 TEXT NOT NULL, checksum_algorithm TEXT, checksum_value TEXT, modified INTEGER NOT NULL,
    PRIMARY KEY (owner, number)
  ) STRICT, WITHOUT ROWID;
`;

/**
 * Opens the database, or makes it. One process at a time: readers of data files are counted in memory.
 * @throws Error when another process has it open.
 */
export function openCatalog(path: string): Catalog {
  const db = new DatabaseSync(path);
  try {
    // synchronous=FULL: a commit must be on disk before the data file that it replaced is deleted.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    db.exec(SCHEMA);
  } catch (error) {
    db.close();
    throw new Error(
      `the store \`${path}\` cannot be opened: is another process using it? Stop that one first.`,
      { cause: error },
    );
  }
  const findFile = db.prepare('SELECT 1 FROM segments WHERE file = ?');
  return {
    buckets: createBucketRecords(db),
    objects: createObjectRecords(db),
    uploads: createUploadRecords(db),
    transaction(work) {
      db.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        db.exec('COMMIT');
        return result;
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK');
        throw error;
      }
    },
    refersTo: (file) => findFile.get(file) !== undefined,
    close: () => db.close(),
  };
}
