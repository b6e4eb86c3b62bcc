/** A Deny holds however the request is written, and whatever its condition asks for. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { render } from '../support/raw-signer.ts';
import type { Credentials } from '../support/running-gateway.ts';
import { BUCKET, openArena, type Arena } from './arena.ts';

let arena: Arena;

beforeAll(async () => {
  arena = await openArena();
  await arena.put('secret/x', 'secret');
});

afterAll(async () => {
  await arena.finish();
});

/** May do everything but what the statement denies. */
function allBut(action: string, condition: object): Promise<Credentials> {
  return arena.gateway.keyWithPolicy('attacker', {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 's3:*', Resource: '*' },
      { Effect: 'Deny', Action: action, Resource: '*', Condition: condition },
    ],
  });
}

function copy(credentials: Credentials, source: string) {
  return arena.sign({
    method: 'PUT',
    target: `/${BUCKET}/copy`,
    credentials,
    headers: [['x-amz-copy-source', source]],
  });
}

function onlyConditionalWrites(): Promise<Credentials> {
  return allBut('s3:PutObject', {
    Null: { 's3:if-none-match': 'true' },
    Bool: { 's3:ObjectCreationOperation': 'true' },
  });
}

function noSecretTag(): Promise<Credentials> {
  return allBut('s3:PutObject*', { StringEquals: { 's3:RequestObjectTag/class': 'secret' } });
}

function tag(key: string, value: string): string {
  return `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`;
}

const DENIED = { status: 403, code: 'AccessDenied' };

describe('of a copy source', () => {
  test.each([
    `${BUCKET}/secret/x`,
    `/${BUCKET}/secret/x`,
    `${BUCKET}/s%65cret/x`,
    `/${BUCKET}%2Fsecret%2Fx`,
    `${BUCKET}/secret/x?versionId=null`,
  ])('holds for it written as %s', async (source) => {
    for (const pattern of [`${BUCKET}/secret/*`, `/${BUCKET}/secret/*`]) {
      const key = await allBut('s3:PutObject', { StringLike: { 's3:x-amz-copy-source': pattern } });
      await arena.refuses(copy(key, source), DENIED);
    }
  });

  test.each([`${BUCKET}/public/*`, `/${BUCKET}/public/*`])(
    'that names what is allowed lets no other pass: %s',
    async (pattern) => {
      const key = await allBut('s3:PutObject', { StringNotLike: { 's3:x-amz-copy-source': pattern } });
      await arena.refuses(copy(key, `${BUCKET}/secret/x`), DENIED);
      await arena.put('public/x', 'public');
      const response = await arena.send(copy(key, `/${BUCKET}/p%75blic/x`));
      expect(response.status).toBe(200);
    },
  );

  test('holds for the version of the source', async () => {
    const key = await allBut('s3:GetObjectVersion', { StringEquals: { 's3:VersionId': 'null' } });
    await arena.refuses(copy(key, `${BUCKET}/secret/x?versionId=null`), DENIED);
  });
});

test.each([
  ['callers from elsewhere', { Bool: { 'aws:ViaAWSService': 'false' } }],
  ['callers that are no service', { Bool: { 'aws:PrincipalIsAWSService': 'false' } }],
  ['a region', { StringEquals: { 'aws:RequestedRegion': 'us-east-1' } }],
  ['an account', { StringEquals: { 'aws:ResourceAccount': '000000000000' } }],
  ['an account, in S3 words', { StringEquals: { 's3:ResourceAccount': '000000000000' } }],
])('of %s holds, as AWS fills in its key for every request', async (_, condition) => {
  const key = await allBut('s3:GetObject', {
    NotIpAddress: { 'aws:SourceIp': '192.0.2.0/24' },
    ...condition,
  });
  await arena.refuses(arena.sign({ target: `/${BUCKET}/secret/x`, credentials: key }), DENIED);
});

test.each([
  { StringNotEquals: { 'aws:RequestedRegion': 'us-east-1' } },
  { StringNotEquals: { 'aws:ResourceAccount': '000000000000' } },
])('of other places does not hold here: %j', async (condition) => {
  const credentials = await allBut('s3:GetObject', condition);
  const response = await arena.send(arena.sign({ target: `/${BUCKET}/secret/x`, credentials }));
  expect(response.status).toBe(200);
});

