/** A file that lines are appended to, off the request path. */
import { open, type FileHandle } from 'node:fs/promises';

export interface LineFile {
  /** Never throws and never waits. A line that finds no room, or is written after the end, is dropped. */
  readonly append: (line: string) => void;
  /** Opens the path anew, after log rotation has moved the file away; lines before it are in the old file. */
  readonly reopen: () => Promise<void>;
  /** Resolves when all lines are written or, if that fails, dropped. */
  readonly close: () => Promise<void>;
}

interface LineFileOptions {
  readonly path: string;
  /** Called with the number of lines that are lost. */
  readonly onDrop: (lines: number) => void;
  /** Called when writing or opening begins to fail, and not again until it has worked in between. */
  readonly onError: (error: unknown) => void;
  /** Bytes that may wait for a slow disk. */
  readonly maxWaitingBytes?: number;
}

const MAX_WAITING_BYTES = 16 * 1024 * 1024;
const RETRY_MS = 1000;

/** @throws the system's error when the file cannot be opened. */
export async function openLineFile(options: LineFileOptions): Promise<LineFile> {
  const file = new AppendedFile(options, await open(options.path, 'a', 0o640));
  return {
    append: (line) => {
      file.append(line);
    },
    reopen: () => file.reopen(),
    close: () => file.close(),
  };
}

/**
 * One write is under way at a time; what comes meanwhile is written together by the next. A write that fails is tried
 * again, from the byte where it stopped, until there is no more room: then new lines are dropped.
 */
class AppendedFile {
  readonly #options: LineFileOptions;
  readonly #maxWaitingBytes: number;
  #handle: FileHandle;
  #lines: string[] = [];
  /** Bytes of the lines that wait, and of the block that is being written. */
  #waitingBytes = 0;
  #block: Buffer = Buffer.alloc(0);
  #blockLines = 0;
  #running: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #failing = false;
  #closed = false;

  constructor(options: LineFileOptions, handle: FileHandle) {
    this.#options = options;
    this.#handle = handle;
    this.#maxWaitingBytes = options.maxWaitingBytes ?? MAX_WAITING_BYTES;
  }

  append(line: string): void {
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#closed || this.#waitingBytes + bytes > this.#maxWaitingBytes) {
      this.#options.onDrop(1);
      return;
    }
    this.#lines.push(line);
    this.#waitingBytes += bytes;
    if (this.#retry === undefined) this.#start();
  }

  async reopen(): Promise<void> {
    await this.#written();
    try {
      const next = await open(this.#options.path, 'a', 0o640);
      // A write may have begun meanwhile: it finishes in the old file.
      await this.#running;
      const before = this.#handle;
      this.#handle = next;
      await before.close();
      this.#failing = false;
    } catch (error) {
      this.#fail(error);
    }
    this.#start();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#written();
    const lost = this.#lines.length + this.#blockLines;
    if (lost > 0) this.#options.onDrop(lost);
    try {
      await this.#handle.close();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Once more, what failed before. */
  async #written(): Promise<void> {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#start();
    await this.#running;
    clearTimeout(this.#retry);
    this.#retry = undefined;
  }

  #start(): void {
    this.#running ??= this.#writeAll().finally(() => {
      this.#running = undefined;
    });
  }

  async #writeAll(): Promise<void> {
    try {
      for (;;) {
        if (this.#block.length === 0) {
          if (this.#lines.length === 0) return;
          this.#blockLines = this.#lines.length;
          this.#block = Buffer.from(`${this.#lines.join('\n')}\n`);
          this.#lines = [];
        }
        const { bytesWritten } = await this.#handle.write(this.#block);
        this.#waitingBytes -= bytesWritten;
        this.#block = this.#block.subarray(bytesWritten);
        if (this.#block.length === 0) this.#blockLines = 0;
        this.#failing = false;
      }
    } catch (error) {
      this.#fail(error);
      if (!this.#closed)
        this.#retry = setTimeout(() => {
          this.#retry = undefined;
          this.#start();
        }, RETRY_MS).unref();
    }
  }

  #fail(error: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    this.#options.onError(error);
  }
}
