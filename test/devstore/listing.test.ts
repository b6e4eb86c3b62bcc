import {
  CreateBucketCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  paginateListObjectsV2,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { collectKeyPage, keyAfter, type KeyPage } from '../../src/devstore/key-page.ts';
import { codeOf, startStore, type TestStore } from './support.ts';

const Bucket = 'bucket';

async function startWithKeys(keys: readonly string[]): Promise<TestStore> {
  const store = await startStore();
  await store.client.send(new CreateBucketCommand({ Bucket }));
  for (const Key of keys) await store.client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  return store;
}

interface Row {
  readonly key: Buffer;
}

const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

const TREE = ['a', 'a/1', 'a/2', 'a/b/1', 'b', 'c/1', 'c/2', 'd'];

describe('ListObjectsV2', () => {
  test('lists in the order of UTF-8 bytes, which is not that of UTF-16', async () => {
    // U+FF5E is EF BD 9E in UTF-8 and above the surrogates in UTF-16; U+1F600 is F0 9F 98 80, and a surrogate pair.
    const { client } = await startWithKeys(['\u{1f600}', '\uff5e', 'é', 'z', 'Z', 'e\u0301']);
    const { Contents } = await client.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents?.map(({ Key }) => Key)).toEqual(['Z', 'e\u0301', 'z', 'é', '\uff5e', '\u{1f600}']);
  });

  test('says what each object is', async () => {
    const { client } = await startWithKeys(['key']);
    const listed = await client.send(new ListObjectsV2Command({ Bucket, FetchOwner: true }));
    expect(listed).toMatchObject({ Name: Bucket, KeyCount: 1, MaxKeys: 1000, IsTruncated: false });
    expect(listed.Contents?.[0]).toMatchObject({
      Key: 'key',
      Size: 3,
      ETag: '"3c6e0b8a9c15224a8228b9a98ca1531d"',
      StorageClass: 'STANDARD',
      ChecksumAlgorithm: ['CRC32'],
      ChecksumType: 'FULL_OBJECT',
    });
    expect(listed.Contents?.[0]?.Owner?.ID).toMatch(/^[0-9a-f]{64}$/);
    const anonymous = await client.send(new ListObjectsV2Command({ Bucket }));
    expect(anonymous.Contents?.[0]?.Owner).toBeUndefined();
  });

  test.each([
    [{ Delimiter: '/' }, ['a', 'b', 'd'], ['a/', 'c/']],
    [{ Delimiter: '/', Prefix: 'a/' }, ['a/1', 'a/2'], ['a/b/']],
    [{ Delimiter: '/', Prefix: 'a' }, ['a'], ['a/']],
    [{ Prefix: 'c' }, ['c/1', 'c/2'], []],
    [{ Prefix: 'none' }, [], []],
    [{ StartAfter: 'b' }, ['c/1', 'c/2', 'd'], []],
    [{ StartAfter: 'a/1', Prefix: 'a/' }, ['a/2', 'a/b/1'], []],
    [{ StartAfter: 'a/', Delimiter: '/' }, ['b', 'd'], ['c/']],
    [{ Delimiter: '/1' }, ['a', 'a/2', 'b', 'c/2', 'd'], ['a/1', 'a/b/1', 'c/1']],
    [{ MaxKeys: 0 }, [], []],
  ])('%j', async (query, keys, prefixes) => {
    const { client } = await startWithKeys(TREE);
    const listed = await client.send(new ListObjectsV2Command({ Bucket, ...query }));
    expect((listed.Contents ?? []).map(({ Key }) => Key)).toEqual(keys);
    expect((listed.CommonPrefixes ?? []).map(({ Prefix }) => Prefix)).toEqual(prefixes);
    expect(listed.KeyCount).toBe(keys.length + prefixes.length);
    expect(listed.IsTruncated).toBe(false);
  });

  test.each([1, 2, 3, 4])('gives everything once in pages of %d', async (pageSize) => {
    const { client } = await startWithKeys(TREE);
    const entries: (string | undefined)[] = [];
    for await (const page of paginateListObjectsV2({ client, pageSize }, { Bucket, Delimiter: '/' })) {
      const keys = (page.Contents ?? []).map(({ Key }) => Key);
      const prefixes = (page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix);
      expect(keys.length + prefixes.length).toBeLessThanOrEqual(pageSize);
      entries.push(...keys, ...prefixes);
    }
    expect(entries.toSorted((a = '', b = '') => compare(a, b))).toEqual(['a', 'a/', 'b', 'c/', 'd']);
  });

  test('refuses a token that it did not give, and bad numbers and encodings', async () => {
    const { client, send } = await startWithKeys([]);
    const list = (extra: object): Promise<string> =>
      codeOf(client.send(new ListObjectsV2Command({ Bucket, ...extra })));
    expect(await list({ ContinuationToken: '*' })).toBe('InvalidArgument');
    expect(await list({ MaxKeys: -1 })).toBe('InvalidArgument');
    expect(await list({ EncodingType: 'html' })).toBe('InvalidArgument');
    const query = [{ name: 'list-type', value: '3' }];
    expect(await send({ method: 'GET', path: '/bucket', query })).toMatchObject({ code: 'InvalidArgument' });
  });

  test('writes characters that XML cannot hold in a form that clients read', async () => {
    const { client } = await startWithKeys(['a\u0001b', 'line\nbreak', 'tab\t', '<&>']);
    const { Contents } = await client.send(new ListObjectsV2Command({ Bucket, EncodingType: 'url' }));
    expect(Contents?.map(({ Key }) => decodeURIComponent(Key ?? ''))).toEqual([
      '<&>',
      'a\u0001b',
      'line\nbreak',
      'tab\t',
    ]);
  });
});

