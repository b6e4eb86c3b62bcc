/** CORS configurations. Source: S3 User Guide, "Elements of a CORS configuration"; answers recorded from S3. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { corsHeaders, parseCorsConfiguration, renderCorsConfiguration } from '../../src/s3/index.ts';
import { refusal } from './requests.ts';

/** "Elements of a CORS configuration", the first example. */
const EXAMPLE = `<CORSConfiguration>
 <CORSRule>
   <AllowedOrigin>http://www.example1.com</AllowedOrigin>

   <AllowedMethod>PUT</AllowedMethod>
   <AllowedMethod>POST</AllowedMethod>
   <AllowedMethod>DELETE</AllowedMethod>

   <AllowedHeader>*</AllowedHeader>
 </CORSRule>
 <CORSRule>
   <AllowedOrigin>http://www.example2.com</AllowedOrigin>

   <AllowedMethod>PUT</AllowedMethod>
   <AllowedMethod>POST</AllowedMethod>
   <AllowedMethod>DELETE</AllowedMethod>

   <AllowedHeader>*</AllowedHeader>
 </CORSRule>
 <CORSRule>
   <AllowedOrigin>*</AllowedOrigin>
   <AllowedMethod>GET</AllowedMethod>
 </CORSRule>
</CORSConfiguration>`;

/** The second one, with optional elements. */
const OPTIONAL = `<CORSConfiguration>
 <CORSRule>
   <AllowedOrigin>http://www.example.com</AllowedOrigin>
   <AllowedMethod>PUT</AllowedMethod>
   <AllowedMethod>POST</AllowedMethod>
   <AllowedMethod>DELETE</AllowedMethod>
   <AllowedHeader>*</AllowedHeader>
  <MaxAgeSeconds>3000</MaxAgeSeconds>
  <ExposeHeader>x-amz-server-side-encryption</ExposeHeader>
  <ExposeHeader>x-amz-request-id</ExposeHeader>
  <ExposeHeader>x-amz-id-2</ExposeHeader>
 </CORSRule>
</CORSConfiguration>`;

const MINIMAL = '<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>';
const VARY = 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method';

function rules(...bodies: readonly string[]): string {
  const elements = bodies.map((body) => `<CORSRule>${body}</CORSRule>`).join('');
  return `<CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${elements}</CORSConfiguration>`;
}

/** One rule for one origin. */
function ofOrigin(origin: string, more = ''): string {
  return `<AllowedOrigin>${origin}</AllowedOrigin><AllowedMethod>GET</AllowedMethod>${more}`;
}

function names(count: number): string {
  return Array.from({ length: count }, (_, index) => `x-${index}`).join();
}

/** The answer's headers by name; undefined when nothing is allowed. */
function answer(
  xml: string,
  origin: string,
  method = 'GET',
  headers?: string,
): Readonly<Record<string, string>> | undefined {
  const list = corsHeaders(parseCorsConfiguration(xml), { origin, method, headers });
  if (list === undefined) return undefined;
  const pairs = Array.from({ length: list.length / 2 }, (_, index) => list.slice(2 * index, 2 * index + 2));
  return Object.fromEntries(pairs) as Record<string, string>;
}

