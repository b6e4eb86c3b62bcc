/** The rules of the source tree that neither the compiler nor the linter checks. */
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';

const VOCABULARY = [
  's3',
  'telemetry',
  'sigv4',
  'policy',
  'audit',
  'body',
  'spool',
  'identity',
  'upstream',
  'config',
];

/** What each folder, and each file beside the folders, may import from the others. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  s3: [],
  telemetry: [],
  sigv4: ['s3'],
  policy: ['s3'],
  audit: ['s3'],
  body: ['s3', 'sigv4'],
  spool: ['s3', 'body'],
  config: ['s3', 'sigv4'],
  identity: ['s3', 'sigv4', 'policy'],
  upstream: ['s3', 'sigv4'],
  devstore: ['s3', 'sigv4', 'body', 'telemetry'],
  gateway: VOCABULARY,
  admin: VOCABULARY,
  cli: VOCABULARY,
  'app.ts': [...VOCABULARY, 'devstore', 'gateway', 'admin'],
  'commands.ts': ['app.ts', 'cli'],
  'main.ts': ['commands.ts'],
};

/** Of these only types may be imported: the importing folder gets the values handed in. */
const TYPES_ONLY: readonly (readonly [from: string, to: string])[] = [['gateway', 'config']];

/** Where a package may be imported: it can be replaced by changing that folder or file alone. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '@aws-sdk/credential-providers': ['upstream/credential-providers.ts'],
  'fast-xml-parser': ['s3/xml.ts'],
  'hash-wasm': ['body/'],
  'lru-cache': ['sigv4/', 'identity/', 'upstream/', 'gateway/candidate-policies.ts'],
  pino: ['telemetry/'],
  undici: ['upstream/'],
  yaml: ['config/'],
  zod: ['config/'],
};

/** Pure: no network, no file, no process. Streams, hashes and printing are values. */
const PURE_FOLDERS = ['s3', 'sigv4', 'policy', 'body'];
const PURE_MODULES = new Set(['node:crypto', 'node:util', 'node:zlib']);

const MAX_LINES = 400;
const LONG_FILES: Readonly<Record<string, string>> = {
  'policy/actions.ts': 'the list of S3 actions, one a line',
  'policy/document.ts': 'one grammar, whose parts call each other',
};

interface Import {
  /** Relative to `src`. */
  readonly file: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
  /** File that a relative specifier names, relative to `src`; undefined for a package. */
  readonly target: string | undefined;
}

