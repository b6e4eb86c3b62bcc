/** Pages of an upstream, in the words of a bucket that is a prefix there; the answers are the test's own. */
import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import type { Signable } from '../sigv4/independent-signer.ts';
import { gatewayOver } from './gateway-over.ts';

const SETTINGS = 'buckets: [{ name: team-a, target: shared-data/teams/a/ }]';
const HIDDEN = { BUCKETWARDEN_UPSTREAM_BUCKETS: 'nothing-else' };

function signable(method: string, target: string): Signable {
  const url = new URL(target, 'http://host');
  return { method, path: url.pathname, query: [...url.searchParams] };
}

/** What the upstream was asked, and what comes back for its answers, one for each request. */
async function ask(
  target: string,
  ...pages: readonly string[]
): Promise<{
  readonly asked: readonly string[];
  readonly status: number;
  readonly body: string;
  readonly cause: unknown;
}> {
  const asked: string[] = [];
  const gateway = await gatewayOver(
    (request: IncomingMessage, response) => {
      asked.push(request.url ?? '');
      response.writeHead(200, { 'content-type': 'application/xml' });
      response.end(pages[asked.length - 1]);
    },
    HIDDEN,
    SETTINGS,
  );
  const { status, body, headers } = await gateway.call(signable('GET', target));
  const record = await gateway.record(String(headers['x-amz-request-id']));
  return { asked, status, body, cause: (record['upstream'] as { cause?: unknown } | undefined)?.cause };
}

test('versions and delete markers keep their order, their keys and markers lose the prefix', async () => {
  const { asked, body } = await ask(
    '/team-a?versions&prefix=x&key-marker=x1&version-id-marker=v1&delimiter=%2F',
    `<ListVersionsResult><Name>shared-data</Name><Prefix>teams/a/x</Prefix><KeyMarker>teams/a/x1</KeyMarker>
     <VersionIdMarker>v1</VersionIdMarker><NextKeyMarker>teams/a/x3</NextKeyMarker><NextVersionIdMarker>v9</NextVersionIdMarker>
     <MaxKeys>1000</MaxKeys><Delimiter>/</Delimiter><IsTruncated>true</IsTruncated>
     <DeleteMarker><Key>teams/a/x2</Key><VersionId>v3</VersionId><IsLatest>true</IsLatest><Owner><ID>upstreams</ID></Owner></DeleteMarker>
     <Version><Key>teams/a/x2</Key><VersionId>v2</VersionId><IsLatest>false</IsLatest><Size>1</Size></Version>
     <CommonPrefixes><Prefix>teams/a/x/</Prefix></CommonPrefixes></ListVersionsResult>`,
  );
  expect(asked).toEqual([
    '/shared-data?versions=&prefix=teams%2Fa%2Fx&key-marker=teams%2Fa%2Fx1&version-id-marker=v1&delimiter=%2F',
  ]);
  expect(body).not.toMatch(/teams|shared-data|upstreams/);
  expect(
    [...body.matchAll(/<(?:Version|DeleteMarker)>|<Key>[^<]*|<VersionId>[^<]*/g)].map(([text]) => text),
  ).toEqual(['<DeleteMarker>', '<Key>x2', '<VersionId>v3', '<Version>', '<Key>x2', '<VersionId>v2']);
  for (const element of [
    '<Name>team-a</Name>',
    '<Prefix>x</Prefix>',
    '<KeyMarker>x1</KeyMarker>',
    '<NextKeyMarker>x3</NextKeyMarker>',
    '<NextVersionIdMarker>v9</NextVersionIdMarker>',
    '<CommonPrefixes><Prefix>x/</Prefix></CommonPrefixes>',
  ])
    expect(body).toContain(element);
});

test('a page with nothing on it but the prefix itself is left out for the next one', async () => {
  const { asked, body } = await ask(
    '/team-a?max-keys=1',
    '<ListBucketResult><Name>shared-data</Name><Prefix>teams/a/</Prefix><IsTruncated>true</IsTruncated><Contents><Key>teams/a/</Key></Contents></ListBucketResult>',
    '<ListBucketResult><Name>shared-data</Name><Prefix>teams/a/</Prefix><Marker>teams/a/</Marker><IsTruncated>false</IsTruncated><Contents><Key>teams/a/1</Key></Contents></ListBucketResult>',
  );
  expect(asked).toEqual([
    '/shared-data?max-keys=1&prefix=teams%2Fa%2F',
    '/shared-data?max-keys=1&prefix=teams%2Fa%2F&marker=teams%2Fa%2F',
  ]);
  expect(body).toContain('<Contents><Key>1</Key></Contents>');
  expect(body).toContain('<Marker></Marker>');
});

test.each([
  ['a key', '<Contents><Key>teams/b/1</Key></Contents>'],
  ['a common prefix', '<CommonPrefixes><Prefix>teams/</Prefix></CommonPrefixes>'],
  ['a marker', '<NextMarker>teams/b/1</NextMarker>'],
  ['an entry without a key', '<Contents><Size>1</Size></Contents>'],
])('%s outside of the prefix is never shown', async (_, xml) => {
  const { status, body, cause } = await ask('/team-a', `<ListBucketResult>${xml}</ListBucketResult>`);
  expect(status).toBe(503);
  expect(body).not.toContain('teams');
  expect(cause).toMatch(/^the upstream's listing cannot be used/);
});

test('an answer to a multipart upload names the bucket and the key of the client', async () => {
  const asked: string[] = [];
  const gateway = await gatewayOver(
    (request: IncomingMessage, response) => {
      asked.push(request.url ?? '');
      response.end(
        '<InitiateMultipartUploadResult><Bucket>shared-data</Bucket><Key>teams/a/k</Key><UploadId>u</UploadId></InitiateMultipartUploadResult>',
      );
    },
    HIDDEN,
    SETTINGS,
  );
  const { body } = await gateway.call(signable('POST', '/team-a/k?uploads'));
  expect(asked).toEqual(['/shared-data/teams/a/k?uploads=']);
  expect(body).toContain('<Bucket>team-a</Bucket><Key>k</Key><UploadId>u</UploadId>');
});

test('a refusal of the upstream names neither its bucket nor its key', async () => {
  const gateway = await gatewayOver(
    (_, response) => {
      response.writeHead(404, { 'content-type': 'application/xml' });
      response.end(
        '<Error><Code>NoSuchKey</Code><Message>no key teams/a/k in shared-data</Message><Key>teams/a/k</Key><BucketName>shared-data</BucketName><Resource>/shared-data/teams/a/k</Resource></Error>',
      );
    },
    HIDDEN,
    SETTINGS,
  );
  const { status, body } = await gateway.call(signable('GET', '/team-a/k'));
  expect(status).toBe(404);
  expect(body).not.toMatch(/teams|shared-data/);
  expect(body).toContain('<Key>k</Key>');
  expect(body).toContain('<BucketName>team-a</BucketName>');
});

test('a prefix that the upstream repeats as it is, though it says that names are encoded, is the one asked for', async () => {
  // radosgw 16.
  const { status, body } = await ask(
    '/team-a?encoding-type=url&prefix=a%20%2B%20100%25.txt',
    '<ListBucketResult><Name>shared-data</Name><Prefix>teams/a/a + 100%.txt</Prefix><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated><Contents><Key>teams/a/a%20%2B%20100%25.txt</Key></Contents></ListBucketResult>',
  );
  expect(status).toBe(200);
  expect(body).toContain('<Prefix>a%20%2B%20100%25.txt</Prefix>');
  expect(body).toContain('<Contents><Key>a%20%2B%20100%25.txt</Key></Contents>');
});
