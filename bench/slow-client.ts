/**
 * Many transfers at once, each of which moves a little at a time. It runs in a process of its own and is told what to
 * do by messages, so that its memory is not what is measured.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { BODY_BLOCK } from './load-client.ts';

/** What is moved, and how slowly. */
export interface SlowLoad {
  readonly port: number;
  /** The heads of the requests as they go over the wire. */
  readonly download: string;
  readonly upload: string;
  /** Bytes of an upload's body. */
  readonly uploadSize: number;
  readonly downloads: number;
  readonly uploads: number;
  /** Between two pieces of one transfer. */
  readonly pauseMilliseconds: { readonly upload: number; readonly download: number };
  /** Bytes of a piece of an upload; a download takes what is there, 64 KiB at most. */
  readonly pieceSize: number;
  /** Downloads that still run then are broken off. */
  readonly milliseconds: number;
}

export interface SlowOutcome {
  /** Uploads that were answered 200. */
  readonly uploaded: number;
  /** Downloads that were moving until they were broken off, or complete. */
  readonly downloaded: number;
  /** The first lines of other answers, and errors, each with its number. */
  readonly others: Readonly<Record<string, number>>;
  readonly bytes: number;
}

/** Milliseconds from one start to the next: many at one moment would not fit into the queue of a listening socket. */
const RAMP = 8;

export interface SlowClient {
  run(load: SlowLoad): Promise<SlowOutcome>;
  close(): Promise<void>;
}

export function startSlowClient(): SlowClient {
  const child = fork(import.meta.filename, ['child']);
  return {
    async run(load) {
      child.send(load);
      const [outcome] = (await once(child, 'message')) as [SlowOutcome];
      return outcome;
    },
    async close() {
      const exit = once(child, 'exit');
      child.kill();
      await exit;
    },
  };
}

if (process.argv[2] === 'child')
  process.on('message', (load: SlowLoad) => {
    void runLoad(load).then((outcome) => process.send?.(outcome));
  });

async function runLoad(load: SlowLoad): Promise<SlowOutcome> {
  const counts = { uploaded: 0, downloaded: 0, bytes: 0 };
  const others: Record<string, number> = {};
  const other = (what: string): void => {
    others[what] = (others[what] ?? 0) + 1;
  };
  const end = performance.now() + load.milliseconds;
  const transfers = [
    ...Array.from({ length: load.downloads }, async (_, index) => {
      await delay(index * RAMP);
      const { status, bytes, error } = await download(load, end);
      counts.bytes += bytes;
      if (status === 200 && error === undefined) counts.downloaded += 1;
      else other(error ?? `download: ${status}`);
    }),
    ...Array.from({ length: load.uploads }, async (_, index) => {
      await delay(index * RAMP);
      const { status, bytes, error } = await upload(load);
      counts.bytes += bytes;
      if (status === 200) counts.uploaded += 1;
      else other(status > 0 ? `upload: ${status}` : `upload: ${error}`);
    }),
  ];
  await Promise.all(transfers);
  return { ...counts, others };
}

interface Transfer {
  readonly status: number;
  readonly bytes: number;
  readonly error?: string;
}

function download(load: SlowLoad, end: number): Promise<Transfer> {
  return new Promise((resolve) => {
    const socket = connect(load.port, '127.0.0.1');
    let first = '';
    let bytes = 0;
    let error: string | undefined;
    socket.on('connect', () => socket.write(load.download, 'latin1'));
    socket.on('data', (chunk: Buffer) => {
      if (bytes === 0) first = chunk.toString('latin1', 0, 12);
      bytes += chunk.length;
      socket.pause();
      setTimeout(() => {
        if (performance.now() >= end) socket.destroy();
        else socket.resume();
      }, load.pauseMilliseconds.download);
    });
    socket.on('error', ({ message }) => {
      error = `download: ${message}`;
    });
    socket.on('close', () => {
      // What ends before its time was not a slow transfer.
      if (performance.now() < end) error ??= `download: ended after ${bytes} bytes: ${first}`;
      resolve({ status: statusOf(first), bytes, ...(error !== undefined && { error }) });
    });
  });
}

function upload(load: SlowLoad): Promise<Transfer> {
  return new Promise((resolve) => {
    const socket = connect(load.port, '127.0.0.1');
    let answer = '';
    let sent = 0;
    let error: string | undefined;
    let timer: NodeJS.Timeout | undefined;
    socket.on('connect', () => {
      socket.write(load.upload, 'latin1');
      timer = setInterval(() => {
        sent += sendPiece(socket, load, sent);
        if (sent >= load.uploadSize) clearInterval(timer);
      }, load.pauseMilliseconds.upload);
    });
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      if (answer.includes('\r\n\r\n')) socket.end();
    });
    socket.on('error', ({ message }) => {
      error = message;
    });
    socket.on('close', () => {
      clearInterval(timer);
      resolve({ status: statusOf(answer), bytes: sent, ...(error !== undefined && { error }) });
    });
  });
}

function sendPiece(socket: Socket, { uploadSize, pieceSize }: SlowLoad, sent: number): number {
  // The body is the block again and again: a piece ends where the block does.
  const start = sent % BODY_BLOCK.length;
  const length = Math.min(pieceSize, uploadSize - sent, BODY_BLOCK.length - start);
  socket.write(BODY_BLOCK.subarray(start, start + length));
  return length;
}

function statusOf(text: string): number {
  return Number(text.slice(9, 12));
}
