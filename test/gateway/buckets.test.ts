import { describe, expect, test } from 'vitest';
import type { Config } from '../../src/config/index.ts';
import { createBuckets, createRoutes } from '../../src/gateway/index.ts';
import type { PolicyFolder } from '../../src/gateway/policy-folder.ts';
import type { KnownBucket } from '../../src/identity/index.ts';
import { compilePolicy, parsePolicy } from '../../src/policy/index.ts';
import { idleUpstream } from './idle-upstream.ts';

const TEXT =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::reports/*"}]}';
const compiled = compilePolicy(parsePolicy(TEXT, { type: 'resource', bucket: 'reports' }), { name: 'p' });
const RECORD = { name: 'reports', ownerAccount: '444455556666', upstream: 'default', createdAt: 0 };
const USABLE = { state: 'usable', document: TEXT, compiled } as const;
const UPSTREAM = idleUpstream('http://127.0.0.1:1');
const FILE = '/policies/reports.json';

function buckets(options: {
  readonly known?: KnownBucket;
  readonly file?: ReturnType<PolicyFolder['get']>;
  readonly configured?: boolean;
  readonly find?: () => Promise<KnownBucket | undefined>;
  readonly publicAccessBlock?: Partial<Config['publicAccessBlock']>;
}) {
  return createBuckets({
    directory: {
      find: options.find ?? (() => Promise.resolve(options.known)),
      refresh: () => Promise.resolve(),
      close: () => undefined,
    },
    folder: { get: () => options.file, refresh: () => Promise.resolve(), close: () => undefined },
    routes: createRoutes(
      [{ name: 'default', upstream: UPSTREAM, isDefault: true, buckets: options.configured ? ['*'] : [] }],
      [],
    ),
    settings: () => ({
      bodies: 'checksummed',
      owner: '111122223333',
      readOnly: false,
      filterListings: false,
      maxObjectBytes: undefined,
      operations: new Set(),
    }),
    publicAccessBlock: {
      blockPublicPolicy: false,
      restrictPublicBuckets: false,
      ...options.publicAccessBlock,
    },
  });
}

describe('a bucket', () => {
  test('exists when it was made through the gateway, and belongs to its maker', async () => {
    const bucket = await buckets({
      known: { record: RECORD, policy: undefined, cors: undefined, publicAccessBlock: undefined },
    }).find('reports');
    expect(bucket).toEqual({
      name: 'reports',
      ownerAccount: '444455556666',
      record: RECORD,
      place: { upstream: UPSTREAM, bucket: 'reports', prefix: '' },
      bodies: 'checksummed',
      readOnly: false,
      filterListings: false,
      maxObjectBytes: undefined,
      operations: new Set(),
      policy: { kind: 'none' },
      blockPublicPolicy: false,
      restrictPublicBuckets: false,
    });
  });

  test('exists when the configuration names it, and belongs to the account configured for it', async () => {
    const bucket = await buckets({ configured: true }).find('reports');
    expect(bucket).toMatchObject({
      ownerAccount: '111122223333',
      record: undefined,
      policy: { kind: 'none' },
    });
  });

  test.each([
    ['nothing at all', {}],
    [
      'a policy in the store',
      { known: { record: undefined, policy: USABLE, cors: undefined, publicAccessBlock: undefined } },
    ],
    ['a policy file', { file: { file: FILE, policy: compiled, text: TEXT } }],
  ])('does not exist by %s', async (_, options) => {
    expect(await buckets(options).find('reports')).toBeUndefined();
  });

  test('is not known while the store fails', async () => {
    const failing = buckets({ configured: true, find: () => Promise.reject(new Error('disk gone')) });
    await expect(failing.find('reports')).rejects.toThrow('disk gone');
  });
});

describe("a bucket's policy", () => {
  test('is the one set through the API', async () => {
    const bucket = await buckets({
      known: { record: RECORD, policy: USABLE, cors: undefined, publicAccessBlock: undefined },
    }).find('reports');
    expect(bucket?.policy).toEqual({ kind: 'policy', policy: compiled, text: TEXT, file: undefined });
  });

  test('is the one of its file before that', async () => {
    const other = compilePolicy(parsePolicy(TEXT, { type: 'resource', bucket: 'reports' }), { name: FILE });
    const bucket = await buckets({
      known: { record: RECORD, policy: USABLE, cors: undefined, publicAccessBlock: undefined },
      file: { file: FILE, policy: other, text: TEXT },
    }).find('reports');
    expect(bucket?.policy).toEqual({ kind: 'policy', policy: other, text: TEXT, file: FILE });
  });

  test('is broken when its file is, whatever the store holds', async () => {
    const bucket = await buckets({
      known: { record: RECORD, policy: USABLE, cors: undefined, publicAccessBlock: undefined },
      file: { file: FILE, broken: `${FILE}:3:5: no` },
    }).find('reports');
    expect(bucket?.policy).toEqual({ kind: 'broken', problem: `${FILE}:3:5: no`, file: FILE });
  });

  test('is broken when the store holds none that can be read', async () => {
    const known = {
      record: RECORD,
      policy: { state: 'unusable', document: '{' },
      cors: undefined,
      publicAccessBlock: undefined,
    } as const;
    expect((await buckets({ known }).find('reports'))?.policy).toEqual({
      kind: 'broken',
      problem: 'the stored policy of `reports` cannot be read',
      file: undefined,
    });
  });
});

function knownWith(publicAccessBlock: KnownBucket['publicAccessBlock']): KnownBucket {
  return { record: RECORD, policy: undefined, cors: undefined, publicAccessBlock };
}

describe("a bucket's public access block", () => {
  const NONE = {
    blockPublicAcls: false,
    ignorePublicAcls: false,
    blockPublicPolicy: false,
    restrictPublicBuckets: false,
  };

  test.each([
    [{ blockPublicPolicy: true }, {}, [true, false]],
    [{ restrictPublicBuckets: true }, {}, [false, true]],
    [{}, { blockPublicPolicy: true }, [true, false]],
    [{}, { restrictPublicBuckets: true }, [false, true]],
    [{ blockPublicAcls: true, ignorePublicAcls: true }, {}, [false, false]],
    [{ blockPublicPolicy: true }, { restrictPublicBuckets: true }, [true, true]],
  ])('%j beside %j of the gateway: the stricter holds', async (own, publicAccessBlock, expected) => {
    const known = knownWith({ ...NONE, ...own });
    const bucket = await buckets({ known, publicAccessBlock }).find('reports');
    expect([bucket?.blockPublicPolicy, bucket?.restrictPublicBuckets]).toEqual(expected);
    expect(bucket?.publicAccessBlock).toEqual(known.publicAccessBlock);
  });

  test("of the gateway holds for a bucket without one, and is not the bucket's own", async () => {
    const publicAccessBlock = { blockPublicPolicy: true, restrictPublicBuckets: true };
    const bucket = await buckets({ configured: true, publicAccessBlock }).find('reports');
    expect(bucket).toMatchObject(publicAccessBlock);
    expect(bucket?.publicAccessBlock).toBeUndefined();
  });
});
