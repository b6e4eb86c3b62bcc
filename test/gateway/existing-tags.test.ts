/** Which object the upstream is asked about when a policy asks for its tags, and what follows from its answer. */
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { Signable } from '../sigv4/independent-signer.ts';
import { gatewayOver } from './gateway-over.ts';

const SECRET = '<Tagging><TagSet><Tag><Key>class</Key><Value>secret</Value></Tag></TagSet></Tagging>';
const NO_TAGS = '<Tagging><TagSet/></Tagging>';

interface Situation {
  readonly tagging?: (response: ServerResponse) => void;
  /** The bucket whose policy denies what is secret. */
  readonly guarded?: string;
  readonly settings?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Denies everybody to read what has the tag class=secret, and asks. */
async function ask(request: Signable, situation: Situation = {}) {
  const { tagging = text(200, NO_TAGS), guarded = 'bucket', settings, env } = situation;
  const asked: string[] = [];
  const gateway = await gatewayOver(
    (incoming, response) => {
      asked.push(`${incoming.method} ${incoming.url}`);
      incoming.resume().on('end', () => {
        if (/[?&]tagging/.test(incoming.url ?? '')) tagging(response);
        else response.end('<x/>');
      });
    },
    env,
    settings,
  );
  const policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Deny',
        Principal: '*',
        Action: ['s3:GetObject', 's3:GetObjectVersion', 's3:GetObjectAttributes'],
        Resource: `arn:aws:s3:::${guarded}/*`,
        Condition: { StringEquals: { 's3:ExistingObjectTag/class': 'secret' } },
      },
    ],
  });
  const headers = { 'content-length': String(policy.length) };
  const put = { method: 'PUT', path: `/${guarded}`, query: [['policy', '']], headers } as const;
  expect(await gateway.call({ ...put, payloadHash: 'UNSIGNED-PAYLOAD' }, { body: policy })).toMatchObject({
    status: 204,
  });
  asked.length = 0;
  const answer = await gateway.call(request);
  const record = await gateway.record(String(answer.headers['x-amz-request-id']));
  return { asked, status: answer.status, code: /<Code>(\w+)/.exec(answer.body)?.[1], record };
}

function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}) {
  return (response: ServerResponse): void => {
    response.writeHead(status, headers).end(body);
  };
}

function error(status: number, code: string, headers: Readonly<Record<string, string>> = {}) {
  return text(status, `<Error><Code>${code}</Code><Message>m</Message></Error>`, headers);
}

const get: Signable = { method: 'GET', path: '/bucket/key' };

function copy(source: string): Signable {
  return { method: 'PUT', path: '/bucket/target', headers: { 'x-amz-copy-source': source } };
}

