/** Signature Version 4A. The vectors of awslabs/aws-c-auth are in `vectors.test.ts`. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createChunkVerifier,
  createSigningKeys,
  isSignatureOf,
  parseSignatureClaim,
  Secret,
  sha256Hex,
} from '../../src/sigv4/index.ts';
import { derOf, numbersOf, P256_ORDER, signEcdsa } from '../support/raw-ecdsa.ts';
import { presign, signHeader, type SignedRequest } from '../support/raw-signer.ts';
import {
  ACCESS_KEY_ID,
  HOST,
  NOW,
  parse,
  REGION,
  SECRET_ACCESS_KEY,
  verify,
  type WireParts,
} from './independent-signer.ts';
import { claimRefusal, refusal } from './wrong-requests.ts';

const CREDENTIALS = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY };
const SIGNING = {
  accessKeyId: ACCESS_KEY_ID,
  secretAccessKey: new Secret(SECRET_ACCESS_KEY),
  secretVersion: '1',
};
const SCOPE = { date: '20260228', service: 's3' };
const KEY = createSigningKeys({ max: 1 }).verificationKey(SIGNING, SCOPE);
const OPTIONS = { credentials: CREDENTIALS, host: HOST, target: '/b/k', at: NOW, regionSet: REGION } as const;

const byHeader = (changes: Partial<Parameters<typeof signHeader>[0]> = {}): SignedRequest =>
  signHeader({ ...OPTIONS, ...changes });
const byUrl = (changes: Partial<Parameters<typeof presign>[0]> = {}): SignedRequest =>
  presign({ ...OPTIONS, ...changes });

const hex = (number: bigint): string => number.toString(16).padStart(64, '0');

/** The request with another value in one header; undefined leaves it out. */
function withHeader(
  request: WireParts,
  name: string,
  change: (value: string) => string | undefined,
): WireParts {
  return {
    ...request,
    headers: request.headers.flatMap(([field, value]) => {
      const changed = field.toLowerCase() === name ? change(value) : value;
      return changed === undefined ? [] : [[field, changed] as const];
    }),
  };
}

describe('the key pair', () => {
  test('is what aws-c-auth derives', () => {
    // Its test of the key derivation; the vectors have another key.
    const credentials = {
      accessKeyId: 'AKISORANDOMAASORANDOM',
      secretAccessKey: new Secret('q+jcrXGc+0zWN6uzclKVhvMmUsIfRPa4rlRandom'),
      secretVersion: '1',
    };
    const key = createSigningKeys({ max: 1 }).verificationKey(credentials, SCOPE);
    if (Buffer.isBuffer(key)) throw new Error('a public key was expected');
    const { x = '', y = '' } = key.export({ format: 'jwk' });
    expect([x, y].map((text) => Buffer.from(text, 'base64url').toString('hex'))).toEqual([
      '15d242ceebf8d8169fd6a8b5a746c41140414c3b07579038da06af89190fffcb',
      '0515242cedd82e94799482e4c0514b505afccf2c0c98d6a553bf539f424c5ec0',
    ]);
  });

  test('is derived once for a secret, whatever the date', () => {
    let exposed = 0;
    class CountingSecret extends Secret {
      override expose(): string {
        exposed += 1;
        return super.expose();
      }
    }
    const keys = createSigningKeys({ max: 10 });
    const used = { ...SIGNING, secretAccessKey: new CountingSecret(SECRET_ACCESS_KEY) };
    const first = keys.verificationKey(used, SCOPE);
    expect(keys.verificationKey(used, { ...SCOPE, date: '20260301' })).toBe(first);
    expect(exposed).toBe(1);
    expect(keys.verificationKey({ ...used, secretVersion: '2' }, SCOPE)).not.toBe(first);
    expect(exposed).toBe(2);
  });
});