describe('a configuration', () => {
  test('is read with all that it may have', () => {
    expect(parseCorsConfiguration(OPTIONAL)).toEqual([
      {
        id: undefined,
        allowedOrigins: ['http://www.example.com'],
        allowedMethods: ['PUT', 'POST', 'DELETE'],
        allowedHeaders: ['*'],
        exposeHeaders: ['x-amz-server-side-encryption', 'x-amz-request-id', 'x-amz-id-2'],
        maxAgeSeconds: 3000,
      },
    ]);
    expect(parseCorsConfiguration(EXAMPLE)).toHaveLength(3);
    expect(parseCorsConfiguration(rules(`<ID>one &amp; only</ID>${MINIMAL}`))[0]?.id).toBe('one & only');
  });

  test('comes back as it was understood', () => {
    for (const xml of [
      EXAMPLE,
      OPTIONAL,
      rules(`<ID>a&lt;b</ID>${ofOrigin('', '<AllowedHeader>X-*</AllowedHeader>')}`),
    ]) {
      const parsed = parseCorsConfiguration(xml);
      expect(parseCorsConfiguration(renderCorsConfiguration(parsed))).toEqual(parsed);
    }
    // As botocore's model has its members.
    expect(renderCorsConfiguration(parseCorsConfiguration(rules(`${MINIMAL}<ID>i</ID>`)))).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>\n${rules(
        '<ID>i</ID><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin>',
      )}`,
    );
  });

  test('has 1 to 100 rules', () => {
    expect(parseCorsConfiguration(rules(...Array.from({ length: 100 }, () => MINIMAL)))).toHaveLength(100);
    expect(
      refusal(() => parseCorsConfiguration(rules(...Array.from({ length: 101 }, () => MINIMAL)))).code,
    ).toBe('MalformedXML');
  });

  test.each<[string, string]>([
    ['no rules', rules()],
    ['an empty rule', rules('')],
    ['no origin', rules('<AllowedMethod>GET</AllowedMethod>')],
    ['no method', rules('<AllowedOrigin>*</AllowedOrigin>')],
    ['an unknown element', rules(`${MINIMAL}<AllowCredentials>true</AllowCredentials>`)],
    ['an unknown element beside the rules', `<CORSConfiguration><Rule/></CORSConfiguration>`],
    ['another root', '<Cors/>'],
    ['elements in an origin', rules(`<AllowedOrigin><a/></AllowedOrigin>${MINIMAL}`)],
    ['two ids', rules(`<ID>a</ID><ID>b</ID>${MINIMAL}`)],
    ['an id of 256 characters', rules(`<ID>${'\u00e9'.repeat(256)}</ID>${MINIMAL}`)],
    ['an age that is no number', rules(`${MINIMAL}<MaxAgeSeconds>1e3</MaxAgeSeconds>`)],
    ['a negative age', rules(`${MINIMAL}<MaxAgeSeconds>-1</MaxAgeSeconds>`)],
    ['an age beyond 32 bits', rules(`${MINIMAL}<MaxAgeSeconds>2147483648</MaxAgeSeconds>`)],
    ['a document type', `<!DOCTYPE a>${rules(MINIMAL)}`],
    ['no XML', '{"CORSRules": []}'],
    ['nothing', ''],
  ])('with %s is malformed', (_, xml) => {
    expect(refusal(() => parseCorsConfiguration(xml))).toMatchObject({
      code: 'MalformedXML',
      message: 'The XML you provided was not well-formed or did not validate against our published schema',
    });
  });

  test.each<[string, string]>([
    [
      '<AllowedOrigin>*</AllowedOrigin><AllowedMethod>MYMETHOD</AllowedMethod>',
      'Found unsupported HTTP method in CORS config. Unsupported method is MYMETHOD',
    ],
    [
      '<AllowedOrigin>*</AllowedOrigin><AllowedMethod>OPTIONS</AllowedMethod>',
      'Found unsupported HTTP method in CORS config. Unsupported method is OPTIONS',
    ],
    [
      '<AllowedOrigin>*</AllowedOrigin><AllowedMethod>get</AllowedMethod>',
      'Found unsupported HTTP method in CORS config. Unsupported method is get',
    ],
    [
      '<AllowedOrigin>*</AllowedOrigin><AllowedMethod/>',
      'Found unsupported HTTP method in CORS config. Unsupported method is ',
    ],
    [ofOrigin('*example*.com'), 'AllowedOrigin "*example*.com" can not have more than one wildcard.'],
    [
      `${MINIMAL}<AllowedHeader>x-*-*</AllowedHeader>`,
      'AllowedHeader "x-*-*" can not have more than one wildcard.',
    ],
    [
      `${MINIMAL}<ExposeHeader>x-amz-*</ExposeHeader>`,
      'ExposeHeader "x-amz-*" contains wildcard. We currently do not support wildcard for ExposeHeader.',
    ],
    [
      `${MINIMAL}<ExposeHeader>x-a&#13;&#10;set-cookie: a</ExposeHeader>`,
      'ExposeHeader "x-a\r\nset-cookie: a" is not the name of a header.',
    ],
  ])('%s is refused', (body, message) => {
    expect(refusal(() => parseCorsConfiguration(rules(body)))).toMatchObject({
      code: 'InvalidRequest',
      message,
    });
  });
});

