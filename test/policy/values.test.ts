import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ipInRange, parseIp, parseIpRange } from '../../src/policy/ip.ts';
import { compareDecimals, parseDate, parseDecimal } from '../../src/policy/scalar.ts';

describe('IP addresses', () => {
  test('every textual form of an IPv6 address is the same address', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        // The WHATWG URL parser is the other implementation here; it writes the canonical form of RFC 5952.
        const canonical = new URL(`http://[${text}]/`).hostname.slice(1, -1);
        expect(parseIp(text)).toBeDefined();
        expect(parseIp(text)).toEqual(parseIp(canonical));
        expect(parseIp(text.toUpperCase())).toEqual(parseIp(canonical));
      }),
    );
  });

  test('an IPv4 address lies in the ranges that its leading bits name', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.nat(32), (text, prefix) => {
        const address = parseIp(text);
        const range = parseIpRange(`${text}/${prefix}`);
        expect(address && range && ipInRange(address, range)).toBe(true);
      }),
    );
  });

  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.4 ',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '12345::',
    'fe80::1%eth0',
    '::1.2.3',
    '1.2.3.4::',
  ])('`%s` is no address', (text) => {
    expect(parseIp(text)).toBeUndefined();
  });

  test.each(['1.2.3.4/', '1.2.3.4/33', '1.2.3.4/-1', '1.2.3.4/a', '::/129', '1.2.3.4/8/8'])(
    '`%s` is no range',
    (text) => {
      expect(parseIpRange(text)).toBeUndefined();
    },
  );

  test('a mapped range is an IPv4 range', () => {
    expect(parseIpRange('::ffff:10.0.0.0/104')).toEqual(parseIpRange('10.0.0.0/8'));
    expect(parseIpRange('::ffff:0:0/96')).toEqual(parseIpRange('0.0.0.0/0'));
    expect(parseIpRange('::ffff:0:0/64')?.version).toBe(6);
  });
});

describe('numbers', () => {
  test('compare by value', () => {
    const integer = fc.integer();
    fc.assert(
      fc.property(integer, integer, (a, b) => {
        const left = parseDecimal(String(a));
        const right = parseDecimal(`${b}.00`);
        expect(left && right && compareDecimals(left, right)).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  test.each(['', '-', '.', '1e3', '0x10', '10abc', ' 1', '1,000', 'Infinity', 'NaN', '1.2.3'])(
    '`%s` is no number',
    (text) => {
      expect(parseDecimal(text)).toBeUndefined();
    },
  );
});

describe('dates', () => {
  test('agree with what the platform writes', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
        (date) => {
          expect(parseDate(date.toISOString())).toBe(date.getTime());
          expect(parseDate(String(Math.floor(date.getTime() / 1000)).padStart(5, '0'))).toBe(
            Math.floor(date.getTime() / 1000) * 1000,
          );
        },
      ),
    );
  });

  test.each([
    ['2026', '2026-01-01T00:00:00Z'],
    ['2026-07', '2026-07-01T00:00:00Z'],
    ['2026-07-04', '2026-07-04T00:00:00Z'],
    ['2026-07-04T12:30Z', '2026-07-04T12:30:00Z'],
    ['2026-07-04T12:30:15.25+01:00', '2026-07-04T11:30:15.250Z'],
    ['2024-02-29', '2024-02-29T00:00:00Z'],
    ['1700000000.5', '2023-11-14T22:13:20.500Z'],
  ])('`%s` is %s', (text, iso) => {
    expect(parseDate(text)).toBe(Date.parse(iso));
  });

  test.each([
    '',
    'now',
    '2026-13-01',
    '2026-02-29',
    '2026-07-04T24:00:00Z',
    '2026-07-04 12:00',
    '20260704T120000Z',
    '1e9',
  ])('`%s` is no date', (text) => {
    expect(parseDate(text)).toBeUndefined();
  });
});
