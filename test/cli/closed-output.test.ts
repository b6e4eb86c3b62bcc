/** `bucketwarden … | head`: who reads the output may stop reading. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

test('a command whose output is not read to its end still says by its exit code what it found', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bucketwarden-closed-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'cases.jsonl');
  const failing = JSON.stringify({
    id: 'x'.repeat(1000),
    principal: 'anonymous',
    action: 's3:GetObject',
    resource: 'arn:aws:s3:::logs/a',
    expected: 'Allow',
  });
  writeFileSync(file, `${failing}\n`.repeat(1000));
  const child = spawn(process.execPath, [MAIN, 'policy', 'test', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.once('data', () => child.stdout.destroy());
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  expect({ code, errors }).toEqual({ code: 1, errors: '' });
});
