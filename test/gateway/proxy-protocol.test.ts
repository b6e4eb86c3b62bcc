/** The PROXY protocol's header, both versions. Expected bytes: HAProxy, "The PROXY protocol, Versions 1 & 2". */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseProxyHeader, ProxyHeaderError } from '../../src/gateway/proxy-protocol.ts';
import { proxyV2, sslTlv, tlv, type ProxyV2 } from '../support/proxy-header.ts';

const V4: ProxyV2 = { source: '192.0.2.1', target: '198.51.100.2' };
const V6: ProxyV2 = { source: '2001:db8::1', target: '2001:db8::2' };

function parseText(line: string): ReturnType<typeof parseProxyHeader> {
  return parseProxyHeader(Buffer.from(line, 'latin1'));
}

function addressOf(data: Buffer): string | undefined {
  return parseProxyHeader(data)?.client?.address;
}

describe('version 1', () => {
  test.each([
    // The specification's worst cases of each kind.
    ['PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n', '255.255.255.255'],
    [
      'PROXY TCP6 ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n'.replaceAll(
        'ffff:f...f:ffff',
        'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      ),
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    ],
    ['PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n', '192.168.0.1'],
    ['PROXY TCP6 ::ffff:192.0.2.1 ::1 1 0\r\n', '192.0.2.1'],
    ['PROXY UNKNOWN\r\n', undefined],
    ['PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n', undefined],
  ])('%j', (line, address) => {
    expect(parseText(`${line}GET / HTTP/1.1\r\n`)).toEqual({
      client: address === undefined ? undefined : { address, encrypted: false },
      length: line.length,
    });
  });

  test.each([
    'PROXY\r\n',
    'PROXY \r\n',
    'PROXY TCP4\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n',
    'PROXY TCP4  192.0.2.1 198.51.100.2 1 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 1 65536\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n',
    'PROXY TCP4 192.0.2.256 198.51.100.2 1 2\r\n',
    'PROXY TCP4 192.0.2.01 198.51.100.2 1 2\r\n',
    'PROXY TCP4 ::1 ::1 1 2\r\n',
    'PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
    'PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n',
    'PROXY UNKNOWNS\r\n',
    'proxy TCP4 192.0.2.1 198.51.100.2 1 2\r\n',
    'GET / HTTP/1.1\r\n',
    `PROXY UNKNOWN ${'x'.repeat(92)}\r\n`,
    `PROXY ${'x'.repeat(200)}`,
  ])('is refused: %j', (line) => {
    expect(() => parseText(line)).toThrow(ProxyHeaderError);
  });

  test('may have 107 bytes with its end, and no more', () => {
    const longest = `PROXY UNKNOWN ${'x'.repeat(91)}\r\n`;
    expect(longest).toHaveLength(107);
    expect(parseText(longest)).toEqual({ client: undefined, length: 107 });
    expect(parseText(longest.slice(0, 106))).toBeUndefined();
  });
});

describe('version 2', () => {
  test("the specification's example of a receiver: TCP over IPv4", () => {
    const header = Buffer.from('0d0a0d0a000d0a515549540a2111000cc0a80001c0a8000bdc0401bb', 'hex');
    expect(parseProxyHeader(header)).toEqual({
      client: { address: '192.168.0.1', encrypted: false },
      length: 28,
    });
  });

  test('TCP over IPv6, in canonical form; an IPv4-mapped address as IPv4', () => {
    expect(addressOf(proxyV2(V6))).toBe('2001:db8::1');
    expect(addressOf(proxyV2({ source: '::ffff:192.0.2.1', target: '::1' }))).toBe('192.0.2.1');
  });

  test('LOCAL says nothing, whatever follows', () => {
    for (const family of [0x00, 0x11, 0x21, 0xff])
      expect(parseProxyHeader(proxyV2({ ...V4, command: 0, family }))).toMatchObject({ client: undefined });
  });

  test('a source that is not told, or that is a UNIX socket', () => {
    expect(parseProxyHeader(proxyV2({ family: 0x00 }))).toEqual({ client: undefined, length: 16 });
    const unix = proxyV2({ family: 0x31, addresses: Buffer.alloc(216, 'x') });
    expect(parseProxyHeader(unix)).toEqual({ client: undefined, length: 232 });
  });

  test('TLVs are read and passed over', () => {
    const tlvs = [tlv(0x01, 'h2'), tlv(0xea, Buffer.from([1, 2, 3])), tlv(0x04, '')];
    expect(addressOf(proxyV2({ ...V4, tlvs }))).toBe('192.0.2.1');
  });

  test('says whether the client spoke TLS with the proxy', () => {
    const encrypted = (flags: number): boolean | undefined =>
      parseProxyHeader(proxyV2({ ...V4, tlvs: [sslTlv(flags)] }))?.client?.encrypted;
    expect([encrypted(0x01), encrypted(0x07), encrypted(0x00), encrypted(0x06)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(parseProxyHeader(proxyV2(V4))?.client?.encrypted).toBe(false);
  });

  test('a checksum is checked', () => {
    const right = proxyV2({ ...V4, checksum: true });
    expect(addressOf(right)).toBe('192.0.2.1');
    // The source's last byte.
    right[19] = (right[19] ?? 0) ^ 1;
    expect(() => parseProxyHeader(right)).toThrow('checksum');
    expect(() => parseProxyHeader(proxyV2({ ...V4, tlvs: [tlv(0x03, 'abc')] }))).toThrow('checksum');
  });

  test.each<[string, Buffer]>([
    ['version 1 in binary', proxyV2({ ...V4, version: 1 })],
    ['version 3', proxyV2({ ...V4, version: 3 })],
    ['an unknown command', proxyV2({ ...V4, command: 2 })],
    ['UDP', proxyV2({ ...V4, family: 0x12 })],
    ['an unknown family', proxyV2({ ...V4, family: 0x41 })],
    ['a length below that of its addresses', proxyV2({ ...V4, size: 11 })],
    ['IPv6 with the addresses of IPv4', proxyV2({ ...V4, family: 0x21 })],
    ['a length above 4096', proxyV2({ ...V4, size: 4097 })],
    ['a TLV that is cut short', proxyV2({ ...V4, tlvs: [Buffer.from([1, 0])] })],
    ['a TLV longer than the header', proxyV2({ ...V4, tlvs: [Buffer.from([1, 0, 9, 1])] })],
    ['a TLS part without its flags', proxyV2({ ...V4, tlvs: [tlv(0x20, Buffer.from([1]))] })],
  ])('is refused: %s', (_, header) => {
    // With more bytes behind it than the longest header has.
    expect(() => parseProxyHeader(Buffer.concat([header, Buffer.alloc(5000)]))).toThrow(ProxyHeaderError);
  });
});

test('a header is the same wherever the stream is cut', () => {
  const headers = [
    Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.2 1 2\r\n'),
    proxyV2({ ...V4, checksum: true, tlvs: [sslTlv(1)] }),
    proxyV2(V6),
  ];
  for (const header of headers) {
    const stream = Buffer.concat([header, Buffer.from('GET / HTTP/1.1\r\n\r\n')]);
    for (let end = 0; end < header.length; end++)
      expect(parseProxyHeader(stream.subarray(0, end))).toBeUndefined();
    for (let end = header.length; end <= stream.length; end++)
      expect(parseProxyHeader(stream.subarray(0, end))?.length).toBe(header.length);
  }
});

test('any other bytes are refused or waited for, never anything else', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('', 'PROXY ', 'PROXY TCP4 ', '\r\n\r\n\0\r\nQUIT\n', '\r\n\r\n\0\r\nQUIT\n\x21\x11'),
      fc.uint8Array({ maxLength: 300 }),
      (start, rest) => {
        const data = Buffer.concat([Buffer.from(start, 'latin1'), rest]);
        let outcome: unknown;
        try {
          outcome = (parseProxyHeader(data)?.length ?? 0) <= data.length;
        } catch (error) {
          outcome = error instanceof ProxyHeaderError;
        }
        expect(outcome).toBe(true);
      },
    ),
    { numRuns: 2000 },
  );
});
