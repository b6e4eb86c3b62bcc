import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runGateway, type RunningGateway } from '../support/running-gateway.ts';

let gateway: RunningGateway;

beforeAll(async () => {
  gateway = await runGateway();
  await gateway.client().send(new CreateBucketCommand({ Bucket: 'docs' }));
});

afterAll(async () => {
  await gateway.stop();
});

test('a signed PUT and GET pass, and both are recorded with the statement that allowed them', async () => {
  const s3 = gateway.client();
  const put = await s3.send(new PutObjectCommand({ Bucket: 'docs', Key: 'a.txt', Body: 'hello' }));
  expect(put.ETag).toBe('"5d41402abc4b2a76b9719d911017c592"');
  const got = await s3.send(new GetObjectCommand({ Bucket: 'docs', Key: 'a.txt' }));
  expect(await got.Body?.transformToString()).toBe('hello');
  const record = await gateway.record(got.$metadata.requestId ?? '');
  expect(record).toMatchObject({
    operation: 'GetObject',
    bucket: 'docs',
    key: 'a.txt',
    principal: 'arn:aws:iam::000000000000:root',
    decision: { effect: 'Allow', action: 's3:GetObject' },
    status: 200,
    bytesSent: 5,
    outcome: 'completed',
  });
});

test('a write that no policy allows is refused before anything reaches the upstream', async () => {
  const reader = await gateway.keyWithPolicy('reader', {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::docs/*' }],
  });
  gateway.upstream.clear();
  const refused = gateway
    .client(reader)
    .send(new PutObjectCommand({ Bucket: 'docs', Key: 'b.txt', Body: 'no' }));
  await expect(refused).rejects.toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
  expect(gateway.upstream.requestLines()).toEqual([]);
  const record = await gateway.line((line) => line['key'] === 'b.txt');
  expect(record).toMatchObject({
    bucketOwner: '000000000000',
    decision: { effect: 'Deny', action: 's3:PutObject', reason: 'no identity policy allows it' },
    status: 403,
    errorCode: 'AccessDenied',
  });
});
