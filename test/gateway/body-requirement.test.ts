import { describe, expect, test } from 'vitest';
import { requireBodies } from '../../src/gateway/body-requirement.ts';
import { S3Error } from '../../src/s3/index.ts';
import { signByHeader, UNSIGNED } from '../sigv4/independent-signer.ts';
import { authenticated } from './stages.ts';

const FRAMED = { 'content-length': '99', 'x-amz-decoded-content-length': '5' };
const TRAILER = { ...FRAMED, 'x-amz-trailer': 'x-amz-checksum-crc32' };
const PLAIN = { 'content-length': '5' };

const UPLOADS = {
  'a declared hash': ['a'.repeat(64), PLAIN],
  'signed chunks': ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', FRAMED],
  'signed chunks and a trailer': ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', TRAILER],
  'unsigned chunks and a trailer': ['STREAMING-UNSIGNED-PAYLOAD-TRAILER', TRAILER],
  'a checksum header': [UNSIGNED, { ...PLAIN, 'x-amz-checksum-crc32': 'AAAAAA==' }],
  'Content-MD5': [UNSIGNED, { ...PLAIN, 'content-md5': '1B2M2Y8AsgTpgAmY7PhCfg==' }],
  nothing: [UNSIGNED, PLAIN],
} as const;

type Upload = keyof typeof UPLOADS;

async function upload(name: Upload) {
  const [payloadHash, headers] = UPLOADS[name];
  return authenticated(await signByHeader({ method: 'PUT', path: '/bucket/key', payloadHash, headers }));
}

const SIGNED: readonly Upload[] = ['a declared hash', 'signed chunks', 'signed chunks and a trailer'];
const CHECKSUMMED: readonly Upload[] = ['unsigned chunks and a trailer', 'a checksum header', 'Content-MD5'];

describe.each([
  ['signed', SIGNED, [...CHECKSUMMED, 'nothing']],
  ['checksummed', [...SIGNED, ...CHECKSUMMED], ['nothing']],
  ['any', [...SIGNED, ...CHECKSUMMED, 'nothing'], []],
] as const)('a bucket for %s bodies', (requirement, accepted, refused) => {
  test.each(accepted)('takes an upload that declares %s', async (name) => {
    const request = await upload(name);
    expect(() => {
      requireBodies(request, requirement);
    }).not.toThrow();
  });

  test.each(refused)('refuses one that declares %s', async (name) => {
    const request = await upload(name);
    expect(() => {
      requireBodies(request, requirement);
    }).toThrow(expect.objectContaining({ constructor: S3Error, code: 'AccessDenied', status: 403 }));
  });

  test.each([
    ['GET', '/bucket/key'],
    ['DELETE', '/bucket/key'],
  ])('lets %s %s pass, which carries no body', async (method, path) => {
    const request = await authenticated(await signByHeader({ method, path }));
    expect(() => {
      requireBodies(request, requirement);
    }).not.toThrow();
  });
});

function anonymously() {
  return authenticated({
    method: 'PUT',
    target: '/bucket/key',
    headers: [
      ['host', '127.0.0.1:9000'],
      ['content-length', '5'],
      ['x-amz-content-sha256', 'a'.repeat(64)],
    ],
  });
}

describe('a hash that nobody signed', () => {
  test('is no signed payload', async () => {
    const request = await anonymously();
    expect(() => {
      requireBodies(request, 'signed');
    }).toThrow(expect.objectContaining({ code: 'AccessDenied' }));
  });

  test('is a checksum', async () => {
    const request = await anonymously();
    expect(() => {
      requireBodies(request, 'checksummed');
    }).not.toThrow();
  });
});
