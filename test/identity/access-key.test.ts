import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  assertAccessKeyId,
  IdentityInputError,
  newAccessKeyId,
  newSecretAccessKey,
  newUser,
  parseSecretAccessKey,
} from '../../src/identity/index.ts';
import { ACCOUNT, EXAMPLE_KEY_ID, EXAMPLE_SECRET, NOW } from './fixtures.ts';

function zeroes(size: number): Buffer {
  return Buffer.alloc(size);
}

describe('generated keys', () => {
  test('look as those of IAM, and are usable by the rules for imported ones', () => {
    const id = newAccessKeyId(randomBytes);
    const secret = newSecretAccessKey(randomBytes).expose();
    expect(id).toMatch(/^AKIA[A-Z2-7]{16}$/);
    expect(secret).toMatch(/^[A-Za-z0-9+/]{40}$/);
    assertAccessKeyId(id);
    expect(parseSecretAccessKey(secret).expose()).toBe(secret);
  });

  test('follow from the randomness that is passed in', () => {
    expect(newAccessKeyId(zeroes)).toBe(`AKIA${'A'.repeat(16)}`);
    expect(newSecretAccessKey(zeroes).expose()).toBe('A'.repeat(40));
  });
});

describe('keys of elsewhere', () => {
  test.each([
    EXAMPLE_KEY_ID,
    'minioadmin',
    'GK31c2f218a2e44f485b94239e',
    'a.b-c_d',
    'alice@example.com',
    'x'.repeat(128),
  ])('the id `%s` is taken', (id) => {
    expect(() => {
      assertAccessKeyId(id);
    }).not.toThrow();
  });

  test.each([
    '',
    'ab',
    'x'.repeat(129),
    'AKIA/EXAMPLE',
    'AKIA,EXAMPLE',
    'AKIA EXAMPLE',
    'AKIA=X',
    'clé-d-accès',
    'AKIA\n',
  ])('the id `%s` is refused', (id) => {
    expect(() => {
      assertAccessKeyId(id);
    }).toThrow(IdentityInputError);
  });

  test.each([
    ['', /empty/],
    ['two words', /white space/],
    [`${EXAMPLE_SECRET}\n`, /line break/],
    [`${EXAMPLE_SECRET}\r`, /line break/],
    [` ${EXAMPLE_SECRET}`, /white space/],
    [`${EXAMPLE_SECRET}\u00a0`, /white space/],
    [`${EXAMPLE_SECRET}\u200b`, /printable ASCII/],
    ['short', /5 characters/],
    ['x'.repeat(257), /257 characters/],
  ])('the secret %j is refused', (secret, message) => {
    expect(() => parseSecretAccessKey(secret)).toThrow(message);
  });

  test('a refused secret is never shown', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8 }), (text) => {
        expect(() => parseSecretAccessKey(`hunter2 ${text}`)).toThrow(/^(?!.*hunter2)/s);
      }),
    );
  });
});

function user(userName: string, tags: Readonly<Record<string, string>> = {}) {
  return newUser({ accountId: ACCOUNT, userName, tags, now: NOW, randomBytes });
}

describe('users', () => {
  test('have the ARN and unique id of IAM', () => {
    expect(user('alice@example.com', { 'cost centre': 'a/b' })).toMatchObject({
      type: 'user',
      arn: `arn:aws:iam::${ACCOUNT}:user/alice@example.com`,
      userId: expect.stringMatching(/^AIDA[A-Z2-7]{16}$/),
    });
  });

  test.each(['', 'a b', 'a/b', 'a:b', '*', 'root', 'Root', 'x'.repeat(65), 'ünal'])(
    'the name `%s` is refused',
    (name) => {
      expect(() => user(name)).toThrow(IdentityInputError);
    },
  );

  test.each([
    [{ 'aws:team': 'red' }],
    [{ '': 'red' }],
    [{ team: 'x'.repeat(257) }],
    [{ team: 'red\n' }],
    [{ team: '${aws:username}' }],
    [{ Team: 'red', team: 'blue' }],
    [Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`tag${index}`, '']))],
  ])('the tags %j are refused', (tags) => {
    expect(() => user('alice', tags)).toThrow(IdentityInputError);
  });
});