interface SourceFile {
  /** Relative to `src`. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

/** Whatever looks like the end of an import, found more coarsely than `importsOf` does. */
const SPECIFIER = /(?:\bfrom\s+|\bimport\(\s*|^import\s+)['"](?:\.|node:|@?[a-z])[^'"\s]*['"]/gm;

const SOURCE = new URL('../src/', import.meta.url);
const FILES: readonly SourceFile[] = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts'))
  .toSorted()
  .map((path) => {
    const text = readFileSync(new URL(path, SOURCE), 'utf8');
    return { path, text, imports: importsOf(path, text) };
  });
const IMPORTS = FILES.flatMap(({ imports }) => imports);

function importsOf(file: string, text: string): Import[] {
  const statements = text.matchAll(
    /^(?:import|export)\s+(?:(type)\s+)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]/gm,
  );
  const expressions = text.matchAll(/\bimport\(()\s*['"]([^'"]+)['"]\s*\)/g);
  return [...statements, ...expressions].map(([, type, specifier = '']) => ({
    file,
    specifier,
    typeOnly: type === 'type',
    target: specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : undefined,
  }));
}

/** The folder of a path, or the file itself when it lies beside the folders. */
function partOf(path: string): string {
  return path.split('/')[0] ?? path;
}

function crossing(): (Import & { readonly from: string; readonly to: string; readonly target: string })[] {
  return IMPORTS.flatMap((found) => {
    if (found.target === undefined) return [];
    const [from, to] = [partOf(found.file), partOf(found.target)];
    return from === to ? [] : [{ ...found, target: found.target, from, to }];
  });
}

describe('this test', () => {
  test('sees every folder, and enough files and imports in them', () => {
    const parts = new Set(FILES.map(({ path }) => partOf(path)));
    expect([...parts].toSorted()).toEqual(Object.keys(MAY_IMPORT).toSorted());
    expect(FILES.length).toBeGreaterThan(150);
    expect(IMPORTS.length).toBeGreaterThan(500);
    expect(crossing().length).toBeGreaterThan(100);
  });

  test('finds each import that a file has', () => {
    const missed = FILES.filter(({ text, imports }) => {
      const specifiers = text.match(SPECIFIER) ?? [];
      return specifiers.length !== imports.length;
    });
    expect(missed.map(({ path }) => path)).toEqual([]);
  });

  test('resolves each relative import to a file', () => {
    const known = new Set(FILES.map(({ path }) => path));
    const unknown = IMPORTS.filter(({ target }) => target !== undefined && !known.has(target));
    expect(unknown).toEqual([]);
  });
});

describe('imports between folders', () => {
  test.each(Object.entries(MAY_IMPORT))('%s imports only %j', (part, allowed) => {
    const others = new Set(
      crossing()
        .filter(({ from }) => from === part)
        .map(({ to }) => to),
    );
    expect([...others].filter((to) => !allowed.includes(to))).toEqual([]);
  });

  test('go through the index of the folder', () => {
    const around = crossing().filter(({ to, target }) => target !== to && target !== `${to}/index.ts`);
    expect(around.map(({ file, specifier }) => `${file} → ${specifier}`)).toEqual([]);
  });

  test('form no circle', () => {
    const reach = (part: string, seen: readonly string[]): void => {
      expect(seen).not.toContain(part);
      for (const next of MAY_IMPORT[part] ?? [])
        if (crossing().some(({ from, to }) => from === part && to === next)) reach(next, [...seen, part]);
    };
    for (const part of Object.keys(MAY_IMPORT)) reach(part, []);
  });

  test.each(TYPES_ONLY)('of %s from %s are of types', (importer, imported) => {
    const edges = crossing().filter(({ from, to }) => from === importer && to === imported);
    expect(edges.length).toBeGreaterThan(0);
    expect(edges.filter(({ typeOnly }) => !typeOnly)).toEqual([]);
  });
});

describe('imports from outside', () => {
  const outside = IMPORTS.filter(({ target }) => target === undefined);

  test('name Node.js modules by `node:`', () => {
    expect(outside.filter(({ specifier }) => !specifier.startsWith('node:') && isBuiltin(specifier))).toEqual(
      [],
    );
  });

  test('of a package are where the package is hidden', () => {
    const packages = outside.filter(({ specifier }) => !specifier.startsWith('node:'));
    expect(packages.length).toBeGreaterThanOrEqual(Object.keys(PACKAGES).length);
    const elsewhere = packages.filter(
      ({ file, specifier }) => PACKAGES[specifier]?.some((place) => file.startsWith(place)) !== true,
    );
    expect(elsewhere.map(({ file, specifier }) => `${file} → ${specifier}`)).toEqual([]);
  });

  test.each(PURE_FOLDERS)('let %s touch no network, file or process', (folder) => {
    const used = outside.filter(
      ({ file, specifier }) => partOf(file) === folder && specifier.startsWith('node:'),
    );
    expect(used.filter(({ specifier }) => !PURE_MODULES.has(specifier))).toEqual([]);
  });
});

describe('every file', () => {
  test('exports by name', () => {
    const other = FILES.filter(
      ({ text }) => /^export\s+(?:default|\*|=)/m.test(text) || /\bas default\b/.test(text),
    );
    expect(other.map(({ path }) => path)).toEqual([]);
  });

  test(`has at most ${MAX_LINES} lines, or a reason`, () => {
    const long = FILES.filter(({ text }) => text.split('\n').length - 1 > MAX_LINES).map(({ path }) => path);
    expect(long.filter((path) => !Object.hasOwn(LONG_FILES, path))).toEqual([]);
    expect(Object.keys(LONG_FILES).length).toBeLessThanOrEqual(3);
  });

  test('keeps nothing that changes at its top level', () => {
    const variable = /^(?:export\s+)?(?:let|var)\s/m;
    // An empty collection at the top level is there to be filled later.
    const collection =
      /^(?:export\s+)?const\s(?![^=]*:\s*Readonly)[^=]*=\s*new\s+(?:(?:Weak)?(?:Map|Set)(?:<[^()]*>)?\(\)|LRUCache)/m;
    const mutable = FILES.filter(({ text }) => variable.test(text) || collection.test(text));
    expect(mutable.map(({ path }) => path)).toEqual([]);
  });

  test('of a pure folder is told the time and gets its randomness', () => {
    const impure = FILES.filter(
      ({ path, text }) =>
        [...PURE_FOLDERS, 'spool', 'upstream', 'audit', 'gateway'].includes(partOf(path)) &&
        /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\brandom(?:Bytes|UUID)\b|\bprocess\.(?:env|argv)\b/.test(
          text,
        ),
    );
    expect(impure.map(({ path }) => path)).toEqual([]);
  });

  test('has a kebab-case name', () => {
    expect(FILES.filter(({ path }) => !/^(?:[a-z0-9-]+\/)*[a-z0-9-]+\.ts$/.test(path))).toEqual([]);
  });
});
