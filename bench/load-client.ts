/**
 * Runs `load.ts` in a process of its own, so that measuring does not take time from what is measured, and asks it
 * for one load after another.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** What is sent, over and over, on every connection. */
export interface Load {
  readonly port: number;
  /** The head of the request as it goes over the wire. */
  readonly head: string;
  /** Bytes of `BODY_BLOCK`, repeated, that follow the head. */
  readonly bodySize: number;
  readonly connections: number;
  /** It ends at whichever comes first. */
  readonly milliseconds: number;
  readonly requests: number;
  readonly expectStatus: number;
}

export interface Measured {
  readonly requests: number;
  /** From the first byte sent to the last received. */
  readonly seconds: number;
  /** Of bodies, both ways. */
  readonly bytes: number;
}

export interface LoadClient {
  /** Rejects when an answer was not the expected one. */
  run(load: Load): Promise<Measured>;
  close(): Promise<void>;
}

/** 64 KiB that bodies are made of. */
export const BODY_BLOCK: Buffer = Buffer.alloc(64 * 1024, 'a body for Bucketwarden ');

export function startLoadClient(): LoadClient {
  const child = fork(join(import.meta.dirname, 'load.ts'));
  return {
    async run(load) {
      child.send(load);
      const [answer] = (await once(child, 'message')) as [Measured | { readonly error: string }];
      if ('error' in answer) throw new Error(answer.error);
      return answer;
    },
    async close() {
      const exit = once(child, 'exit');
      child.kill();
      await exit;
    },
  };
}
