import { describe, expect, test } from 'vitest';
import { accept } from '../../src/gateway/accept.ts';
import { LIMITS, receivedFrom } from './stages.ts';

type Header = readonly [name: string, value: string];

function acceptHeaders(headers: readonly Header[], changes: Parameters<typeof receivedFrom>[1] = {}) {
  return accept(receivedFrom({ method: 'PUT', target: '/b/k', headers }, changes), LIMITS);
}

const HOST: Header = ['Host', 'gateway.example'];

/** With user metadata of `length` bytes. */
function metadata(length: number): readonly Header[] {
  return [HOST, ['x-amz-meta-a', 'x'.repeat(1000)], ['X-Amz-Meta-Bb', 'x'.repeat(length - 1003)]];
}

function refusal(...args: Parameters<typeof acceptHeaders>): unknown {
  try {
    acceptHeaders(...args);
  } catch (error) {
    return error;
  }
  throw new Error('nothing was refused');
}

describe('header limits', () => {
  test('hold for names and values of all headers together', () => {
    const rest = LIMITS.headerBytes - HOST.join('').length - 'X-A'.length;
    expect(acceptHeaders([HOST, ['X-A', 'x'.repeat(rest)]]).wire.headers.get('x-a')).toHaveLength(rest);
    expect(refusal([HOST, ['X-A', 'x'.repeat(rest + 1)]])).toMatchObject({
      status: 400,
      code: 'RequestHeaderSectionTooLarge',
      message: 'Your request header section exceeds the maximum allowed size.',
      details: { MaxSizeAllowed: '8192' },
    });
  });

  test('hold for user metadata, without its prefix', () => {
    expect(acceptHeaders(metadata(2048)).wire.headers.get('x-amz-meta-bb')).toHaveLength(1045);
    expect(refusal(metadata(2049))).toMatchObject({
      status: 400,
      code: 'MetadataTooLarge',
      details: { Size: '2049', MaxSizeAllowed: '2048' },
    });
  });
});

describe('framing that two parsers could read differently is refused:', () => {
  test.each<[string, readonly Header[]]>([
    ['no Host', []],
    ['two Hosts', [HOST, HOST]],
    ['identity', [HOST, ['Transfer-Encoding', 'identity']]],
    ['gzip, chunked', [HOST, ['Transfer-Encoding', 'gzip, chunked']]],
    ['chunked twice', [HOST, ['Transfer-Encoding', 'chunked'], ['Transfer-Encoding', 'chunked']]],
    ['chunked with a parameter', [HOST, ['Transfer-Encoding', 'chunked;a=b']]],
    ['an empty encoding', [HOST, ['Transfer-Encoding', '']]],
    ['encoding and length', [HOST, ['Transfer-Encoding', 'chunked'], ['Content-Length', '5']]],
    ['two lengths', [HOST, ['Content-Length', '5'], ['Content-Length', '5']]],
    ['a negative length', [HOST, ['Content-Length', '-1']]],
    ['a signed length', [HOST, ['Content-Length', '+1']]],
    ['a length in hex', [HOST, ['Content-Length', '0x5']]],
    ['a list of lengths', [HOST, ['Content-Length', '5, 5']]],
    ['a length of 17 digits', [HOST, ['Content-Length', '1'.repeat(17)]]],
    ['an upgrade', [HOST, ['Upgrade', 'websocket']]],
  ])('%s', (_, headers) => {
    expect(refusal(headers)).toMatchObject({ status: 400, code: 'InvalidRequest' });
  });

  test('chunked in HTTP/1.0', () => {
    const headers = [HOST, ['Transfer-Encoding', 'chunked']] as const;
    expect(refusal(headers, { httpVersion: '1.0' })).toMatchObject({ code: 'InvalidRequest' });
  });

  test.each(['0.9', '1.2', '2.0'])('HTTP/%s', (httpVersion) => {
    expect(refusal([HOST], { httpVersion })).toMatchObject({ code: 'InvalidRequest' });
  });
});

describe('what is accepted', () => {
  test.each<[string, readonly Header[]]>([
    ['no body', [HOST]],
    ['a length', [HOST, ['content-length', '0']]],
    ['chunks', [HOST, ['transfer-encoding', 'Chunked']]],
  ])('%s', (_, headers) => {
    expect(acceptHeaders(headers).wire.path).toBe('/b/k');
  });

  test.each(['http://gateway.example/b/k', '*', 'b/k', '/b/k#fragment', '/b/%zz', '/b/%ff', '/b/k?a=%'])(
    'is no target like `%s`',
    (target) => {
      const received = receivedFrom({ method: 'GET', target, headers: [HOST] });
      expect(() => accept(received, LIMITS)).toThrow(expect.objectContaining({ code: 'InvalidURI' }));
    },
  );
});
