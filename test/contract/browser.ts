/** A real browser: forms that upload, and scripts of a page of another origin that read and write. */
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutBucketCorsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { createPresignedPost, type PresignedPostOptions } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type Gateway, REGION, startGateway } from './gateway.ts';
import type { Column, Result } from './matrix.ts';
import { attempt, missing } from './tell.ts';
import { findTool } from './tools.ts';

const Bucket = 'browser';
/** No traffic but the test's own. */
const ARGUMENTS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

interface Scene {
  readonly page: Page;
  /** Opens a document of the page's own origin. */
  readonly show: (html: string) => Promise<void>;
  /** `http://127.0.0.1:PORT` of the page. */
  readonly origin: string;
  readonly s3: S3Client;
  /** Opens an empty page of an origin that the bucket does not know. */
  readonly leave: () => Promise<void>;
}

type Act = (scene: Scene) => Promise<void>;

const ACTS: Readonly<Record<string, Act>> = {
  async 'form and redirect'({ page, show, s3, origin }) {
    const file = randomBytes(5 * 1024 * 1024 + 3);
    const form = await presigned(s3, {
      Key: 'uploads/${filename}',
      Fields: { success_action_redirect: `${origin}/done?form=1`, 'Content-Type': 'image/png' },
      Conditions: [['content-length-range', 1, 10_000_000]],
    });
    await show(formOf(form, '<input type="submit" value="Upload">'));
    await upload(page, { name: 'Größe "1".png', buffer: file });
    await page.waitForURL(`${origin}/done?**`);
    const query = new URL(page.url()).searchParams;
    // Browsers escape quotes in the name of a file, and nothing else.
    const key = 'uploads/Größe %221%22.png';
    equal([query.get('form'), query.get('bucket'), query.get('key')], ['1', Bucket, key]);
    const stored = await s3.send(new GetObjectCommand({ Bucket, Key: key }));
    equal([stored.ContentType, stored.ETag], ['image/png', query.get('etag')]);
    equal(Buffer.from((await stored.Body?.transformToByteArray()) ?? []).equals(file), true);
  },

  // As in the example of S3's documentation.
  async 'form with a button behind the file'({ page, show, s3 }) {
    const form = await presigned(s3, { Key: 'button', Fields: { success_action_status: '201' } });
    await show(formOf(form, '<input type="submit" name="submit" value="Upload to Amazon S3">'));
    await upload(page, { name: 'a.txt', buffer: Buffer.from('small') });
    await page.waitForURL(`**/${Bucket}`);
    const answer = await page.content();
    for (const text of ['PostResponse', Bucket, 'button'])
      if (!answer.includes(text)) throw new Error(`the answer lacks ${text}: ${answer}`);
    const stored = await s3.send(new GetObjectCommand({ Bucket, Key: 'button' }));
    equal(await stored.Body?.transformToString(), 'small');
  },

  async 'form that was changed'({ page, show, s3 }) {
    const form = await presigned(s3, { Key: 'mine' });
    await show(formOf({ ...form, fields: { ...form.fields, key: 'yours' } }, '<input type="submit">'));
    await upload(page, { name: 'a.txt', buffer: Buffer.from('x') });
    await page.waitForURL(`**/${Bucket}`);
    const answer = await page.content();
    if (!answer.includes('Policy Condition failed')) throw new Error(`it is answered ${answer}`);
  },

  async 'script: form, with a preflight'({ page, show, s3 }) {
    const form = await presigned(s3, { Key: 'script' });
    await show('<p>A page</p>');
    const answer = await page.evaluate(async ({ url, fields }) => {
      const data = new FormData();
      for (const [name, value] of Object.entries(fields)) data.append(name, value);
      data.append('file', new Blob(['from a script']), 'a.txt');
      const response = await fetch(url, { method: 'POST', body: data, headers: { 'X-Custom': '1' } });
      return [response.status, response.headers.get('ETag')] as const;
    }, form);
    const stored = await s3.send(new GetObjectCommand({ Bucket, Key: 'script' }));
    equal(answer, [204, stored.ETag]);
    equal(await stored.Body?.transformToString(), 'from a script');
  },

  async 'script: PUT and GET, with a preflight'({ page, show, s3 }) {
    const put = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: 'put' }));
    const get = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'put' }));
    await show('<p>A page</p>');
    const answer = await page.evaluate(
      async (urls) => {
        const stored = await fetch(urls.put, { method: 'PUT', body: 'from a script' });
        const read = await fetch(urls.get);
        return [stored.status, stored.headers.get('ETag'), read.status, await read.text()] as const;
      },
      { put, get },
    );
    const object = await s3.send(new GetObjectCommand({ Bucket, Key: 'put' }));
    equal(answer, [200, object.ETag, 200, 'from a script']);
  },

  async 'script of an unknown origin'({ page, leave, s3 }) {
    const put = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: 'foreign' }));
    const get = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'put' }));
    await leave();
    const answer = await page.evaluate(
      ([putUrl, getUrl]) =>
        Promise.all(
          [fetch(putUrl, { method: 'PUT', body: 'x' }), fetch(getUrl)].map((request) =>
            request.then(
              ({ status }) => String(status),
              (error: unknown) => (error as Error).name,
            ),
          ),
        ),
      [put, get] as const,
    );
    equal(answer, ['TypeError', 'TypeError']);
    const stored = await s3
      .send(new GetObjectCommand({ Bucket, Key: 'foreign' }))
      .catch((error: unknown) => (error as Error).name);
    equal(stored, 'NoSuchKey');
  },
};

