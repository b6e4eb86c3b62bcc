/**
 * Bodies whose length the client does not declare, held on disk until their end tells it: an upstream must be told
 * before it gets the first byte.
 */
import { mkdir, open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import {
  tooLarge,
  trailerOf,
  VerifyingReader,
  type UnsizedBodyDeclaration,
  type VerifiedBody,
} from '../body/index.ts';
import { S3Error } from '../s3/index.ts';

export interface SpoolOptions {
  /** Made when it is not there. */
  readonly directory: string;
  /** Most bytes of one body. */
  readonly maxBodyBytes: number;
  /** Most bytes of all bodies together, at any time. */
  readonly maxTotalBytes: number;
  /** A name that no other file has. */
  readonly newName: () => string;
  /** Is told of all bytes that come, and, by a negative number, of all that go. */
  readonly held: { add(bytes: number): void };
}

export interface Spool {
  readonly maxBodyBytes: number;
  /**
   * Reads a body to its end and verifies it; nothing of it is given out before. Nothing stays when it is refused.
   * @throws S3Error as `openBody`; EntityTooLarge for one above a limit; SlowDown when there is no room for it, in
   * this spool or on its disk.
   */
  hold(declaration: UnsizedBodyDeclaration, source: AsyncIterable<Buffer>): Promise<SpooledBody>;
}

export interface SpooledBody extends VerifiedBody {
  /** Gives its room back, as the end of `chunks` does. Must be called when they may not have been read to the end. */
  release(): Promise<void>;
}

/** Bytes read at once. */
const READ_BYTES = 256 * 1024;
/** The disk, or what this user may have of it, is full. */
const NO_ROOM: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

/** Rejects when files cannot be made in the directory. */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { directory, newName, maxBodyBytes, maxTotalBytes, held } = options;
  const openFile = (): Promise<FileHandle> => openNameless(join(directory, `${newName()}.body`));
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await (await openFile()).close();
  let total = 0;
  const count = (bytes: number): void => {
    total += bytes;
    held.add(bytes);
  };

  return {
    maxBodyBytes,
    async hold(declaration, source) {
      const maxLength = Math.min(maxBodyBytes, declaration.maxLength);
      const reader = new VerifyingReader({ ...declaration, maxLength }, source);
      let length = 0;
      let file: FileHandle | undefined;
      let releasing: Promise<void> | undefined;
      const release = (): Promise<void> =>
        (releasing ??= Promise.resolve(file?.close()).finally(() => {
          count(-length);
        }));
      try {
        for (let chunk = await reader.read(); chunk !== undefined; chunk = await reader.read()) {
          if (length + chunk.length > maxLength) throw tooLarge(length + chunk.length, maxLength);
          if (total + chunk.length > maxTotalBytes)
            throw new S3Error('SlowDown', { reason: 'the spool has no room left' });
          const position = length;
          count(chunk.length);
          length += chunk.length;
          file ??= await openFile();
          await writeAll(file, chunk, position);
        }
      } catch (error) {
        await release();
        throw NO_ROOM.has((error as NodeJS.ErrnoException).code)
          ? new S3Error('SlowDown', { cause: error, reason: "the spool's disk is full" })
          : error;
      }
      let complete = length === 0;
      return {
        length,
        chunks: chunksOf(file, length, {
          onLast: () => {
            complete = true;
          },
          release,
        }),
        // INVARIANT: as of every body, false until the last bytes come out, though all have verified long before.
        get verified() {
          return complete;
        },
        trailer: declaration.trailer && trailerOf(declaration.trailer, reader),
        release,
      };
    },
  };
}

/** Readable by this process alone, and gone with it: the name is taken away before anything is written. */
async function openNameless(path: string): Promise<FileHandle> {
  const file = await open(path, 'wx+', 0o600);
  try {
    await unlink(path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function writeAll(file: FileHandle, data: Buffer, position: number): Promise<void> {
  for (let written = 0; written < data.length;)
    written += (await file.write(data, written, data.length - written, position + written)).bytesWritten;
}

async function* chunksOf(
  file: FileHandle | undefined,
  length: number,
  { onLast, release }: { readonly onLast: () => void; readonly release: () => Promise<void> },
): AsyncGenerator<Buffer, void, undefined> {
  try {
    if (file === undefined) return;
    for (let position = 0; position < length;) {
      const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, length - position));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
      if (bytesRead === 0) throw new Error('the spool file is shorter than what was written to it');
      position += bytesRead;
      if (position === length) onLast();
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await release();
  }
}
