/** Whose word counts about who the client is. */
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { originOf, trustNetworks, type ClientOrigin } from '../../src/gateway/client-origin.ts';
import type { ProxyHeader } from '../../src/gateway/proxy-protocol.ts';

const PROXY = '10.0.0.1';
const TRUSTED = ['10.0.0.0/8', '2001:db8:aaaa::/48'];
const CLIENT = '203.0.113.7';

function socketOf(remoteAddress: string | undefined, { encrypted = false } = {}): Socket {
  const socket = encrypted ? new TLSSocket(new Socket()) : new Socket();
  return Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress });
}

function origin(
  headers: readonly string[],
  options: {
    readonly from?: string | undefined;
    readonly encrypted?: boolean;
    readonly trusted?: readonly string[];
    readonly proxyHeader?: ProxyHeader;
  } = {},
): ClientOrigin {
  const { from = PROXY, encrypted = false, trusted = TRUSTED, proxyHeader } = options;
  return originOf(socketOf(from, { encrypted }), headers, { trusted: trustNetworks(trusted), proxyHeader });
}

function client(...forwardedFor: readonly string[]): string {
  const { remoteAddress, problem } = origin(forwardedFor.flatMap((value) => ['X-Forwarded-For', value]));
  expect(problem).toBeUndefined();
  return remoteAddress;
}

function secure(headers: readonly string[], encrypted = false): boolean {
  return origin(headers, { encrypted }).secure;
}

function headerOf(address: string, encrypted = false): ProxyHeader {
  return { client: { address, encrypted }, length: 1 };
}

describe('trusted networks', () => {
  test('none are none', () => {
    expect(trustNetworks([])).toBeUndefined();
  });

  test.each<[string, string, boolean]>([
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['192.0.2.1/32', '192.0.2.1', true],
    ['192.0.2.1/32', '192.0.2.2', false],
    ['192.0.2.1', '192.0.2.1', true],
    ['0.0.0.0/0', '192.0.2.1', true],
    ['0.0.0.0/0', '::1', false],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['::1/128', '::1', true],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['::ffff:10.0.0.0/104', '10.1.2.3', true],
    ['::ffff:10.0.0.0/104', '11.1.2.3', false],
  ])('%s has %s: %s', (network, address, expected) => {
    expect(trustNetworks([network])?.has(address)).toBe(expected);
  });
});

describe('X-Forwarded-For', () => {
  test('of a connection from elsewhere means nothing', () => {
    const headers = ['X-Forwarded-For', CLIENT, 'X-Forwarded-Proto', 'https'];
    const expected = {
      remoteAddress: '192.0.2.9',
      peerAddress: '192.0.2.9',
      secure: false,
      problem: undefined,
    };
    expect(origin(headers, { from: '192.0.2.9' })).toEqual(expected);
    expect(origin(headers, { from: '192.0.2.9', trusted: [] })).toEqual(expected);
    expect(origin(['X-Forwarded-For', 'garbage'], { from: '192.0.2.9' })).toEqual(expected);
  });

  test('is read from the right, past trusted proxies, to the first other address', () => {
    expect(client(CLIENT)).toBe(CLIENT);
    expect(client(`${CLIENT}, 10.0.0.2, 10.0.0.3`)).toBe(CLIENT);
    expect(client(`198.51.100.1, ${CLIENT}`)).toBe(CLIENT);
    expect(client(`198.51.100.1, 10.0.0.9, ${CLIENT}, 10.0.0.2`)).toBe(CLIENT);
    expect(client(`not an address, ${CLIENT}`)).toBe(CLIENT);
    expect(client(`${CLIENT},2001:db8:aaaa::5`)).toBe(CLIENT);
  });

  test('of proxies alone is the leftmost of them', () => {
    expect(client('10.0.0.7, 10.0.0.2')).toBe('10.0.0.7');
  });

  test('may come in several fields, which are one list', () => {
    expect(client('198.51.100.1', CLIENT)).toBe(CLIENT);
    expect(client(CLIENT, '10.0.0.2')).toBe(CLIENT);
    expect(client(CLIENT, '', ' , ')).toBe(CLIENT);
  });

  test('is not there: the proxy is the client', () => {
    expect(origin(['Host', 'h'])).toMatchObject({ remoteAddress: PROXY, peerAddress: PROXY });
    expect(client('')).toBe(PROXY);
  });

  test.each([
    [`${CLIENT}:4711`, CLIENT],
    [` \t${CLIENT} `, CLIENT],
    ['2001:DB8:0:0::7', '2001:db8::7'],
    ['[2001:db8::7]', '2001:db8::7'],
    ['[2001:db8::7]:4711', '2001:db8::7'],
    [`::ffff:${CLIENT}`, CLIENT],
    [`[::ffff:${CLIENT}]:80`, CLIENT],
    ['::FFFF:cb00:7107', CLIENT],
  ])('%j is %s', (value, address) => {
    expect(client(value)).toBe(address);
  });

  test.each([
    'unknown',
    '_hidden',
    '"203.0.113.7"',
    '203.0.113.07',
    '203.0.113.256',
    '203.0.113',
    '203.0.113.7/24',
    '203.0.113.7 10.0.0.2',
    '203.0.113.7;10.0.0.2',
    '203.0.113.7:port',
    'for=203.0.113.7',
    'fe80::1%eth0',
    '[::1',
    '::1]',
    '[203.0.113.7]',
    '2001:db8::7:65536:1:1:1:1:1',
    '\u00a0203.0.113.7',
  ])('%j is no address, and the client cannot be told', (value) => {
    const got = origin(['X-Forwarded-For', `${CLIENT}, ${value}, 10.0.0.2`]);
    expect(got.problem).toContain('X-Forwarded-For');
    expect(got.remoteAddress).toBe('10.0.0.2');
  });

  test('an attacker who writes anything to the left changes nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (written) => {
        expect(client(...written, CLIENT)).toBe(CLIENT);
        expect(client(`${written.join(',')},${CLIENT},10.3.2.1`)).toBe(CLIENT);
      }),
    );
  });
});

