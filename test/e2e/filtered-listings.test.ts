/** Listings of a bucket that leave out what the caller may not read, page by page, for every caller its own. */
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import {
  array,
  assert,
  asyncProperty,
  constantFrom,
  integer,
  stringMatching,
  tuple,
  uniqueArray,
} from 'fast-check';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runGateway, type RunningGateway } from '../support/running-gateway.ts';
import { LISTERS } from './support/list-all.ts';
import { openListingStore, type ListingStore, type StoredEntry } from './support/listing-store.ts';

const SETTINGS = `
spool: { enabled: false }
buckets:
  - { name: shared, filterListings: true }
  - { name: part, target: big/parts/a/, filterListings: true }
`;
const KEYS = [
  'admin/keys.txt',
  'archive/2024/a',
  'archive/2025/b',
  'team/a',
  'team/b c+d',
  'team/deep/er/e',
  'team/ä-日本',
  'teams/not-yours',
  'zeta',
];
const TEAMS = KEYS.filter((key) => key.startsWith('team/'));

let folder: string;
let gateway: RunningGateway;
let admin: S3Client;
let team: S3Client;

function policy(bucket: string, ...statements: readonly object[]): object {
  const list = ['s3:ListBucket', 's3:ListBucketVersions', 's3:ListBucketMultipartUploads'];
  return {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: list, Resource: `arn:aws:s3:::${bucket}` }, ...statements],
  };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bucketwarden-filtered-'));
  const file = join(folder, 'bucketwarden.yaml');
  await writeFile(file, SETTINGS);
  gateway = await runGateway({ file });
  admin = gateway.client();
  const own = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::shared/team/*' };
  team = gateway.client(await gateway.keyWithPolicy('team', policy('shared', own)));
  await admin.send(new CreateBucketCommand({ Bucket: 'shared' }));
  await gateway.upstreamClient().send(new CreateBucketCommand({ Bucket: 'big' }));
  for (const Key of KEYS) {
    await admin.send(new PutObjectCommand({ Bucket: 'shared', Key, Body: 'x' }));
    await admin.send(new PutObjectCommand({ Bucket: 'part', Key, Body: 'x' }));
    await admin.send(new CreateMultipartUploadCommand({ Bucket: 'shared', Key }));
  }
  await gateway.upstreamClient().send(new PutObjectCommand({ Bucket: 'big', Key: 'parts/a/', Body: '' }));
  await gateway.upstreamClient().send(new PutObjectCommand({ Bucket: 'big', Key: 'parts/b/x', Body: 'x' }));
});

afterAll(async () => {
  await gateway.stop();
  await rm(folder, { recursive: true, force: true });
});

const sizes = [1, 3, undefined];

describe.each(['ListObjects', 'ListObjectsV2'] as const)('%s', (operation) => {
  const list = LISTERS[operation] as (typeof LISTERS)[string];

  test.each(sizes)('shows a team its own keys, with pages of %s', async (size) => {
    const { keys } = await list(team, { Bucket: 'shared', size });
    expect(keys).toEqual(TEAMS);
  });

  test.each(sizes)('shows the administrator everything, with pages of %s', async (size) => {
    const { keys, sizes: filled } = await list(admin, { Bucket: 'shared', size });
    expect(keys).toEqual(KEYS);
    expect(filled.slice(0, -1).every((count) => count === size)).toBe(true);
  });

  test.each(sizes)('shows the prefixes that lead to something, with pages of %s', async (size) => {
    const listing = { Bucket: 'shared', Delimiter: '/', size };
    expect((await list(team, listing)).prefixes).toEqual(['team/']);
    expect(await list(admin, listing)).toMatchObject({
      keys: ['zeta'],
      prefixes: ['admin/', 'archive/', 'team/', 'teams/'],
    });
    expect(await list(team, { ...listing, Prefix: 'team/' })).toMatchObject({
      keys: ['team/a', 'team/b c+d', 'team/ä-日本'],
      prefixes: ['team/deep/'],
    });
  });

  test.each(['archive/', 'archive/20', 'teams/', 'nothing/'])('has no pages below `%s`', async (Prefix) => {
    const { keys, sizes: pages } = await list(team, { Bucket: 'shared', Prefix, size: 1 });
    expect({ keys, pages }).toEqual({ keys: [], pages: [0] });
  });

  test.each(sizes)('works in a bucket that is a prefix upstream, with pages of %s', async (size) => {
    const own = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::part/team/*' };
    const client = gateway.client(await gateway.keyWithPolicy('team', policy('part', own)));
    const { keys } = await list(client, { Bucket: 'part', size });
    expect(keys).toEqual(TEAMS);
    expect((await list(admin, { Bucket: 'part', size })).keys).toEqual(KEYS);
  });
});

test('uploads are shown to those who may read or write their key', async () => {
  const listUploads = LISTERS['ListMultipartUploads'] as (typeof LISTERS)[string];
  const write = { Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::shared/archive/*' };
  const writer = gateway.client(await gateway.keyWithPolicy('writer', policy('shared', write)));
  for (const size of [1, 2, 1000]) {
    const keysOf = async (client: S3Client): Promise<readonly string[]> =>
      (await listUploads(client, { Bucket: 'shared', size })).keys.map(
        (key) => key.split('@', 1)[0] as string,
      );
    expect(await keysOf(team)).toEqual(TEAMS);
    expect(await keysOf(writer)).toEqual(['archive/2024/a', 'archive/2025/b']);
    expect(await keysOf(admin)).toEqual(KEYS);
  }
  const { MaxUploads, KeyMarker } = await team.send(
    new ListMultipartUploadsCommand({ Bucket: 'shared', Prefix: 'zeta', MaxUploads: 7, KeyMarker: 'z' }),
  );
  expect({ MaxUploads, KeyMarker }).toEqual({ MaxUploads: 7, KeyMarker: 'z' });
});

test('a page repeats what was asked for, and names owners to those who ask for them', async () => {
  const { Contents, ...page } = await team.send(
    new ListObjectsV2Command({
      Bucket: 'shared',
      Prefix: 'te',
      StartAfter: 'team/a',
      MaxKeys: 2,
      FetchOwner: true,
      EncodingType: 'url',
    }),
  );
  expect(page).toMatchObject({
    Name: 'shared',
    Prefix: 'te',
    StartAfter: 'team/a',
    MaxKeys: 2,
    KeyCount: 2,
    EncodingType: 'url',
    IsTruncated: true,
  });
  expect(Contents?.map(({ Key, Owner }) => [Key, typeof Owner?.ID])).toEqual([
    ['team/b%20c%2Bd', 'string'],
    ['team/deep/er/e', 'string'],
  ]);
  const without = await team.send(new ListObjectsV2Command({ Bucket: 'shared' }));
  expect(without.Contents?.some(({ Owner }) => Owner !== undefined)).toBe(false);
});

test('a key whose tags decide is not shown, and no tags are looked up', async () => {
  await admin.send(
    new PutObjectTaggingCommand({
      Bucket: 'shared',
      Key: 'zeta',
      Tagging: { TagSet: [{ Key: 'open', Value: 'yes' }] },
    }),
  );
  const tagged = {
    Effect: 'Allow',
    Action: 's3:GetObject',
    Resource: 'arn:aws:s3:::shared/z*',
    Condition: { StringEquals: { 's3:ExistingObjectTag/open': 'yes' } },
  };
  const plain = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::shared/archive/*' };
  const client = gateway.client(await gateway.keyWithPolicy('tags', policy('shared', tagged, plain)));
  gateway.upstream.clear();
  const { Contents } = await client.send(new ListObjectsV2Command({ Bucket: 'shared' }));
  expect(Contents?.map(({ Key }) => Key)).toEqual(['archive/2024/a', 'archive/2025/b']);
  expect(gateway.upstream.requestLines().filter((line) => line.includes('tagging'))).toEqual([]);
});

describe('over any store', () => {
  let store: ListingStore;
  let over: RunningGateway;
  let everything: S3Client;

  beforeAll(async () => {
    store = await openListingStore();
    over = await runGateway({
      file: join(folder, 'bucketwarden.yaml'),
      env: { UPSTREAM_ENDPOINT: store.endpoint, UPSTREAM_BUCKETS: 'shared' },
    });
    everything = over.client();
  });

  afterAll(async () => {
    await over.stop();
    await store.close();
  });

  const reader = async (...statements: readonly object[]): Promise<S3Client> =>
    over.client(await over.keyWithPolicy('reader', policy('shared', ...statements)));

  test.each([1, 2, 3, 1000])(
    'versions need their own right, delete markers any to read, by %s',
    async (size) => {
      store.hold([
        { key: 'a/1', id: 'v3', isDeleteMarker: true },
        { key: 'a/1', id: 'v2' },
        { key: 'a/1', id: 'v1' },
        { key: 'b/1', id: 'v6' },
        { key: 'b/1', id: 'v5', isDeleteMarker: true },
        { key: 'b/1', id: 'v4' },
        { key: 'c/1', id: 'v7' },
        { key: 'c/1', id: 'v8', isDeleteMarker: true },
      ]);
      const client = await reader(
        { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::shared/a/*' },
        { Effect: 'Allow', Action: 's3:GetObjectVersion', Resource: 'arn:aws:s3:::shared/b/*' },
        {
          Effect: 'Deny',
          Action: 's3:GetObjectVersion',
          Resource: '*',
          Condition: { StringEquals: { 's3:VersionId': 'v6' } },
        },
      );
      const list = LISTERS['ListObjectVersions'] as (typeof LISTERS)[string];
      const { keys } = await list(client, { Bucket: 'shared', size });
      expect(keys.toSorted()).toEqual(['a/1@v3', 'b/1@v4', 'b/1@v5']);
      expect((await list(everything, { Bucket: 'shared', size })).keys).toHaveLength(8);
    },
  );

  test('what lies below the prefixes of others is not read through', async () => {
    const others = ['alpha', 'beta', 'gamma', 'omega'].flatMap((name) =>
      Array.from({ length: 30 }, (_, number) => ({ key: `${name}/${String(number).padStart(5, '0')}` })),
    );
    store.hold([...others, { key: 'omega/mine' }, { key: 'omega/more' }], 10);
    const client = await reader({
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: ['arn:aws:s3:::shared/omega/m*'],
    });
    const { Contents, IsTruncated } = await client.send(new ListObjectsV2Command({ Bucket: 'shared' }));
    expect(Contents?.map(({ Key }) => Key)).toEqual(['omega/mine', 'omega/more']);
    expect(IsTruncated).toBe(false);
    expect(store.asked).toHaveLength(5);
  });

  test('a page that would take too long ends where it is, and the next one goes on', async () => {
    const others = Array.from({ length: 250 }, (_, number) => ({
      key: `${String(number).padStart(5, '0')}-x`,
    }));
    store.hold([...others, { key: 'mine-y' }, { key: 'more-y' }], 10);
    const client = await reader({
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: 'arn:aws:s3:::shared/*-y',
    });
    const list = LISTERS['ListObjects'] as (typeof LISTERS)[string];
    expect(await list(client, { Bucket: 'shared' })).toMatchObject({
      keys: ['mine-y', 'more-y'],
      sizes: [0, 0, 2],
    });
  });

  test('all pages together are what the caller may read of the whole listing', async () => {
    const segment = stringMatching(/^[ab]{1,2}$/);
    const key = tuple(
      array(segment, { minLength: 1, maxLength: 3 }),
      constantFrom('', '/', '-é', '\u{1F600}', '+ &'),
    ).map(([segments, end]) => segments.join('/') + end);
    const pattern = tuple(stringMatching(/^[ab/]{0,3}$/), constantFrom('prefix', 'suffix', 'whole'));
    await assert(
      asyncProperty(
        uniqueArray(key, { minLength: 1, maxLength: 25 }),
        array(pattern, { maxLength: 3 }),
        array(pattern, { maxLength: 2 }),
        integer({ min: 1, max: 6 }),
        constantFrom('', '/', 'a'),
        constantFrom('', 'a', 'a/'),
        constantFrom(...Object.keys(LISTERS)),
        async (keys, allowed, denied, size, Delimiter, Prefix, operation) => {
          store.hold(keys.map((name): StoredEntry => ({ key: name, id: 'id-1' })));
          const statement = (Effect: string, patterns: typeof allowed) =>
            patterns.length === 0
              ? []
              : [
                  {
                    Effect,
                    Action: ['s3:GetObject', 's3:GetObjectVersion'],
                    Resource: patterns.map((each) => `arn:aws:s3:::shared/${globOf(each)}`),
                  },
                ];
          const client = await reader(...statement('Allow', allowed), ...statement('Deny', denied));
          const list = LISTERS[operation] as (typeof LISTERS)[string];
          const input = { Bucket: 'shared', Delimiter, Prefix };
          const { keys: seen, prefixes, sizes: counts } = await list(client, { ...input, size });
          const whole = await list(everything, input);
          const readable = (name: string): boolean =>
            allowed.some((each) => matches(name, each)) && !denied.some((each) => matches(name, each));
          expect(seen).toEqual(whole.keys.filter((name) => readable(name.split('@', 1)[0] as string)));
          // A prefix may be shown when it is not sure that nothing below it can be read, but none is missing.
          const leading = whole.prefixes.filter((prefix) =>
            keys.some((name) => name.startsWith(prefix) && readable(name)),
          );
          expect(prefixes.filter((prefix) => !whole.prefixes.includes(prefix))).toEqual([]);
          expect(leading.filter((prefix) => !prefixes.includes(prefix))).toEqual([]);
          expect(Math.max(...counts)).toBeLessThanOrEqual(size);
        },
      ),
      { numRuns: 50 },
    );
  });
});

type Pattern = readonly [text: string, kind: string];

function globOf([text, kind]: Pattern): string {
  return kind === 'prefix' ? `${text}*` : kind === 'suffix' ? `*${text}` : text === '' ? 'none' : text;
}

function matches(name: string, [text, kind]: Pattern): boolean {
  if (kind === 'prefix') return name.startsWith(text);
  return kind === 'suffix' ? name.endsWith(text) : name === text;
}
