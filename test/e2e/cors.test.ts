/** CORS as a page's developer sets it up, and as a browser then asks. Answers as recorded from S3. */
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteBucketCorsCommand,
  GetBucketCorsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketCorsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type CORSRule,
  type S3Client,
} from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runGateway, type RunningGateway } from '../support/running-gateway.ts';

const Bucket = 'pages';
const ORIGIN = 'https://localhost:4200';
const VARY = 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method';
const RULE: CORSRule = {
  AllowedOrigins: [ORIGIN],
  AllowedMethods: ['GET', 'PUT', 'POST'],
  AllowedHeaders: ['*'],
  ExposeHeaders: ['ETag', 'x-amz-request-id'],
  MaxAgeSeconds: 3000,
};

let gateway: RunningGateway;
let s3: S3Client;

beforeAll(async () => {
  gateway = await runGateway();
  s3 = gateway.client();
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'hello' }));
});

afterAll(async () => {
  await gateway.stop();
});

beforeEach(async () => {
  await allow(RULE);
});

async function allow(...CORSRules: CORSRule[]): Promise<void> {
  await s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } }));
}

/** The headers of an answer that CORS is about. */
function corsOf(response: Response): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...response.headers].filter(([name]) => name.startsWith('access-control-') || name === 'vary'),
  );
}

describe('the configuration', () => {
  test('is put, read as it was put, and deleted', async () => {
    const rules: CORSRule[] = [
      { ...RULE, ID: 'one' },
      { AllowedOrigins: ['https://test.com', 'http://test.com:80'], AllowedMethods: ['HEAD'] },
    ];
    await allow(...rules);
    const read = new GetBucketCorsCommand({ Bucket });
    expect((await s3.send(read)).CORSRules).toEqual(rules);
    const deleted = await s3.send(new DeleteBucketCorsCommand({ Bucket }));
    expect(deleted.$metadata.httpStatusCode).toBe(204);
    await expect(s3.send(read)).rejects.toMatchObject({
      name: 'NoSuchCORSConfiguration',
      message: 'The CORS configuration does not exist',
      BucketName: Bucket,
    });
    expect((await s3.send(new DeleteBucketCorsCommand({ Bucket }))).$metadata.httpStatusCode).toBe(204);
  });

  test('that is wrong replaces nothing', async () => {
    await expect(allow({ ...RULE, AllowedMethods: ['PATCH'] })).rejects.toMatchObject({
      name: 'InvalidRequest',
      message: 'Found unsupported HTTP method in CORS config. Unsupported method is PATCH',
    });
    await expect(allow()).rejects.toMatchObject({ name: 'MalformedXML' });
    expect((await s3.send(new GetBucketCorsCommand({ Bucket }))).CORSRules).toEqual([RULE]);
  });

  test('goes with its bucket', async () => {
    const other = 'short-lived';
    await s3.send(new CreateBucketCommand({ Bucket: other }));
    await s3.send(new PutBucketCorsCommand({ Bucket: other, CORSConfiguration: { CORSRules: [RULE] } }));
    await s3.send(new DeleteBucketCommand({ Bucket: other }));
    await s3.send(new CreateBucketCommand({ Bucket: other }));
    await expect(s3.send(new GetBucketCorsCommand({ Bucket: other }))).rejects.toMatchObject({
      name: 'NoSuchCORSConfiguration',
    });
    await s3.send(new DeleteBucketCommand({ Bucket: other }));
  });

  test('is guarded by actions of its own, and unknown upstream', async () => {
    const credentials = await gateway.keyWithPolicy('reader', {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:GetBucketCORS', Resource: `arn:aws:s3:::${Bucket}` }],
    });
    gateway.upstream.clear();
    const reader = gateway.client(credentials);
    expect((await reader.send(new GetBucketCorsCommand({ Bucket }))).CORSRules).toEqual([RULE]);
    const put = new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [RULE] } });
    for (const denied of [put, new DeleteBucketCorsCommand({ Bucket })])
      await expect(reader.send(denied as PutBucketCorsCommand)).rejects.toMatchObject({
        name: 'AccessDenied',
      });
    expect(gateway.upstream.requestLines()).toEqual([]);
  });
});

