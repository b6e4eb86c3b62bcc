/** Answers whose success or failure comes after their status. */
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { parseXml } from '../../src/s3/index.ts';
import { HOST } from '../sigv4/independent-signer.ts';
import { gatewayOver } from './gateway-over.ts';

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
const COPIED =
  '<CopyObjectResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LastModified>2026-03-01T12:00:00.000Z</LastModified><ETag>&quot;abc&quot;</ETag></CopyObjectResult>';
const COPY = { method: 'PUT', path: '/bucket/a b', headers: { 'x-amz-copy-source': '/bucket/source' } };

function errorOf(code: string, more = ''): string {
  return `<Error><Code>${code}</Code><Message>upstream says ${code}</Message>${more}<RequestId>UPSTREAM</RequestId><HostId>up</HostId></Error>`;
}

/** One chunk after the other, each as a read of its own at the other side. */
async function write(response: ServerResponse, chunks: readonly string[]): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/xml' });
  for (const chunk of chunks)
    await new Promise((resolve) => {
      response.write(chunk, () => setImmediate(() => setImmediate(resolve)));
    });
  response.end();
}

async function copy(chunks: readonly string[]) {
  const gateway = await gatewayOver((_, response) => void write(response, chunks));
  const answer = await gateway.call(COPY);
  const requestId = String(answer.headers['x-amz-request-id']);
  return { ...answer, requestId, record: await gateway.record(requestId) };
}

describe('a late answer', () => {
  test.each([
    ['at once', [DECLARATION + COPIED]],
    ['without a declaration', [COPIED]],
    ['after white space', ['  ', '\n ', DECLARATION + COPIED]],
    ['after white space in the same read', [` \n${DECLARATION}${COPIED}`]],
    ['after a declaration and white space', [DECLARATION, ' ', '\r\n', COPIED]],
    ['byte for byte', ` ${COPIED}`.split('')],
    ['with white space after it', [COPIED, '\n', ' ']],
  ])('that comes %s is one well-formed document, declared at its start', async (_, chunks) => {
    const { status, body, headers, record } = await copy(chunks);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/xml');
    expect(body.startsWith(DECLARATION)).toBe(true);
    expect(body.split('<?xml')).toHaveLength(2);
    const result = parseXml(body, 'CopyObjectResult');
    expect(result.childNames).toEqual(['LastModified', 'ETag']);
    expect(result.child('ETag')?.text).toBe('"abc"');
    expect(record).toMatchObject({ status: 200, outcome: 'completed', bytesSent: Buffer.byteLength(body) });
  });

  test('keeps the client waiting with white space as it comes', async () => {
    const firstByte = Promise.withResolvers<undefined>();
    const gateway = await gatewayOver((_, response) => {
      void (async () => {
        response.writeHead(200, { 'content-type': 'application/xml' });
        response.write(' ');
        // The document is written only when the white space has reached the client.
        await firstByte.promise;
        response.end(COPIED);
      })();
    });
    const { body } = await gateway.call(COPY, {
      onFirstByte: () => {
        firstByte.resolve(undefined);
      },
    });
    expect(body.startsWith(DECLARATION)).toBe(true);
    expect(parseXml(body, 'CopyObjectResult').child('ETag')?.text).toBe('"abc"');
  });

  test.each([[[errorOf('InternalError')]], [[DECLARATION, '  ', errorOf('InternalError')]]])(
    'that turns out to be an error is one in the gateway’s words: %j',
    async (chunks) => {
      const { status, body, requestId, record } = await copy(chunks);
      expect(status).toBe(200);
      const error = parseXml(body, 'Error');
      expect(error.childNames).toEqual(['Code', 'Message', 'Resource', 'RequestId', 'HostId']);
      expect(error.child('Code')?.text).toBe('InternalError');
      expect(error.child('Resource')?.text).toBe('/bucket/a%20b');
      expect(error.child('RequestId')?.text).toBe(requestId);
      expect(body).not.toContain('UPSTREAM');
      expect(record).toMatchObject({ status: 200, errorCode: 'InternalError' });
    },
  );

  test.each([
    [
      'about the gateway itself',
      errorOf('InvalidAccessKeyId', '<AWSAccessKeyId>UPSTREAMKEY</AWSAccessKeyId>'),
    ],
    ['that is no XML', '<CopyObjectResult><ETag>'],
    ['that is another document', '<html/>'],
    ['that is empty', ''],
    ['of white space alone', '   '],
  ])('%s tells the client only that the service is unavailable', async (_, document) => {
    const { status, body, record } = await copy([document]);
    expect(status).toBe(200);
    expect(parseXml(body, 'Error').child('Code')?.text).toBe('ServiceUnavailable');
    expect(body).not.toContain('UPSTREAMKEY');
    expect(record).toMatchObject({ errorCode: 'ServiceUnavailable' });
  });

  test('that breaks off breaks off at the client too', async () => {
    const firstByte = Promise.withResolvers<undefined>();
    const gateway = await gatewayOver((_, response) => {
      response.writeHead(200, { 'content-type': 'application/xml' });
      response.write(' ');
      void firstByte.promise.then(() => response.destroy());
    });
    const call = gateway.call(COPY, {
      onFirstByte: () => {
        firstByte.resolve(undefined);
      },
    });
    await expect(call).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('that is too long is refused, and the upstream is let go', async () => {
    const closed = Promise.withResolvers<undefined>();
    const gateway = await gatewayOver((_, response) => {
      response.once('close', () => {
        closed.resolve(undefined);
      });
      response.writeHead(200, { 'content-type': 'application/xml' });
      const more = (): void => {
        while (response.write('x'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    });
    const { status } = await gateway.call(COPY);
    expect(status).toBeGreaterThanOrEqual(500);
    await closed.promise;
  });
});

describe('the Location of a completed upload', () => {
  const completed = `${DECLARATION}<CompleteMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Location>http://upstream.internal:8333/bucket/x</Location><Bucket>bucket</Bucket><Key>a &amp; b/é</Key><ETag>&quot;abc-1&quot;</ETag></CompleteMultipartUploadResult>`;
  const parts =
    '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"abc"</ETag></Part></CompleteMultipartUpload>';

  async function complete(path: string, env: Readonly<Record<string, string>>) {
    const gateway = await gatewayOver((_, response) => void write(response, [completed]), env);
    const payloadHash = createHash('sha256').update(parts).digest('hex');
    const request = { method: 'POST', path, query: [['uploadId', 'u']] as const, payloadHash };
    return parseXml((await gateway.call(request, { body: parts })).body, 'CompleteMultipartUploadResult');
  }

  test('names the gateway as the client knows it', async () => {
    const result = await complete('/bucket/a & b/é', {});
    expect(result.child('Location')?.text).toBe(`http://${HOST}/bucket/a%20%26%20b/%C3%A9`);
    expect(result.child('Key')?.text).toBe('a & b/é');
    expect(result.child('ETag')?.text).toBe('"abc-1"');
  });

  test('has the bucket in its host when the request had', async () => {
    // The host `gateway.example`: bucket `gateway` below the domain `example`.
    const result = await complete('/a & b/é', { BUCKETWARDEN_BASE_DOMAINS: 'example' });
    expect(result.child('Location')?.text).toBe(`http://${HOST}/a%20%26%20b/%C3%A9`);
  });
});
