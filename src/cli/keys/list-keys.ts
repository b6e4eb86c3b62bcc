/** `keys list`: all keys, without secrets. */
import { type StoredKeyOwner } from '../../identity/index.ts';
import { defineCommand } from '../command.ts';
import { COMMON_OPTIONS, parseOutputFormat } from './common-options.ts';
import { isoTime, json, keyMetadata } from './key-metadata.ts';
import { withIdentity } from './with-identity.ts';

export const listKeys = defineCommand({
  name: 'keys list',
  summary: 'List access keys, never their secrets.',
  positionals: [],
  options: {
    user: { type: 'string', value: 'NAME', help: 'only the keys of this user' },
    ...COMMON_OPTIONS,
  },
  async run(values, _positionals, io) {
    const format = parseOutputFormat(values.output);
    await withIdentity(io, values.config, async ({ store }) => {
      const keys = await store.listKeys(values.user === undefined ? {} : { userName: values.user });
      io.stdout.write(
        format === 'json' ? json({ AccessKeyMetadata: keys.map(keyMetadata) }) : renderTable(keys, io.now()),
      );
    });
  },
});

function renderTable(keys: readonly StoredKeyOwner[], now: number): string {
  if (keys.length === 0) return 'No access keys.\n';
  const rows = [
    ['ACCESS KEY ID', 'USER', 'STATUS', 'CREATED', 'EXPIRES', 'DESCRIPTION'],
    ...keys.map(({ key, principal }) => [
      key.accessKeyId,
      principal.type === 'root' ? '(administrator)' : principal.userName,
      key.expiresAt !== undefined && key.expiresAt <= now ? 'Expired' : key.status,
      isoTime(key.createdAt),
      key.expiresAt === undefined ? 'never' : isoTime(key.expiresAt),
      key.description ?? '',
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}
