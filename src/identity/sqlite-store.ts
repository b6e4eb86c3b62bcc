/** The identity store in one SQLite file, shared by every process on the machine. */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';

import {
  bucketFromRow,
  keyOwnerFromRow,
  policyFromRow,
  principalFromRow,
  recordFromRow,
  text,
} from './sqlite-rows.ts';
import { migrate } from './sqlite-schema.ts';
import {
  IdentityStoreError,
  type BucketCorsRecord,
  type BucketPolicyRecord,
  type BucketRecord,
  type IdentityStore,
  type KeyAddition,
  type KeyStatus,
  type PolicyOwner,
  type PublicAccessBlockRecord,
  type StoredBucket,
  type StoredIdentity,
  type StoredKeyOwner,
  type StoredPolicy,
  type StoredPrincipalPolicies,
} from './store.ts';

/** How long a statement waits for another process's write, in milliseconds. */
const BUSY_TIMEOUT = 5_000;

/**
 * Opens the store, making the file (mode 0600), its folder (0700) and its tables where they are missing.
 *
 * @param path the database file.
 * @throws IdentityStoreError when the file cannot be opened, is no database, or was made by a newer version.
 */
export function openSqliteStore(path: string, options: { readonly now: () => number }): IdentityStore {
  const location = resolve(path);
  const database = openDatabase(location);
  try {
    migrate(database, location, options.now());
    return new SqliteStore(database, location);
  } catch (error) {
    database.close();
    throw error;
  }
}

