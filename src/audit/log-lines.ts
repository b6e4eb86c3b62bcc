/** The lines of a log that has any size, those of interest alone; as it was written, or compressed by gzip. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** Where lines come from. */
export interface LogSource {
  /** For messages: the path, or `standard input`. */
  readonly name: string;
  /** May be called once; what it yields is bytes or text. */
  readonly open: () => AsyncIterable<unknown>;
}

export interface LogLine {
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

/** A log that cannot be read to its end: it does not exist, may not be read, or is damaged. */
export class LogSourceError extends Error {
  override readonly name = 'LogSourceError';
}

const CHUNK_BYTES = 1024 * 1024;
/** A thousand keys of DeleteObjects, each explained, are less. What is longer is no record. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
const LINE_FEED = 0x0a;

/** A file, which is opened when it is read. */
export function fileSource(path: string): LogSource {
  return { name: path, open: () => createReadStream(path, { highWaterMark: CHUNK_BYTES }) };
}

/**
 * The lines whose bytes hold each of `containing`. All others are passed over without being decoded: a gigabyte takes
 * about a second.
 * @throws LogSourceError
 */
export async function* readLogLines(
  source: LogSource,
  containing: readonly string[],
): AsyncGenerator<LogLine, void, undefined> {
  const wanted = containing.map((text) => Buffer.from(text));
  let line = 1;
  /** Bytes of a line that has begun in an earlier chunk. */
  let begun: Buffer[] = [];
  let begunBytes = 0;
  try {
    for await (const chunk of plainChunks(source)) {
      const end = chunk.lastIndexOf(LINE_FEED);
      if (end === -1) {
        // Of a line that is too long its length alone is kept: it is passed over at its end.
        if (begunBytes + chunk.length > MAX_LINE_BYTES) begun = [];
        else begun.push(chunk);
        begunBytes += chunk.length;
        continue;
      }
      const first = chunk.indexOf(LINE_FEED);
      const isLong = begunBytes + first > MAX_LINE_BYTES;
      const whole = Buffer.concat([...begun, chunk.subarray(0, first)]);
      if (!isLong && holdsAll(whole, wanted)) yield { text: decode(whole), line };
      line++;
      let start = first + 1;
      for (const found of linesHolding(chunk, start, end + 1, wanted)) {
        for (; start < found.start; line++) start = chunk.indexOf(LINE_FEED, start) + 1;
        yield { text: decode(chunk.subarray(found.start, found.end)), line };
      }
      for (; start <= end; line++) start = chunk.indexOf(LINE_FEED, start) + 1;
      begun = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : [];
      begunBytes = chunk.length - end - 1;
    }
  } catch (error) {
    const how =
      line === 1 && begunBytes === 0 ? 'cannot be read.' : `cannot be read to its end, line ${line}.`;
    throw new LogSourceError(`\`${source.name}\` ${how}`, { cause: error });
  }
  const last = Buffer.concat(begun);
  if (begunBytes <= MAX_LINE_BYTES && last.length > 0 && holdsAll(last, wanted))
    yield { text: decode(last), line };
}

/** The whole lines between `from` and `to` that hold what is wanted: found by the first text, which is looked for once. */
function* linesHolding(
  chunk: Buffer,
  from: number,
  to: number,
  wanted: readonly Buffer[],
): Generator<{ readonly start: number; readonly end: number }, void, undefined> {
  const [first, ...others] = wanted;
  let start = from;
  while (start < to) {
    const at = first === undefined ? start : chunk.indexOf(first, start);
    if (at === -1 || at >= to) return;
    const lineStart = chunk.lastIndexOf(LINE_FEED, at) + 1;
    const end = chunk.indexOf(LINE_FEED, at);
    // Beyond the last line break stands the beginning of a line.
    if (end === -1 || end >= to) return;
    if (holdsAll(chunk.subarray(lineStart, end), others)) yield { start: lineStart, end };
    start = end + 1;
  }
}

function holdsAll(line: Buffer, wanted: readonly Buffer[]): boolean {
  return wanted.every((text) => line.includes(text));
}

function decode(line: Buffer): string {
  return line.toString('utf8').trimEnd();
}

/** As they come, or unpacked where the first two bytes say gzip (RFC 1952), whatever the name is. */
async function* plainChunks(source: LogSource): AsyncGenerator<Buffer, void, undefined> {
  const chunks = bytesOf(source.open());
  const first = await chunks.next();
  if (first.done === true) return;
  const all = withFirst(first.value, chunks);
  if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) {
    yield* all;
    return;
  }
  const packed = Readable.from(all);
  const unpacked = createGunzip({ chunkSize: CHUNK_BYTES });
  packed.once('error', (error) => unpacked.destroy(error));
  try {
    for await (const chunk of packed.pipe(unpacked)) yield chunk as Buffer;
  } finally {
    packed.destroy();
    unpacked.destroy();
  }
}

async function* bytesOf(chunks: AsyncIterable<unknown>): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of chunks) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (!(bytes instanceof Uint8Array)) throw new TypeError('a log is made of bytes');
    if (bytes.length > 0) yield Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes);
  }
}

async function* withFirst(
  first: Buffer,
  others: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  yield first;
  yield* others;
}
