/** Public base URLs: where a path leads, and what its client may have signed. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  locate,
  parseWireRequest,
  resolveAddress,
  signedReadings,
  type Address,
  type GatewayNames,
  type PublicUrl,
} from '../../src/s3/index.ts';

function url(host: string, prefix = ''): PublicUrl {
  return { secure: true, host, prefix };
}

const NAMES: GatewayNames = {
  baseDomains: ['s3.example.com'],
  publicUrls: [
    url('s3.example.com'),
    url('www.example.com', '/storage'),
    url('www.example.com', '/storage/two'),
    url('edge.example.com:8443'),
  ],
};

function addressOf(host: string, target: string): Address {
  const request = parseWireRequest('GET', target, ['Host', host]);
  return resolveAddress(request, NAMES.baseDomains, NAMES.publicUrls);
}

function readings(host: string, path: string, names = NAMES): readonly string[] {
  return signedReadings(host, path, names).map((reading) => `${reading.host} ${reading.path}`);
}

function resource(host: string, path: string, names: GatewayNames): readonly unknown[] {
  const { bucket, key } = locate(host, path, names);
  return [bucket, key];
}

describe('the address at a public URL', () => {
  test.each<[string, string, Address]>([
    ['www.example.com', '/storage/bucket/key', { style: 'path', bucket: 'bucket', key: 'key' }],
    ['WWW.example.com', '/storage/bucket/key', { style: 'path', bucket: 'bucket', key: 'key' }],
    ['www.example.com', '/storage', { style: 'path' }],
    ['www.example.com', '/storage/', { style: 'path' }],
    ['www.example.com', '/storage/bucket', { style: 'path', bucket: 'bucket' }],
    ['www.example.com', '/storage/storage/key', { style: 'path', bucket: 'storage', key: 'key' }],
    // The longest prefix is the one that counts.
    ['www.example.com', '/storage/two/bucket/key', { style: 'path', bucket: 'bucket', key: 'key' }],
    ['www.example.com', '/storage/twofold/key', { style: 'path', bucket: 'twofold', key: 'key' }],
    // Where the balancer has taken the prefix away already.
    ['www.example.com', '/bucket/key', { style: 'path', bucket: 'bucket', key: 'key' }],
    ['www.example.com', '/storages/key', { style: 'path', bucket: 'storages', key: 'key' }],
    ['www.example.com', '/%73torage/bucket/key', { style: 'path', bucket: 'bucket', key: 'key' }],
    ['www.example.com', '/storage/bucket/storage/a', { style: 'path', bucket: 'bucket', key: 'storage/a' }],
    // Another host, another port: no public URL, nothing taken away.
    ['www.example.com:8080', '/storage/key', { style: 'path', bucket: 'storage', key: 'key' }],
    ['10.0.0.1:9000', '/storage/key', { style: 'path', bucket: 'storage', key: 'key' }],
    ['bucket.s3.example.com', '/storage/key', { style: 'virtual', bucket: 'bucket', key: 'storage/key' }],
  ])('%s %s', (host, target, address) => {
    expect(addressOf(host, target)).toEqual(address);
  });

  test('a prefix at a base domain is no part of the key, in either style', () => {
    const names = { baseDomains: ['s3.example.com'], publicUrls: [url('s3.example.com', '/api')] };
    expect(locate('s3.example.com', '/api/bucket/key', names)).toMatchObject({
      bucket: 'bucket',
      key: 'key',
    });
    expect(locate('bucket.s3.example.com', '/api/key', names)).toMatchObject({
      bucket: 'bucket',
      key: 'key',
    });
    expect(locate('bucket.s3.example.com', '/key', names)).toMatchObject({ bucket: 'bucket', key: 'key' });
  });
});

describe('what a client may have signed', () => {
  test('without public URLs nothing but what was received', () => {
    expect(readings('h', '/bucket/key', { baseDomains: ['h'], publicUrls: [] })).toEqual([]);
  });

  test('a host that a balancer replaced by its own', () => {
    expect(readings('10.0.0.1:9000', '/bucket/key')).toEqual([
      's3.example.com /bucket/key',
      'bucket.s3.example.com /key',
      'www.example.com /storage/bucket/key',
      'www.example.com /storage/two/bucket/key',
      'edge.example.com:8443 /bucket/key',
    ]);
  });

  test('a prefix with and without a slash where nothing follows it', () => {
    expect(readings('www.example.com', '/')).toEqual([
      's3.example.com /',
      'www.example.com /storage/',
      'www.example.com /storage',
      'www.example.com /storage/two/',
      'www.example.com /storage/two',
      'edge.example.com:8443 /',
    ]);
  });

  test('a port that a balancer took away, of a virtual-hosted request', () => {
    const names = { baseDomains: ['s3.example.com'], publicUrls: [url('s3.example.com:8443')] };
    expect(readings('bucket.s3.example.com', '/key', names)).toEqual(['bucket.s3.example.com:8443 /key']);
  });

  test('never a path that means another bucket where it was signed for', () => {
    // Signed for `www.example.com/storage/key`, this means the bucket `key`; received so, it is the bucket `storage`.
    expect(readings('10.0.0.1', '/storage/key')).not.toContain('www.example.com /storage/key');
    // Taken away once, and there once more: that is the bucket `key`, and was signed as the bucket `storage`.
    expect(readings('www.example.com', '/storage/key')).not.toContain('www.example.com /storage/storage/key');
    // `/two` is taken for a part of the longer prefix.
    expect(readings('10.0.0.1', '/two/key')).not.toContain('www.example.com /storage/two/key');
  });
});

describe('whatever stands between client and gateway', () => {
  const segment = fc.constantFrom('a', 'b', 'two', 'storage', 'key', '', '.', '..', 'x y');
  const prefix = fc.constantFrom('', '/a', '/b', '/a/b', '/storage', '/storage/two', '/a/a');
  const host = fc.constantFrom(
    'a.test',
    'b.test',
    'a.b.test',
    'b.test:81',
    'storage.a.test',
    '10.0.0.1',
    'A.TEST',
  );
  const names = fc.record({
    baseDomains: fc.uniqueArray(fc.constantFrom('a.test', 'b.test', 'test'), { maxLength: 3 }),
    publicUrls: fc.array(
      fc.record({
        secure: fc.boolean(),
        host: fc.constantFrom('a.test', 'b.test', 'b.test:81', 'a.b.test'),
        prefix,
      }),
      { maxLength: 6 },
    ),
  });
  const path = fc.array(segment, { maxLength: 6 }).map((segments) => `/${segments.join('/')}`);
  test('what was signed leads to the same bucket and key in every reading', () => {
    fc.assert(
      fc.property(names, host, path, (called, at, wanted) => {
        const received = resource(at, wanted, called);
        for (const reading of signedReadings(at, wanted, called))
          expect(resource(reading.host, reading.path, called)).toEqual(received);
      }),
      { numRuns: 3000 },
    );
  });

  test('two requests that one signature fits are about one resource', () => {
    fc.assert(
      fc.property(names, host, host, path, path, (called, oneHost, otherHost, onePath, otherPath) => {
        const all = (at: string, wanted: string): readonly string[] => [
          `${at.toLowerCase()} ${wanted}`,
          ...readings(at, wanted, called),
        ];
        const shared = all(oneHost, onePath).some((reading) => all(otherHost, otherPath).includes(reading));
        const one = resource(oneHost, onePath, called);
        expect(shared ? resource(otherHost, otherPath, called) : one).toEqual(one);
      }),
      { numRuns: 3000 },
    );
  });

  test('a request is found again behind a balancer that takes the prefix away and writes its own host', () => {
    fc.assert(
      fc.property(names, fc.nat(), path, (called, index, below) => {
        const publicUrl = called.publicUrls[index % Math.max(1, called.publicUrls.length)];
        if (publicUrl === undefined) return;
        const signed = { host: publicUrl.host, path: publicUrl.prefix + below };
        const straight = resource(signed.host, signed.path, called);
        const behind = resource('10.0.0.1', below, called);
        const found = readings('10.0.0.1', below, called).includes(`${signed.host} ${signed.path}`);
        expect(found).toBe(JSON.stringify(straight) === JSON.stringify(behind));
      }),
      { numRuns: 2000 },
    );
  });

  test('there are at most four readings for each public URL', () => {
    fc.assert(
      fc.property(names, host, path, (called, at, wanted) => {
        expect(signedReadings(at, wanted, called).length).toBeLessThanOrEqual(4 * called.publicUrls.length);
      }),
    );
  });
});
