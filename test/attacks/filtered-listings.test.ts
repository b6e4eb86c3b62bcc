/** Ways to learn the names of keys that a filtered listing leaves out: from its tokens and markers, and by trying. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { gatewayOver } from '../gateway/gateway-over.ts';
import { openListingStore, type ListingStore } from '../e2e/support/listing-store.ts';
import { sendRaw, type RawAnswer } from '../e2e/support/signed-request.ts';
import { runGateway, type Credentials, type RunningGateway } from '../support/running-gateway.ts';

const SETTINGS = `
spool: { enabled: false }
buckets:
  - { name: shared, filterListings: true }
  - { name: other, filterListings: true }
  - { name: open, filterListings: true }
`;
const HIDDEN = 'payroll-2026';
/** In pages of ten these are more than one request of a client reads through. */
const MANY = Array.from({ length: 150 }, (_, number) => ({
  key: `m/${HIDDEN}-${String(number).padStart(5, '0')}`,
  id: `upload-${number}`,
}));
const SHOWN = ['a-mine', 'b-mine', 'z-mine'].map((key) => ({ key, id: 'id-1' }));

let folder: string;
let store: ListingStore;
let gateway: RunningGateway;
let mine: Credentials;
let others: Credentials;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bucketwarden-filtered-'));
  const file = join(folder, 'bucketwarden.yaml');
  await writeFile(file, SETTINGS);
  store = await openListingStore();
  gateway = await runGateway({
    file,
    env: { UPSTREAM_ENDPOINT: store.endpoint, UPSTREAM_BUCKETS: 'shared, other, open' },
  });
  const reads = ['s3:ListBucket*', 's3:GetObject', 's3:GetObjectVersion'];
  const policy = {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: reads, Resource: ['arn:aws:s3:::shared', 'arn:aws:s3:::other'] },
      {
        Effect: 'Allow',
        Action: reads,
        Resource: ['arn:aws:s3:::shared/*-mine', 'arn:aws:s3:::other/*-mine'],
      },
    ],
  };
  mine = await gateway.keyWithPolicy('mine', policy);
  others = await gateway.keyWithPolicy('others', policy);
});

