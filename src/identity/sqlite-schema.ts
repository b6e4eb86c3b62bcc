/** The tables of the SQLite store, and how an older file becomes a current one. */
import { type DatabaseSync } from 'node:sqlite';

import { IdentityStoreError } from './store.ts';

/** A change never edits an entry that was released: it adds one. Its index plus 1 is the schema's version. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE principals (
    arn TEXT PRIMARY KEY,
    type TEXT NOT NULL CHECK (type IN ('user', 'root')),
    account_id TEXT NOT NULL,
    user_name TEXT NOT NULL,
    user_id TEXT NOT NULL UNIQUE,
    tags TEXT NOT NULL CHECK (json_type(tags) = 'object'),
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX principals_by_user_name ON principals (user_name);

  CREATE TABLE access_keys (
    access_key_id TEXT PRIMARY KEY,
    principal_arn TEXT NOT NULL REFERENCES principals (arn),
    encrypted_secret TEXT NOT NULL,
    master_key_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('Active', 'Inactive')),
    origin TEXT NOT NULL CHECK (origin IN ('issued', 'imported', 'generated', 'configured')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    description TEXT
  ) STRICT;
  CREATE INDEX access_keys_by_principal ON access_keys (principal_arn);

  CREATE TABLE principal_policies (
    principal_arn TEXT NOT NULL REFERENCES principals (arn) ON DELETE CASCADE,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (principal_arn, name)
  ) STRICT;

  CREATE TABLE key_policies (
    access_key_id TEXT NOT NULL REFERENCES access_keys (access_key_id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (access_key_id, name)
  ) STRICT;

  CREATE TABLE buckets (
    name TEXT PRIMARY KEY,
    owner_account TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;

  -- No reference to buckets: a bucket that only exists upstream may have a policy here.
  CREATE TABLE bucket_policies (
    bucket TEXT PRIMARY KEY,
    document TEXT NOT NULL,
    changed_at INTEGER NOT NULL
  ) STRICT;
  `,
  // NULL: made when there was one upstream only.
  'ALTER TABLE buckets ADD COLUMN upstream TEXT',
  `
  -- No reference to buckets, as for policies.
  CREATE TABLE bucket_cors (
    bucket TEXT PRIMARY KEY,
    document TEXT NOT NULL,
    changed_at INTEGER NOT NULL
  ) STRICT;
  `,
  `
  -- No reference to buckets, as for policies.
  CREATE TABLE public_access_blocks (
    bucket TEXT PRIMARY KEY,
    document TEXT NOT NULL,
    changed_at INTEGER NOT NULL
  ) STRICT;
  `,
];

/**
 * Brings the file to the current schema, in one transaction; safe when two processes start at once.
 *
 * @throws IdentityStoreError when a newer version of the program made the file.
 */
export function migrate(database: DatabaseSync, location: string, now: number): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    database.exec(
      'CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT',
    );
    const row = database.prepare('SELECT coalesce(max(version), 0) AS version FROM migrations').get();
    const version = Number(row?.['version']);
    if (version > MIGRATIONS.length) {
      throw new IdentityStoreError(
        `The identity store \`${location}\` has schema version ${version}, this program knows ${MIGRATIONS.length} at most: a newer version made it. Start that version, or restore a copy from before.`,
      );
    }
    const applied = database.prepare('INSERT INTO migrations (version, applied_at) VALUES (?, ?)');
    for (const [index, sql] of MIGRATIONS.entries()) {
      if (index >= version) {
        database.exec(sql);
        applied.run(index + 1, now);
      }
    }
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