class SqliteStore implements IdentityStore {
  readonly location: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync, location: string) {
    this.#database = database;
    this.location = location;
  }

  async findKey(accessKeyId: string): Promise<StoredIdentity | undefined> {
    return this.#transaction('DEFERRED', () => {
      const row = this.#get(`${SELECT_KEYS} WHERE access_key_id = ?`, accessKeyId);
      if (row === undefined) return undefined;
      const owner = keyOwnerFromRow(row);
      return {
        ...owner,
        principalPolicies: this.#all(SELECT_PRINCIPAL_POLICIES, owner.principal.arn).map(policyFromRow),
        keyPolicies: this.#all(SELECT_KEY_POLICIES, accessKeyId).map(policyFromRow),
      };
    });
  }

  async listKeys(filter: { readonly userName?: string } = {}): Promise<readonly StoredKeyOwner[]> {
    const userName = filter.userName ?? null;
    return this.#all(
      `${SELECT_KEYS} WHERE ?1 IS NULL OR user_name = ?1 ORDER BY user_name, k.created_at, access_key_id`,
      userName,
    ).map(keyOwnerFromRow);
  }

  async addKey(addition: KeyAddition): Promise<boolean> {
    return this.#transaction('IMMEDIATE', () => this.#insertKey(addition));
  }

  async setKeyStatus(accessKeyId: string, status: KeyStatus): Promise<boolean> {
    return this.#run('UPDATE access_keys SET status = ? WHERE access_key_id = ?', status, accessKeyId) > 0;
  }

  async deleteKey(accessKeyId: string): Promise<boolean> {
    return this.#run('DELETE FROM access_keys WHERE access_key_id = ?', accessKeyId) > 0;
  }

  async replaceRootKeys(addition: KeyAddition, expected: readonly string[]): Promise<boolean> {
    return this.#transaction('IMMEDIATE', () => {
      const found = this.#all(`${SELECT_KEYS} WHERE type = 'root'`).map((row) => text(row, 'access_key_id'));
      if (found.length !== expected.length || !found.every((id) => expected.includes(id))) return false;
      const { accessKeyId } = addition.key;
      const taken = this.#get('SELECT 1 FROM access_keys WHERE access_key_id = ?', accessKeyId) !== undefined;
      if (taken && !found.includes(accessKeyId)) return false;
      this.#run(
        `DELETE FROM access_keys WHERE principal_arn IN (SELECT arn FROM principals WHERE type = 'root')`,
      );
      return this.#insertKey(addition);
    });
  }

  async masterKeyUse(): Promise<ReadonlyMap<string, number>> {
    const rows = this.#all(
      'SELECT master_key_id, count(*) AS secrets FROM access_keys GROUP BY 1 ORDER BY 1',
    );
    return new Map(rows.map((row) => [text(row, 'master_key_id'), Number(row['secrets'])]));
  }

  async findPrincipal(arn: string): Promise<StoredPrincipalPolicies | undefined> {
    return this.#transaction('DEFERRED', () => {
      const row = this.#get(
        'SELECT *, created_at AS principal_created_at FROM principals WHERE arn = ?',
        arn,
      );
      if (row === undefined) return undefined;
      return {
        principal: principalFromRow(row),
        policies: this.#all(SELECT_PRINCIPAL_POLICIES, arn).map(policyFromRow),
      };
    });
  }

  async putPolicy(owner: PolicyOwner, policy: StoredPolicy): Promise<boolean> {
    const { owners, policies, column, id } = policyTables(owner);
    return (
      this.#run(
        `INSERT INTO ${policies} (${column}, name, document) SELECT ${owners.key}, ?, ? FROM ${owners.table} WHERE ${owners.key} = ? ON CONFLICT DO UPDATE SET document = excluded.document`,
        policy.name,
        policy.document,
        id,
      ) > 0
    );
  }

  async deletePolicy(owner: PolicyOwner, name: string): Promise<boolean> {
    const { policies, column, id } = policyTables(owner);
    return this.#run(`DELETE FROM ${policies} WHERE ${column} = ? AND name = ?`, id, name) > 0;
  }

  async findBucket(name: string): Promise<StoredBucket | undefined> {
    const row = this.#get(
      `SELECT b.name, b.owner_account, b.upstream, b.created_at, p.document, p.changed_at, c.document AS cors_document, c.changed_at AS cors_changed_at, a.document AS block_document, a.changed_at AS block_changed_at FROM (SELECT ? AS wanted) LEFT JOIN buckets b ON b.name = wanted LEFT JOIN bucket_policies p ON p.bucket = wanted LEFT JOIN bucket_cors c ON c.bucket = wanted LEFT JOIN public_access_blocks a ON a.bucket = wanted`,
      name,
    );
    return row === undefined ? undefined : bucketFromRow(row);
  }

  async listBuckets(): Promise<readonly BucketRecord[]> {
    const rows = this.#all('SELECT name, owner_account, upstream, created_at FROM buckets ORDER BY name');
    return rows.map(recordFromRow);
  }

  async addBucket(bucket: BucketRecord): Promise<boolean> {
    return this.#transaction('IMMEDIATE', () => {
      const added = this.#run(
        'INSERT INTO buckets (name, owner_account, upstream, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
        bucket.name,
        bucket.ownerAccount,
        bucket.upstream ?? null,
        bucket.createdAt,
      );
      if (added === 0) return false;
      this.#deleteBucketSettings(bucket.name);
      return true;
    });
  }

  async deleteBucket(name: string): Promise<boolean> {
    return this.#transaction('IMMEDIATE', () => {
      const settings = this.#deleteBucketSettings(name);
      return this.#run('DELETE FROM buckets WHERE name = ?', name) + settings > 0;
    });
  }

  #deleteBucketSettings(name: string): number {
    return (
      this.#run('DELETE FROM bucket_policies WHERE bucket = ?', name) +
      this.#run('DELETE FROM bucket_cors WHERE bucket = ?', name) +
      this.#run('DELETE FROM public_access_blocks WHERE bucket = ?', name)
    );
  }

  async putBucketPolicy(name: string, policy: BucketPolicyRecord): Promise<void> {
    this.#run(
      'INSERT INTO bucket_policies (bucket, document, changed_at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET document = excluded.document, changed_at = excluded.changed_at',
      name,
      policy.document,
      policy.changedAt,
    );
  }

  async deleteBucketPolicy(name: string): Promise<boolean> {
    return this.#run('DELETE FROM bucket_policies WHERE bucket = ?', name) > 0;
  }

  async putBucketCors(name: string, cors: BucketCorsRecord): Promise<void> {
    this.#run(
      'INSERT INTO bucket_cors (bucket, document, changed_at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET document = excluded.document, changed_at = excluded.changed_at',
      name,
      cors.document,
      cors.changedAt,
    );
  }

  async deleteBucketCors(name: string): Promise<boolean> {
    return this.#run('DELETE FROM bucket_cors WHERE bucket = ?', name) > 0;
  }

  async putPublicAccessBlock(name: string, block: PublicAccessBlockRecord): Promise<void> {
    this.#run(
      'INSERT INTO public_access_blocks (bucket, document, changed_at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET document = excluded.document, changed_at = excluded.changed_at',
      name,
      block.document,
      block.changedAt,
    );
  }

  async deletePublicAccessBlock(name: string): Promise<boolean> {
    return this.#run('DELETE FROM public_access_blocks WHERE bucket = ?', name) > 0;
  }

  /** `data_version` moves when another connection writes, `total_changes` when this one does. */
  async changeToken(): Promise<string> {
    const others = this.#get('PRAGMA data_version')?.['data_version'];
    const own = this.#get('SELECT total_changes() AS own')?.['own'];
    return `${String(others)}:${String(own)}`;
  }

  async close(): Promise<void> {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #insertKey({ principal, key, policies }: KeyAddition): boolean {
    this.#run(
      `INSERT INTO principals (arn, type, account_id, user_name, user_id, tags, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (arn) DO UPDATE SET tags = json_patch(tags, excluded.tags) WHERE excluded.tags <> '{}'`,
      principal.arn,
      principal.type,
      principal.accountId,
      principal.userName,
      principal.userId,
      JSON.stringify(principal.tags),
      principal.createdAt,
    );
    const added = this.#run(
      `INSERT INTO access_keys (access_key_id, principal_arn, encrypted_secret, master_key_id, status, origin, created_at, expires_at, description)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (access_key_id) DO NOTHING`,
      key.accessKeyId,
      principal.arn,
      key.encryptedSecret,
      key.masterKeyId,
      key.status,
      key.origin,
      key.createdAt,
      key.expiresAt ?? null,
      key.description ?? null,
    );
    if (added === 0) return false;
    for (const { name, document } of policies) {
      this.#run(
        'INSERT INTO key_policies (access_key_id, name, document) VALUES (?, ?, ?)',
        key.accessKeyId,
        name,
        document,
      );
    }
    return true;
  }

  /** Rolls back when `work` throws or returns false. */
  #transaction<Result>(kind: 'DEFERRED' | 'IMMEDIATE', work: () => Result): Result {
    this.#database.exec(`BEGIN ${kind}`);
    try {
      const result = work();
      this.#database.exec(result === false ? 'ROLLBACK' : 'COMMIT');
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #get(sql: string, ...values: readonly SQLInputValue[]) {
    return this.#statement(sql).get(...values);
  }

  #all(sql: string, ...values: readonly SQLInputValue[]) {
    return this.#statement(sql).all(...values);
  }

  /** The number of rows changed. */
  #run(sql: string, ...values: readonly SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

