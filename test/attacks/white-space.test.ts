/** Runs of spaces where a line may have them: patterns that try each anew would stop everybody's requests for seconds. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BOUNDARY } from '../support/raw-form.ts';
import { BUCKET, openArena, type Arena } from './arena.ts';

let arena: Arena;

beforeAll(async () => {
  arena = await openArena({ env: { TRUSTED_PROXIES: '127.0.0.1/32' } });
  const rule = '<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>';
  await arena.send(
    arena.sign({
      method: 'PUT',
      target: `/${BUCKET}?cors`,
      body: `<CORSConfiguration>${rule}</CORSConfiguration>`,
    }),
  );
});

afterAll(async () => {
  await arena.finish();
});

/** Of a form of 20 KB, and of the 8 KB of headers. */
const IN_FORM = ' '.repeat(18_000);
const IN_HEADERS = ' '.repeat(7_000);
/** A run of `IN_HEADERS` takes some tenths of a second where it is tried at each space: many requests show it. */
const TIMES = 20;
const LONGEST_MS = 2_000;

async function isQuick(act: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  await act();
  expect(performance.now() - start).toBeLessThan(LONGEST_MS);
}

function form(part: string): Buffer {
  const body = `--${BOUNDARY}\r\n${part}\r\n--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--${BOUNDARY}--\r\n`;
  return Buffer.from(
    `POST /${BUCKET} HTTP/1.1\r\nHost: ${arena.host}\r\nContent-Type: multipart/form-data; boundary=${BOUNDARY}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
}

const PART = 'Content-Disposition: form-data; name="key"';

test.for([
  // Two runs, and an end that fits nowhere: each way to divide them is tried. Few, so that it ends at all.
  ['two runs in a header of a part', `X: ${' '.repeat(900)}x${' '.repeat(900)}\u0001\r\n${PART}\r\n\r\nkey`],
  ['a header of a part', `X: x${IN_FORM}y\r\n${PART}\r\n\r\nkey`],
  ['what follows the name of a field', `${PART}${IN_FORM}y\r\n\r\nkey`],
  ['the value of a field', `${PART}\r\n\r\nkey\r\n--${BOUNDARY}\r\n${field('acl')}x${IN_FORM}y`],
])('in a form that nobody signed: %s', async ([, part]) => {
  await isQuick(async () => {
    expect((await arena.send(form(part as string))).status).toBeGreaterThanOrEqual(400);
  });
});

test.for([
  ['Authorization', `AWS4-HMAC-SHA256 Credential=a,x${IN_HEADERS}y`],
  ['X-Forwarded-For', `203.0.113.9${IN_HEADERS}9`],
  ['X-Forwarded-Proto', `x${IN_HEADERS}y`],
])('in the header %s', async ([name, value]) => {
  const request = `GET /${BUCKET} HTTP/1.1\r\nHost: ${arena.host}\r\n${name}: ${value}\r\n\r\n`;
  await isQuick(async () => {
    for (let i = 0; i < TIMES; i++)
      expect((await arena.send(Buffer.from(request))).status).toBeGreaterThanOrEqual(400);
  });
});

test('in the headers that a preflight asks for', async () => {
  const request = `OPTIONS /${BUCKET}/a HTTP/1.1\r\nHost: ${arena.host}\r\nOrigin: https://example.com\r\nAccess-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: x${IN_HEADERS}y\r\n\r\n`;
  await isQuick(async () => {
    for (let i = 0; i < TIMES; i++) expect((await arena.send(Buffer.from(request))).status).toBe(403);
  });
});

function field(name: string): string {
  return `Content-Disposition: form-data; name="${name}"\r\n\r\n`;
}
