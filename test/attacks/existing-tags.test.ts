/** Policies on the tags that an object has: nothing of a request fakes them, and they are asked for only when it matters. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Credentials } from '../support/running-gateway.ts';
import { BUCKET, openArena, type Arena } from './arena.ts';

const OBJECTS = `arn:aws:s3:::${BUCKET}/*`;
const SECRET = { StringEquals: { 's3:ExistingObjectTag/class': 'secret' } };
const PUBLIC = { StringEquals: { 's3:ExistingObjectTag/class': 'public' } };
const EVERYTHING = { Effect: 'Allow', Action: 's3:*', Resource: '*' };

let arena: Arena;
let user: Credentials;

beforeAll(async () => {
  arena = await openArena();
  await store('secret', 'class=secret');
  await store('public', 'class=public&owner=alice');
  await store('plain', '');
  await store('shout', 'CLASS=public');
  await store('both', 'class=public&Class=secret');
  user = await keyWith(EVERYTHING);
});

afterAll(async () => {
  await arena.finish();
});

beforeEach(() => {
  arena.gateway.upstream.clear();
});

function keyWith(...Statement: readonly object[]): Promise<Credentials> {
  return arena.gateway.keyWithPolicy('tags', { Version: '2012-10-17', Statement });
}

async function store(key: string, tags: string): Promise<void> {
  const headers = [['x-amz-tagging', tags]] as const;
  const target = `/${BUCKET}/${key}`;
  const response = await arena.send(arena.sign({ method: 'PUT', target, headers, body: key }));
  expect(response.status).toBe(200);
}

async function get(key: string, credentials: Credentials) {
  const { status, body } = await arena.send(arena.sign({ target: `/${BUCKET}/${key}`, credentials }));
  return { status, body: status === 200 ? body : /<Code>(\w+)/.exec(body)?.[1] };
}

async function tagCount(credentials: Credentials): Promise<string | undefined> {
  const { headers } = await arena.send(arena.sign({ target: `/${BUCKET}/public`, credentials }));
  return headers['x-amz-tagging-count'];
}

function lookUps(): readonly string[] {
  return arena.gateway.upstream.requestLines().filter((line) => /[?&]tagging/.test(line));
}

const refused = { status: 403, body: 'AccessDenied' };

describe('a Deny on a tag of the object', () => {
  test.each([
    ['secret', refused],
    ['public', { status: 200, body: 'public' }],
    ['plain', { status: 200, body: 'plain' }],
    // Two tags, of which a condition can speak of one only.
    ['both', refused],
  ])('%s', async (key, answer) => {
    const credentials = await keyWith(EVERYTHING, {
      Effect: 'Deny',
      Action: 's3:GetObject',
      Resource: OBJECTS,
      Condition: SECRET,
    });
    expect(await get(key, credentials)).toEqual(answer);
    expect(lookUps()).toEqual([`GET /${BUCKET}/${key}?tagging= HTTP/1.1`]);
  });

  test('holds for a HEAD, a range, its copy, and a part that is copied', async () => {
    const credentials = await keyWith(EVERYTHING, {
      Effect: 'Deny',
      Action: 's3:GetObject',
      Resource: OBJECTS,
      Condition: SECRET,
    });
    const source = [['x-amz-copy-source', `${BUCKET}/secret`]] as const;
    const requests = [
      { method: 'HEAD', target: `/${BUCKET}/secret` },
      { target: `/${BUCKET}/secret`, headers: [['range', 'bytes=0-1']] as const },
      { method: 'PUT', target: `/${BUCKET}/copied`, headers: source },
      { method: 'PUT', target: `/${BUCKET}/copied?partNumber=1&uploadId=u`, headers: source },
    ];
    for (const request of requests) {
      arena.gateway.upstream.clear();
      expect((await arena.send(arena.sign({ ...request, credentials }))).status).toBe(403);
      expect(arena.gateway.upstream.requestLines()).toEqual([`GET /${BUCKET}/secret?tagging= HTTP/1.1`]);
    }
  });
});

describe('an Allow on a tag of the object', () => {
  test.each([
    ['public', { status: 200, body: 'public' }],
    ['shout', { status: 200, body: 'shout' }],
    ['secret', refused],
    ['plain', refused],
    // Forbidden, not missing: who may not list learns no names.
    ['missing', refused],
  ])('%s', async (key, answer) => {
    const Condition = PUBLIC;
    const credentials = await keyWith({
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: OBJECTS,
      Condition,
    });
    expect(await get(key, credentials)).toEqual(answer);
    expect(lookUps()).toHaveLength(1);
  });

  test('is recorded with the tags, so that the decision can be made again', async () => {
    const credentials = await keyWith({
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: OBJECTS,
      Condition: PUBLIC,
    });
    const answer = await arena.send(arena.sign({ target: `/${BUCKET}/public`, credentials }));
    const record = await arena.gateway.record(answer.headers['x-amz-request-id'] ?? '');
    expect(record).toMatchObject({
      decision: { effect: 'Allow' },
      evaluation: {
        context: { 's3:ExistingObjectTag/class': 'public', 's3:ExistingObjectTag/owner': 'alice' },
      },
    });
  });
});

describe('cannot be faked', () => {
  test.each([
    ['a header', '', [['x-amz-tagging', 'class=public']]],
    ['a parameter', '?x-amz-tagging=class%3Dpublic', []],
    ['user metadata', '', [['x-amz-meta-class', 'public']]],
    ['the sub-resource', '?tagging', [['x-amz-tagging', 'class=public']]],
  ] as const)('by %s', async (_, query, headers) => {
    const credentials = await keyWith({
      Effect: 'Allow',
      Action: 's3:GetObject*',
      Resource: OBJECTS,
      Condition: PUBLIC,
    });
    const target = `/${BUCKET}/secret${query}`;
    const answer = await arena.send(arena.sign({ target, headers, credentials }));
    expect([403, 501]).toContain(answer.status);
    expect(answer.body).not.toBe('secret');
  });

  test('by the tags that the request would give the object', async () => {
    const credentials = await keyWith({
      Effect: 'Allow',
      Action: 's3:PutObjectTagging',
      Resource: OBJECTS,
      Condition: { StringEquals: { 's3:ExistingObjectTag/owner': 'alice' } },
    });
    const body =
      '<Tagging><TagSet><Tag><Key>owner</Key><Value>alice</Value></Tag><Tag><Key>class</Key><Value>public</Value></Tag></TagSet></Tagging>';
    const write = async (key: string) => {
      const target = `/${BUCKET}/${key}?tagging`;
      return (await arena.send(arena.sign({ method: 'PUT', target, body, credentials }))).status;
    };
    expect(await write('secret')).toBe(403);
    expect(await write('public')).toBe(200);
  });

  test('by a copy that would be given other tags', async () => {
    const credentials = await keyWith(EVERYTHING, {
      Effect: 'Deny',
      Action: 's3:GetObject',
      Resource: OBJECTS,
      Condition: SECRET,
    });
    const headers = [
      ['x-amz-copy-source', `${BUCKET}/secret`],
      ['x-amz-tagging', 'class=public'],
      ['x-amz-tagging-directive', 'REPLACE'],
    ] as const;
    const request = arena.sign({ method: 'PUT', target: `/${BUCKET}/laundered`, headers, credentials });
    expect((await arena.send(request)).status).toBe(403);
    await arena.checkAbsent('laundered');
  });
});

describe('nothing is looked up', () => {
  const deny = { Effect: 'Deny', Action: 's3:GetObject', Resource: OBJECTS, Condition: SECRET };
  const elsewhere = { NotIpAddress: { 'aws:SourceIp': '127.0.0.0/8' } };

  test.each([
    ['no policy asks', [EVERYTHING]],
    ['the action is another', [EVERYTHING, { ...deny, Action: 's3:GetObjectAcl' }]],
    ['the resource is another', [EVERYTHING, { ...deny, Resource: `${OBJECTS}x` }]],
    ['another condition does not hold', [EVERYTHING, { ...deny, Condition: { ...SECRET, ...elsewhere } }]],
  ])('when %s', async (_, statements) => {
    const credentials = await keyWith(...statements);
    expect(await get('secret', credentials)).toEqual({ status: 200, body: 'secret' });
    expect(lookUps()).toEqual([]);
  });

  test('when another Deny decides before', async () => {
    const denyAll = { Effect: 'Deny', Action: 's3:GetObject', Resource: OBJECTS };
    const credentials = await keyWith(EVERYTHING, denyAll, deny);
    expect(await get('secret', credentials)).toEqual(refused);
    expect(arena.gateway.upstream.requestLines()).toEqual([]);
  });

  test.each([
    ['nothing', [deny]],
    ['what is elsewhere', [{ ...deny, Effect: 'Allow', Resource: `arn:aws:s3:::${BUCKET}/public/*` }, deny]],
    ['something else', [{ ...EVERYTHING, Action: 's3:PutObject' }, deny]],
    ['it by a condition that fails', [{ ...EVERYTHING, Condition: { ...elsewhere, ...SECRET } }, deny]],
  ])('for who is allowed %s', async (_, statements) => {
    const credentials = await keyWith(...statements);
    expect(await get('secret', credentials)).toEqual(refused);
    expect(arena.gateway.upstream.requestLines()).toEqual([]);
  });

  // On AWS these actions do not take the key: a policy cannot tell by its tags what may be overwritten or deleted.
  test('to overwrite and to delete', async () => {
    await store('doomed', 'class=secret');
    arena.gateway.upstream.clear();
    const credentials = await keyWith(EVERYTHING, { ...deny, Action: ['s3:PutObject', 's3:DeleteObject'] });
    const target = `/${BUCKET}/doomed`;
    const put = await arena.send(arena.sign({ method: 'PUT', target, body: 'x', credentials }));
    const body = '<Delete><Object><Key>doomed</Key></Object></Delete>';
    const deletion = arena.sign({ method: 'POST', target: `/${BUCKET}?delete`, body, credentials });
    expect([put.status, (await arena.send(deletion)).status]).toEqual([200, 200]);
    expect(lookUps()).toEqual([]);
  });

  test('for what is decided beside the request: the number of tags is then not told', async () => {
    const withoutTags = { ...deny, Action: 's3:GetObjectTagging' };
    const credentials = await keyWith(EVERYTHING, withoutTags);
    expect(await tagCount(credentials)).toBeUndefined();
    expect(lookUps()).toEqual([]);
    expect(await tagCount(user)).toBe('2');
  });

  test('twice: what is known of the object tells whether its number of tags is shown', async () => {
    const credentials = await keyWith(EVERYTHING, { ...deny, Action: 's3:GetObject*' });
    expect(await tagCount(credentials)).toBe('2');
    expect(lookUps()).toHaveLength(1);
  });
});

test('an entry of DeleteObjects that names an entity tag is decided by the tags of its own object', async () => {
  await store('deletable', 'class=public');
  const credentials = await keyWith(EVERYTHING, {
    Effect: 'Deny',
    Action: 's3:GetObject',
    Resource: OBJECTS,
    Condition: SECRET,
  });
  arena.gateway.upstream.clear();
  const entries = ['secret', 'secret', 'deletable'].map(
    (key) => `<Object><Key>${key}</Key><ETag>"0"</ETag></Object>`,
  );
  const body = `<Delete>${entries.join('')}</Delete>`;
  const answer = await arena.send(
    arena.sign({ method: 'POST', target: `/${BUCKET}?delete`, body, credentials }),
  );
  expect(answer.body.match(/<Key>secret<\/Key><Code>AccessDenied/g)).toHaveLength(2);
  expect(lookUps()).toHaveLength(2);
});
