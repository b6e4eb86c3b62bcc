import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decryptSecret, encryptSecret, SecretUnusableError } from '../../src/identity/index.ts';
import { Secret } from '../../src/sigv4/index.ts';
import { EXAMPLE_KEY_ID, EXAMPLE_SECRET, newMasterKey } from './fixtures.ts';

const masterKey = newMasterKey();
const accessKeyId = EXAMPLE_KEY_ID;

function encrypt(secret: string): string {
  return encryptSecret(new Secret(secret), { accessKeyId, masterKey, randomBytes });
}

describe('secrets at rest', () => {
  test('any secret of any key comes back as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ minLength: 1 }), (secret, id) => {
        const encrypted = encryptSecret(new Secret(secret), { accessKeyId: id, masterKey, randomBytes });
        expect(decryptSecret(encrypted, { accessKeyId: id, masterKey }).expose()).toBe(secret);
      }),
    );
  });

  test('the stored form shows nothing of the secret, and differs each time', () => {
    const first = encrypt(EXAMPLE_SECRET);
    expect(first).not.toContain(EXAMPLE_SECRET);
    expect(first).not.toContain(Buffer.from(EXAMPLE_SECRET).toString('base64url').slice(0, 16));
    expect(encrypt(EXAMPLE_SECRET)).not.toBe(first);
  });

  test('a ciphertext moved to another key does not decrypt', () => {
    const moved = encrypt(EXAMPLE_SECRET);
    expect(() => decryptSecret(moved, { accessKeyId: 'AKIAI44QH8DHBEXAMPLE', masterKey })).toThrow(
      SecretUnusableError,
    );
  });

  test('every change of any character or bit of it is refused', () => {
    const encrypted = encrypt(EXAMPLE_SECRET);
    for (let index = 0; index < encrypted.length; index += 1) {
      for (let bit = 0; bit < 7; bit += 1) {
        const changed = String.fromCodePoint((encrypted.codePointAt(index) ?? 0) ^ (1 << bit));
        const altered = encrypted.slice(0, index) + changed + encrypted.slice(index + 1);
        expect(() => decryptSecret(altered, { accessKeyId, masterKey })).toThrow(SecretUnusableError);
      }
    }
  });

  test('every cut or addition is refused', () => {
    const encrypted = encrypt(EXAMPLE_SECRET);
    for (let length = 0; length < encrypted.length; length += 1) {
      expect(() => decryptSecret(encrypted.slice(0, length), { accessKeyId, masterKey })).toThrow(
        SecretUnusableError,
      );
    }
    expect(() => decryptSecret(`${encrypted}A`, { accessKeyId, masterKey })).toThrow(SecretUnusableError);
    expect(() => decryptSecret(`${encrypted}.AAAA`, { accessKeyId, masterKey })).toThrow(SecretUnusableError);
  });

  test('another master key is told from damage, by its id', () => {
    const other = newMasterKey();
    expect(() => decryptSecret(encrypt(EXAMPLE_SECRET), { accessKeyId, masterKey: other })).toThrow(
      new RegExp(`id ${masterKey.id}, the one in use has id ${other.id}`),
    );
  });

  test('no error shows the secret', () => {
    const secret = 'a-secret-to-look-for';
    const encrypted = encrypt(secret).replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    let caught: unknown;
    try {
      decryptSecret(encrypted, { accessKeyId, masterKey });
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(SecretUnusableError);
    expect(inspect(caught, { depth: 10 })).not.toContain(secret);
  });
});
