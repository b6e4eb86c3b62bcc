/** From rows of the SQLite store to records. A row that is not as its table says is damage, and throws. */
import { type SQLOutputValue } from 'node:sqlite';

import {
  type BucketRecord,
  type KeyOrigin,
  type KeyStatus,
  type StoredBucket,
  type StoredKeyOwner,
  type StoredPolicy,
  type StoredPrincipal,
} from './store.ts';

type Row = Record<string, SQLOutputValue>;

export function keyOwnerFromRow(row: Row): StoredKeyOwner {
  return {
    key: {
      accessKeyId: text(row, 'access_key_id'),
      encryptedSecret: text(row, 'encrypted_secret'),
      masterKeyId: text(row, 'master_key_id'),
      status: oneOf<KeyStatus>(row, 'status', ['Active', 'Inactive']),
      origin: oneOf<KeyOrigin>(row, 'origin', ['issued', 'imported', 'generated', 'configured']),
      createdAt: integer(row, 'created_at'),
      expiresAt: row['expires_at'] === null ? undefined : integer(row, 'expires_at'),
      description: row['description'] === null ? undefined : text(row, 'description'),
    },
    principal: principalFromRow(row),
  };
}

/** Reads the creation time from `principal_created_at`, since a joined row has two. */
export function principalFromRow(row: Row): StoredPrincipal {
  return {
    type: oneOf<StoredPrincipal['type']>(row, 'type', ['user', 'root']),
    arn: text(row, 'arn'),
    accountId: text(row, 'account_id'),
    userName: text(row, 'user_name'),
    userId: text(row, 'user_id'),
    tags: tags(text(row, 'tags')),
    createdAt: integer(row, 'principal_created_at'),
  };
}

export function policyFromRow(row: Row): StoredPolicy {
  return { name: text(row, 'name'), document: text(row, 'document') };
}

/** Undefined when the row has nothing of a bucket. */
export function bucketFromRow(row: Row): StoredBucket | undefined {
  const record = typeof row['name'] === 'string' ? recordFromRow(row) : undefined;
  const policy = documentFromRow(row, 'document', 'changed_at');
  const cors = documentFromRow(row, 'cors_document', 'cors_changed_at');
  const publicAccessBlock = documentFromRow(row, 'block_document', 'block_changed_at');
  const nothing = [record, policy, cors, publicAccessBlock].every((part) => part === undefined);
  return nothing ? undefined : { record, policy, cors, publicAccessBlock };
}

export function recordFromRow(row: Row): BucketRecord {
  return {
    name: text(row, 'name'),
    ownerAccount: text(row, 'owner_account'),
    upstream: row['upstream'] === null ? undefined : text(row, 'upstream'),
    createdAt: integer(row, 'created_at'),
  };
}

function documentFromRow(
  row: Row,
  document: string,
  changedAt: string,
): { readonly document: string; readonly changedAt: number } | undefined {
  return typeof row[document] === 'string'
    ? { document: text(row, document), changedAt: integer(row, changedAt) }
    : undefined;
}

export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw damaged(column);
  return value;
}

function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw damaged(column);
  return value;
}

function oneOf<Value extends string>(row: Row, column: string, values: readonly Value[]): Value {
  const found = values.find((value) => value === row[column]);
  if (found === undefined) throw damaged(column);
  return found;
}

function tags(json: string): Readonly<Record<string, string>> {
  const value: unknown = JSON.parse(json);
  if (typeof value !== 'object' || value === null) throw damaged('tags');
  const entries = Object.entries(value).map(([name, tag]): [string, string] => {
    if (typeof tag !== 'string') throw damaged('tags');
    return [name, tag];
  });
  return Object.fromEntries(entries);
}

function damaged(column: string): Error {
  return new Error(`The identity store has an unusable value in column \`${column}\`.`);
}
