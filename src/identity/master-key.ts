/** The key that encrypts secrets at rest: from the configuration, or a file in the data folder made at first start. */
import { createHmac } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

import { type Secret } from '../sigv4/index.ts';
import { type IdentityStore } from './store.ts';

export interface MasterKey {
  /** Tells master keys apart without telling what they are: 16 hex digits. */
  readonly id: string;
  /** 32 bytes. INVARIANT: never enumerable, so that printing or serialising a master key shows its id alone. */
  readonly bytes: Buffer;
}

/** The master key is missing, malformed, readable by others, or not the one that the store was written with. */
export class MasterKeyError extends Error {
  override readonly name = 'MasterKeyError';
}

export interface LoadedMasterKey {
  readonly masterKey: MasterKey;
  /** `created`: made by this call, in `file`. */
  readonly source: 'configured' | 'file' | 'created';
  /** The file it lies in; undefined when it was configured. */
  readonly file: string | undefined;
  /** For the log: what an operator should know about where the key lies. */
  readonly warnings: readonly string[];
}

export interface MasterKeyOptions {
  /** 32 bytes as 64 hex digits or in base64; undefined: the file `master.key` in the data folder. */
  readonly configured: Secret | undefined;
  readonly dataDir: string;
  readonly store: IdentityStore;
  readonly randomBytes: (size: number) => Buffer;
}

const FILE_NAME = 'master.key';
const BYTES = 32;

/**
 * Finds the master key, or makes one when nothing is encrypted yet.
 *
 * @throws MasterKeyError when it is malformed or not the store's, or when its file is missing or open to others.
 */
export async function loadMasterKey(options: MasterKeyOptions): Promise<LoadedMasterKey> {
  const use = await options.store.masterKeyUse();
  const loaded =
    options.configured === undefined
      ? loadFile(options, use)
      : {
          masterKey: parseMasterKey(options.configured.expose(), 'the configured master key'),
          source: 'configured' as const,
          file: undefined,
          warnings: [],
        };
  assertStoreUses(loaded, use, options.store.location);
  return loaded;
}

/** @param text 64 hex digits, or base64 of 32 bytes; white space around it is ignored. */
export function parseMasterKey(text: string, origin: string): MasterKey {
  const value = text.trim();
  const bytes = /^[0-9A-Fa-f]{64}$/.test(value)
    ? Buffer.from(value, 'hex')
    : /^[A-Za-z0-9+/]{43}=?$/.test(value)
      ? Buffer.from(value, 'base64')
      : undefined;
  if (bytes?.length !== BYTES) {
    throw new MasterKeyError(
      `A master key is ${BYTES} bytes, written as 64 hex digits or in base64; ${origin} is not. \`openssl rand -hex ${BYTES}\` makes one.`,
    );
  }
  return masterKeyOf(bytes);
}

function masterKeyOf(bytes: Buffer): MasterKey {
  const id = createHmac('sha256', bytes).update('bucketwarden:master-key-id').digest('hex').slice(0, 16);
  return Object.defineProperty({ id, bytes }, 'bytes', { enumerable: false });
}

function loadFile(options: MasterKeyOptions, use: ReadonlyMap<string, number>): LoadedMasterKey {
  const file = join(options.dataDir, FILE_NAME);
  const found = readKeyFile(file);
  if (found !== undefined) return { ...found, source: 'file', file };
  if (use.size > 0) {
    throw new MasterKeyError(
      `The identity store \`${options.store.location}\` holds secrets encrypted with the master key of id ${[...use.keys()].join(', ')}, and there is no master key: neither configured nor in \`${file}\`. Set BUCKETWARDEN_MASTER_KEY (or BUCKETWARDEN_MASTER_KEY_FILE), or restore that file.`,
    );
  }
  const created = createKeyFile(options.dataDir, file, options.randomBytes);
  const made = readKeyFile(file);
  if (made === undefined)
    throw new MasterKeyError(`The master key file \`${file}\` vanished while starting.`);
  if (!created) return { ...made, source: 'file', file };
  return {
    masterKey: made.masterKey,
    source: 'created',
    file,
    warnings: [
      `A new master key lies in \`${file}\`, beside the data it protects: whoever can copy the folder can read every secret. For production keep it elsewhere and set BUCKETWARDEN_MASTER_KEY or BUCKETWARDEN_MASTER_KEY_FILE. Without it the stored secrets are lost.`,
      ...made.warnings,
    ],
  };
}

/** @returns undefined when there is no such file. */
function readKeyFile(file: string): Pick<LoadedMasterKey, 'masterKey' | 'warnings'> | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    if (isErrorCode(error, 'ENOENT')) return undefined;
    throw new MasterKeyError(`The master key file \`${file}\` cannot be read.`, { cause: error });
  }
  try {
    const mode = fstatSync(descriptor).mode & 0o777;
    const shown = mode.toString(8).padStart(4, '0');
    // Open to everybody is a leak; open to its group is how Kubernetes mounts volumes (fsGroup), so that only warns.
    if ((mode & 0o007) !== 0) {
      throw new MasterKeyError(
        `The master key file \`${file}\` has mode ${shown}: every user of this machine can get at it. Run \`chmod 600 ${file}\`, and consider the secrets in the store known to others.`,
      );
    }
    const warnings =
      (mode & 0o070) === 0
        ? []
        : [`The master key file \`${file}\` has mode ${shown}: its group can get at it.`];
    return { masterKey: parseMasterKey(readText(descriptor, file), `what \`${file}\` holds`), warnings };
  } finally {
    closeSync(descriptor);
  }
}

function readText(descriptor: number, file: string): string {
  try {
    return readFileSync(descriptor, 'utf8');
  } catch (error) {
    throw new MasterKeyError(`The master key file \`${file}\` cannot be read.`, { cause: error });
  }
}

/**
 * The file appears whole or not at all, and never replaces one: two processes that start at once end with one key.
 *
 * @returns false when another process was first.
 */
function createKeyFile(folder: string, file: string, randomBytes: (size: number) => Buffer): boolean {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.${randomBytes(6).toString('hex')}`;
  const descriptor = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(descriptor, `${randomBytes(BYTES).toString('base64')}\n`);
    fsyncSync(descriptor);
    linkSync(temporary, file);
    syncFolder(folder);
    return true;
  } catch (error) {
    if (isErrorCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    closeSync(descriptor);
    unlinkSync(temporary);
  }
}

/** The name, too, must be on the disk before the first secret is encrypted with the key. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function assertStoreUses(
  { masterKey, file }: LoadedMasterKey,
  use: ReadonlyMap<string, number>,
  location: string,
): void {
  const others = [...use].filter(([id]) => id !== masterKey.id);
  if (others.length === 0) return;
  const counts = others.map(([id, secrets]) => `${secrets} with id ${id}`).join(', ');
  throw new MasterKeyError(
    `The identity store \`${location}\` holds secrets encrypted with another master key (${counts}) than ${file === undefined ? 'the configured one' : `the one in \`${file}\``} (id ${masterKey.id}). Set BUCKETWARDEN_MASTER_KEY (or BUCKETWARDEN_MASTER_KEY_FILE) to the master key that they were made with.`,
  );
}

function isErrorCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