afterAll(async () => {
  await gateway.stop();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(() => {
  store.hold([...SHOWN, ...MANY], 10);
});

interface Listing {
  readonly bucket?: string;
  readonly credentials?: Credentials;
  readonly query: Readonly<Record<string, string>>;
}

function list({ bucket = 'shared', credentials = mine, query }: Listing): Promise<RawAnswer> {
  return sendRaw(gateway, { path: `/${bucket}`, query, credentials });
}

const element = (answer: RawAnswer, name: string): string | undefined =>
  new RegExp(`<${name}>([^<]*)</${name}>`).exec(answer.body)?.[1];
const keysOf = (answer: RawAnswer): readonly string[] =>
  [...answer.body.matchAll(/<Key>([^<]*)</g)].map(([, key]) => key as string);

/** In the clear, in hexadecimal, or in base64 wherever it begins there. */
function tells(text: string, secret: string): boolean {
  const bytes = Buffer.from(secret);
  const spellings = [secret, bytes.toString('hex')];
  for (const before of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    // The characters at both ends hold bits of what stands beside it.
    spellings.push(encoded.replaceAll('=', '').slice(before === 0 ? 0 : before + 1, -1));
  }
  const plain = text.replaceAll('-', '+').replaceAll('_', '/').toLowerCase();
  return spellings.some((spelling) =>
    plain.includes(spelling.replaceAll('-', '+').replaceAll('_', '/').toLowerCase()),
  );
}

test('what a position would tell is found, however it is written', () => {
  for (const before of ['', 'x', 'xy', 'm/'])
    for (const encoding of ['utf8', 'hex', 'base64', 'base64url'] as const)
      expect(tells(Buffer.from(`${before}${HIDDEN}-00001`).toString(encoding), HIDDEN)).toBe(true);
  expect(tells('a-mine', HIDDEN)).toBe(false);
});

const LISTINGS = [
  ['ListObjects', {}, 'marker', 'NextMarker'],
  ['ListObjects with a delimiter', { delimiter: '|' }, 'marker', 'NextMarker'],
  ['ListObjectsV2', { 'list-type': '2' }, 'continuation-token', 'NextContinuationToken'],
  ['ListObjectVersions', { versions: '' }, 'key-marker', 'NextKeyMarker'],
  ['ListMultipartUploads', { uploads: '' }, 'key-marker', 'NextKeyMarker'],
] as const;

describe.each(LISTINGS)('%s', (_, query, marker, next) => {
  test('nothing of a page that ends among hidden keys tells one, and the next page goes on', async () => {
    const short = await list({ query });
    expect(keysOf(short)).toEqual(['a-mine', 'b-mine']);
    expect(element(short, 'IsTruncated')).toBe('true');
    expect(tells(short.body + JSON.stringify(short.headers), HIDDEN)).toBe(false);
    const position = element(short, next) ?? '';
    expect(position).toMatch(/^[\w-]{300,}$/);

    const last = await list({ query: { ...query, [marker]: position } });
    expect(keysOf(last)).toEqual(['z-mine']);
    expect(element(last, 'IsTruncated')).toBe('false');
    expect(tells(last.body, HIDDEN)).toBe(false);
  });
});

describe('a token', () => {
  const V2 = { 'list-type': '2' };
  let token: string;

  beforeAll(async () => {
    store.hold([...SHOWN, ...MANY], 10);
    token = element(await list({ query: V2 }), 'NextContinuationToken') ?? '';
  });

  const withToken = (query: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
    ...V2,
    'continuation-token': token,
    ...query,
  });

  test.each([
    ['of another bucket', () => list({ bucket: 'other', query: withToken() })],
    ['of another caller', () => list({ credentials: others, query: withToken() })],
    ['of another prefix', () => list({ query: withToken({ prefix: 'z' }) })],
    ['of another delimiter', () => list({ query: withToken({ delimiter: '/' }) })],
    ['with a byte more', () => list({ query: withToken({ 'continuation-token': `${token}A` }) })],
    ['with a byte less', () => list({ query: withToken({ 'continuation-token': token.slice(0, -1) }) })],
    ['with padding', () => list({ query: withToken({ 'continuation-token': `${token}=` }) })],
    ['that is a key', () => list({ query: withToken({ 'continuation-token': MANY[0]?.key ?? '' }) })],
    [
      'that is a key in base64, as stores write theirs',
      () =>
        list({
          query: withToken({ 'continuation-token': Buffer.from(MANY[0]?.key ?? '').toString('base64') }),
        }),
    ],
  ])('%s is refused', async (_, send) => {
    expect(await send()).toMatchObject({
      status: 400,
      code: 'InvalidArgument',
      message: 'The continuation token provided is incorrect',
    });
    expect(store.asked).toEqual([]);
  });

  test('that was altered anywhere is refused', async () => {
    for (let at = 0; at < token.length; at += 37) {
      const altered = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
      expect(await list({ query: withToken({ 'continuation-token': altered }) })).toMatchObject({
        status: 400,
      });
    }
    expect(store.asked).toEqual([]);
  });

  test('is as long whatever the hidden key is', async () => {
    store.hold([...SHOWN, ...MANY.map(({ key }) => ({ key: `${key}-${'long'.repeat(10)}` }))], 10);
    expect(element(await list({ query: V2 }), 'NextContinuationToken')).toHaveLength(token.length);
  });

  test('is a key where a marker is expected', async () => {
    store.hold(SHOWN);
    expect(keysOf(await list({ query: { marker: token } }))).toEqual(
      SHOWN.map(({ key }) => key).filter((key) => key > token),
    );
  });
});

test('a marker of somebody else is a key, and so is one that looks sealed', async () => {
  const looksSealed = `M${'x'.repeat(400)}`;
  const ours = element(await list({ query: {} }), 'NextMarker') ?? '';
  store.hold([...SHOWN, { key: `${looksSealed}-mine` }, { key: `${looksSealed}1-mine` }]);
  const theirs = await list({ credentials: others, query: { marker: ours } });
  const behind = [...SHOWN.map(({ key }) => key), `${looksSealed}-mine`, `${looksSealed}1-mine`]
    .filter((key) => key > ours)
    .toSorted();
  expect(keysOf(theirs)).toEqual(behind);
  const marked = await list({ query: { marker: `${looksSealed}-mine` } });
  expect(keysOf(marked)[0]).toBe(`${looksSealed}1-mine`);
});

test('hidden keys that begin with the last of all characters do not keep a listing from going on', async () => {
  store.hold([...SHOWN, ...MANY.map(({ key }) => ({ key: `m\u{10FFFF}/${key}` }))], 10);
  const reader = await gateway.keyWithPolicy('last', {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 's3:ListBucket', Resource: 'arn:aws:s3:::shared' },
      { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::shared/z*' },
    ],
  });
  const keys: string[] = [];
  let token: string | undefined;
  for (let page = 0; page < 5 && (page === 0 || token !== undefined); page += 1) {
    const more = token === undefined ? {} : { 'continuation-token': token };
    const answer = await list({ credentials: reader, query: { 'list-type': '2', ...more } });
    keys.push(...keysOf(answer));
    token = element(answer, 'NextContinuationToken');
  }
  expect({ keys, token }).toEqual({ keys: ['z-mine'], token: undefined });
});

