/** What is no bucket policy is refused in AWS's words, with where it is wrong and what to do beside them. */
import {
  CreateBucketCommand,
  GetBucketPolicyCommand,
  PutBucketPolicyCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorElements } from '../attacks/arena.ts';
import { runGateway, type RunningGateway } from '../support/running-gateway.ts';
import { sendRaw } from './support/signed-request.ts';

interface Case {
  readonly id: string;
  readonly policyType: string;
  readonly document: string | object;
  readonly expected: string;
  readonly expectedMessage?: string;
}

/** The bucket of the cases. */
const Bucket = 'logs';

const CASES = readFileSync(join(import.meta.dirname, '../policy/cases/validation.jsonl'), 'utf8')
  .split('\n')
  .filter((line) => line.includes('"policyType": "resource"'))
  .map((line) => JSON.parse(line) as Case);
const GOOD = CASES.filter(({ expected }) => expected === 'Valid');
const BAD = CASES.filter(({ expected }) => expected === 'MalformedPolicy');

const textOf = ({ document }: Case): string =>
  typeof document === 'string' ? document : JSON.stringify(document);

/** A good policy of so many bytes. */
function padded(size: number): string {
  const text = textOf(GOOD[0] as Case);
  return text.slice(0, -1) + ' '.repeat(size - text.length) + text.slice(-1);
}

let gateway: RunningGateway;
let s3: S3Client;

beforeAll(async () => {
  gateway = await runGateway();
  s3 = gateway.client();
  await s3.send(new CreateBucketCommand({ Bucket }));
});

afterAll(async () => {
  await gateway.stop();
});

const send = (body: string | Buffer) =>
  sendRaw(gateway, {
    method: 'PUT',
    path: `/${Bucket}`,
    query: { policy: '' },
    body,
    credentials: gateway.root,
  });

const stored = async (): Promise<string | undefined> =>
  (await s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy;

test('there are cases of both kinds', () => {
  expect(GOOD.length).toBeGreaterThan(15);
  expect(BAD.length).toBeGreaterThan(50);
});

describe('a good policy', () => {
  test.each(GOOD.map((one) => [one.id, one] as const))('%s is given back byte by byte', async (_, one) => {
    expect((await send(textOf(one))).status).toBe(204);
    expect(await stored()).toBe(textOf(one));
  });
});

describe('a bad policy', () => {
  const before = textOf(GOOD[0] as Case);

  beforeAll(async () => {
    await send(before);
  });

  test.each(BAD.map((one) => [one.id, one] as const))('%s', async (_, one) => {
    const answer = await send(textOf(one));
    expect(answer).toMatchObject({ status: 400, code: 'MalformedPolicy' });
    const { Message, Detail, Line, Column } = errorElements(answer.body);
    expect(Message).toBe(one.expectedMessage ?? Message);
    expect(Detail).toMatch(/./);
    // Not all of them are where a text has a line for it: an empty one has its first.
    const lines = textOf(one).split('\n');
    expect(Number(Line)).toBeGreaterThanOrEqual(1);
    expect(Number(Line)).toBeLessThanOrEqual(lines.length);
    expect(Number(Column)).toBeGreaterThanOrEqual(1);
    expect(Number(Column)).toBeLessThanOrEqual((lines[Number(Line) - 1] ?? '').length + 1);
  });

  test('that is not UTF-8 is none', async () => {
    const policy = Buffer.from(before.replace('logs', 'l\u00ffgs'), 'latin1');
    expect(await send(policy)).toMatchObject({ status: 400, code: 'MalformedPolicy' });
  });

  test('replaces no good one', async () => {
    expect(await stored()).toBe(before);
  });

  test('of more than 20 KB is told its size; one that is far longer is not read', async () => {
    expect((await send(padded(20 * 1024))).status).toBe(204);
    const over = await send(padded(20 * 1024 + 1));
    expect(errorElements(over.body)).toMatchObject({
      Code: 'MalformedPolicy',
      Message: 'Policy exceeds the maximum allowed document size.',
      Detail: 'the document has 20481 bytes, the limit is 20480; use wildcards or fewer statements',
    });
    expect(await send(padded(65 * 1024))).toMatchObject({ status: 400, code: 'MaxMessageLengthExceeded' });
  });

  test('tells the SDK line, column and what to do', async () => {
    const Policy = `{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
    "Resource": ["arn:aws:s3:::logs/*", "arn:aws:s3:::others/*"]
  }]
}`;
    await expect(s3.send(new PutBucketPolicyCommand({ Bucket, Policy }))).rejects.toMatchObject({
      name: 'MalformedPolicy',
      message: 'Policy has invalid resource',
      Line: '5',
      Column: '41',
      Detail:
        '`arn:aws:s3:::others/*` is not in this bucket; write `arn:aws:s3:::logs` or `arn:aws:s3:::logs/*`',
    });
  });
});
