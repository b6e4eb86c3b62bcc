import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openPolicyFolder } from '../../src/gateway/index.ts';
import { createLogger } from '../../src/telemetry/index.ts';

interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

function policy(sid: string, bucket = 'reports'): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: sid,
        Effect: 'Allow',
        Principal: '*',
        Action: 's3:GetObject',
        Resource: `arn:aws:s3:::${bucket}/*`,
      },
    ],
  });
}

async function open(files: Readonly<Record<string, string>> = {}) {
  const parent = await mkdtemp(join(tmpdir(), 'bucketwarden-policies-'));
  const directory = join(parent, 'policies');
  if (Object.keys(files).length > 0) await mkdir(directory);
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  const lines: LogLine[] = [];
  const { log } = createLogger({
    level: 'info',
    destination: { write: (line) => lines.push(JSON.parse(line) as LogLine) },
  });
  const folder = await openPolicyFolder({ directory, log, pollInterval: 0 });
  onTestFinished(async () => {
    folder.close();
    await rm(parent, { recursive: true, force: true });
  });
  const file = (name: string): string => join(directory, name);
  return {
    folder,
    lines,
    directory,
    file,
    write: (name: string, text: string) => writeFile(file(name), text),
    text: (bucket: string) => {
      const state = folder.get(bucket);
      return state !== undefined && 'text' in state ? state.text : undefined;
    },
  };
}

describe('the policy folder', () => {
  test('is made when it is not there, and is empty then', async () => {
    const { folder, write, text } = await open();
    expect(folder.get('reports')).toBeUndefined();
    await write('reports.json', policy('first'));
    await folder.refresh();
    expect(text('reports')).toBe(policy('first'));
  });

  test('holds one policy for each bucket that has a file', async () => {
    const { folder, file } = await open({
      'reports.json': policy('first'),
      'my.bucket.json': policy('dots', 'my.bucket'),
      'notes.txt': 'not a policy',
      '.reports.json.swp': 'an editor’s',
    });
    expect(folder.get('reports')).toMatchObject({ file: file('reports.json'), text: policy('first') });
    expect(folder.get('my.bucket')).toMatchObject({ text: policy('dots', 'my.bucket') });
    expect(folder.get('notes')).toBeUndefined();
    expect(folder.get('.reports')).toBeUndefined();
  });

  test('takes up a change', async () => {
    const { folder, write, text } = await open({ 'reports.json': policy('first') });
    await write('reports.json', policy('second'));
    await folder.refresh();
    expect(text('reports')).toBe(policy('second'));
  });

  test('takes up a file that replaces another by rename, be it as long and as old', async () => {
    const { folder, write, text, file } = await open({ 'reports.json': policy('first') });
    await write('.new', policy('other'));
    await rename(file('.new'), file('reports.json'));
    await folder.refresh();
    expect(text('reports')).toBe(policy('other'));
  });

  test('does not read again what did not change', async () => {
    const { folder, lines } = await open({ 'reports.json': policy('first') });
    const before = folder.get('reports');
    const logged = lines.length;
    await folder.refresh();
    await folder.refresh();
    expect(folder.get('reports')).toBe(before);
    expect(lines).toHaveLength(logged);
  });
});

describe('a broken policy file', () => {
  const BROKEN = '{\n  "Version": "2012-10-17",\n  "Statement": [}\n';

  test('never replaces a working one', async () => {
    const { folder, write, text, lines, file } = await open({ 'reports.json': policy('good') });
    await write('reports.json', BROKEN);
    await folder.refresh();
    expect(text('reports')).toBe(policy('good'));
    const errors = lines.filter(({ level }) => level === 'error');
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({
      file: file('reports.json'),
      effect: 'the last good policy stays',
      problem: expect.stringContaining(`${file('reports.json')}:3:`),
    });
    await folder.refresh();
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    await write('reports.json', policy('mended'));
    await folder.refresh();
    expect(text('reports')).toBe(policy('mended'));
  });

  test('denies its bucket when it was broken from the start, naming file and line', async () => {
    const { folder, write, text, file } = await open({
      'reports.json': BROKEN,
      'other.json': policy('fine', 'other'),
    });
    expect(folder.get('reports')).toEqual({
      file: file('reports.json'),
      broken: expect.stringMatching(/reports\.json:3:\d+: /),
    });
    expect(text('other')).toBeDefined();
    await write('reports.json', policy('mended'));
    await folder.refresh();
    expect(text('reports')).toBe(policy('mended'));
  });

  test.each([
    ['a policy for another bucket', policy('elsewhere', 'other')],
    [
      'an identity policy',
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
    ],
    ['nothing', ''],
  ])('is one that holds %s', async (_, content) => {
    const { folder } = await open({ 'reports.json': content });
    expect(folder.get('reports')).toHaveProperty('broken');
  });

  test('is one that is not UTF-8: read as something else, its Deny would be about another key', async () => {
    const { folder, lines, file, text } = await open({ 'reports.json': policy('good') });
    const changed = policy('new').replace('reports/*', 'reports/caf\u00e9/*');
    await writeFile(file('reports.json'), Buffer.from(changed, 'latin1'));
    await folder.refresh();
    expect(text('reports')).toBe(policy('good'));
    const column = changed.indexOf('\u00e9') + 1;
    expect(lines.at(-1)).toMatchObject({
      level: 'error',
      problem: expect.stringContaining(`:1:${column}: Policies must be valid JSON`),
    });
  });

  test('is one that cannot be read; the log says so once', async () => {
    const { folder, directory, lines } = await open({ 'reports.json': policy('good') });
    await mkdir(join(directory, 'folder.json'));
    await folder.refresh();
    await folder.refresh();
    await folder.refresh();
    expect(folder.get('folder')).toMatchObject({ broken: expect.stringContaining('cannot be read') });
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });
});

describe('a policy file that is gone', () => {
  test('still holds at the first look, since tools replace files in two steps', async () => {
    const { folder, write, text, file } = await open({ 'reports.json': policy('first') });
    await rm(file('reports.json'));
    await folder.refresh();
    expect(text('reports')).toBe(policy('first'));
    await write('reports.json', policy('second'));
    await folder.refresh();
    expect(text('reports')).toBe(policy('second'));
  });

  test('is forgotten at the second look', async () => {
    const { folder, lines, file } = await open({ 'reports.json': policy('first') });
    await rm(file('reports.json'));
    await folder.refresh();
    await folder.refresh();
    expect(folder.get('reports')).toBeUndefined();
    expect(lines.at(-1)).toMatchObject({
      level: 'info',
      bucket: 'reports',
      msg: 'bucket policy file is gone',
    });
  });

  test('still holds while the folder cannot be read', async () => {
    const { folder, text, directory, lines } = await open({ 'reports.json': policy('first') });
    await rename(directory, `${directory}.away`);
    for (let look = 0; look < 3; look++) await folder.refresh();
    expect(text('reports')).toBe(policy('first'));
    expect(lines.filter(({ level }) => level === 'error')).toMatchObject([{ directory }]);
    await rename(`${directory}.away`, directory);
    await folder.refresh();
    expect(text('reports')).toBe(policy('first'));
  });
});
