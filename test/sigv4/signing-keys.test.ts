import { describe, expect, test } from 'vitest';
import { createSigningKeys, deriveSigningKey, Secret } from '../../src/sigv4/index.ts';
import { ACCESS_KEY_ID, SECRET_ACCESS_KEY } from './independent-signer.ts';

const scope = { date: '20130524', region: 'us-east-1', service: 's3' };

/** Credentials that count how often their secret is used. */
function credentials(value = SECRET_ACCESS_KEY, secretVersion = '1', accessKeyId = ACCESS_KEY_ID) {
  let derived = 0;
  class CountingSecret extends Secret {
    override expose(): string {
      derived += 1;
      return super.expose();
    }
  }
  return {
    accessKeyId,
    secretVersion,
    secretAccessKey: new CountingSecret(value),
    get derived() {
      return derived;
    },
  };
}

describe('signing keys', () => {
  test('are what AWS documents', () => {
    // "Examples of how to derive a signing key", IAM User Guide.
    const key = deriveSigningKey(new Secret('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'), {
      date: '20120215',
      region: 'us-east-1',
      service: 'iam',
    });
    expect(key.toString('hex')).toBe('f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d');
  });

  test('are derived once for each scope', () => {
    const keys = createSigningKeys({ max: 10 });
    const used = credentials();
    const first = keys.get(used, scope);
    expect(keys.get(used, { ...scope })).toBe(first);
    expect(used.derived).toBe(1);
    expect(first).toEqual(deriveSigningKey(new Secret(SECRET_ACCESS_KEY), scope));
    const others = [
      keys.get(used, { ...scope, date: '20130525' }),
      keys.get(used, { ...scope, region: 'us-west-2' }),
      keys.get(used, { ...scope, service: 'sts' }),
    ];
    expect(used.derived).toBe(4);
    for (const other of others) expect(other).not.toEqual(first);
  });

  test('of an old secret are never used for the new one', () => {
    const keys = createSigningKeys({ max: 10 });
    const before = keys.get(credentials('before', '1'), scope);
    const after = keys.get(credentials('after', '2'), scope);
    expect(after).toEqual(deriveSigningKey(new Secret('after'), scope));
    expect(after).not.toEqual(before);
  });

  test('of two access keys are kept apart', () => {
    const keys = createSigningKeys({ max: 10 });
    const one = keys.get(credentials('one', '1', 'AKIA1'), scope);
    expect(keys.get(credentials('two', '1', 'AKIA2'), scope)).not.toEqual(one);
  });

  test('are forgotten, the least recently used first, beyond the maximum', () => {
    const keys = createSigningKeys({ max: 2 });
    const used = credentials();
    const dates = (date: string) => keys.get(used, { ...scope, date });
    dates('20130501');
    dates('20130502');
    dates('20130501');
    dates('20130503');
    expect(used.derived).toBe(3);
    dates('20130501');
    expect(used.derived).toBe(3);
    dates('20130502');
    expect(used.derived).toBe(4);
  });
});
