/**
 * Which redirects are followed. Answers as Amazon S3 gives them: User Guide, "Making requests", and recorded error
 * documents.
 */
import * as fc from 'fast-check';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { serveTls, serveTunnels } from './egress.ts';
import { serve, upload, upstreamAt, upstreamRequest } from './origin.ts';

const NO_FILES = { caFile: undefined, certFile: undefined, keyFile: undefined };

/** `host region` of each request. */
function seen({ headers, method }: IncomingMessage): string {
  const region = /Credential=[^/]+\/\d{8}\/([^/]+)\//.exec(headers.authorization ?? '')?.[1];
  return `${method} ${headers.host} ${region}`;
}

/** Hosts of Amazon S3, all served from here. */
async function amazon(handler: (request: IncomingMessage, response: ServerResponse) => void) {
  const requests: string[] = [];
  const hosts = ['us-east-1', 'eu-west-1', 'eu-central-1', 'cn-north-1'].map(
    (region) => `s3.${region}.amazonaws.com`,
  );
  const names = ['evil.example', 's3.amazonaws.com', ...hosts, ...hosts.map((host) => `*.${host}`)];
  const { port, caFile } = await serveTls(names, (request, response) => {
    requests.push(seen(request));
    handler(request, response);
  });
  const targets = names.flatMap((name) => [name, name.replace('*', 'b')]);
  const proxy = await serveTunnels(new Map(targets.map((name) => [`${name}:443`, port])));
  return {
    requests,
    options: { tls: { ...NO_FILES, caFile }, proxy: { url: proxy.url, credentials: undefined } },
  };
}

