/** Nothing that a client names lies outside of the prefix that its bucket is. */
import * as fc from 'fast-check';
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createRoutes } from '../../src/gateway/index.ts';
import { clientKey, upstreamCopySource, upstreamKey, upstreamPrefix } from '../../src/gateway/place.ts';
import type { Place } from '../../src/gateway/routes.ts';
import {
  encodeUriPath,
  parseCopySource,
  parseWireRequest,
  resolveAddress,
  S3Error,
} from '../../src/s3/index.ts';
import type { Upstream } from '../../src/upstream/index.ts';
import { ODD_KEYS } from '../s3/odd-keys.ts';
import { idleUpstream } from './idle-upstream.ts';

/** `npm run test:prefix` runs a million. */
const RUNS = Number(process.env['PREFIX_RUNS'] ?? 20_000);
const PREFIX = 'teams/a/';
const PLACE: Place = { upstream: idleUpstream('http://127.0.0.1:1'), bucket: 'shared-data', prefix: PREFIX };

/** Pieces that have led out of folders somewhere, and plain ones. */
const PIECES = [
  '..',
  '.',
  '...',
  '/',
  '//',
  '\\',
  '%2e',
  '%2E%2e',
  '%2f',
  '%5c',
  '%252e',
  '%00',
  '%',
  '\0',
  ' ',
  '~',
  ';',
  '?',
  '#',
  '&',
  '=',
  '+',
  ':',
  'teams',
  'a',
  'b',
  'shared-data',
  'secret',
  '\u2024',
  '\uff0e',
  '\u2215',
  '\uff0f',
  'é',
  '\u{1f600}',
  '\r\n',
];
const text = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((all) => all.join('')),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom(...ODD_KEYS) },
);

/** Undefined for what was refused. */
function unlessRefused<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof S3Error) return undefined;
    throw error;
  }
}

/** What the upstream gets for what stands behind the bucket in a request target; undefined: it was refused. */
function upstreamTarget(rest: string): string | undefined {
  return unlessRefused(() => {
    const wire = parseWireRequest('GET', `/team-a/${rest}`, ['host', '127.0.0.1:9000']);
    const { bucket, key } = resolveAddress(wire, []);
    if (bucket !== 'team-a' || key === undefined) return undefined;
    return `/${PLACE.bucket}/${encodeUriPath(upstreamKey(PLACE, key))}`;
  });
}

/** For an upstream that compares bytes, and for one that opens files. */
function isInside(target: string): boolean {
  const decoded = decodeURIComponent(target);
  const place = `/shared-data/${PREFIX}`;
  return decoded.startsWith(place) && posix.normalize(decoded).startsWith(place);
}

function at(upstream: Upstream, bucket: string, prefix = ''): Place {
  return { upstream, bucket, prefix };
}

describe('every key of a prefix bucket', () => {
  test('as it comes in a request target leads below the prefix, or nowhere', () => {
    let forwarded = 0;
    fc.assert(
      fc.property(text, fc.boolean(), (key, raw) => {
        // Raw: its own escapes are decoded once, as of a client that writes `%2e%2e`.
        const target = upstreamTarget(
          raw ? key.replaceAll(/[\s?#\0-\x20\x7f-\uffff]/g, '') : encodeUriPath(key.toWellFormed()),
        );
        if (target === undefined) return;
        forwarded += 1;
        expect(isInside(target)).toBe(true);
      }),
      { numRuns: RUNS },
    );
    expect(forwarded).toBeGreaterThan(RUNS / 2);
  });

  test('as a copy source leads below the prefix, or nowhere', () => {
    const sourceBucket = { place: PLACE } as Parameters<typeof upstreamCopySource>[1]['sourceBucket'];
    fc.assert(
      fc.property(text, (key) => {
        const header = unlessRefused(() =>
          upstreamCopySource(parseCopySource(`/team-a/${encodeUriPath(key.toWellFormed())}`), {
            sourceBucket,
          }),
        );
        expect(header === undefined || isInside(header)).toBe(true);
      }),
      { numRuns: RUNS / 10 },
    );
  });

  test('as the prefix or marker of a listing leads below the prefix, or nowhere', () => {
    fc.assert(
      fc.property(text, (prefix) => {
        const whole = unlessRefused(() => upstreamPrefix(PLACE, prefix)) ?? PREFIX;
        expect(whole.startsWith(PREFIX)).toBe(true);
        expect(`${posix.normalize(`/${whole}`)}/`.startsWith(`/${PREFIX}`)).toBe(true);
      }),
      { numRuns: RUNS / 10 },
    );
  });

  test('comes back as it was', () => {
    fc.assert(
      fc.property(text, (key) => {
        const whole = unlessRefused(() => upstreamKey(PLACE, key)) ?? PREFIX + key;
        expect(clientKey(PLACE, whole)).toBe(key);
      }),
      { numRuns: RUNS / 10 },
    );
  });

  test('is none of a key that does not begin with the prefix', () => {
    expect(clientKey(PLACE, 'teams/b/x')).toBeUndefined();
    expect(clientKey(PLACE, 'teams/a')).toBeUndefined();
    expect(clientKey(PLACE, 'teams/a/')).toBe('');
  });
});

describe('the place of a bucket', () => {
  const aws = idleUpstream('https://s3.eu-central-1.amazonaws.com');
  const minio = idleUpstream('http://127.0.0.1:9100');
  const upstreams = [
    { name: 'aws', upstream: aws, isDefault: true, buckets: ['logs-*', 'exact'] },
    { name: 'minio', upstream: minio, isDefault: false, buckets: ['logs-special', 'team-*'] },
  ];
  const routes = createRoutes(upstreams, [
    { pattern: 'virtual', target: { upstream: 'minio', bucket: 'made-before', prefix: 'v/' } },
    { pattern: '*', target: undefined },
  ]);

  test('is by name, then by pattern, and nowhere for the rest', () => {
    expect(routes.configured('logs-1')).toEqual(at(aws, 'logs-1'));
    expect(routes.configured('logs-special')).toEqual(at(minio, 'logs-special'));
    expect(routes.configured('team-x')).toEqual(at(minio, 'team-x'));
    expect(routes.configured('virtual')).toEqual(at(minio, 'made-before', 'v/'));
    expect(routes.configured('other')).toBeUndefined();
  });

  test('of one made through the gateway is where it was made, whatever the patterns say now', () => {
    expect(routes.made('team-x', 'aws')).toEqual(at(aws, 'team-x'));
    expect(routes.made('other', undefined)).toEqual(at(aws, 'other'));
    expect(routes.made('other', 'removed')).toBeUndefined();
  });

  test('of one that became the target of a virtual one is gone: two names would lead to the same objects', () => {
    expect(routes.made('made-before', 'minio')).toBeUndefined();
    expect(routes.made('made-before', 'aws')).toEqual(at(aws, 'made-before'));
    expect(routes.made('virtual', 'aws')).toBeUndefined();
    expect(routes.forNew('made-before')).toEqual({ place: at(aws, 'made-before'), upstream: 'aws' });
    expect(routes.forNew('virtual')).toBeUndefined();
  });

  test('of a new one is by name and pattern too, else in the default upstream', () => {
    expect(routes.forNew('team-new')).toEqual({ place: at(minio, 'team-new'), upstream: 'minio' });
    expect(routes.forNew('other')).toEqual({ place: at(aws, 'other'), upstream: 'aws' });
    const none = createRoutes(upstreams.slice(1), []);
    expect(none.forNew('other')).toBeUndefined();
  });
});
