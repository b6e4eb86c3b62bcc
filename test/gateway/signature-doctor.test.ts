import { inspect } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import type { RecordedCause } from '../../src/audit/index.ts';
import { createSignatureDoctor, SignatureMismatch } from '../../src/gateway/signature-doctor.ts';
import { S3Error } from '../../src/s3/index.ts';
import { createSigningKeys, parseSignatureClaim, Secret } from '../../src/sigv4/index.ts';
import {
  ACCESS_KEY_ID,
  NOW,
  parse,
  REGION,
  SECRET_ACCESS_KEY,
  signByHeader,
} from '../sigv4/independent-signer.ts';

const NAMES = { baseDomains: [], publicUrls: [] };

function doctor(changes: Partial<Parameters<typeof createSignatureDoctor>[0]> = {}) {
  const onBug = vi.fn<(error: unknown) => void>();
  return {
    onBug,
    doctor: createSignatureDoctor({
      perMinute: 60,
      names: NAMES,
      region: REGION,
      now: () => NOW,
      onBug,
      ...changes,
    }),
  };
}

/** A request whose port was lost on the way; `forge` makes it inexplicable. */
async function mismatch({ forge = false } = {}): Promise<SignatureMismatch> {
  const signed = await signByHeader({ method: 'GET', path: '/b/k' });
  const request = parse({
    ...signed,
    headers: signed.headers.map(
      ([name, value]) => [name, name === 'host' ? 'gateway.example' : value] as const,
    ),
  });
  const claim = parseSignatureClaim(request, { region: REGION, now: NOW });
  if (claim === undefined) throw new Error('not signed');
  const secret = new Secret(forge ? 'EXAMPLEKEYofSomebodyElse' : SECRET_ACCESS_KEY);
  const credentials = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: secret, secretVersion: '1' };
  const key = createSigningKeys({ max: 1 }).verificationKey(credentials, claim.scope);
  return new SignatureMismatch(
    new S3Error('SignatureDoesNotMatch', { details: { AWSAccessKeyId: ACCESS_KEY_ID } }),
    {
      request,
      claim,
      secret,
      key,
    },
  );
}

type Asked = ReturnType<typeof doctor>['doctor'];

function examine(asked: Asked, refusal: SignatureMismatch): Promise<RecordedCause | undefined> {
  return new Promise((resolve) => {
    asked.examine(refusal, resolve);
  });
}

const HOST_CAUSE = {
  kinds: ['host'],
  explanation: expect.stringContaining('`gateway.example:9000`') as unknown,
};

describe('the doctor of signatures', () => {
  test('tells the cause, later', async () => {
    const { doctor: asked } = doctor();
    const refusal = await mismatch();
    const told = vi.fn<(cause: RecordedCause | undefined) => void>();
    asked.examine(refusal, told);
    expect(told).not.toHaveBeenCalled();
    await vi.waitFor(() => {
      expect(told).toHaveBeenCalledTimes(1);
    });
    expect(told).toHaveBeenCalledWith(HOST_CAUSE);
  });

  test('tells nothing of what it cannot explain', async () => {
    const { doctor: asked } = doctor();
    expect(await examine(asked, await mismatch({ forge: true }))).toBeUndefined();
  });

  test('is not asked at all with a rate of 0', async () => {
    const { doctor: asked } = doctor({ perMinute: 0 });
    const told = vi.fn<(cause: RecordedCause | undefined) => void>();
    asked.examine(await mismatch(), told);
    expect(told).toHaveBeenCalledExactlyOnceWith(undefined);
  });

  test('looks into so many a minute, and into more in the next', async () => {
    let now = NOW;
    const { doctor: asked } = doctor({ perMinute: 2, now: () => now });
    const refusal = await mismatch();
    const ask = () => examine(asked, refusal);
    expect(await Promise.all([ask(), ask(), ask(), ask()])).toEqual([
      HOST_CAUSE,
      HOST_CAUSE,
      undefined,
      undefined,
    ]);
    now += 59_999;
    expect(await ask()).toBeUndefined();
    now += 1;
    expect(await ask()).toEqual(HOST_CAUSE);
    // A clock that was set back must not stop it for good.
    now -= 3_600_000;
    expect(await ask()).toEqual(HOST_CAUSE);
  });

  test('lets a bounded number wait, and answers each once', async () => {
    const { doctor: asked } = doctor({ perMinute: 1000 });
    const refusal = await mismatch();
    const answers = await Promise.all(Array.from({ length: 100 }, () => examine(asked, refusal)));
    expect(answers.filter((answer) => answer !== undefined)).toHaveLength(32);
  });

  test('lets other work go on between', async () => {
    const { doctor: asked } = doctor();
    let others = 0;
    let told = false;
    const other = (): void => {
      others += 1;
      if (!told) setImmediate(other);
    };
    setImmediate(other);
    await examine(asked, await mismatch({ forge: true }));
    told = true;
    expect(others).toBeGreaterThan(3);
  });

  test('answers who waits when it closes', async () => {
    const { doctor: asked } = doctor();
    const refusal = await mismatch({ forge: true });
    const told = vi.fn<(cause: RecordedCause | undefined) => void>();
    for (let i = 0; i < 3; i++) asked.examine(refusal, told);
    await new Promise(setImmediate);
    asked.close();
    expect(told.mock.calls).toEqual([[undefined], [undefined], [undefined]]);
    await new Promise(setImmediate);
    expect(told).toHaveBeenCalledTimes(3);
  });

  test('survives a bug of its own, and the record is written', async () => {
    const { doctor: asked, onBug } = doctor();
    const refusal = await mismatch();
    const broken = new SignatureMismatch(refusal, {
      ...refusal.case,
      get request(): never {
        throw new Error('a bug');
      },
    });
    expect(await examine(asked, broken)).toBeUndefined();
    expect(onBug).toHaveBeenCalledTimes(1);
    expect(await examine(asked, refusal)).toEqual(HOST_CAUSE);
  });
});

describe('a refused signature', () => {
  test('says to the client what any SignatureDoesNotMatch does', async () => {
    const refusal = await mismatch();
    expect(refusal).toBeInstanceOf(S3Error);
    expect(refusal).toMatchObject({
      code: 'SignatureDoesNotMatch',
      status: 403,
      message:
        'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      details: { AWSAccessKeyId: ACCESS_KEY_ID },
    });
  });

  test('prints no key, wherever it is logged', async () => {
    const refusal = await mismatch();
    const key = Buffer.isBuffer(refusal.case.key) ? refusal.case.key : Buffer.alloc(0);
    const printed = inspect(refusal, { depth: 10, showHidden: true }) + JSON.stringify(refusal);
    for (const text of [
      SECRET_ACCESS_KEY,
      key.toString('hex'),
      key.toString('hex').replaceAll(/..(?!$)/g, '$& '),
    ])
      expect(printed).not.toContain(text);
  });
});
