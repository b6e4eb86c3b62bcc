/** Requests that would make a flood of the access records, or put secrets into them. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BUCKET, openArena, type Arena } from './arena.ts';

let arena: Arena;

beforeAll(async () => {
  arena = await openArena();
});

afterAll(async () => {
  await arena.finish();
});

interface RecordedEntry {
  readonly decision: { readonly effect: string; readonly by?: object; readonly nearest?: readonly object[] };
}

test('a thousand refused keys and a large policy: each has its reason, and the first ones what comes near', async () => {
  const credentials = await arena.gateway.keyWithPolicy('flood', {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 's3:*', Resource: '*' },
      {
        Effect: 'Deny',
        Action: 's3:DeleteObject',
        Resource: '*',
        Condition: {
          StringNotLike: { 'aws:UserAgent': Array.from({ length: 4 }, () => 'x'.repeat(1000)) },
        },
      },
    ],
  });
  const objects = Array.from({ length: 1000 }, (_, index) => `<Object><Key>k${index}</Key></Object>`);
  const body = `<Delete>${objects.join('')}</Delete>`;
  const response = await arena.send(
    arena.sign({
      method: 'POST',
      target: `/${BUCKET}?delete`,
      body,
      credentials,
      headers: [['content-md5', createHash('md5').update(body).digest('base64')]],
    }),
  );
  expect(response.body.match(/<Code>AccessDenied</g)).toHaveLength(1000);
  const record = await arena.gateway.record(response.headers['x-amz-request-id'] ?? '');
  const entries = record['entries'] as readonly RecordedEntry[];
  expect(entries).toHaveLength(1000);
  expect(entries.every(({ decision }) => decision.effect === 'Deny' && decision.by !== undefined)).toBe(true);
  expect(entries.map(({ decision }) => decision.nearest?.length ?? 0)).toEqual(
    entries.map((_, index) => (index < 20 ? 1 : 0)),
  );
  expect(JSON.stringify(record).length).toBeLessThan(500_000);
});

test('where an object leads to is recorded without what would open it', async () => {
  const location = 'https://s3.example/b/k?X-Amz-Date=1&X-Amz-Signature=hunter2';
  const Condition = { StringLike: { 'S3:X-Amz-Website-Redirect-Location': 'https:*' } };
  const credentials = await arena.gateway.keyWithPolicy('leads', {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 's3:*', Resource: '*' },
      { Effect: 'Deny', Action: 's3:PutObject', Resource: '*', Condition },
    ],
  });
  const headers = [['x-amz-website-redirect-location', location]] as const;
  const response = await arena.send(
    arena.sign({ method: 'PUT', target: `/${BUCKET}/leads`, body: 'x', headers, credentials }),
  );
  expect(response.status).toBe(403);
  const record = JSON.stringify(await arena.gateway.record(response.headers['x-amz-request-id'] ?? ''));
  expect(record).toContain('https://s3.example/b/k?X-Amz-Date=1&X-Amz-Signature=REDACTED');
  expect(record).not.toContain('hunter2');
});

test('a key that is there twice, and refused once, is recorded as both', async () => {
  await arena.put('twice', 'x');
  const credentials = await arena.gateway.keyWithPolicy('twice', {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 's3:DeleteObject', Resource: '*' }],
  });
  const body =
    '<Delete><Object><Key>twice</Key><ETag>"x"</ETag></Object><Object><Key>twice</Key></Object></Delete>';
  const headers = [['content-md5', createHash('md5').update(body).digest('base64')]] as const;
  const response = await arena.send(
    arena.sign({ method: 'POST', target: `/${BUCKET}?delete`, body, headers, credentials }),
  );
  expect(response.body).toMatch(/<Deleted><Key>twice<.*<Error><Key>twice<\/Key><Code>AccessDenied</);
  const { entries } = await arena.gateway.record(response.headers['x-amz-request-id'] ?? '');
  expect(entries).toMatchObject([
    { status: 403, errorCode: 'AccessDenied', decision: { effect: 'Deny', action: 's3:GetObject' } },
    { status: 204, decision: { effect: 'Allow' } },
  ]);
});