describe('the rule that holds', () => {
  test("is the first that allows origin, method and headers: the user guide's example", () => {
    expect(answer(EXAMPLE, 'http://www.example1.com', 'PUT')).toEqual({
      'access-control-allow-origin': 'http://www.example1.com',
      'access-control-allow-methods': 'PUT, POST, DELETE',
      'access-control-allow-credentials': 'true',
      vary: VARY,
    });
    expect(
      answer(EXAMPLE, 'http://www.example2.com', 'DELETE', 'x-a')?.['access-control-allow-headers'],
    ).toBe('x-a');
    expect(answer(EXAMPLE, 'http://www.example3.com', 'PUT')).toBeUndefined();
    // The third rule, since the first does not allow GET.
    expect(answer(EXAMPLE, 'http://www.example1.com')).toEqual({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET',
      vary: VARY,
    });
    expect(answer(EXAMPLE, 'http://www.example1.com', 'GET', 'x-a')).toBeUndefined();
  });

  test('says what may be read, and for how long that holds', () => {
    expect(answer(OPTIONAL, 'http://www.example.com', 'PUT', 'Content-Type,x-amz-ACL')).toEqual({
      'access-control-allow-origin': 'http://www.example.com',
      'access-control-allow-methods': 'PUT, POST, DELETE',
      'access-control-allow-headers': 'content-type, x-amz-acl',
      'access-control-expose-headers': 'x-amz-server-side-encryption, x-amz-request-id, x-amz-id-2',
      'access-control-max-age': '3000',
      'access-control-allow-credentials': 'true',
      vary: VARY,
    });
  });

  // The cases of Ceph's s3-tests, `test_cors_origin_response`, which S3 passes.
  test.each<[string, string, boolean]>([
    ['*suffix', 'foo.suffix', true],
    ['*suffix', 'foo.bar', false],
    ['*suffix', 'foo.suffix.get', false],
    ['start*end', 'startend', true],
    ['start*end', 'start1end', true],
    ['start*end', 'start12end', true],
    ['start*end', '0start12end', false],
    ['prefix*', 'prefix', true],
    ['prefix*', 'prefix.suffix', true],
    ['prefix*', 'bla.prefix', false],
    // A wildcard does not let two ends share a character.
    ['aba*aba', 'aba', false],
    ['aba*aba', 'ababa', false],
    ['aba*aba', 'abaaba', true],
    ['http://*.origin.com', 'http://test.origin.com', true],
    ['http://*.origin.com', 'http://test.origin.com/', false],
    ['http://*.origin.com', 'https://test.origin.com', false],
    ['http://example.com', 'http://EXAMPLE.com', false],
    ['http://example.com', 'http://example.com:80', false],
    ['http://example.com:80', 'http://example.com:80', true],
    ['http://example.com', 'http://example.com.evil.test', false],
    ['http://example.com', 'http://exampleXcom', false],
    ['null', 'null', true],
    ['http://example.com', 'null', false],
    ['', '', false],
    ['https://*.example.com', 'https://evil.test/.example.com', false],
    ['https://*.example.com', 'https://evil.test?.example.com', false],
    ['https://*.example.com', 'https://evil.test#.example.com', false],
    ['https://*.example.com', 'https://evil.test\\.example.com', false],
    ['https://*.example.com', 'https://user@a.example.com', false],
    ['https://*.example.com', 'https://evil.test,https://a.example.com', false],
    ['*.example.com', 'https://a.example.com', true],
    ['*.example.com', '/a.example.com', false],
    ['http://*', 'http:///a', false],
    ['http://*', 'http://[::1]:80', true],
    ['moz-extension://*', 'moz-extension://a-b', true],
  ])('%j and the origin %j: %s', (pattern, origin, allowed) => {
    expect(answer(rules(ofOrigin(pattern)), origin)?.['access-control-allow-origin']).toBe(
      allowed ? origin : undefined,
    );
  });

  test.each<[readonly string[], string, string | undefined]>([
    [
      ['*'],
      'x-amz-request-payer, X-Amz-Expected-Bucket-Owner',
      'x-amz-request-payer, x-amz-expected-bucket-owner',
    ],
    [['x-amz-*'], 'x-amz-date,x-amz-', 'x-amz-date, x-amz-'],
    [['x-amz-*'], 'x-amz-date,content-type', undefined],
    [['x-AMZ-server-SIDE-encryption'], 'x-amz-server-side-encryption', 'x-amz-server-side-encryption'],
    [['a', 'b'], ' ,a,\tb ,,', 'a, b'],
    [['a'], 'a,a,A', 'a'],
    [[], 'a', undefined],
    [['*'], 'a b', undefined],
    [['*'], 'a\u00e9', undefined],
    [['*'], 'a:b', undefined],
  ])('%j and the headers %j: %j', (allowed, asked, answered) => {
    const more = allowed.map((header) => `<AllowedHeader>${header}</AllowedHeader>`).join('');
    const got = answer(rules(ofOrigin('http://a', more)), 'http://a', 'GET', asked);
    expect(got?.['access-control-allow-headers']).toBe(answered);
    expect(got === undefined).toBe(answered === undefined);
  });

  test('names no headers where none were asked for', () => {
    expect(answer(rules(MINIMAL), 'http://a', 'GET', ' , ')).toEqual({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET',
      vary: VARY,
    });
  });

  test('never names an origin together with a wildcard beside it', () => {
    const both = `<AllowedOrigin>http://a</AllowedOrigin>${MINIMAL}`;
    expect(answer(rules(both), 'http://a')).toMatchObject({ 'access-control-allow-origin': '*' });
    expect(answer(rules(both), 'http://a')).not.toHaveProperty('access-control-allow-credentials');
  });

  test('is none for a method that is none', () => {
    for (const method of ['get', 'PATCH', 'OPTIONS', '', 'GET\r\n'])
      expect(answer(rules(MINIMAL), 'http://a', method)).toBeUndefined();
  });

  test('is none for more than 100 header names', () => {
    const any = rules(ofOrigin('*', '<AllowedHeader>*</AllowedHeader>'));
    expect(answer(any, 'http://a', 'GET', names(100))).toBeDefined();
    expect(answer(any, 'http://a', 'GET', names(101))).toBeUndefined();
  });

  test('puts nothing into an answer that could end a line', () => {
    const any = rules(ofOrigin('h*', '<AllowedHeader>*</AllowedHeader>'));
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (origin, headers) => {
        const list = corsHeaders(parseCorsConfiguration(any), {
          origin: `h${origin}`,
          method: 'GET',
          headers,
        });
        expect(list?.join('') ?? '').toMatch(/^[ -~]*$/);
      }),
    );
  });
});
