import { describe, expect, test } from 'vitest';
import { bucketSettings, configWarnings, loadConfig, type BucketRule } from '../../src/config/index.ts';

describe('bucket settings', () => {
  test('the first rule that matches holds; without one any body is accepted', () => {
    const config = {
      accountId: '000000000000',
      buckets: [
        rule({ pattern: 'team-a', bodies: 'signed', owner: '111111111111' }),
        rule({ pattern: 'team-*', bodies: 'checksummed', owner: '222222222222' }),
      ],
    };
    expect(bucketSettings(config, 'team-a')).toMatchObject({ bodies: 'signed', owner: '111111111111' });
    expect(bucketSettings(config, 'team-b')).toMatchObject({ bodies: 'checksummed' });
    expect(bucketSettings(config, 'other')).toEqual({
      bodies: 'any',
      owner: '000000000000',
      readOnly: false,
      filterListings: false,
      maxObjectBytes: undefined,
      operations: new Set(),
    });
  });
});

describe('warnings', () => {
  test('there is none for the defaults', () => {
    expect(warnings({})).toEqual([]);
    expect(warnings({ BUCKETWARDEN_LISTEN: '[::1]:0', BUCKETWARDEN_ADMIN_LISTEN: 'localhost:0' })).toEqual(
      [],
    );
  });

  test.each([':9000', '0.0.0.0:9000', '[::]:9000', '192.0.2.1:9000', 's3.example.com:9000'])(
    'a listener on %s without TLS',
    (listen) => {
      expect(warnings({ BUCKETWARDEN_LISTEN: listen })).toEqual([
        expect.stringContaining('open to other machines without TLS'),
      ]);
    },
  );

  test('an admin listener open to other machines', () => {
    expect(warnings({ BUCKETWARDEN_ADMIN_LISTEN: ':9001' })).toEqual([
      expect.stringContaining('`adminListen`'),
    ]);
  });

  test('an upstream over plain HTTP on another machine, and only there', () => {
    expect(warnings(upstream('http://store.example.com'))).toEqual([expect.stringContaining('plain HTTP')]);
    expect(warnings(upstream('https://store.example.com'))).toEqual([]);
    expect(warnings(upstream('http://127.0.0.1:7480'))).toEqual([]);
    expect(warnings(upstream('http://[::1]:7480'))).toEqual([]);
  });
});

function rule(one: Pick<BucketRule, 'bodies' | 'owner' | 'pattern'>): BucketRule {
  return {
    readOnly: false,
    filterListings: false,
    maxObjectBytes: undefined,
    operations: new Set(),
    target: undefined,
    ...one,
  };
}

function warnings(env: Record<string, string>): readonly string[] {
  return configWarnings(loadConfig({ env }));
}

function upstream(endpoint: string): Record<string, string> {
  return {
    BUCKETWARDEN_UPSTREAM_ENDPOINT: endpoint,
    BUCKETWARDEN_UPSTREAM_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    BUCKETWARDEN_UPSTREAM_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  };
}
