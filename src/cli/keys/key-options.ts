/** The options that `issue` and `import` share: for whom, what for, how long. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

import {
  newUser,
  scopePolicy,
  type KeyScope,
  type OpenedIdentity,
  type ScopeAccess,
  type StoredPolicy,
  type StoredPrincipal,
} from '../../identity/index.ts';
import { parsePolicy, PolicyError, policyText } from '../../policy/index.ts';
import { isBucketName } from '../../s3/index.ts';
import { type OptionValues } from '../arguments.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { warn, type CommandIo } from '../command-io.ts';
import { COMMON_OPTIONS } from './common-options.ts';
import { parseExpiry } from './expiry.ts';

export const KEY_OPTIONS = {
  user: { type: 'string', value: 'NAME', help: 'the user whose key it is; made when new' },
  bucket: { type: 'string', value: 'BUCKET', help: 'the key may use this bucket' },
  prefix: {
    type: 'string',
    value: 'PREFIX',
    help: 'only keys that start with this, taken literally: team-a/',
  },
  'read-only': { type: 'boolean', help: 'may read and list (the default)' },
  'read-write': { type: 'boolean', help: 'may read, list, write and delete' },
  'write-only': { type: 'boolean', help: 'may write, and neither read, list nor delete' },
  'policy-file': { type: 'string', value: 'FILE', help: 'an IAM policy (JSON) instead of --bucket' },
  expires: { type: 'string', value: 'WHEN', help: '30d, 12h, 2027-01-01 or 2027-01-01T00:00:00Z' },
  description: { type: 'string', value: 'TEXT', help: 'what the key is for' },
  tag: { type: 'string', multiple: true, value: 'KEY=VALUE', help: 'a tag of the user; may be repeated' },
  ...COMMON_OPTIONS,
} as const;

type KeyOptionValues = OptionValues<typeof KEY_OPTIONS>;

/** What a new key is to be, checked as far as that goes without the store. */
export interface KeyRequest {
  readonly userName: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly grant: KeyGrant;
  /** Epoch milliseconds; undefined: never. */
  readonly expiresAt: number | undefined;
  readonly description: string | undefined;
}

/** `none`: nothing but what bucket policies grant to the user. */
export type KeyGrant =
  | { readonly kind: 'scope'; readonly scope: KeyScope; readonly policy: StoredPolicy }
  | { readonly kind: 'file'; readonly file: string; readonly policy: StoredPolicy }
  | { readonly kind: 'none' };

const MAX_DESCRIPTION = 256;

/** @throws UsageError, CommandError (policy file) or IdentityInputError (prefix). */
export function parseKeyRequest(values: KeyOptionValues, now: number): KeyRequest {
  if (values.user === undefined) throw new UsageError('--user is missing: whose key is it?');
  return {
    userName: values.user,
    tags: parseTags(values.tag ?? []),
    grant: parseGrant(values),
    expiresAt: values.expires === undefined ? undefined : parseExpiry(values.expires, now),
    description: values.description === undefined ? undefined : parseDescription(values.description),
  };
}

/**
 * The user as it is to be stored, with warnings about what this key changes or takes over for one that exists.
 *
 * @throws IdentityInputError for names and tags that IAM would refuse.
 */
export async function prepareUser(
  request: KeyRequest,
  { store }: OpenedIdentity,
  accountId: string,
  io: CommandIo,
): Promise<StoredPrincipal> {
  const { userName, tags } = request;
  const user = newUser({ accountId, userName, tags, now: io.now(), randomBytes: io.randomBytes });
  const existing = await store.findPrincipal(user.arn);
  if (existing === undefined) return user;
  const changed = Object.entries(tags).filter(([key, value]) => existing.principal.tags[key] !== value);
  if (changed.length > 0) {
    const list = changed.map(([key, value]) => `${key}=${value}`).join(', ');
    warn(io, `user ${userName} exists; the new tags (${list}) hold for all its keys.`);
  }
  if (existing.policies.length > 0) {
    const names = existing.policies.map(({ name }) => `\`${name}\``).join(', ');
    warn(
      io,
      `user ${userName} has policies of its own (${names}), which every key of it has besides this scope.`,
    );
  }
  // The checks of newUser hold for the tags together, too.
  newUser({
    ...existing.principal,
    now: 0,
    tags: { ...existing.principal.tags, ...tags },
    randomBytes: io.randomBytes,
  });
  return { ...existing.principal, tags };
}

