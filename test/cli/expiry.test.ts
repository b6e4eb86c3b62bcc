import { describe, expect, test } from 'vitest';
import { parseExpiry } from '../../src/cli/keys/expiry.ts';
import { NOW } from '../identity/fixtures.ts';

describe('--expires', () => {
  test.each([
    ['90m', '2026-03-01T13:30:00.000Z'],
    ['12h', '2026-03-02T00:00:00.000Z'],
    ['30d', '2026-03-31T12:00:00.000Z'],
    ['4w', '2026-03-29T12:00:00.000Z'],
    ['2027-01-01', '2027-01-01T00:00:00.000Z'],
    ['2027-01-01T00:00:00Z', '2027-01-01T00:00:00.000Z'],
    ['2027-01-01T00:00:00+02:00', '2026-12-31T22:00:00.000Z'],
    ['2027-01-01T08:30Z', '2027-01-01T08:30:00.000Z'],
    ['2028-02-29', '2028-02-29T00:00:00.000Z'],
  ])('%s is %s', (text, expected) => {
    expect(new Date(parseExpiry(text, NOW)).toISOString()).toBe(expected);
  });

  test.each([
    '',
    '30',
    '30 d',
    '-1d',
    '1.5d',
    '30y',
    '999999d',
    'never',
    '2027-02-30',
    '2027-13-01',
    '01/02/2027',
    '2027-01-01T00:00:00',
    '2027-01-01 00:00:00Z',
  ])('`%s` is refused', (text) => {
    expect(() => parseExpiry(text, NOW)).toThrow(/neither a duration/);
  });

  test.each(['0d', '2026-03-01', '2026-03-01T12:00:00Z'])('`%s` has passed', (text) => {
    expect(() => parseExpiry(text, NOW)).toThrow(/has passed/);
  });
});
