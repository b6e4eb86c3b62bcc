/** Annotations of objects by the SDK, over an upstream that answers as the S3 API reference says, and over others. */
import {
  CopyObjectCommand,
  DeleteObjectAnnotationCommand,
  GetObjectAnnotationCommand,
  ListObjectAnnotationsCommand,
  PutObjectAnnotationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY } from '../sigv4/independent-signer.ts';
import { gatewayOver } from './gateway-over.ts';

/** In another bucket upstream, below a prefix. */
const MAPPED = `buckets: [{ name: bucket, target: shared/team/, operations: [annotations] }]`;
const ON = `buckets: [{ name: '*', operations: [annotations] }]`;

interface Seen {
  readonly method: string | undefined;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const LIST =
  '<?xml version="1.0" encoding="UTF-8"?><ListObjectAnnotationsOutput xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
  '<Annotations><AnnotationEntry><AnnotationName>labels</AnnotationName><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>' +
  '<ETag>"e"</ETag><LastModified>2026-01-02T03:04:05.000Z</LastModified><ReplicationStatus>PENDING</ReplicationStatus>' +
  '<Size>5</Size></AnnotationEntry></Annotations><Bucket>shared</Bucket><Key>team/key</Key>' +
  '<AnnotationPrefix>l</AnnotationPrefix><MaxAnnotationResults>1</MaxAnnotationResults><AnnotationCount>1</AnnotationCount>' +
  '<NextContinuationToken>behind team/key labels</NextContinuationToken></ListObjectAnnotationsOutput>';

/** As the API reference says, of an object that has one annotation. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const { searchParams } = new URL(request.url ?? '', 'http://upstream');
  if (request.method === 'GET' && !searchParams.has('annotationName'))
    response.writeHead(200, { 'content-type': 'application/xml', 'x-amz-object-version-id': 'v1' }).end(LIST);
  else if (request.method === 'GET')
    response
      .writeHead(200, { etag: '"e"', 'content-length': '5', 'x-amz-object-version-id': 'v1' })
      .end('hello');
  else if (request.method === 'PUT')
    response
      .writeHead(200, { etag: '"e"', 'content-type': 'application/xml', 'x-amz-object-version-id': 'v1' })
      .end('<PutObjectAnnotationOutput><Key>team/key</Key></PutObjectAnnotationOutput>');
  else response.writeHead(204, { 'x-amz-object-version-id': 'v1' }).end();
}

async function run(upstream: typeof answer, settings: string) {
  const seen: Seen[] = [];
  const record = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method, url = '', headers } = request;
    seen.push({ method, url, headers, body: await text(request) });
    upstream(request, response);
  };
  const gateway = await gatewayOver(
    (request, response) => {
      void record(request, response);
    },
    { BUCKETWARDEN_UPSTREAM_BUCKETS: 'bucket' },
    settings,
  );
  const s3 = new S3Client({
    endpoint: gateway.url,
    region: REGION,
    forcePathStyle: true,
    credentials: { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY },
    maxAttempts: 1,
  });
  onTestFinished(() => {
    s3.destroy();
  });
  return { s3, seen, gateway };
}

const OBJECT = { Bucket: 'bucket', Key: 'key' };
const ANNOTATION = { ...OBJECT, AnnotationName: 'labels' };
const PUT = new PutObjectAnnotationCommand({ ...ANNOTATION, AnnotationPayload: 'hello' });
const GET = new GetObjectAnnotationCommand(ANNOTATION);
const DELETE = new DeleteObjectAnnotationCommand(ANNOTATION);
const LISTING = new ListObjectAnnotationsCommand({
  ...OBJECT,
  AnnotationPrefix: 'l',
  MaxAnnotationResults: 1,
});

describe('an annotation', () => {
  test('is written and read below the prefix of its bucket, whose name and prefix no answer tells', async () => {
    const { s3, seen } = await run(answer, MAPPED);
    const put = await s3.send(PUT);
    expect(put).toMatchObject({ Key: 'key', AnnotationName: 'labels', ETag: '"e"', ObjectVersionId: 'v1' });
    expect(seen.map(({ method, url }) => `${method ?? ''} ${url}`)).toEqual([
      'GET /shared/team/key?annotation=',
      'PUT /shared/team/key?annotation=&annotationName=labels',
    ]);
    expect(seen[1]?.body).toContain('hello');
    const { AnnotationPayload } = await s3.send(GET);
    expect(await AnnotationPayload?.transformToString()).toBe('hello');
    expect((await s3.send(DELETE)).ObjectVersionId).toBe('v1');
    expect(seen.slice(2).map(({ method, url }) => `${method ?? ''} ${url}`)).toEqual([
      'GET /shared/team/key?annotation=',
      'GET /shared/team/key?annotation=&annotationName=labels',
      'GET /shared/team/key?annotation=',
      'DELETE /shared/team/key?annotation=&annotationName=labels',
    ]);
  });

  test('is listed in the names of the client, with a token that only the gateway reads', async () => {
    const { s3, seen } = await run(answer, MAPPED);
    const page = await s3.send(LISTING);
    expect(page).toMatchObject({
      Bucket: 'bucket',
      Key: 'key',
      ObjectVersionId: 'v1',
      AnnotationPrefix: 'l',
      MaxAnnotationResults: 1,
      AnnotationCount: 1,
      Annotations: [{ AnnotationName: 'labels', Size: 5, ETag: '"e"', ChecksumAlgorithm: ['CRC64NVME'] }],
    });
    expect(page.Annotations?.[0]?.ReplicationStatus).toBeUndefined();
    const token = page.NextContinuationToken ?? '';
    expect(Buffer.from(token, 'base64url').toString('latin1')).not.toContain('team');
    const next = await s3.send(new ListObjectAnnotationsCommand({ ...OBJECT, ContinuationToken: token }));
    expect(next.ContinuationToken).toBe(token);
    expect(new URL(seen[1]?.url ?? '', 'http://u').searchParams.get('continuation-token')).toBe(
      'behind team/key labels',
    );
    const made = new ListObjectAnnotationsCommand({ ...OBJECT, ContinuationToken: 'bWFkZSB1cA' });
    await expect(s3.send(made)).rejects.toMatchObject({ name: 'InvalidArgument' });
  });

  test('cannot be touched where the switch is off', async () => {
    const { s3, seen } = await run(answer, '');
    for (const command of [PUT, GET, DELETE, LISTING])
      await expect(s3.send(command as typeof GET)).rejects.toMatchObject({ name: 'NotImplemented' });
    expect(seen).toEqual([]);
  });

  test('is not asked of a store that takes the request for one of the object', async () => {
    const object = '<html>the object itself</html>';
    const { s3, seen } = await run((_, response) => {
      response.writeHead(200, { etag: '"object"' }).end(object);
    }, ON);
    for (const command of [PUT, GET, DELETE])
      await expect(s3.send(command as typeof GET)).rejects.toMatchObject({ name: 'NotImplemented' });
    await expect(s3.send(LISTING)).rejects.toMatchObject({ name: 'ServiceUnavailable' });
    expect(seen.map(({ method }) => method)).toEqual(['GET', 'GET', 'GET', 'GET']);
  });
});

const COPIED =
  '<CopyObjectResult><ETag>"e"</ETag><LastModified>2026-01-02T03:04:05.000Z</LastModified></CopyObjectResult>';

function answerCopy(request: IncomingMessage, response: ServerResponse): void {
  if (request.method === 'HEAD') response.writeHead(200, { 'content-length': '5' }).end();
  else response.writeHead(200, { 'content-type': 'application/xml' }).end(COPIED);
}

function copy(AnnotationDirective?: 'COPY' | 'EXCLUDE') {
  return new CopyObjectCommand({
    Bucket: 'bucket',
    Key: 'copy',
    CopySource: 'bucket/key',
    ...(AnnotationDirective && { AnnotationDirective }),
  });
}

function directives(seen: readonly Seen[]) {
  return seen
    .filter(({ method }) => method === 'PUT')
    .map(({ headers }) => headers['x-amz-object-annotation-directive']);
}

describe('a copy', () => {
  test('takes the annotations along for who may read and write them, and leaves them if told to', async () => {
    const { s3, seen } = await run(answerCopy, ON);
    for (const command of [copy(), copy('COPY'), copy('EXCLUDE')]) await s3.send(command);
    expect(directives(seen)).toEqual([undefined, 'COPY', 'EXCLUDE']);
  });

  test('leaves them for who may not', async () => {
    const { s3, seen, gateway } = await run(answerCopy, ON);
    const denied = {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Deny',
          Principal: '*',
          Action: 's3:GetObjectAnnotation',
          Resource: 'arn:aws:s3:::bucket/*',
        },
      ],
    };
    const body = JSON.stringify(denied);
    const query = [['policy', '']] as const;
    const headers = { 'content-length': String(body.length) };
    const put = await gateway.call({ method: 'PUT', path: '/bucket', query, headers }, { body });
    expect(put.status).toBe(204);
    await s3.send(copy());
    await expect(s3.send(copy('COPY'))).rejects.toMatchObject({ name: 'AccessDenied' });
    await s3.send(copy('EXCLUDE'));
    expect(directives(seen)).toEqual(['EXCLUDE', 'EXCLUDE']);
  });

  test('has no such header where the switch is off', async () => {
    const { s3, seen } = await run(answerCopy, '');
    await s3.send(copy());
    await expect(s3.send(copy('EXCLUDE'))).rejects.toMatchObject({ name: 'NotImplemented' });
    expect(directives(seen)).toEqual([undefined]);
  });
});