/** @param folder not there yet. */
export async function tryBrowser(folder: string): Promise<Column> {
  const title = 'chromium';
  const program = findTool('chromium');
  if (program === undefined)
    return { title, results: new Map(Object.keys(ACTS).map((act) => [act, missing('chromium')])) };
  const results = new Map<string, Result>();
  const closing: (() => Promise<unknown>)[] = [];
  try {
    const gateway = await startGateway({ folder });
    closing.push(() => gateway.close());
    const browser = await chromium.launch({ executablePath: program, args: ARGUMENTS });
    closing.push(() => browser.close());
    const [own, other] = [await servePages(), await servePages()];
    closing.push(own.close, other.close);
    const scene = await setUp(gateway, { browser, own, other });
    for (const [name, act] of Object.entries(ACTS)) results.set(name, await attempt(() => act(scene)));
    scene.s3.destroy();
  } catch (error) {
    results.set('start', { outcome: 'failed', detail: String(error) });
  } finally {
    for (const close of closing.toReversed()) await close();
  }
  return { title, results };
}

async function setUp(
  gateway: Gateway,
  { browser, own, other }: { readonly browser: Browser; readonly own: Pages; readonly other: Pages },
): Promise<Scene> {
  const s3 = new S3Client({
    endpoint: gateway.endpoint,
    region: REGION,
    forcePathStyle: true,
    credentials: gateway.root,
  });
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(
    new PutBucketCorsCommand({
      Bucket,
      CORSConfiguration: {
        CORSRules: [
          {
            AllowedOrigins: [own.origin],
            AllowedMethods: ['GET', 'PUT', 'POST'],
            AllowedHeaders: ['*'],
            ExposeHeaders: ['ETag'],
          },
        ],
      },
    }),
  );
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  return {
    page,
    s3,
    origin: own.origin,
    async show(html) {
      own.set(html);
      await page.goto(own.origin);
    },
    async leave() {
      other.set('<p>Another page</p>');
      await page.goto(other.origin);
    },
  };
}

interface Pages {
  readonly origin: string;
  set(html: string): void;
  readonly close: () => Promise<void>;
}

/** One document at every path, on an origin of its own. */
async function servePages(): Promise<Pages> {
  let html = '';
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    response.end(`<!doctype html><title>Page</title>${html}`);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    set(text) {
      html = text;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}

interface Form {
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
}

function presigned(s3: S3Client, options: Omit<PresignedPostOptions, 'Bucket'>): Promise<Form> {
  return createPresignedPost(s3, { Bucket, ...options });
}

function formOf({ url, fields }: Form, button: string): string {
  const inputs = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`,
  );
  return (
    `<form action="${escape(url)}" method="post" enctype="multipart/form-data">` +
    `${inputs.join('')}<input type="file" name="file">${button}</form>`
  );
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}

async function upload(
  page: Page,
  { name, buffer }: { readonly name: string; readonly buffer: Buffer },
): Promise<void> {
  await page.setInputFiles('input[type=file]', { name, mimeType: 'application/octet-stream', buffer });
  await page.click('input[type=submit]');
}

function equal(actual: unknown, expected: unknown): void {
  const [found, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (found !== wanted) throw new Error(`${found} instead of ${wanted}`);
}
