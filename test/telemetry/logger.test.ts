import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { S3Error } from '../../src/s3/index.ts';
import { Secret } from '../../src/sigv4/index.ts';
import { createLogger } from '../../src/telemetry/index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bucketwarden-log-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function logged(
  write: (log: ReturnType<typeof createLogger>['log']) => void,
): Promise<readonly Record<string, unknown>[]> {
  const destination = join(folder, 'log');
  const { log, close } = createLogger({ level: 'info', destination: openSync(destination, 'w') });
  write(log);
  await close();
  const text = readFileSync(destination, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('the log', () => {
  test('is one JSON object a line: fields, level by name, time in ISO 8601', async () => {
    const [line, ...rest] = await logged((log) => {
      log.info({ requestId: 'R1', operation: 'GetObject' }, 'request');
      log.debug('not at this level');
    });
    expect(rest).toEqual([]);
    expect(line).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      requestId: 'R1',
      operation: 'GetObject',
      msg: 'request',
    });
  });

  test('every line is written before it is closed, and a later one does no harm', async () => {
    const destination = join(folder, 'log');
    const { log, close } = createLogger({ level: 'info', destination: openSync(destination, 'w') });
    for (let i = 0; i < 5000; i++) log.info({ i }, 'line');
    await close();
    log.info('too late');
    const lines = readFileSync(destination, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(5000);
    expect(JSON.parse(lines[4999] as string)).toMatchObject({ i: 4999 });
  });

  test('a secret prints as [secret], wherever it stands', async () => {
    const secret = new Secret('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY');
    const lines = await logged((log) => {
      log.info({ secret, deep: { list: [secret] } }, 'fields');
      log.info('formatted %s %o %j', secret, secret, { secret });
    });
    expect(lines[0]).toMatchObject({ secret: '[secret]', deep: { list: ['[secret]'] } });
    expect(JSON.stringify(lines)).not.toContain('wJalr');
  });

  test('an error shows type, message, code, reason and causes, but not what else it carries', async () => {
    const cause = Object.assign(new Error('connect'), { code: 'ECONNREFUSED', headers: 'token-in-headers' });
    const err = new S3Error('SignatureDoesNotMatch', {
      reason: 'wrong secret',
      details: { CanonicalRequest: 'x-amz-security-token:hunter2' },
      cause,
    });
    const [line] = await logged((log) => {
      log.error({ err }, 'refused');
    });
    expect(line?.['err']).toMatchObject({
      type: 'S3Error',
      code: 'SignatureDoesNotMatch',
      reason: 'wrong secret',
      cause: { type: 'Error', message: 'connect', code: 'ECONNREFUSED' },
    });
    expect(JSON.stringify(line)).not.toMatch(/hunter2|token-in-headers/);
  });

  test('what cannot be written to stops neither logging nor closing', async () => {
    const file = join(folder, 'log');
    writeFileSync(file, '');
    const { log, close } = createLogger({ level: 'info', destination: openSync(file, 'r') });
    log.info('lost');
    await expect(close()).resolves.toBeUndefined();
    expect(readFileSync(file, 'utf8')).toBe('');
  });

  test('goes to any stream that is given', async () => {
    const lines: string[] = [];
    const { log, close } = createLogger({
      level: 'warn',
      destination: { write: (line) => void lines.push(line) },
    });
    log.info('quiet');
    log.warn('loud');
    await close();
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['loud']);
  });
});