describe('a request signed with SigV4A', () => {
  test('verifies by header and by URL, and says so', () => {
    const expected = { algorithm: 'AWS4-ECDSA-P256-SHA256', accessKeyId: ACCESS_KEY_ID, scope: SCOPE };
    for (let i = 0; i < 20; i++) {
      expect(verify(byHeader({ target: `/b/k%20${i}?acl` }))).toMatchObject({ ...expected, form: 'header' });
      expect(verify(byUrl({ target: `/b/k%20${i}?acl` }))).toMatchObject({ ...expected, form: 'presigned' });
    }
  });

  test.each<[string, (request: WireParts) => WireParts]>([
    ['method', (request) => ({ ...request, method: 'DELETE' })],
    ['path', (request) => ({ ...request, target: request.target.replace('/b/k', '/b/K') })],
    [
      'query',
      (request) => ({
        ...request,
        target: `${request.target}${request.target.includes('?') ? '&' : '?'}acl`,
      }),
    ],
    ['host', (request) => withHeader(request, 'host', () => 'elsewhere')],
  ])('is refused with another %s', (_, change) => {
    for (const request of [byHeader(), byUrl()])
      expect(refusal(() => verify(change(request)))).toMatchObject({ code: 'SignatureDoesNotMatch' });
  });

  test('is refused with the secret of another key, and with the key id of another secret', () => {
    for (const credentials of [
      { ...CREDENTIALS, secretAccessKey: 'x' },
      { ...CREDENTIALS, accessKeyId: 'AKIAI44QH8DHBEXAMPLE' },
    ])
      for (const request of [byHeader({ credentials }), byUrl({ credentials })])
        expect(
          refusal(() =>
            verify(
              JSON.parse(
                JSON.stringify(request).replaceAll(credentials.accessKeyId, ACCESS_KEY_ID),
              ) as WireParts,
            ),
          ),
        ).toMatchObject({ code: 'SignatureDoesNotMatch' });
  });

  test('must not leave the region set unsigned', () => {
    const unsigned = signHeader({ ...OPTIONS, regionSet: undefined as never });
    const authorization = `AWS4-ECDSA-P256-SHA256 Credential=${ACCESS_KEY_ID}/20260228/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=00`;
    const request = withHeader(unsigned, 'authorization', () => authorization);
    const added = { ...request, headers: [...request.headers, ['x-amz-region-set', REGION] as const] };
    expect(refusal(() => verify(added))).toMatchObject({
      code: 'AccessDenied',
      details: { HeadersNotSigned: 'x-amz-region-set' },
    });
  });
});

