import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createJsonSink,
  fileSource,
  LogSourceError,
  readRecords,
  type AccessRecord,
  type DamagedRecord,
  type FoundRecord,
  type LogSource,
} from '../../src/audit/index.ts';
import { SAMPLE } from './sample-record.ts';

/** As pino writes it. */
function lineOf(record: Partial<AccessRecord>): string {
  let line = '';
  createJsonSink({
    info: (fields, msg) => {
      line = JSON.stringify({ level: 30, time: 1, ...fields, msg });
    },
  }).write({ ...SAMPLE, ...record });
  return line;
}

function source(...chunks: readonly (string | Buffer)[]): LogSource {
  return {
    name: 'log',
    async *open() {
      for (const chunk of chunks) yield chunk;
    },
  };
}

interface Read {
  readonly found: readonly FoundRecord[];
  readonly damaged: readonly DamagedRecord[];
}

async function read(sources: readonly LogSource[], containing: readonly string[] = []): Promise<Read> {
  const damaged: DamagedRecord[] = [];
  const found: FoundRecord[] = [];
  for await (const each of readRecords(sources, { containing, onDamaged: (one) => damaged.push(one) }))
    found.push(each);
  return { found, damaged };
}

const ids = ({ found }: Read): readonly string[] => found.map(({ record }) => record.requestId);
const places = ({ found }: Read): readonly number[] => found.map(({ line }) => line);

const OTHER = '{"level":30,"time":1,"url":"http://127.0.0.1:9000","msg":"listening"}';

describe('what is read', () => {
  test('is what was written, with the time of the request', async () => {
    const { found, damaged } = await read([source(`${lineOf({})}\n`)]);
    expect(damaged).toEqual([]);
    expect(found).toHaveLength(1);
    const { time, target, hostId: _, ...same } = SAMPLE;
    expect(found[0]?.record).toMatchObject({ ...same, time, requestUri: target });
  });

  test('skips other lines of the log, empty ones, and other messages with the fields of a record', async () => {
    const log = [
      OTHER,
      '',
      lineOf({ requestId: 'A' }),
      'Error: x',
      `{"requestTime":"x","msg":"other"}`,
      lineOf({ requestId: 'B' }),
    ];
    const result = await read([source(log.join('\n'))]);
    expect(ids(result)).toEqual(['A', 'B']);
    expect(places(result)).toEqual([3, 6]);
    expect(result.damaged).toEqual([]);
  });

  test.each([
    ['journalctl', (line: string) => `Mar 01 12:00:00 host bucketwarden[17]: ${line}`],
    ['containerd', (line: string) => `2026-03-01T12:00:00.1Z stdout F ${line}`],
    ['Docker', (line: string) => JSON.stringify({ log: `${line}\n`, stream: 'stdout' })],
    ['CRLF', (line: string) => `${line}\r`],
  ])('finds a record in what %s makes of it', async (_, wrap) => {
    expect(ids(await read([source(`${wrap(lineOf({ requestId: 'A' }))}\n`)], ['A']))).toEqual(['A']);
  });

  test('reads source after source, gzip by its first bytes whatever the name', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'records-'));
    const packed = join(folder, 'old.log');
    writeFileSync(
      packed,
      Buffer.concat([gzipSync(`${lineOf({ requestId: 'A' })}\n`), gzipSync(lineOf({ requestId: 'B' }))]),
    );
    const plain = join(folder, 'new.log');
    writeFileSync(plain, lineOf({ requestId: 'C' }));
    expect(ids(await read([fileSource(packed), fileSource(plain)]))).toEqual(['A', 'B', 'C']);
  });

  test('looks for each text anywhere in the line', async () => {
    const log = [
      { requestId: 'A1', key: 'x' },
      { requestId: 'A2', key: 'y' },
      { requestId: 'B1', key: 'y' },
    ];
    const result = await read([source(log.map(lineOf).join('\n'))], ['requestId":"A', '"key":"y"']);
    expect(ids(result)).toEqual(['A2']);
    expect(places(result)).toEqual([2]);
  });
});

test('lines and their numbers are the same however the bytes are cut', async () => {
  const log = [
    OTHER,
    lineOf({ requestId: 'A', key: 'ü\u2028' }),
    '',
    lineOf({ requestId: 'B' }),
    OTHER,
    lineOf({ requestId: 'C' }),
  ];
  const bytes = Buffer.from(log.join('\n'));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length)), fc.boolean(), async (cuts, all) => {
      const at = [0, ...cuts.toSorted((left, right) => left - right), bytes.length];
      const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
      const result = await read([source(...chunks)], all ? [] : ['"C"']);
      expect(places(result)).toEqual(all ? [2, 4, 6] : [6]);
      expect(ids(result)).toEqual(all ? ['A', 'B', 'C'] : ['C']);
    }),
    { numRuns: 200 },
  );
});

describe('what is damaged', () => {
  test.each([
    ['broken off', lineOf({}).slice(0, 400), 'not a whole JSON object'],
    [
      'without a field',
      lineOf({}).replace('"requestId"', '"id"'),
      '`requestId` is missing, or not what a record has',
    ],
    [
      'with a decision of another kind',
      lineOf({}).replace('"Allow"', '"Perhaps"'),
      '`decision.effect` is missing, or not what a record has',
    ],
    [
      'without a real time',
      lineOf({}).replace(/"requestTime":"[^"]+"/, '"requestTime":"today"'),
      '`requestTime` is no time',
    ],
  ])('is told, and passed over: %s', async (_, line, problem) => {
    const result = await read([source(`${OTHER}\n${line}\n${lineOf({ requestId: 'A' })}\n`)]);
    expect(ids(result)).toEqual(['A']);
    expect(result.damaged).toEqual([{ source: 'log', line: 2, problem }]);
  });

  test.each([
    ['is not there', () => fileSource(join(tmpdir(), 'no-such-folder', 'x.log'))],
    ['is broken off inside its compression', () => source(gzipSync(lineOf({})).subarray(0, 60))],
  ])('a source that %s ends the reading with its name', async (_, open) => {
    const broken = open();
    await expect(read([broken])).rejects.toThrow(LogSourceError);
    await expect(read([broken])).rejects.toThrow(broken.name);
  });
});