describe('a page at another origin', () => {
  test('asks before it uploads by a presigned URL, and uploads', async () => {
    const url = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: 'upload' }), { expiresIn: 60 });
    const preflight = await fetch(url, {
      method: 'OPTIONS',
      headers: {
        origin: ORIGIN,
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'Content-Type,x-amz-acl',
      },
    });
    expect(preflight.status).toBe(200);
    expect(await preflight.text()).toBe('');
    expect(preflight.headers.get('content-length')).toBe('0');
    expect(corsOf(preflight)).toEqual({
      'access-control-allow-credentials': 'true',
      'access-control-allow-headers': 'content-type, x-amz-acl',
      'access-control-allow-methods': 'GET, PUT, POST',
      'access-control-allow-origin': ORIGIN,
      'access-control-expose-headers': 'ETag, x-amz-request-id',
      'access-control-max-age': '3000',
      vary: VARY,
    });
    const record = await gateway.record(preflight.headers.get('x-amz-request-id') ?? '');
    expect(record).toMatchObject({ operation: 'OptionsObject', bucket: Bucket, key: 'upload', status: 200 });
    expect(record['requestUri']).not.toContain(new URL(url).searchParams.get('X-Amz-Signature'));

    const put = await fetch(url, { method: 'PUT', body: 'x', headers: { origin: ORIGIN } });
    expect(put.status).toBe(200);
    const headers = {
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, PUT, POST',
      'access-control-allow-origin': ORIGIN,
      'access-control-expose-headers': 'ETag, x-amz-request-id',
      'access-control-max-age': '3000',
      vary: VARY,
    };
    expect(corsOf(put)).toEqual(headers);
    const get = await fetch(await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'upload' })), {
      headers: { origin: ORIGIN },
    });
    expect(await get.text()).toBe('x');
    expect(corsOf(get)).toEqual(headers);
  });

  test('reads why it was refused', async () => {
    const anonymous = await fetch(`${gateway.url}/${Bucket}/k`, { headers: { origin: ORIGIN } });
    expect(anonymous.status).toBe(403);
    expect(corsOf(anonymous)['access-control-allow-origin']).toBe(ORIGIN);
    const missing = await fetch(await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'missing' })), {
      headers: { origin: ORIGIN },
    });
    expect([missing.status, corsOf(missing)['access-control-allow-origin']]).toEqual([404, ORIGIN]);
    const wrong = `${await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'k' }))}0`;
    const forged = await fetch(wrong, { headers: { origin: ORIGIN } });
    expect([forged.status, corsOf(forged)['access-control-allow-origin']]).toEqual([403, ORIGIN]);
    const unknown = await fetch(`${gateway.url}/${Bucket}/k?nonsense`, { headers: { origin: ORIGIN } });
    expect([unknown.status, corsOf(unknown)['access-control-allow-origin']]).toEqual([501, ORIGIN]);
  });

  test('uploads by a form', async () => {
    const { url, fields } = await createPresignedPost(s3, { Bucket, Key: 'form' });
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    form.set('file', new Blob(['of a form']));
    const response = await fetch(url, { method: 'POST', body: form, headers: { origin: ORIGIN } });
    expect([response.status, corsOf(response)['access-control-allow-origin']]).toEqual([204, ORIGIN]);
    const refused = await fetch(url, { method: 'POST', body: new FormData(), headers: { origin: ORIGIN } });
    expect([refused.status, corsOf(refused)['access-control-allow-origin']]).toEqual([400, ORIGIN]);
  });

  test('gets no CORS header where no rule allows it, nor without an Origin', async () => {
    await s3.send(
      new PutBucketPolicyCommand({
        Bucket,
        Policy: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` },
          ],
        }),
      }),
    );
    const get = async (headers: Record<string, string>, method = 'GET'): Promise<Response> => {
      const response = await fetch(`${gateway.url}/${Bucket}/k`, { headers, method });
      await response.text();
      return response;
    };
    for (const origin of ['http://localhost:4200', 'https://localhost:4201', 'null', `${ORIGIN}/`]) {
      const response = await get({ origin });
      expect([response.status, corsOf(response)]).toEqual([200, {}]);
    }
    expect(corsOf(await get({}))).toEqual({});
    expect(corsOf(await get({ referer: ORIGIN }))).toEqual({});
    // HEAD is not allowed by the rule; what a preflight would ask for counts here too.
    expect(corsOf(await get({ origin: ORIGIN }, 'HEAD'))).toEqual({});
    expect(corsOf(await get({ origin: ORIGIN, 'access-control-request-method': 'DELETE' }))).toEqual({});
    await allow({ ...RULE, AllowedHeaders: [] });
    expect(corsOf(await get({ origin: ORIGIN, 'access-control-request-headers': 'x-a' }))).toEqual({});
    expect(corsOf(await get({ origin: ORIGIN }))['access-control-allow-origin']).toBe(ORIGIN);
  });

  test('of any origin gets `*`, without credentials', async () => {
    await allow({ AllowedOrigins: ['*'], AllowedMethods: ['GET'] });
    const response = await fetch(`${gateway.url}/${Bucket}/k`, { headers: { origin: 'http://random:1234' } });
    expect(corsOf(response)).toEqual({
      'access-control-allow-methods': 'GET',
      'access-control-allow-origin': '*',
      vary: VARY,
    });
  });

  test('the SDK itself is not disturbed', async () => {
    const client = gateway.client();
    client.middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers['origin'] = ORIGIN;
        return next(args);
      },
      { step: 'build' },
    );
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'k' }));
    expect(head.ContentLength).toBe(5);
  });
});
