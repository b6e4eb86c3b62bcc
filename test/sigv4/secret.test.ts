/* oxlint-disable typescript/restrict-template-expressions, typescript/no-misused-spread -- what lint forbids is tested here */
import { format, inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/sigv4/index.ts';
import { SECRET_ACCESS_KEY } from './independent-signer.ts';

const secret = new Secret(SECRET_ACCESS_KEY);

describe('a secret', () => {
  test('is given out by expose alone', () => {
    expect(secret.expose()).toBe(SECRET_ACCESS_KEY);
  });

  test.each([
    ['a template', `${secret}`],
    ['String()', String(secret)],
    ['a concatenation', `key: ${secret}`],
    ['JSON', JSON.stringify({ secret })],
    ['a key of an object', JSON.stringify({ [secret.toString()]: 1 })],
    ['inspect', inspect(secret)],
    [
      'inspect, deep and with what is hidden',
      inspect({ a: { b: [secret] } }, { depth: 9, showHidden: true }),
    ],
    ['console %s', format('%s', secret)],
    ['console %o', format('%o', secret)],
    ['console %O', format('%O', { secret })],
    ['console %j', format('%j', secret)],
    ['console without a format', format(secret, [secret])],
    ['the message of an error', new Error(`bad ${secret}`).message],
    ['the cause of an error', inspect(new Error('bad', { cause: secret }))],
    ['a property of an error', inspect(Object.assign(new Error('bad'), { secret }), { showHidden: true })],
  ])('does not print in %s', (_, printed) => {
    expect(printed).not.toContain(SECRET_ACCESS_KEY);
    expect(printed).toContain('[secret]');
  });

  test.each([
    ['structured clone', structuredClone({ secret })],
    ['spread', { ...secret }],
    ['entries', Object.entries(secret)],
    ['own properties', Reflect.ownKeys(secret)],
  ])('is not in its %s', (_, copy) => {
    expect(JSON.stringify(copy)).not.toContain(SECRET_ACCESS_KEY);
  });
});
