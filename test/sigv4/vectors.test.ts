import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseWireRequest, type QueryParameter, decodeUri } from '../../src/s3/index.ts';
import {
  canonicalQuery,
  canonicalRequest,
  createChunkVerifier,
  createSigningKeys,
  deriveSigningKey,
  genericCanonicalPath,
  isSignatureOf,
  parseSignatureClaim,
  s3CanonicalParts,
  Secret,
  sha256Hex,
  signRequest,
  stringToSign,
  verifySignature,
} from '../../src/sigv4/index.ts';

interface SuiteVector {
  readonly name: string;
  readonly algorithm: string;
  readonly context: {
    readonly credentials: { readonly access_key_id: string; readonly secret_access_key: string };
    readonly normalize: boolean;
    readonly region: string;
    readonly service: string;
    /** The token is added after signing: for services other than S3, where it is always signed. */
    readonly omit_session_token?: boolean;
  };
  readonly request: { readonly method: string; readonly target: string; readonly body: string };
  readonly header?: SuiteForm;
  readonly query?: SuiteForm;
  /** Of SigV4A: coordinates in hex. */
  readonly public_key?: { readonly X: string; readonly Y: string };
}

interface SuiteForm {
  readonly canonical_request: string;
  readonly string_to_sign: string;
  readonly signature: string;
  readonly signed_request: {
    readonly method: string;
    readonly target: string;
    readonly headers: readonly (readonly [string, string])[];
  };
}

function load(file: string): unknown {
  return JSON.parse(readFileSync(new URL(`../vectors/${file}`, import.meta.url), 'utf8'));
}

/** What a signed request of the suite is canonicalised to, read from the request itself and not from the vector. */
function canonicalise(form: SuiteForm, context: SuiteVector['context'], omit?: string): string {
  const { method, target, headers } = form.signed_request;
  const [path, queryText] = splitTarget(target);
  const values = new Map<string, string[]>();
  for (const [name, value] of headers)
    values.set(name.toLowerCase(), [...(values.get(name.toLowerCase()) ?? []), value]);
  const query = parseQuery(queryText).filter(
    ({ name }) => name !== 'X-Amz-Security-Token' || context.omit_session_token !== true,
  );
  const signedHeaders =
    query.find(({ name }) => name === 'X-Amz-SignedHeaders')?.value ??
    /SignedHeaders=([^,]+)/.exec(values.get('authorization')?.[0] ?? '')?.[1] ??
    '';
  const lines = form.canonical_request.split('\n');
  return canonicalRequest({
    method,
    path: genericCanonicalPath(path, { normalize: context.normalize }),
    query: canonicalQuery(query, omit),
    signedHeaders: signedHeaders.split(';'),
    header: (name) => values.get(name)?.join(','),
    payloadHash: lines.at(-1) ?? '',
  });
}

function splitTarget(target: string): [path: string, query: string | undefined] {
  const mark = target.indexOf('?');
  return mark === -1 ? [target, undefined] : [target.slice(0, mark), target.slice(mark + 1)];
}

function parseQuery(text: string | undefined): QueryParameter[] {
  if (text === undefined) return [];
  return text.split('&').map((part) => {
    const [name = '', value = ''] = part.split(/=(.*)/s);
    return { name: decode(name), value: decode(value) };
  });
}

/** The suite has raw UTF-8 in targets, which no HTTP client sends. */
function decode(text: string): string {
  return decodeUri(text) ?? decodeURIComponent(text);
}

const V4 = load('aws-c-auth-v4.json') as { count: number; vectors: SuiteVector[] };
const V4A = load('aws-c-auth-v4a.json') as { count: number; vectors: SuiteVector[] };

describe('the general SigV4 suite', () => {
  test('is all there', () => {
    expect(V4.vectors).toHaveLength(V4.count);
    expect(V4A.vectors).toHaveLength(V4A.count);
  });

  test.each(forms(V4.vectors))('$name', ({ form, omit, context }) => {
    const scope = { date: '20150830', region: context.region, service: context.service };
    const key = deriveSigningKey(new Secret(context.credentials.secret_access_key), scope);
    const canonical = canonicalise(form, context, omit);
    expect(canonical).toBe(form.canonical_request);
    const text = stringToSign('20150830T123600Z', scope, canonical);
    expect(text).toBe(form.string_to_sign);
    expect(createHmac('sha256', key).update(text).digest('hex')).toBe(form.signature);
  });

  test.each(forms(V4A.vectors))('v4a $name', ({ form, omit, context, publicKey }) => {
    const scope = { date: '20150830', service: context.service };
    const canonical = canonicalise(form, context, omit);
    expect(canonical).toBe(form.canonical_request);
    expect(stringToSign('20150830T123600Z', scope, canonical)).toBe(form.string_to_sign);
    const credentials = {
      accessKeyId: context.credentials.access_key_id,
      secretAccessKey: new Secret(context.credentials.secret_access_key),
      secretVersion: '1',
    };
    const key = createSigningKeys({ max: 1 }).verificationKey(credentials, scope);
    if (Buffer.isBuffer(key)) throw new Error('a public key was expected');
    const { x, y } = key.export({ format: 'jwk' });
    expect([x, y]).toEqual(
      [publicKey?.X, publicKey?.Y].map((hex) => Buffer.from(hex ?? '', 'hex').toString('base64url')),
    );
    // Each vector has two signatures, since no two of ECDSA are alike: the suite's, and that of its signed request.
    for (const signature of [form.signature, signatureOf(form)])
      expect(isSignatureOf(form.string_to_sign, signature ?? '', key)).toBe(true);
    expect(isSignatureOf(`${form.string_to_sign} `, form.signature, key)).toBe(false);
  });
});