function errorDocument(code: string, more: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>m</Message>${more}<RequestId>R</RequestId></Error>`;
}

const isHome = ({ headers }: IncomingMessage) => headers.host?.includes('eu-west-1') === true;

/** Each says that the bucket is in eu-west-1. */
const ANSWERS: readonly (readonly [string, string, (response: ServerResponse) => void])[] = [
  [
    'PermanentRedirect with its Endpoint',
    'GET',
    (response) =>
      response
        .writeHead(301, { 'x-amz-bucket-region': 'eu-west-1' })
        .end(errorDocument('PermanentRedirect', '<Endpoint>b.s3.eu-west-1.amazonaws.com</Endpoint>')),
  ],
  [
    'PermanentRedirect with an older endpoint, and no header',
    'GET',
    (response) =>
      response
        .writeHead(301)
        .end(errorDocument('PermanentRedirect', '<Endpoint>b.s3-eu-west-1.amazonaws.com</Endpoint>')),
  ],
  [
    'TemporaryRedirect with a Location',
    'DELETE',
    (response) =>
      response
        .writeHead(307, { location: 'https://b.s3-eu-west-1.amazonaws.com/k' })
        .end(errorDocument('TemporaryRedirect', '')),
  ],
  [
    'AuthorizationHeaderMalformed with its Region',
    'GET',
    (response) =>
      response
        .writeHead(400)
        .end(errorDocument('AuthorizationHeaderMalformed', '<Region>eu-west-1</Region>')),
  ],
  [
    'a HEAD, 301 with the region',
    'HEAD',
    (response) => response.writeHead(301, { 'x-amz-bucket-region': 'eu-west-1' }).end(),
  ],
  [
    'a HEAD, 400 with the region',
    'HEAD',
    (response) => response.writeHead(400, { 'x-amz-bucket-region': 'eu-west-1' }).end(),
  ],
];

describe('Amazon S3 says that the bucket is in another region', () => {
  test.each(ANSWERS)('%s: signed for it, sent there, and remembered', async (_, method, redirect) => {
    const { requests, options } = await amazon((request, response) => {
      if (isHome(request)) response.end();
      else redirect(response);
    });
    const upstream = await upstreamAt('https://s3.us-east-1.amazonaws.com', options);
    for (let i = 0; i < 2; i++) {
      const response = await upstream.send(upstreamRequest({ method }));
      expect(response.status).toBe(200);
      await response.body.read(10);
    }
    const home = `${method} s3.eu-west-1.amazonaws.com eu-west-1`;
    expect(requests).toEqual([`${method} s3.us-east-1.amazonaws.com us-east-1`, home, home]);
    // Other buckets stay where they were.
    await upstream.send(upstreamRequest({ bucket: 'other', method: 'HEAD' }));
    expect(requests[3]).toBe('HEAD s3.us-east-1.amazonaws.com us-east-1');
  });

  test('in virtual-hosted style the bucket stays in the host', async () => {
    const { requests, options } = await amazon((request, response) => {
      if (isHome(request)) response.end();
      else response.writeHead(301, { 'x-amz-bucket-region': 'eu-west-1' }).end();
    });
    const upstream = await upstreamAt('https://s3.us-east-1.amazonaws.com', {
      ...options,
      style: 'virtual-hosted',
    });
    expect((await upstream.send(upstreamRequest())).status).toBe(200);
    expect(requests[1]).toBe('GET b.s3.eu-west-1.amazonaws.com eu-west-1');
  });

  test('a buffered body is sent again', async () => {
    const bodies: string[] = [];
    const { options } = await amazon((request, response) => {
      void (async () => {
        bodies.push(Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString());
        if (isHome(request)) response.end();
        else response.writeHead(307, { 'x-amz-bucket-region': 'eu-west-1' }).end();
      })();
    });
    const upstream = await upstreamAt('https://s3.us-east-1.amazonaws.com', options);
    const payload = { kind: 'buffer', data: Buffer.from('<Delete/>') } as const;
    expect((await upstream.send(upstreamRequest({ method: 'POST', payload }))).status).toBe(200);
    expect(bodies).toEqual(['<Delete/>', '<Delete/>']);
  });

  test('an upload that has begun is refused with SlowDown, and the next one goes to the right place', async () => {
    const { requests, options } = await amazon((request, response) => {
      request.resume().on('end', () => {
        if (isHome(request)) response.end();
        else response.writeHead(307, { 'x-amz-bucket-region': 'eu-west-1' }).end();
      });
    });
    const upstream = await upstreamAt('https://s3.us-east-1.amazonaws.com', options);
    const put = () => {
      const chunks = (async function* () {
        yield Buffer.from('123');
      })();
      return upstream.send(upstreamRequest(upload(chunks, 3)));
    };
    await expect(put()).rejects.toMatchObject({
      code: 'SlowDown',
      status: 503,
      reason: expect.stringContaining('`eu-west-1`') as string,
    });
    expect((await put()).status).toBe(200);
    expect(requests).toEqual([
      'PUT s3.us-east-1.amazonaws.com us-east-1',
      'PUT s3.eu-west-1.amazonaws.com eu-west-1',
    ]);
  });

  test('endlessly: it is gone along with three times at most', async () => {
    const { requests, options } = await amazon((request, response) => {
      const region = request.headers.host?.includes('us-east-1') === true ? 'eu-west-1' : 'us-east-1';
      response.writeHead(301, { 'x-amz-bucket-region': region }).end();
    });
    const upstream = await upstreamAt('https://s3.us-east-1.amazonaws.com', options);
    expect((await upstream.send(upstreamRequest())).status).toBe(301);
    expect(requests).toHaveLength(3);
  });

  test.each([
    ['a foreign host', { location: 'https://evil.example/b/k', 'x-amz-bucket-region': 'eu-west-1' }],
    ['a name that only begins like one', { location: 'https://s3.eu-west-1.amazonaws.com.evil.example/' }],
    ['a host with credentials before it', { location: 'https://s3.eu-west-1.amazonaws.com@evil.example/' }],
    ['another service', { location: 'https://b.ec2.eu-west-1.amazonaws.com/' }],
    ['a website endpoint', { location: 'https://b.s3-website.eu-west-1.amazonaws.com/' }],
    ['a region of another partition', { 'x-amz-bucket-region': 'cn-north-1' }],
    ['a region that is none', { 'x-amz-bucket-region': 'eu-west-1.evil.example/?' }],
    ['a path', { location: '/elsewhere' }],
    ['another protocol', { location: 'file:///etc/passwd' }],
    ['nothing', {}],
  ])('%s is never followed', async (_, headers) => {
    const { requests, options } = await amazon((_request, response) =>
      response.writeHead(301, headers).end(),
    );
    const upstream = await upstreamAt('https://s3.us-east-1.amazonaws.com', options);
    expect((await upstream.send(upstreamRequest())).status).toBe(301);
    expect(requests).toEqual(['GET s3.us-east-1.amazonaws.com us-east-1']);
  });

  test('whatever a Location holds, requests go to Amazon S3 alone', async () => {
    let location = '';
    const { requests, options } = await amazon((_request, response) =>
      response.writeHead(301, { location: Buffer.from(location).toString('latin1') }).end(),
    );
    const upstream = await upstreamAt('https://s3.us-east-1.amazonaws.com', options);
    const pieces =
      'https:// http: // / @ . \\ %2e :443 # ? b. s3 - evil.example .amazonaws.com eu-west-1 s3.eu-west-1.amazonaws.com é';
    const piece = fc.constantFrom(' ', ...pieces.split(' '));
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (parts) => {
        location = parts.join('').trim();
        await (await upstream.send(upstreamRequest())).body.read(0);
      }),
      { numRuns: 100 },
    );
    for (const request of requests) expect(request).toMatch(/^GET s3\.[a-z0-9-]+\.amazonaws\.com /);
  });
});

describe('another upstream', () => {
  test('that names the region is asked again where it is', async () => {
    const requests: string[] = [];
    const url = await serve((request, response) => {
      requests.push(seen(request));
      if (seen(request).endsWith(' here-1')) response.end();
      else
        response.writeHead(400).end(errorDocument('AuthorizationHeaderMalformed', '<Region>here-1</Region>'));
    });
    const upstream = await upstreamAt(url);
    expect((await upstream.send(upstreamRequest())).status).toBe(200);
    const { host } = new URL(url);
    expect(requests).toEqual([`GET ${host} us-east-1`, `GET ${host} here-1`]);
  });

  test('is followed to an origin of its `redirects`, with the same path, and to no other', async () => {
    const paths: (string | undefined)[] = [];
    const second = await serve((request, response) => {
      paths.push(request.url);
      response.end('second');
    });
    const other = await serve((request, response) => {
      paths.push(`other ${request.url}`);
      response.end();
    });
    let to = second;
    const url = await serve((_, response) => {
      response.writeHead(307, { location: `${to}/somewhere/else?x=1` }).end();
    });
    const upstream = await upstreamAt(url, { redirects: [second] });
    const response = await upstream.send(upstreamRequest());
    expect((await response.body.read(10)).toString()).toBe('second');
    to = other;
    expect((await upstream.send(upstreamRequest({ bucket: 'c' }))).status).toBe(307);
    expect(paths).toEqual(['/b/k']);
  });

  test('that refuses for another reason is read only once', async () => {
    const body = errorDocument('InvalidArgument', '<Region>eu-west-1</Region>');
    let requests = 0;
    const url = await serve((_, response) => {
      requests += 1;
      response.writeHead(400).end(body);
    });
    const response = await (await upstreamAt(url)).send(upstreamRequest());
    expect((await response.body.read(1000)).toString()).toBe(body);
    expect(requests).toBe(1);
  });

  test('whose refusal breaks off gave no answer', async () => {
    const url = await serve((_, response) => {
      response.writeHead(400, { 'content-length': '10' });
      response.write('123', () => response.destroy());
    });
    await expect((await upstreamAt(url)).send(upstreamRequest())).rejects.toMatchObject({
      name: 'UpstreamUnreachable',
    });
  });
});