describe('the scope', () => {
  const malformed = 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/SERVICE/aws4_request".';

  test.each([
    [`20260228/${REGION}/s3/aws4_request`, malformed],
    ['20260228/s3', malformed],
    ['20260228//aws4_request', malformed],
    [
      '2026022/s3/aws4_request',
      'incorrect date format "2026022". This date in the credential must be in the format "yyyyMMdd".',
    ],
    ['20260228/ec2/aws4_request', 'incorrect service "ec2". This endpoint belongs to "s3".'],
    ['20260228/s3/aws5_request', 'incorrect terminal "aws5_request". This endpoint uses "aws4_request".'],
  ])('must not be `%s`', (scope, problem) => {
    const header = withHeader(byHeader(), 'authorization', (value) =>
      value.replace('20260228/s3/aws4_request', scope),
    );
    expect(claimRefusal(header)).toEqual({
      status: 400,
      code: 'AuthorizationHeaderMalformed',
      message: `The authorization header is malformed; ${problem}`,
      details: {},
    });
    const url = byUrl();
    const target = url.target.replace('20260228%2Fs3%2Faws4_request', encodeURIComponent(scope));
    expect(claimRefusal({ ...url, target })).toMatchObject({
      code: 'AuthorizationQueryParametersError',
      message: `Error parsing the X-Amz-Credential parameter; ${problem}`,
    });
  });

  test('of SigV4 has no place without a region', () => {
    const authorization = `AWS4-HMAC-SHA256 Credential=${ACCESS_KEY_ID}/20260228/s3/aws4_request, SignedHeaders=host, Signature=00`;
    expect(claimRefusal(withHeader(byHeader(), 'authorization', () => authorization))).toMatchObject({
      message:
        'The authorization header is malformed; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    });
  });
});

describe('the region set', () => {
  // What S3 took and refused, for its region us-east-1.
  const region = 'us-east-1';
  const claimWith = (request: WireParts) => parseSignatureClaim(parse(request), { region, now: NOW });

  test.each([
    '*',
    'us-*',
    '*-1',
    'u*1',
    '**',
    'US-*',
    'us-east-1*',
    ',us-east-1',
    'us-west-2,us-east-1',
    'us-east-1,us-east-1',
  ])('`%s` names us-east-1', (regionSet) => {
    expect(claimWith(byHeader({ regionSet }))?.algorithm).toBe('AWS4-ECDSA-P256-SHA256');
    expect(claimWith(byUrl({ regionSet }))?.algorithm).toBe('AWS4-ECDSA-P256-SHA256');
  });

  test.each([
    'us-east-?',
    'us-east-10',
    'us-east-',
    'aws-global',
    'us-west-2, us-east-1',
    'us-east-1;us-west-2',
    'us-east-1 us-west-2',
    'u*2*1',
    '*us-east-1-*',
    'us-east-1*us-east-1',
    ',',
  ])('`%s` does not', (regionSet) => {
    const expected = {
      status: 400,
      code: 'RegionSetMismatch',
      message: "The provided X-Amz-Region-Set doesn't match against the requested S3 region.",
      details: { RequestedRegion: region, RegionSet: regionSet },
    };
    expect(refusal(() => claimWith(byHeader({ regionSet })))).toEqual(expected);
    expect(refusal(() => claimWith(byUrl({ regionSet })))).toEqual(expected);
  });

  test('must be there', () => {
    expect(claimRefusal(withHeader(byHeader(), 'x-amz-region-set', () => undefined))).toMatchObject({
      status: 400,
      code: 'InvalidRequest',
      message: 'Missing required header for this request: x-amz-region-set',
    });
    const url = byUrl();
    for (const instead of ['', '&X-Amz-Region-Set='])
      expect(
        claimRefusal({ ...url, target: url.target.replace(/&X-Amz-Region-Set=[^&]*/, instead) }),
      ).toMatchObject({
        status: 400,
        code: 'AuthorizationQueryParametersError',
        message: 'SigV4a query auth requires a non empty x-amz-region-set parameter.',
      });
    // A header says nothing for a presigned URL.
    const moved = { ...url, target: url.target.replace(/&X-Amz-Region-Set=[^&]*/, '') };
    expect(
      claimRefusal({ ...moved, headers: [...moved.headers, ['x-amz-region-set', REGION]] }),
    ).toMatchObject({ code: 'AuthorizationQueryParametersError' });
  });

  test('must not be empty, nor come twice in a URL', () => {
    expect(claimRefusal(byHeader({ regionSet: '' }))).toMatchObject({ code: 'RegionSetMismatch' });
    const url = byUrl();
    expect(claimRefusal({ ...url, target: `${url.target}&X-Amz-Region-Set=*` })).toMatchObject({
      message: 'X-Amz-Region-Set must be given only once',
    });
  });

  test('of many stars takes no time', () => {
    const regionSet = `${'*a'.repeat(2000)}*`;
    expect(claimRefusal(byHeader({ regionSet }))).toMatchObject({ code: 'RegionSetMismatch' });
  });
});

describe('a signature', () => {
  const text = 'AWS4-ECDSA-P256-SHA256\n…';
  const highBit = 1n << 255n;
  // Of a first number that needs a leading zero in DER.
  let right = signEcdsa(CREDENTIALS, text);
  while (numbersOf(right)[0] < highBit) right = signEcdsa(CREDENTIALS, text);
  const [r, s] = numbersOf(right);

  test('is the DER of two numbers', () => {
    expect(derOf(r, s)).toBe(right);
    expect(isSignatureOf(text, right, KEY)).toBe(true);
  });

  test('may be written with either of its two second numbers, as SDKs do', () => {
    expect(isSignatureOf(text, derOf(r, P256_ORDER - s), KEY)).toBe(true);
  });

  test.each<[string, string]>([
    ['nothing', ''],
    ['upper case', right.toUpperCase()],
    ['half a byte', right.slice(0, -1)],
    ['a byte more', `${right}00`],
    ['a byte less', right.slice(0, -2)],
    ['white space', ` ${right}`],
    ['padding', `${right}*`],
    ['no DER', '0'.repeat(144)],
    ['numbers with leading zeros', derOf(r, s, 1)],
    ['a long form of its length', `3081${right.slice(2)}`],
    ['an indefinite length', `3080${right.slice(4)}0000`],
    ['another tag', `31${right.slice(2)}`],
    ['a first number of 0', derOf(0n, s)],
    ['a second number of 0', derOf(r, 0n)],
    ['both 0', derOf(0n, 0n)],
    ['both 1', derOf(1n, 1n)],
    ['the order in place of the first', derOf(P256_ORDER, s)],
    ['the order in place of the second', derOf(r, P256_ORDER)],
    ['the first beyond the order', derOf(r + P256_ORDER, s)],
    ['the second beyond the order', derOf(r, s + P256_ORDER)],
    ['swapped numbers', derOf(s, r)],
    ['a negative first number', derOf(r - highBit, s).replace(hex(r - highBit), hex(r))],
    ['an empty integer', '3006020002020101'],
    ['the raw pair', hex(r) + hex(s)],
    ['64 hex digits, as of SigV4', sha256Hex(text)],
  ])('must not be %s', (_, signature) => {
    expect(signature).not.toBe(right);
    expect(isSignatureOf(text, signature, KEY)).toBe(false);
  });

  test('is of one text only, and of no other number', () => {
    fc.assert(
      fc.property(fc.string(), fc.bigInt({ min: 1n, max: P256_ORDER - 1n }), (other, number) => {
        const signature = signEcdsa(CREDENTIALS, other);
        const [a, b] = numbersOf(signature);
        expect(isSignatureOf(other, signature, KEY)).toBe(true);
        expect(isSignatureOf(`${other} `, signature, KEY)).toBe(false);
        expect(isSignatureOf(other, derOf(number, b), KEY)).toBe(number === a);
      }),
      { numRuns: 100 },
    );
  });

  test('with any bit changed is refused, but where it becomes its twin', () => {
    fc.assert(
      fc.property(fc.nat({ max: right.length / 2 - 1 }), fc.nat({ max: 7 }), (index, bit) => {
        const bytes = Buffer.from(right, 'hex');
        bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
        expect(isSignatureOf(text, bytes.toString('hex'), KEY)).toBe(false);
      }),
    );
  });
});

const HELLO = Buffer.from('hello');
/** A new chain and what verifies it. */
const start = () => {
  const { chain } = byHeader({
    method: 'PUT',
    payloadHash: 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER',
  });
  const verifier = createChunkVerifier({
    timestamp: '20260228T235959Z',
    scope: SCOPE,
    signingKey: KEY,
    signature: chain.signature,
  });
  return { chain, verifier };
};

describe('signed chunks', () => {
  test('verify one after the other, the padding not being part of what the next builds on', () => {
    const { chain, verifier } = start();
    expect(verifier.signatureLength).toBe(144);
    for (const data of [HELLO, Buffer.alloc(0)]) {
      const signature = chain.chunk(data);
      expect(signature).toMatch(/^[0-9a-f]{138,144}\**$/);
      expect(verifier.verifyChunk(sha256Hex('other'), signature)).toBe(false);
      expect(verifier.verifyChunk(sha256Hex(data), signature)).toBe(true);
      expect(verifier.verifyChunk(sha256Hex(data), signature)).toBe(false);
    }
    const lines = 'x-amz-checksum-crc32:AAAAAA==\n';
    expect(verifier.verifyTrailer(sha256Hex(lines), chain.trailer(lines))).toBe(true);
  });

  test.each<[string, (signature: string) => string]>([
    ['no padding', (signature) => signature.replaceAll('*', '')],
    ['padding in front', (signature) => signature.replaceAll('*', '').padStart(144, '*')],
    ['zeros for padding', (signature) => signature.replaceAll('*', '').padEnd(144, '0')],
    ['a star too few', (signature) => signature.slice(0, -1)],
    ['a star too many', (signature) => `${signature}*`],
    ['nothing but padding', () => '*'.repeat(144)],
    ['a star between', (signature) => `*${signature.slice(0, -1)}`],
  ])('are refused with %s', (_, change) => {
    // A signature of 144 digits has no padding to change.
    let { chain, verifier } = start();
    let signature = chain.chunk(HELLO);
    while (!signature.endsWith('*')) {
      ({ chain, verifier } = start());
      signature = chain.chunk(HELLO);
    }
    expect(verifier.verifyChunk(sha256Hex(HELLO), change(signature))).toBe(false);
    expect(verifier.verifyChunk(sha256Hex(HELLO), signature)).toBe(true);
  });

  test('of the form of the other algorithm are refused', () => {
    const payload = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
    expect(claimRefusal(byHeader({ method: 'PUT', payloadHash: payload }))).toMatchObject({
      code: 'InvalidArgument',
      details: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: payload },
    });
    const asymmetric = 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD';
    const hmac = signHeader({
      credentials: CREDENTIALS,
      host: HOST,
      target: '/b/k',
      at: NOW,
      region: REGION,
      payloadHash: asymmetric,
    });
    expect(claimRefusal(hmac)).toMatchObject({ code: 'InvalidArgument' });
  });
});