test('of an address holds for a client that resets, whose address the system then forgets', async () => {
  const credentials = await allBut('s3:DeleteObject', { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } });
  for (let i = 0; i < 10; i++) {
    const target = `/${BUCKET}/secret/reset-${i}`;
    await arena.put(`secret/reset-${i}`, 'kept');
    const connection = await arena.connect();
    await connection.write(render(arena.sign({ method: 'DELETE', target, credentials })));
    connection.reset();
    const record = await arena.gateway.line(
      (line) => line['method'] === 'DELETE' && line['requestUri'] === target,
    );
    expect(record).toMatchObject({ remoteAddress: '127.0.0.1', decision: { effect: 'Deny' } });
    expect((await arena.send(arena.sign({ target }))).status).toBe(200);
  }
});

describe('of writes without a condition', () => {
  test('holds for a write and a copy', async () => {
    const credentials = await onlyConditionalWrites();
    const target = `/${BUCKET}/unconditional`;
    await arena.refuses(arena.sign({ method: 'PUT', target, credentials, body: 'x' }), DENIED);
    const headers = [['x-amz-copy-source', `${BUCKET}/secret/x`]] as const;
    await arena.refuses(arena.sign({ method: 'PUT', target, credentials, headers }), DENIED);
  });

  test('lets an upload in parts begin, and holds at its end', async () => {
    const credentials = await onlyConditionalWrites();
    const target = `/${BUCKET}/in-parts`;
    const begun = await arena.send(arena.sign({ method: 'POST', target: `${target}?uploads=`, credentials }));
    const id = /<UploadId>([^<]+)</.exec(begun.body)?.[1] ?? '';
    const part = `${target}?partNumber=1&uploadId=${encodeURIComponent(id)}`;
    const sent = await arena.send(arena.sign({ method: 'PUT', target: part, credentials, body: 'part' }));
    expect([begun.status, sent.status]).toEqual([200, 200]);
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${sent.headers['etag']}</ETag></Part></CompleteMultipartUpload>`;
    const complete = { method: 'POST', target: `${target}?uploadId=${encodeURIComponent(id)}`, body };
    await arena.refuses(arena.sign({ ...complete, credentials }), DENIED);
    await arena.send(arena.sign({ method: 'DELETE', target: complete.target }));
  });
});

describe('of tags', () => {
  test.each(['class=secret', 'class=%73ecret', 'CLASS=a&class=secret', 'class=secret&CLASS=a'])(
    'holds for the header %s',
    async (tags) => {
      const credentials = await noSecretTag();
      const headers = [['x-amz-tagging', tags]] as const;
      const target = `/${BUCKET}/tagged`;
      await arena.refuses(arena.sign({ method: 'PUT', target, credentials, headers, body: 'x' }), DENIED);
    },
  );

  test.each([
    ['?class=public', '%3Fclass=public'],
    ['class=pub+lic&x', 'class=pub%20lic&x='],
    ['a=%c3%a9&&b=1;c=2', 'a=%C3%A9&b=1%3Bc%3D2'],
  ])('they are forwarded as they were understood: %s', async (tags, forwarded) => {
    arena.gateway.upstream.clear();
    const headers = [['x-amz-tagging', tags]] as const;
    await arena.send(arena.sign({ method: 'PUT', target: `/${BUCKET}/tagged`, headers, body: 'x' }));
    expect(arena.gateway.upstream.sent.join('')).toContain(`\r\nx-amz-tagging: ${forwarded}\r\n`);
    // That tag is not `class`.
    const key = await arena.gateway.keyWithPolicy('public-only', {
      Version: '2012-10-17',
      Statement: {
        Effect: 'Allow',
        Action: 's3:PutObject*',
        Resource: '*',
        Condition: { StringEquals: { 's3:RequestObjectTag/class': 'public' } },
      },
    });
    const request = { method: 'PUT', target: `/${BUCKET}/tagged`, credentials: key, headers, body: 'x' };
    await arena.refuses(arena.sign(request), DENIED);
  });

  test.each(['class=%zz', 'class=%ff', 'a=1&a=2', 'class=a&class=secret'])(
    'that cannot be understood are refused: %s',
    async (tags) => {
      const headers = [['x-amz-tagging', tags]] as const;
      const request = arena.sign({ method: 'PUT', target: `/${BUCKET}/tagged`, headers, body: 'x' });
      await arena.refuses(request, { status: 400, code: 'InvalidArgument' });
    },
  );

  test('holds for a document with a tag of the same name in other case', async () => {
    const credentials = await noSecretTag();
    const body = `<Tagging><TagSet>${tag('CLASS', 'a')}${tag('class', 'secret')}</TagSet></Tagging>`;
    const target = `/${BUCKET}/secret/x?tagging=`;
    await arena.refuses(arena.sign({ method: 'PUT', target, credentials, body }), DENIED);
  });
});

describe('of every entry of a DeleteObjects', () => {
  test('tells nothing of the bucket: not that it is there, nor whose it is', async () => {
    const stranger = await arena.gateway.keyWithPolicy('stranger', {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: 'arn:aws:s3:::elsewhere/*' }],
    });
    const body = '<Delete><Object><Key>secret/x</Key></Object></Delete>';
    const ask = async (bucket: string, credentials?: Credentials, headers: [string, string][] = []) => {
      const target = `/${bucket}?delete`;
      const request =
        credentials === undefined
          ? {
              method: 'POST',
              target,
              headers: [
                ['host', arena.host],
                ['content-md5', createHash('md5').update(body).digest('base64')],
                ['content-length', String(body.length)],
                ...headers,
              ] as [string, string][],
              body: Buffer.from(body),
            }
          : arena.sign({ method: 'POST', target, body, credentials, headers });
      const answer = await arena.send(request);
      return { status: answer.status, body: answer.body };
    };
    for (const credentials of [stranger, undefined]) {
      const nothing = await ask('nothing', credentials);
      expect(nothing).toMatchObject({ status: 200, body: expect.stringContaining('AccessDenied') as string });
      expect(await ask(BUCKET, credentials)).toEqual(nothing);
      expect(await ask(BUCKET, credentials, [['x-amz-expected-bucket-owner', '999999999999']])).toEqual(
        nothing,
      );
    }
    expect((await arena.get('secret/x')).body).toBe('secret');
  });
});

describe('of large pages', () => {
  test.each(['', '1000', '+1000', '%201000', '1e3', '0x3e8', `${'0'.repeat(70)}1000`, '-1'])(
    'however `max-keys=%s` is written',
    async (maximum) => {
      const credentials = await allBut('s3:ListBucket*', { NumericGreaterThan: { 's3:max-keys': '10' } });
      for (const listing of ['', 'list-type=2&', 'versions&'])
        await arena.refuses(
          arena.sign({ target: `/${BUCKET}?${listing}max-keys=${maximum}`, credentials }),
          DENIED,
        );
      const few = await arena.send(arena.sign({ target: `/${BUCKET}?max-keys=10`, credentials }));
      expect(few.status).toBe(200);
    },
  );
});

describe('of long retention', () => {
  const KEY = 's3:object-lock-retain-until-date';

  test.each([
    '2080-01-01T00:00:00Z',
    '2080-01-01T00:00:00.0000000000Z',
    'Mon, 01 Jan 2080 00:00:00 GMT',
    '3471292800000',
    '2080-01-01 00:00:00',
    '',
  ])('however the date is written: `%s`', async (date) => {
    const credentials = await allBut('s3:PutObjectRetention', {
      DateGreaterThan: { [KEY]: '2030-01-01T00:00:00Z' },
    });
    await arena.refuses(
      arena.sign({
        method: 'PUT',
        target: `/${BUCKET}/locked`,
        body: 'x',
        credentials,
        headers: [
          ['x-amz-object-lock-mode', 'COMPLIANCE'],
          ['x-amz-object-lock-retain-until-date', date],
        ],
      }),
      DENIED,
    );
  });
});
