import { BlockList, isIPv6 } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileIpRanges, ipInRange, parseIp, parseIpRange } from '../../src/policy/ip.ts';
import { compareDecimals, compileDecimal, parseDate, parseDecimal } from '../../src/policy/scalar.ts';

/** The platform's own reading of addresses and ranges. */
function platformContains(range: string, prefix: number, address: string): boolean {
  const list = new BlockList();
  const family = isIPv6(range) ? 'ipv6' : 'ipv4';
  list.addSubnet(range, prefix, family);
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

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

  test('several ranges hold what the platform says that one of them holds', () => {
    const near = fc.constantFrom('10.0.0.0', '10.0.0.255', '10.1.0.0', '203.0.113.7', '255.255.255.255');
    const v4Range = fc.tuple(fc.oneof(near, fc.ipV4()), fc.nat(32));
    const nearV6 = fc.constantFrom('2001:db8::', '2001:db8::1', '2001:db8:0:1::', 'ffff::');
    const v6Range = fc.tuple(fc.oneof(nearV6, fc.ipV6()), fc.nat(128));
    const range = fc.oneof(v4Range, v6Range);
    const address = fc.oneof(near, nearV6, fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(fc.array(range, { minLength: 1, maxLength: 4 }), address, (written, text) => {
        const ranges = written.map(([base, prefix]) => parseIpRange(`${base}/${prefix}`));
        const matches = compileIpRanges(ranges.filter((each) => each !== undefined));
        const expected = written.some(
          ([base, prefix]) => isIPv6(base) === isIPv6(text) && platformContains(base, prefix, text),
        );
        expect(ranges).not.toContain(undefined);
        expect(matches(text)).toBe(expected);
        expect(matches(`::ffff:${text}`)).toBe(expected && !isIPv6(text));
      }),
      { numRuns: 500 },
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
    '::1.2.3.4:5',
    '1:2:3:4::5:6:7:8',
    '1:2:3:4:5:6:7:8::9',
    '1:2:3:4:5:6:7:8::2::3',
    '1..2.33',
    '1.2.3.a',
    '10.2.3.',
    '100.200',
  ])('`%s` is no address', (text) => {
    expect(parseIp(text)).toBeUndefined();
  });

  test.each([
    '1.2.3.4/',
    '1.2.3.4/33',
    '1.2.3.4/-1',
    '1.2.3.4/a',
    '::/129',
    '::/8x',
    'example/8',
    '1.2.3.4/8/8',
  ])('`%s` is no range', (text) => {
    expect(parseIpRange(text)).toBeUndefined();
  });

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

  test('compare in their usual forms as at any length', () => {
    const part = fc.string({ unit: fc.constantFrom('0', '1', '9'), maxLength: 17 });
    const number = fc
      .tuple(fc.constantFrom('', '', '-', '+'), part, fc.constantFrom('', '.'), part)
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(number, number, (text, wanted) => {
        const expected = parseDecimal(wanted);
        const actual = parseDecimal(text);
        fc.pre(expected !== undefined);
        const order = compileDecimal(expected)(text);
        expect(order && Math.sign(order)).toBe(actual && compareDecimals(actual, expected));
      }),
      { numRuns: 2000 },
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
    ['2026-07-04T12:30:00+23:59', '2026-07-03T12:31:00Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00Z'],
    ['2024-02-29', '2024-02-29T00:00:00Z'],
    ['2000-02-29T23:59:59.999Z', '2000-02-29T23:59:59.999Z'],
    ['0099-12-31T00:00:00.000Z', '0099-12-31T00:00:00.000Z'],
    ['1700000000.5', '2023-11-14T22:13:20.500Z'],
  ])('`%s` is %s', (text, iso) => {
    expect(parseDate(text)).toBe(Date.parse(iso));
  });

  test.each([
    '',
    'now',
    '2026-13-01',
    '2026-02-29',
    '2026-01-00',
    '2026-06-31',
    '2026-09-31',
    '2026-11-31',
    '2026-01-01T00:00:61Z',
    '2026-07-04T12:30:00+24:00',
    '2026-07-04T12:30:00+01:60',
    '2026-02-29T00:00:00.000Z',
    '1900-02-29T00:00:00.000Z',
    '2026-04-31T00:00:00.000Z',
    '2026-00-01T00:00:00.000Z',
    '2026-01-01T25:00:00.000Z',
    '2026-01-01T00:60:00.000Z',
    '2026-01-01T00:00:0a.000Z',
    '2026-01-01T00:00:00,000Z',
    '2026-07-04T24:00:00Z',
    '2026-07-04 12:00',
    '20260704T120000Z',
    '1e9',
  ])('`%s` is no date', (text) => {
    expect(parseDate(text)).toBeUndefined();
  });
});
