/** All operations of the table on a bucket that is a prefix in a shared one: none of them gets out of it. */
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OPERATION_LIST, type Operation } from '../../src/s3/index.ts';
import { runGateway, type RunningGateway } from '../support/running-gateway.ts';
import { sendRaw } from './support/signed-request.ts';

/** With every switch on: what is refused is refused because of the prefix. */
const SETTINGS = `
buckets:
  - name: team-a
    target: shared-data/teams/a/
    operations: [accelerate, analytics, intelligent-tiering, inventory, kms-keys, logging, metadata-tables, metrics, notifications, replication, request-payment, website]
`;
const PATHS = { service: '/', bucket: '/team-a', object: '/team-a/key' };
/** Bodies for operations that refuse an empty one before anything else. */
const BODIES: Readonly<Record<string, string>> = {
  DeleteObjects: '<Delete><Object><Key>key</Key></Object></Delete>',
  PutBucketTagging: '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>',
  PutObjectTagging: '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>',
};

let folder: string;
let gateway: RunningGateway;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bucketwarden-prefix-'));
  const file = join(folder, 'bucketwarden.yaml');
  await writeFile(file, SETTINGS);
  gateway = await runGateway({ file });
  await gateway.upstreamClient().send(new CreateBucketCommand({ Bucket: 'shared-data' }));
});

afterAll(async () => {
  await gateway.stop();
  await rm(folder, { recursive: true });
});

/** The bucket-level operations that may ask the upstream, with what they may ask. */
const ASKS: Readonly<Record<string, RegExp>> = {
  DeleteObjects: /^POST \/shared-data\?delete=1? /,
  GetBucketAcl: /^HEAD \/shared-data /,
  GetBucketLocation: /^HEAD \/shared-data /,
  HeadBucket: /^HEAD \/shared-data /,
  ListMultipartUploads: /^GET \/shared-data\?(?=\S*prefix=teams%2Fa%2F)\S*uploads=/,
  ListObjectVersions: /^GET \/shared-data\?(?=\S*prefix=teams%2Fa%2F)\S*versions=/,
  ListObjects: /^GET \/shared-data\?prefix=teams%2Fa%2F /,
  ListObjectsV2: /^GET \/shared-data\?(?=\S*prefix=teams%2Fa%2F)\S*list-type=2/,
  PutBucketAcl: /^HEAD \/shared-data /,
};

async function linesOf(
  operation: Operation,
): Promise<{ readonly status: number; readonly lines: readonly string[] }> {
  gateway.upstream.clear();
  const { query = [], queryEquals = {}, headers = [] } = operation.match;
  const answer = await sendRaw(gateway, {
    method: operation.method,
    path: PATHS[operation.level],
    query: { ...Object.fromEntries(query.map((name) => [name, '1'])), ...queryEquals },
    headers: {
      ...Object.fromEntries(headers.map((name) => [name, 'team-a/source'])),
      ...(operation.name === 'PutBucketAcl' && { 'x-amz-acl': 'private' }),
    },
    body: BODIES[operation.name] ?? '',
    credentials: gateway.root,
  });
  return { status: answer.status, lines: gateway.upstream.requestLines() };
}

const rows = (level: Operation['level']): (readonly [string, Operation])[] =>
  OPERATION_LIST.filter((operation) => operation.level === level).map((operation) => [
    operation.name,
    operation,
  ]);

const ofBucket = rows('bucket');

describe('on the bucket', () => {
  test.each(ofBucket.filter(([name]) => ASKS[name] === undefined))(
    '%s asks the upstream for nothing',
    async (_, operation) => {
      const { status, lines } = await linesOf(operation);
      expect(lines).toEqual([]);
      // What the gateway answers itself may well be answered.
      expect(operation.handling === 'gateway' || status >= 400).toBe(true);
    },
  );

  test.each(ofBucket.filter(([name]) => ASKS[name] !== undefined))(
    '%s asks for no more than the prefix',
    async (name, operation) => {
      const { lines } = await linesOf(operation);
      expect(lines.length).toBeGreaterThan(0);
      expect(lines.filter((line) => ASKS[name]?.test(line) !== true)).toEqual([]);
    },
  );
});

describe('on an object', () => {
  test.each(rows('object'))('%s stays below the prefix', async (_, operation) => {
    const { lines } = await linesOf(operation);
    expect(lines.filter((line) => !/^[A-Z]+ \/shared-data\/teams\/a\/(?:key|source)[ ?]/.test(line))).toEqual(
      [],
    );
  });

  test('most of them get there', async () => {
    let reached = 0;
    for (const [, operation] of rows('object')) reached += (await linesOf(operation)).lines.length;
    expect(reached).toBeGreaterThan(10);
  });
});
