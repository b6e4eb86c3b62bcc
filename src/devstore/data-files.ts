/** The bytes of objects: immutable files with random names, written whole or not at all. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, opendir, rename, rm, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes read at once. */
const CHUNK = 256 * 1024;

/** Sees every byte that is written, and has the last word before the file exists under its name. */
interface WriteObserver<Result> {
  update(chunk: Uint8Array): void;
  /** Throws to refuse what was written; nothing stays on disk then. */
  finish(size: number): Result;
}

interface ReadableSegment {
  readonly file: string;
  readonly size: number;
}

export interface DataFiles {
  /** Writes a file that is on disk, with its name, when the promise resolves; a failure leaves nothing. */
  write<Result>(
    source: AsyncIterable<Uint8Array>,
    observer: WriteObserver<Result>,
  ): Promise<{ readonly file: string; readonly size: number; readonly result: Result }>;
  /** `length` bytes from `start` on of the segments in a row. Throws when a file is missing or too short. */
  read(segments: readonly ReadableSegment[], start: number, length: number): AsyncGenerator<Buffer, void>;
  /** Keeps files from being deleted until the returned function is called (once). */
  hold(segments: readonly ReadableSegment[]): () => void;
  /** Deletes files, each once nobody holds it; does not wait. No record may refer to them any more. */
  remove(files: readonly string[]): void;
  /** Resolves when all deletions that may happen now have happened. */
  settled(): Promise<void>;
}

/**
 * Opens the folder, or makes it, and deletes what a crash left behind.
 * @param options.isKnown whether a record refers to the file.
 */
export async function openDataFiles(options: {
  readonly directory: string;
  readonly isKnown: (file: string) => boolean;
}): Promise<DataFiles> {
  const temporary = join(options.directory, 'tmp');
  const data = join(options.directory, 'data');
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  await mkdir(data, { recursive: true, mode: 0o700 });
  await deleteUnknown(data, options.isKnown);

  const pathOf = (file: string): string => join(data, file);
  const holders = new Map<string, number>();
  const condemned = new Set<string>();
  const deletions = new Set<Promise<void>>();

  const deleteNow = (file: string): void => {
    // A file that cannot be deleted now is unknown at the next start, and is deleted then.
    const deletion = unlink(pathOf(file))
      .catch(() => undefined)
      .finally(() => deletions.delete(deletion));
    deletions.add(deletion);
  };

  return {
    async write(source, observer) {
      const file = randomBytes(16).toString('hex');
      const path = join(temporary, file);
      try {
        const handle = await open(path, 'wx', 0o600);
        let size = 0;
        let result;
        try {
          for await (const chunk of source) {
            const writing = writeAll(handle, chunk);
            observer.update(chunk);
            size += chunk.byteLength;
            await writing;
          }
          result = observer.finish(size);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(path, pathOf(file));
        await syncFolder(data);
        return { file, size, result };
      } catch (error) {
        await unlink(path).catch(() => undefined);
        throw error;
      }
    },

    async *read(segments, start, length) {
      let skip = start;
      let left = length;
      for (const segment of segments) {
        if (left === 0) return;
        if (skip >= segment.size) {
          skip -= segment.size;
          continue;
        }
        const take = Math.min(left, segment.size - skip);
        yield* readFile(pathOf(segment.file), skip, take);
        left -= take;
        skip = 0;
      }
    },

    hold(segments) {
      for (const { file } of segments) holders.set(file, (holders.get(file) ?? 0) + 1);
      return () => {
        for (const { file } of segments) {
          const others = (holders.get(file) ?? 1) - 1;
          if (others > 0) {
            holders.set(file, others);
            continue;
          }
          holders.delete(file);
          if (condemned.delete(file)) deleteNow(file);
        }
      };
    },

    remove(files) {
      for (const file of files) {
        if (holders.has(file)) condemned.add(file);
        else deleteNow(file);
      }
    },

    async settled() {
      while (deletions.size > 0) await Promise.all(deletions);
    },
  };
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  let from = 0;
  while (from < chunk.byteLength) from += (await handle.write(chunk, from)).bytesWritten;
}

async function* readFile(path: string, start: number, length: number): AsyncGenerator<Buffer, void> {
  const handle = await open(path, 'r');
  try {
    let position = start;
    const end = start + length;
    while (position < end) {
      const want = Math.min(CHUNK, end - position);
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(want), 0, want, position);
      if (bytesRead === 0) throw new Error(`data file \`${path}\` is shorter than its record says`);
      position += bytesRead;
      yield bytesRead === want ? buffer : buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** Makes a rename last: the folder's own entry must be on disk. Windows knows no such call. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function deleteUnknown(data: string, isKnown: (file: string) => boolean): Promise<void> {
  for await (const { name } of await opendir(data)) if (!isKnown(name)) await unlink(join(data, name));
}
