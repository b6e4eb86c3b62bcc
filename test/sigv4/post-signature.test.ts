/**
 * Signatures of browser forms. The first vector is the worked example of the S3 API reference; the second is what botocore
 * 1.43's `generate_presigned_post` makes of the same key on the same day.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parsePostFields, parseWireRequest, S3Error } from '../../src/s3/index.ts';
import {
  createSigningKeys,
  parsePostClaim,
  Secret,
  verifyPostSignature,
  type PostClaim,
} from '../../src/sigv4/index.ts';
import { ACCESS_KEY_ID, SECRET_ACCESS_KEY } from './independent-signer.ts';

const { post_policy: example } = JSON.parse(
  readFileSync(new URL('../vectors/s3-doc-examples.json', import.meta.url), 'utf8'),
) as {
  readonly post_policy: { readonly policy_base64: string; readonly date: string; readonly signature: string };
};

const BOTOCORE = {
  policy:
    'eyJleHBpcmF0aW9uIjogIjIwMTUtMTItMjlUMDE6MDA6MDBaIiwgImNvbmRpdGlvbnMiOiBbeyJidWNrZXQiOiAic2lndjRleGFtcGxlYnVja2V0In0sIHsia2V5IjogInVzZXIvdXNlcjEvcGhvdG8uanBnIn0sIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwgeyJ4LWFtei1jcmVkZW50aWFsIjogIkFLSUFJT1NGT0ROTjdFWEFNUExFLzIwMTUxMjI5L3VzLWVhc3QtMS9zMy9hd3M0X3JlcXVlc3QifSwgeyJ4LWFtei1kYXRlIjogIjIwMTUxMjI5VDAwMDAwMFoifV19',
  signature: '3364624b39010d9b06f5d9b8c9a18a6e478d261c048159c92f2fd6fa885f14e6',
};

const NOW = Date.UTC(2015, 11, 29);
const FORM = {
  policy: example.policy_base64,
  'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
  'X-Amz-Credential': `${ACCESS_KEY_ID}/20151229/us-east-1/s3/aws4_request`,
  'X-Amz-Date': example.date,
  'X-Amz-Signature': example.signature,
};

function claim(
  form: Readonly<Record<string, string | undefined>>,
  { now = NOW, target = '/bucket', headers = [] as readonly string[] } = {},
): PostClaim | undefined {
  const fields = Object.entries(form).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, value: Buffer.from(value) }],
  );
  const wire = parseWireRequest('POST', target, ['Host', 'h', ...headers]);
  return parsePostClaim(wire, parsePostFields({ fields, filename: undefined }), { region: 'us-east-1', now });
}

function verify(form: Readonly<Record<string, string>>, secret = SECRET_ACCESS_KEY): void {
  const found = claim(form);
  if (found === undefined) throw new Error('no claim');
  const credentials = {
    accessKeyId: found.claim.accessKeyId,
    secretAccessKey: new Secret(secret),
    secretVersion: '1',
  };
  verifyPostSignature(found, createSigningKeys({ max: 1 }).verificationKey(credentials, found.claim.scope));
}

function refusal(act: () => unknown): S3Error {
  try {
    act();
  } catch (error) {
    if (error instanceof S3Error) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

test('the example of the documentation, and that of botocore', () => {
  verify(FORM);
  verify({ ...FORM, policy: BOTOCORE.policy, 'X-Amz-Signature': BOTOCORE.signature });
  expect(claim(FORM)?.claim).toMatchObject({
    form: 'post',
    accessKeyId: ACCESS_KEY_ID,
    signedAt: NOW,
    payloadHash: 'UNSIGNED-PAYLOAD',
  });
});

test.each<[string, Readonly<Record<string, string>>, string?]>([
  ['another signature', { 'X-Amz-Signature': BOTOCORE.signature }],
  ['an empty signature', { 'X-Amz-Signature': '' }],
  ['the signature in upper case', { 'X-Amz-Signature': example.signature.toUpperCase() }],
  ['another policy', { policy: BOTOCORE.policy }],
  ['a policy cut short', { policy: example.policy_base64.slice(0, -2) }],
  ['a policy with white space behind it', { policy: `${example.policy_base64}\r\n` }],
  ['another secret', {}, SECRET_ACCESS_KEY.toLowerCase()],
])('%s does not match', (_, changes, secret) => {
  const form = { ...FORM, ...changes };
  const error = refusal(() => {
    verify(form, secret);
  });
  expect(error).toMatchObject({
    code: 'SignatureDoesNotMatch',
    status: 403,
    details: {
      AWSAccessKeyId: ACCESS_KEY_ID,
      StringToSign: form.policy,
      SignatureProvided: form['X-Amz-Signature'],
    },
  });
  const { StringToSignBytes = '' } = error.details;
  expect(Buffer.from(StringToSignBytes.replaceAll(' ', ''), 'hex').toString()).toBe(form.policy);
  expect(Object.values(error.details)).not.toContain(secret ?? SECRET_ACCESS_KEY);
});

describe('what is needed', () => {
  test.each(['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Date', 'X-Amz-Signature', 'policy'])(
    'all of it, so that %s is missed',
    (name) => {
      const error = refusal(() => claim({ ...FORM, [name]: undefined }));
      const shown = name === 'policy' ? 'Policy' : name;
      expect(error).toMatchObject({
        code: 'InvalidArgument',
        status: 400,
        message: `Bucket POST must contain a field named '${shown}'.  If it is specified, please check the order of the fields.`,
        details: { ArgumentName: shown, ArgumentValue: '' },
      });
    },
  );

  test('S3 misses the algorithm first', () => {
    const error = refusal(() =>
      claim({ ...FORM, 'X-Amz-Algorithm': undefined, 'X-Amz-Credential': undefined }),
    );
    expect(error.details['ArgumentName']).toBe('X-Amz-Algorithm');
  });

  test('a session token alone is half a signature', () => {
    expect(refusal(() => claim({ 'X-Amz-Security-Token': 't' })).code).toBe('InvalidArgument');
  });

  test('no field of it at all: an anonymous form', () => {
    expect(claim({ key: 'a' })).toBeUndefined();
  });

  test('a policy that nobody signed allows nothing', () => {
    expect(refusal(() => claim({ policy: example.policy_base64 })).code).toBe('AccessDenied');
  });
});

describe('what is malformed', () => {
  test.each<[string, string, string, string]>([
    [
      'x-amz-algorithm',
      'X-Amz-Algorithm',
      'AWS4-ECDSA-P256-SHA256',
      'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256" in forms',
    ],
    ['x-amz-algorithm', 'X-Amz-Algorithm', '', 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256" in forms'],
    ['x-amz-date', 'X-Amz-Date', '2015-12-29', 'X-Amz-Date must be formated via ISO8601 Long format'],
    [
      'credential',
      'X-Amz-Credential',
      'AKID',
      'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    ],
    [
      'region',
      'X-Amz-Credential',
      `${ACCESS_KEY_ID}/20151229/eu-west-1/s3/aws4_request`,
      'the region "eu-west-1" is wrong; expecting "us-east-1"',
    ],
    [
      'service',
      'X-Amz-Credential',
      `${ACCESS_KEY_ID}/20151229/us-east-1/ec2/aws4_request`,
      'incorrect service "ec2". This endpoint belongs to "s3".',
    ],
    [
      'terminal',
      'X-Amz-Credential',
      `${ACCESS_KEY_ID}/20151229/us-east-1/s3/aws3`,
      'incorrect terminal "aws3". This endpoint uses "aws4_request".',
    ],
    [
      'day',
      'X-Amz-Credential',
      `${ACCESS_KEY_ID}/20151228/us-east-1/s3/aws4_request`,
      'Invalid credential date. Date is not the same as X-Amz-Date.',
    ],
  ])('%s', (_, name, value, message) => {
    expect(refusal(() => claim({ ...FORM, [name]: value }))).toMatchObject({
      code: 'InvalidArgument',
      status: 400,
      message,
      details: { ArgumentName: name, ArgumentValue: value },
    });
  });

  test('Signature Version 2 is told to use version 4', () => {
    for (const form of [
      { AWSAccessKeyId: 'a', policy: 'p', signature: 's' },
      { ...FORM, Signature: 's' },
    ])
      expect(refusal(() => claim(form))).toMatchObject({
        code: 'InvalidRequest',
        message:
          'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
      });
  });

  test.each<[string, { readonly target?: string; readonly headers?: readonly string[] }]>([
    ['an Authorization header', { headers: ['Authorization', 'AWS4-HMAC-SHA256 Credential=x'] }],
    ['a presigned URL', { target: '/bucket?X-Amz-Signature=x' }],
    ['a URL of version 2', { target: '/bucket?AWSAccessKeyId=x&Signature=y' }],
  ])('%s beside it', (_, options) => {
    for (const form of [FORM, {}])
      expect(refusal(() => claim(form, options))).toMatchObject({
        code: 'InvalidArgument',
        message: expect.stringMatching(/^Only one auth mechanism allowed/) as string,
      });
  });

  test("a proxy's own credentials are not looked at", () => {
    expect(claim(FORM, { headers: ['Authorization', 'Basic YTpi'] })).toBeDefined();
  });
});

test('a form lies in its page for up to seven days, and never in the future', () => {
  const week = 7 * 86_400_000;
  for (const now of [NOW - 900_000, NOW, NOW + week]) expect(claim(FORM, { now })).toBeDefined();
  for (const now of [NOW - 900_001, NOW + week + 1])
    expect(refusal(() => claim(FORM, { now }))).toMatchObject({ code: 'RequestTimeTooSkewed', status: 403 });
});
