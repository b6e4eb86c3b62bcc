import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { loadConfig } from '../../src/config/index.ts';
import { SETTINGS, UNSIGNED_HEADERS } from '../../src/config/schema.ts';
import { VARIABLE_NAMES, variableOf } from '../../src/config/variables.ts';

const source = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
/** The formatter aligns the columns of tables: one space is enough to compare. */
const documentation = source.replaceAll(/ +/g, ' ');

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}

function settingPaths(schema: JsonSchema, prefix = ''): readonly string[] {
  if (schema.items?.properties !== undefined) return settingPaths(schema.items, `${prefix}[]`);
  if (schema.properties === undefined) return [prefix];
  return Object.entries(schema.properties).flatMap(([name, inner]) =>
    settingPaths(inner, prefix === '' ? name : `${prefix}.${name}`),
  );
}

const PATHS = settingPaths(z.toJSONSchema(SETTINGS, { io: 'input' }) as JsonSchema);

test('the schema was walked', () => {
  expect(PATHS).toContain('upstream.keepAliveTimeout');
  expect(PATHS).toContain('buckets[].owner');
});

test('every setting has its row, with its variable where there is one', () => {
  const expected = PATHS.map((path) => {
    const variable = variableOf(path.split('.'));
    return `| \`${path}\` | ${variable === undefined ? '' : `\`${variable}\` `}|`;
  });
  // The entries of `upstreams` have the settings of `upstream`, and a name.
  const shared = expected.filter((row) => !/^\| `upstreams\[\]\.(?!name)/.test(row));
  expect(shared.filter((row) => !documentation.includes(`\n${row}`))).toEqual([]);
});

test('every variable is named, and no other', () => {
  const named = new Set(
    documentation.match(/^\| `[^`]+` \| `BUCKETWARDEN_\w+`/gm)?.map((row) => row.split('`')[3]),
  );
  expect(named).toEqual(new Set(VARIABLE_NAMES));
});

test('every header that may be left unsigned is named', () => {
  expect(UNSIGNED_HEADERS.filter((name) => !documentation.includes(`\`${name}\``))).toEqual([]);
});

test('the example file is right, but for the files that it names', () => {
  const yaml = /```yaml\n([^`]*)```/.exec(source)?.[1] ?? '';
  const folder = mkdtempSync(join(tmpdir(), 'bucketwarden-docs-'));
  try {
    const names = ['tls.crt', 'tls.key', 'bucketwarden-master-key', 'upstream-access-key-id'];
    for (const name of names) writeFileSync(join(folder, name), 'a'.repeat(64));
    writeFileSync(join(folder, 'upstream-secret-access-key'), 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY');
    const file = join(folder, 'bucketwarden.yaml');
    writeFileSync(file, yaml.replaceAll(/\/(?:etc\/bucketwarden|run\/secrets)\//g, `${folder}/`));
    const config = loadConfig({ env: {}, file });
    expect(config.upstreams[0]).toMatchObject({ region: 'eu-central-1', buckets: ['team-*', 'shared-data'] });
    expect(config.limits.connections).toBe(5000);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