export function warnOfPrefix({ grant }: KeyRequest, io: CommandIo): void {
  const prefix = grant.kind === 'scope' ? grant.scope.prefix : undefined;
  if (prefix === undefined) return;
  if (!prefix.endsWith('/')) {
    warn(
      io,
      `the prefix \`${prefix}\` has no final slash, so it covers \`${prefix}-other/…\` too. For one folder: --prefix '${prefix}/'.`,
    );
  }
  if (prefix.startsWith('/')) {
    warn(
      io,
      `the prefix \`${prefix}\` starts with a slash, keys seldom do. The keys of a folder \`a\` start with \`a/\`.`,
    );
  }
}

function parseGrant(values: KeyOptionValues): KeyGrant {
  const { bucket, prefix, 'policy-file': file } = values;
  const access = parseAccess(values);
  if (bucket !== undefined && file !== undefined) {
    throw new UsageError(
      '--bucket and --policy-file exclude each other: the file says all that the key may do.',
    );
  }
  if (bucket === undefined) {
    if (prefix !== undefined || access !== undefined) {
      throw new UsageError(
        `${prefix === undefined ? `--${access}` : '--prefix'} needs --bucket: in which bucket?`,
      );
    }
    return file === undefined ? { kind: 'none' } : { kind: 'file', file, policy: readPolicyFile(file) };
  }
  if (!isBucketName(bucket)) {
    throw new UsageError(
      `--bucket \`${bucket}\` is no bucket name: 3 to 63 of a-z 0-9 . - are expected, as S3 has them.`,
    );
  }
  const scope: KeyScope = { bucket, prefix, access: access ?? 'read-only' };
  return { kind: 'scope', scope, policy: scopePolicy(scope) };
}

function parseAccess(values: KeyOptionValues): ScopeAccess | undefined {
  const given = (['read-only', 'read-write', 'write-only'] as const).filter((name) => values[name] === true);
  if (given.length > 1) {
    throw new UsageError(`${given.map((name) => `--${name}`).join(' and ')} exclude each other. Give one.`);
  }
  return given[0];
}

function readPolicyFile(file: string): StoredPolicy {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new CommandError(`The policy file \`${file}\` cannot be read.`, { cause: error });
  }
  let document: string;
  try {
    document = policyText(bytes, 'identity');
    parsePolicy(document, { type: 'identity' });
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new CommandError(error.describeIn(file));
  }
  const name = basename(file).replace(/\.json$/, '');
  return { name: /^[\w+=,.@-]{1,128}$/.test(name) ? name : 'policy', document };
}

function parseTags(tags: readonly string[]): Readonly<Record<string, string>> {
  const entries = tags.map((tag): [string, string] => {
    const split = tag.indexOf('=');
    if (split < 1) throw new UsageError(`--tag \`${tag}\` is not of the form KEY=VALUE.`);
    return [tag.slice(0, split), tag.slice(split + 1)];
  });
  if (new Set(entries.map(([key]) => key)).size < entries.length) {
    throw new UsageError('--tag names one key twice. A user has one value for each key.');
  }
  return Object.fromEntries(entries);
}

function parseDescription(text: string): string {
  // A line break could pass off the rest as another line of the output.
  if (/\p{Cc}/u.test(text) || text.length > MAX_DESCRIPTION) {
    throw new UsageError(`--description is one line of up to ${MAX_DESCRIPTION} characters.`);
  }
  return text;
}