test('what a store says of its own page, whatever version it was asked for, is not passed on', async () => {
  const over = await gatewayOver(
    (_, response) => {
      response.setHeader('content-type', 'application/xml');
      response.end(
        `<ListBucketResult><Name>shared</Name><Prefix/><KeyCount>7</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated><StartAfter>${HIDDEN}</StartAfter><ContinuationToken>${HIDDEN}</ContinuationToken><NextContinuationToken>${HIDDEN}</NextContinuationToken><Contents><Key>a</Key></Contents></ListBucketResult>`,
      );
    },
    {},
    'spool: { enabled: false }\nbuckets: [{ name: shared, filterListings: true }]',
  );
  for (const query of [[], [['list-type', '2']]] as const) {
    const { status, body } = await over.call({ method: 'GET', path: '/shared', query });
    expect([status, /<Key>\w+</.exec(body)?.[0]]).toEqual([200, '<Key>a<']);
    expect(body).not.toContain(HIDDEN);
    expect(body).not.toContain('<KeyCount>7<');
  }
});

describe('trying', () => {
  const few = ['k/payroll', 'k/payroll-1', 'k/salaries'].map((key) => ({ key }));

  test.each(['', 'k', 'k/p', 'k/payroll', 'k/payroll-', 'k/payroll-1', 'k/s', 'k/x'])(
    'a page behind `%s` does not tell what is hidden there',
    async (after) => {
      store.hold([...few, ...SHOWN]);
      const page = await list({ query: { 'list-type': '2', 'start-after': after, 'max-keys': '1' } });
      const expected = after === '' ? 'a-mine' : 'z-mine';
      expect({ keys: keysOf(page), count: element(page, 'KeyCount') }).toEqual({
        keys: [expected],
        count: '1',
      });
    },
  );

  test.each(['k/payroll', 'k/nothing'])('a prefix that is out of reach is empty: `%s`', async (prefix) => {
    store.hold([...few, ...SHOWN]);
    const reader = await gateway.keyWithPolicy('prefix', {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 's3:ListBucket', Resource: 'arn:aws:s3:::shared' },
        { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::shared/a*' },
      ],
    });
    const query = { 'list-type': '2', prefix, 'max-keys': '1', delimiter: '/' };
    const { body } = await list({ credentials: reader, query });
    expect(body.replaceAll(prefix, 'PREFIX')).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Prefix>PREFIX</Prefix><KeyCount>0</KeyCount><MaxKeys>1</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>',
    );
  });
});

test('a key that leads elsewhere when it is read as a path is decided as that path too', async () => {
  store.hold(['team/../payroll', 'team//x', 'team/a', 'team/b/../c'].map((key) => ({ key })));
  const reader = await gateway.keyWithPolicy('team', {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 's3:ListBucket', Resource: 'arn:aws:s3:::shared' },
      { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::shared/team/*' },
    ],
  });
  const page = await list({ credentials: reader, query: { 'list-type': '2' } });
  expect(keysOf(page)).toEqual(['team//x', 'team/a', 'team/b/../c']);
});

test('who has no key sees what is open to all', async () => {
  const policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: '*', Action: 's3:ListBucket', Resource: 'arn:aws:s3:::open' },
      { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::open/*-mine' },
    ],
  });
  const put = { method: 'PUT', path: '/open', query: { policy: '' }, body: policy };
  expect(await sendRaw(gateway, { ...put, credentials: gateway.root })).toMatchObject({ status: 204 });
  const first = await sendRaw(gateway, { path: '/open', query: { 'list-type': '2' } });
  expect(keysOf(first)).toEqual(['a-mine', 'b-mine']);
  const token = element(first, 'NextContinuationToken') ?? '';
  const query = { 'list-type': '2', 'continuation-token': token };
  expect(keysOf(await sendRaw(gateway, { path: '/open', query }))).toEqual(['z-mine']);
  expect(await list({ bucket: 'open', query })).toMatchObject({ status: 400, code: 'InvalidArgument' });
});

test('who may not list is refused, whatever it may read', async () => {
  const nobody = await gateway.keyWithPolicy('reader', {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::shared/*' }],
  });
  expect(await list({ credentials: nobody, query: { 'list-type': '2' } })).toMatchObject({
    status: 403,
    code: 'AccessDenied',
  });
  expect(store.asked).toEqual([]);
});