const SELECT_KEYS = `
  SELECT p.*, p.created_at AS principal_created_at, k.*
  FROM access_keys k JOIN principals p ON p.arn = k.principal_arn`;
const SELECT_PRINCIPAL_POLICIES =
  'SELECT name, document FROM principal_policies WHERE principal_arn = ? ORDER BY name';
const SELECT_KEY_POLICIES = 'SELECT name, document FROM key_policies WHERE access_key_id = ? ORDER BY name';

function policyTables(owner: PolicyOwner) {
  switch (owner.type) {
    case 'principal':
      return {
        owners: { table: 'principals', key: 'arn' },
        policies: 'principal_policies',
        column: 'principal_arn',
        id: owner.arn,
      };
    case 'key':
      return {
        owners: { table: 'access_keys', key: 'access_key_id' },
        policies: 'key_policies',
        column: 'access_key_id',
        id: owner.accessKeyId,
      };
  }
}

function openDatabase(location: string): DatabaseSync {
  mkdirSync(dirname(location), { recursive: true, mode: 0o700 });
  // Made here, not by SQLite, so that the file never has a wider mode; SQLite gives its -wal and -shm files the same.
  try {
    closeSync(openSync(location, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(location, { timeout: BUSY_TIMEOUT, enableForeignKeyConstraints: true });
    database.exec('PRAGMA journal_mode = WAL');
    // A disabled key must stay disabled after a power failure: every commit reaches the disk.
    database.exec('PRAGMA synchronous = FULL');
    return database;
  } catch (error) {
    database?.close();
    throw new IdentityStoreError(
      `The identity store \`${location}\` cannot be opened as a SQLite database.`,
      {
        cause: error,
      },
    );
  }
}