describe('is asked about', () => {
  test.each<[string, Signable, string]>([
    ['the object', get, 'GET /bucket/key?tagging='],
    [
      'the version that is named',
      { ...get, query: [['versionId', 'v/1']] },
      'GET /bucket/key?tagging=&versionId=v%2F1',
    ],
    ['the source of a copy', copy('bucket/a%20b'), 'GET /bucket/a%20b?tagging='],
    [
      'the version of a source',
      copy('/bucket/source?versionId=v2'),
      'GET /bucket/source?tagging=&versionId=v2',
    ],
  ])('%s, once', async (_, request, lookUp) => {
    const { asked, status } = await ask(request);
    expect(status).toBe(200);
    expect(asked).toHaveLength(2);
    expect(asked[0]).toBe(lookUp);
    const refused = await ask(request, { tagging: text(200, SECRET) });
    expect(refused).toMatchObject({ asked: [lookUp], status: 403, code: 'AccessDenied' });
    expect(refused.record).toMatchObject({
      decision: { effect: 'Deny' },
      evaluation: { context: { 's3:ExistingObjectTag/class': 'secret' } },
    });
  });

  test('the source of a copy in another bucket, by that one’s policy', async () => {
    const request = copy('other-bucket/source');
    const { asked, status } = await ask(request, { guarded: 'other-bucket', tagging: text(200, SECRET) });
    expect({ asked, status }).toEqual({ asked: ['GET /other-bucket/source?tagging='], status: 403 });
  });

  test('an object once, when several actions are needed', async () => {
    const request = {
      ...get,
      query: [['attributes', '']],
      headers: { 'x-amz-object-attributes': 'ETag' },
    } as const;
    const { asked } = await ask(request);
    expect(asked).toEqual(['GET /bucket/key?tagging=', 'GET /bucket/key?attributes=']);
  });

  test('the key as it is and as the path that it looks like', async () => {
    const { asked } = await ask({ ...get, path: '/bucket/public/../key' });
    expect(asked.slice(0, 2)).toEqual(['GET /bucket/public/../key?tagging=', 'GET /bucket/key?tagging=']);
  });

  test('an object where the bucket really is', async () => {
    const situation = {
      guarded: 'team-a',
      settings: 'buckets: [{ name: team-a, target: shared-data/teams/a/ }]',
      env: { BUCKETWARDEN_UPSTREAM_BUCKETS: 'nothing-else' },
      tagging: text(200, SECRET),
    };
    const { asked, status } = await ask({ ...get, path: '/team-a/key' }, situation);
    expect({ asked, status }).toEqual({ asked: ['GET /shared-data/teams/a/key?tagging='], status: 403 });
  });
});

describe('answers that there are none', () => {
  test.each([
    ['an empty set', text(200, NO_TAGS)],
    ['no such key', error(404, 'NoSuchKey')],
    ['no such version', error(404, 'NoSuchVersion')],
    ['no such bucket', error(404, 'NoSuchBucket')],
    ['no tag set', error(404, 'NoSuchTagSet')],
    ['a delete marker', error(405, 'MethodNotAllowed', { 'x-amz-delete-marker': 'true' })],
  ])('by %s', async (_, tagging) => {
    const { asked, status } = await ask(get, { tagging });
    expect(asked).toEqual(['GET /bucket/key?tagging=', 'GET /bucket/key']);
    expect(status).toBe(200);
  });
});

describe('does not tell', () => {
  test.each<[string, (response: ServerResponse) => void, string]>([
    ['by AccessDenied', error(403, 'AccessDenied'), "the upstream's own credentials lack this right"],
    ['by NotImplemented', error(501, 'NotImplemented'), '501 NotImplemented'],
    ['by MethodNotAllowed', error(405, 'MethodNotAllowed'), '405 MethodNotAllowed'],
    ['by another 404', error(404, 'Gone'), '404 Gone'],
    ['by what is not XML', text(404, 'not found'), "the upstream's error (404) is not S3's XML"],
    ['by the object itself', text(200, 'content'), 'Error'],
    ['by another document', text(200, '<Policy/>'), 'Error'],
    [
      'by a tag twice',
      text(
        200,
        SECRET.replace(/<Tag>.*<\/Tag>/, (tag) => tag + tag),
      ),
      'same key',
    ],
    ['by more than tags can be', text(200, SECRET + ' '.repeat(70_000)), 'Error'],
    ['by a redirect', text(301, '', { location: 'http://elsewhere.example/' }), 'redirects (301)'],
    ['by breaking off', (response) => response.destroy(), 'upstream'],
  ])('%s: refused, and nothing is read', async (_, tagging, cause) => {
    const { asked, status, code, record } = await ask(get, { tagging });
    expect({ status, code }).toEqual({ status: 503, code: 'ServiceUnavailable' });
    expect(asked).not.toContain('GET /bucket/key');
    expect(record).toMatchObject({ errorCode: 'ServiceUnavailable', status: 503 });
    const reason = JSON.stringify(record);
    expect(reason).toContain('a policy asks for the tags of the object, and the upstream does not tell');
    expect(reason).toContain(cause);
  });
});
