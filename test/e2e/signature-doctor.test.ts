/** What the access record says of a signature that did not match, and what the answer does not. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { errorElements } from '../attacks/arena.ts';
import { openConnection, type RawResponse } from '../support/raw-client.ts';
import { presign, render, signHeader, type Header, type SignedRequest } from '../support/raw-signer.ts';
import { runGateway, type GatewayOptions, type RunningGateway } from '../support/running-gateway.ts';

let gateway: RunningGateway | undefined;

afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
});

async function start(options: GatewayOptions = {}): Promise<RunningGateway> {
  return (gateway = await runGateway(options));
}

async function send(to: RunningGateway, request: SignedRequest): Promise<RawResponse> {
  const connection = await openConnection(to.port);
  void connection.write(render(request));
  const response = await connection.response({ head: request.method === 'HEAD' });
  connection.socket.end();
  await connection.closed;
  return response;
}

/** The answer, and the one record of it. */
async function refused(to: RunningGateway, request: SignedRequest) {
  const response = await send(to, request);
  expect(response.status).toBe(403);
  const requestId = response.headers['x-amz-request-id'] ?? '';
  const record = await to.record(requestId);
  expect(record).toMatchObject({ status: 403, errorCode: 'SignatureDoesNotMatch', outcome: 'completed' });
  return { response, record, requestId };
}

function replaceHost(request: SignedRequest, host: string): SignedRequest {
  return {
    ...request,
    headers: request.headers.map(([name, value]): Header => [name, name === 'Host' ? host : value]),
  };
}

describe('the record of a signature that does not match', () => {
  test.each(['header', 'presigned URL', 'SigV4A'])('says why: %s', async (form) => {
    const to = await start();
    const options = { credentials: to.root, host: 's3.internal.example:9443', target: '/bucket/key' };
    const signed =
      form === 'header'
        ? signHeader(options)
        : form === 'SigV4A'
          ? signHeader({ ...options, regionSet: '*' })
          : presign(options);
    const arrived = replaceHost(signed, '10.0.0.9:9000');
    const told: SignedRequest = {
      ...arrived,
      headers: [...arrived.headers, ['X-Forwarded-Host', 's3.internal.example:9443']],
    };
    const { response, record } = await refused(to, told);
    expect(record['signatureCause']).toEqual({
      kinds: ['host'],
      explanation: expect.stringContaining('`s3.internal.example:9443`') as unknown,
    });
    expect(errorElements(response.body)).not.toHaveProperty('SignatureCause');
    expect(response.body + JSON.stringify(response.headers)).not.toMatch(/proxy|publicUrls|9443/);
    const again = await refused(to, arrived);
    expect(again.record).not.toHaveProperty('signatureCause');
  });

  test('says so of a secret with a line break, without a word of the secret', async () => {
    const to = await start();
    const credentials = { ...to.root, secretAccessKey: `${to.root.secretAccessKey}\n` };
    const { response, record } = await refused(
      to,
      signHeader({ credentials, host: `127.0.0.1:${to.port}`, target: '/bucket/key' }),
    );
    expect(record['signatureCause']).toMatchObject({ kinds: ['secret'] });
    const right = signHeader({ credentials: to.root, host: `127.0.0.1:${to.port}`, target: '/bucket/key' });
    for (const text of [JSON.stringify(record), response.body]) {
      expect(text).not.toContain(to.root.secretAccessKey);
      expect(text).not.toContain(right.chain.signature);
    }
    expect(response.body).not.toContain('line break');
  });

  test('is one record, also for many at once, and a right signature is never looked into', async () => {
    const to = await start();
    const host = `127.0.0.1:${to.port}`;
    const wrong = signHeader({ credentials: to.root, host: 'elsewhere.example', target: '/bucket/key' });
    const right = signHeader({ credentials: to.root, host, target: '/' });
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => send(to, index % 2 === 0 ? replaceHost(wrong, host) : right)),
    );
    const ids = answers.map(({ headers }) => headers['x-amz-request-id'] ?? '');
    for (const id of ids) await to.record(id);
    const records = to.lines.filter((line) => line['msg'] === 'access');
    expect(records.map((line) => String(line['requestId'])).toSorted()).toEqual(ids.toSorted());
    for (const record of records.filter((line) => line['status'] === 200))
      expect(record).not.toHaveProperty('signatureCause');
  });

  test('is written when the gateway stops in between', async () => {
    const to = await start();
    const host = `127.0.0.1:${to.port}`;
    const forged = { ...to.root, secretAccessKey: 'EXAMPLEKEY' };
    const request = signHeader({ credentials: forged, host, target: '/bucket/key' });
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(to, request)));
    await to.close();
    const recorded = to.lines.filter((line) => line['errorCode'] === 'SignatureDoesNotMatch');
    expect(recorded).toHaveLength(answers.length);
  });

  test('says nothing where that is switched off', async () => {
    const to = await start();
    const { dataDir, root } = to;
    await to.stop({ keepData: true });
    const file = join(dataDir, 'settings.yaml');
    await writeFile(file, 'signatureDoctor:\n  perMinute: 0\n');
    const silent = await start({ dataDir, root, file });
    const wrong = signHeader({ credentials: silent.root, host: 'localhost', target: '/bucket/key' });
    const { record } = await refused(silent, replaceHost(wrong, `127.0.0.1:${silent.port}`));
    expect(record).not.toHaveProperty('signatureCause');
  });
});