/** The signature in the Authorization header, or in the query. */
function signatureOf({ signed_request: { headers, target } }: SuiteForm): string | undefined {
  const authorization = headers.find(([name]) => name === 'Authorization')?.[1];
  return /Signature=(\w+)/.exec(authorization ?? target)?.[1];
}

/** Each vector is there as a header and as a query signature, but for a few that have only one of them. */
function forms(vectors: readonly SuiteVector[]) {
  return vectors.flatMap(({ name, context, header, query, public_key: publicKey }) => [
    ...(header === undefined
      ? []
      : [{ name: `${name} (header)`, context, publicKey, form: header, omit: undefined }]),
    ...(query === undefined
      ? []
      : [{ name: `${name} (query)`, context, publicKey, form: query, omit: 'X-Amz-Signature' }]),
  ]);
}

interface S3Vector {
  readonly name: string;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly signed_headers: readonly string[];
  readonly payload_hash: string;
  readonly canonical_request: string;
  readonly string_to_sign: string;
  readonly signature: string;
}

interface StreamingVector {
  readonly name: string;
  readonly seed: S3Vector;
  readonly chunks: readonly { readonly size: number; readonly signature: string }[];
  readonly trailer?: { readonly raw: string; readonly signature: string };
}

const S3 = load('s3-doc-examples.json') as {
  access_key: string;
  secret_key: string;
  region: string;
  vectors: S3Vector[];
  streaming: StreamingVector[];
  post_policy: { policy_base64: string; signature: string };
};
const NOW = Date.UTC(2013, 4, 24, 0, 0, 1);
const SECRET = new Secret(S3.secret_key);
const SCOPE = { date: '20130524', region: S3.region, service: 's3' };
const KEY = deriveSigningKey(SECRET, SCOPE);

function claimOf(vector: S3Vector) {
  const presigned = vector.target.includes('X-Amz-Algorithm');
  const target = presigned ? `${vector.target}&X-Amz-Signature=${vector.signature}` : vector.target;
  const headers = vector.headers.flat();
  if (!presigned)
    headers.push(
      'Authorization',
      `AWS4-HMAC-SHA256 Credential=${S3.access_key}/20130524/${S3.region}/s3/aws4_request,SignedHeaders=${vector.signed_headers.join(';')},Signature=${vector.signature}`,
    );
  const request = parseWireRequest(vector.method, target, headers);
  const claim = parseSignatureClaim(request, { region: S3.region, now: NOW });
  if (claim === undefined) throw new Error('the vector is signed');
  return { request, claim };
}

describe('the worked examples of the S3 API reference', () => {
  test.each([...S3.vectors, ...S3.streaming.map(({ seed }) => seed)])('$name verifies', (vector) => {
    const { request, claim } = claimOf(vector);
    const parts = s3CanonicalParts(request, claim);
    const canonical = canonicalRequest(parts);
    expect(canonical).toBe(vector.canonical_request);
    expect(stringToSign(claim.timestamp, claim.scope, canonical)).toBe(vector.string_to_sign);
    expect(() => {
      verifySignature(parts, claim, KEY);
    }).not.toThrow();
  });

  test.each(S3.vectors.filter(({ target }) => !target.includes('X-Amz-')))(
    '$name is signed alike',
    (vector) => {
      const parsed = parseWireRequest(vector.method, vector.target, []);
      const now = Date.UTC(2013, 4, 24);
      const raw = signRequest(
        {
          method: vector.method,
          path: parsed.path,
          query: parsed.query,
          headers: vector.headers.map(([name, value]) => [name.toLowerCase(), value] as const),
          payloadHash: vector.payload_hash,
        },
        {
          credentials: { accessKeyId: S3.access_key, secretAccessKey: SECRET, secretVersion: '1' },
          region: S3.region,
          signingKeys: createSigningKeys({ max: 10 }),
        },
        now,
      );
      expect(raw.at(-1)).toContain(`Signature=${vector.signature}`);
    },
  );

  test.each(S3.streaming)(
    'the chunks of $name verify, each in its place only',
    ({ seed, chunks, trailer }) => {
      const verifier = createChunkVerifier({
        timestamp: '20130524T000000Z',
        scope: SCOPE,
        signingKey: KEY,
        signature: seed.signature,
      });
      for (const { size, signature } of chunks) {
        const hash = sha256Hex('a'.repeat(size));
        expect(verifier.verifyChunk(sha256Hex('b'), signature)).toBe(false);
        expect(verifier.verifyChunk(hash, signature)).toBe(true);
        expect(verifier.verifyChunk(hash, signature)).toBe(false);
      }
      const trailers = trailer === undefined ? [] : [trailer];
      for (const { raw, signature } of trailers)
        expect(verifier.verifyTrailer(sha256Hex(`${raw}\n`), signature)).toBe(true);
    },
  );

  test('the signing key signs the POST policy', () => {
    const key = deriveSigningKey(SECRET, { date: '20151229', region: 'us-east-1', service: 's3' });
    const signature = createHmac('sha256', key).update(S3.post_policy.policy_base64).digest('hex');
    expect(signature).toBe(S3.post_policy.signature);
  });
});
