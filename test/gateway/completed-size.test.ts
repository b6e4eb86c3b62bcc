/** The size of an upload's parts is looked up before it is completed: what is completed must be what was looked at. */
import { expect, test } from 'vitest';
import { gatewayOver } from './gateway-over.ts';

async function complete(etag: string, size = 5) {
  const methods: (string | undefined)[] = [];
  const gateway = await gatewayOver(
    (request, response) => {
      methods.push(request.method);
      request.resume();
      response
        .writeHead(200)
        .end(
          request.method === 'GET'
            ? `<ListPartsResult><Part><PartNumber>1</PartNumber><ETag>"small"</ETag><Size>${size}</Size></Part><IsTruncated>false</IsTruncated></ListPartsResult>`
            : '<CompleteMultipartUploadResult/>',
        );
    },
    {},
    'buckets: [{ name: bucket, maxObjectSize: 10KiB }]',
  );
  const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
  const answer = await gateway.call(
    {
      method: 'POST',
      path: '/bucket/x',
      query: [['uploadId', 'u']],
      headers: { 'content-length': String(body.length) },
    },
    { body },
  );
  return { status: answer.status, code: /<Code>([^<]*)/.exec(answer.body)?.[1], methods };
}

test.each(['"small"', 'small'])('the part that is there: %s', async (etag) => {
  expect(await complete(etag)).toEqual({ status: 200, code: undefined, methods: ['GET', 'POST'] });
});

test('a part that is too large', async () => {
  expect(await complete('"small"', 10_241)).toEqual({
    status: 400,
    code: 'EntityTooLarge',
    methods: ['GET'],
  });
});

test('another part than the one that is there, which may be larger when it comes', async () => {
  expect(await complete('"huge"')).toEqual({ status: 400, code: 'InvalidPart', methods: ['GET'] });
});