describe('TLS', () => {
  test('is that of the connection, without a proxy or its word', () => {
    expect(secure([])).toBe(false);
    expect(secure([], true)).toBe(true);
    expect(origin(['X-Forwarded-Proto', 'http'], { from: '192.0.2.9', encrypted: true }).secure).toBe(true);
  });

  test('is what the trusted proxy says', () => {
    expect(secure(['X-Forwarded-Proto', 'https'])).toBe(true);
    expect(secure(['x-forwarded-proto', ' HTTPS '])).toBe(true);
    expect(secure(['X-Forwarded-Proto', 'http'])).toBe(false);
    // The proxy has encrypted anew what came to it in the clear.
    expect(secure(['X-Forwarded-Proto', 'http'], true)).toBe(false);
  });

  test('is what was said last', () => {
    expect(secure(['X-Forwarded-Proto', 'https, http'])).toBe(false);
    expect(secure(['X-Forwarded-Proto', 'http, https'])).toBe(true);
    expect(secure(['X-Forwarded-Proto', 'https', 'X-Forwarded-Proto', 'http'])).toBe(false);
  });

  test.each(['', 'wss', 'https;', 'https http', 'https,', '"https"'])('%j is none', (value) => {
    expect(secure(['X-Forwarded-Proto', value], true)).toBe(false);
  });
});

describe('a PROXY protocol header', () => {
  const spoofed = ['X-Forwarded-For', '192.0.2.66', 'X-Forwarded-Proto', 'https'];

  test('names the client, whose own headers mean nothing', () => {
    expect(origin(spoofed, { proxyHeader: headerOf(CLIENT) })).toEqual({
      remoteAddress: CLIENT,
      peerAddress: PROXY,
      secure: false,
      problem: undefined,
    });
    expect(origin(['X-Forwarded-For', 'garbage'], { proxyHeader: headerOf(CLIENT) }).problem).toBeUndefined();
  });

  test('says whether the client spoke TLS with the proxy', () => {
    expect(origin([], { proxyHeader: headerOf(CLIENT, true) }).secure).toBe(true);
    // Passed through, TLS ends here.
    expect(origin([], { proxyHeader: headerOf(CLIENT, false), encrypted: true }).secure).toBe(true);
  });

  test('may name another trusted proxy, whose headers then count', () => {
    const headers = ['X-Forwarded-For', CLIENT, 'X-Forwarded-Proto', 'https'];
    expect(origin(headers, { proxyHeader: headerOf('10.0.0.2') })).toMatchObject({
      remoteAddress: CLIENT,
      secure: true,
    });
  });

  test('without a source is the proxy itself, and no header counts', () => {
    expect(origin(spoofed, { proxyHeader: { client: undefined, length: 15 } })).toEqual({
      remoteAddress: PROXY,
      peerAddress: PROXY,
      secure: false,
      problem: undefined,
    });
  });
});

test('an IPv4 peer of a socket that listens on IPv6 is written as IPv4', () => {
  expect(origin([], { from: '::ffff:192.0.2.9' })).toMatchObject({
    remoteAddress: '192.0.2.9',
    peerAddress: '192.0.2.9',
  });
  expect(origin(['X-Forwarded-For', CLIENT], { from: '::ffff:10.0.0.1' }).remoteAddress).toBe(CLIENT);
});