describe('ListObjects', () => {
  test('pages by marker, with NextMarker where there is a delimiter', async () => {
    const { client } = await startWithKeys(TREE);
    const entries: (string | undefined)[] = [];
    let Marker: string | undefined;
    do {
      const page = await client.send(
        new ListObjectsCommand({
          Bucket,
          Delimiter: '/',
          MaxKeys: 2,
          ...(Marker !== undefined && { Marker }),
        }),
      );
      entries.push(...(page.Contents ?? []).map(({ Key }) => Key));
      entries.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix));
      expect(page.IsTruncated).toBe(page.NextMarker !== undefined);
      Marker = page.NextMarker;
    } while (Marker !== undefined);
    expect(entries).toEqual(['a', 'a/', 'b', 'c/', 'd']);

    const plain = await client.send(new ListObjectsCommand({ Bucket, MaxKeys: 2 }));
    expect(plain.NextMarker).toBeUndefined();
    expect(plain.IsTruncated).toBe(true);
    const rest = await client.send(new ListObjectsCommand({ Bucket, Marker: 'a/1' }));
    expect(rest.Contents?.map(({ Key }) => Key)).toEqual(TREE.slice(2));
    expect(rest.Contents?.[0]?.Owner?.ID).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('pages of keys', () => {
  const key = fc.string({ unit: fc.constantFrom('a', 'b', '/', '-', 'é', '\u{1f600}'), maxLength: 6 });
  const listing = fc.record({
    keys: fc.uniqueArray(
      key.filter((text) => text !== ''),
      { maxLength: 30 },
    ),
    prefix: fc.oneof(fc.constant(''), key),
    delimiter: fc.constantFrom('', '/', '-', 'a/', 'é'),
    maximum: fc.integer({ min: 1, max: 7 }),
  });

  test('agree with a listing of all keys, whichever way they are turned', () => {
    fc.assert(
      fc.property(listing, fc.boolean(), ({ keys, prefix, delimiter, maximum }, byMarker) => {
        const bytes = { prefix: Buffer.from(prefix), delimiter: Buffer.from(delimiter) };
        const { scan } = scanOf(keys);
        const entries: string[] = [];
        let from: Buffer | undefined = bytes.prefix;
        while (from !== undefined) {
          const page: KeyPage<Row> = collectKeyPage({ ...bytes, from, maximum }, scan);
          const found = [...page.rows.map((row) => row.key), ...page.commonPrefixes].map(String);
          expect(found.length).toBeLessThanOrEqual(maximum);
          expect(page.truncated).toBe(page.next !== undefined);
          expect(page.truncated && found.length < maximum).toBe(false);
          entries.push(...found.sort(compare));
          expect(page.last?.toString()).toBe(entries.at(-1));
          from =
            byMarker && page.truncated
              ? keyAfter(page.last as Buffer, bytes.prefix, bytes.delimiter)
              : page.next;
        }
        expect(entries).toEqual(everything(keys, prefix, delimiter));
      }),
      { numRuns: 500 },
    );
  });

  test('do not read what a common prefix hides', () => {
    const keys = ['a', 'z'];
    for (let i = 0; i < 10_000; i++) keys.push(`folder/${i}`);
    const { scan, read } = scanOf(keys);
    const page = collectKeyPage(
      { prefix: Buffer.alloc(0), delimiter: Buffer.from('/'), from: Buffer.alloc(0), maximum: 1000 },
      scan,
    );
    expect(page.commonPrefixes.map(String)).toEqual(['folder/']);
    expect(page.rows.map((row) => row.key.toString())).toEqual(['a', 'z']);
    expect(read()).toBe(3);
  });
});

function scanOf(keys: readonly string[]): {
  scan: (from: Buffer, until: Buffer | undefined) => Iterable<Row>;
  read: () => number;
} {
  const rows = keys.toSorted(compare).map((text) => ({ key: Buffer.from(text) }));
  let read = 0;
  return {
    *scan(from, until) {
      for (const row of rows) {
        if (Buffer.compare(row.key, from) < 0) continue;
        if (until !== undefined && Buffer.compare(row.key, until) >= 0) return;
        read++;
        yield row;
      }
    },
    read: () => read,
  };
}

/** As the S3 API reference puts it, with every key at hand. */
function everything(keys: readonly string[], prefix: string, delimiter: string): string[] {
  const entries = keys
    .filter((text) => text.startsWith(prefix))
    .map((text) => {
      const at = delimiter === '' ? -1 : text.indexOf(delimiter, prefix.length);
      return at === -1 ? text : text.slice(0, at + delimiter.length);
    });
  return [...new Set(entries)].sort(compare);
}
