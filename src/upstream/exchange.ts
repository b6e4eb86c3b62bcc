/** One request on the wire to the upstream, and its response, streamed with backpressure. */
import type { Writable } from 'node:stream';
import type { Dispatcher } from 'undici';

export interface UpstreamResponse {
  readonly status: number;
  /** Lower-case name, value, name, value… in wire order; values are latin1 characters, one per byte. */
  readonly headers: readonly string[];
  readonly body: UpstreamBody;
}

/** Consumed once, by one of its three methods. */
export interface UpstreamBody {
  /**
   * Streams into `sink` and ends it; a slow sink pauses the upstream. Resolves to the number of bytes written.
   * Rejects, leaving the sink open, when the upstream broke off.
   */
  pipe(sink: Writable): Promise<number>;
  /** Bytes that `pipe` has written so far. */
  readonly piped: number;
  /** The whole body. Rejects when it is longer than `maxBytes` or the upstream broke off. */
  read(maxBytes: number): Promise<Buffer>;
  /** Gives up the body and its connection. */
  discard(): void;
}

export interface ExchangeRequest {
  readonly method: string;
  /** Encoded path and query. */
  readonly path: string;
  /** Raw array: name, value, name, value… */
  readonly headers: string[];
  readonly body: AsyncIterable<Buffer> | Buffer | undefined;
  /** Aborting destroys the connection, with Content-Length outstanding if a body was on its way. */
  readonly signal: AbortSignal;
  /** Called when there is a connection, and the request goes out. */
  readonly onStart?: () => void;
  /** Called once, when the connection is done with the request, or will never be. */
  readonly onEnd?: () => void;
}

/** Resolves when the response's headers are there; rejects when the upstream cannot be reached or breaks off before. */
export function exchange(dispatcher: Dispatcher, request: ExchangeRequest): Promise<UpstreamResponse> {
  return new Promise((resolve, reject) => {
    const { signal } = request;
    if (signal.aborted) {
      request.onEnd?.();
      reject(signal.reason as Error);
      return;
    }
    let controller: Dispatcher.DispatchController | undefined;
    let body: ResponseBody | undefined;
    const onAbort = (): void => {
      controller?.abort(signal.reason as Error);
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    dispatcher.dispatch(
      {
        method: request.method,
        path: request.path,
        headers: request.headers,
        // undici would close the connection after each HEAD, for the sake of servers that answer it with a body.
        reset: false,
        // undici takes async iterables; its type names only streams.
        body: (request.body ?? null) as NonNullable<Dispatcher.DispatchOptions['body']> | null,
      },
      {
        onRequestStart(started) {
          controller = started;
          if (signal.aborted) started.abort(signal.reason as Error);
          else request.onStart?.();
        },
        onResponseStart(started, status) {
          if (status < 200) return;
          body = new ResponseBody(started);
          resolve({ status, headers: rawHeaders(started.rawHeaders), body });
        },
        onResponseData(_, chunk) {
          body?.push(chunk);
        },
        onResponseEnd() {
          signal.removeEventListener('abort', onAbort);
          request.onEnd?.();
          body?.end();
        },
        onResponseError(_, error) {
          signal.removeEventListener('abort', onAbort);
          request.onEnd?.();
          if (body === undefined) reject(error);
          else body.fail(error);
        },
      },
    );
  });
}

/**
 * Reads a body that is short enough, and returns a response from which it can be read again. Rejects when it is longer
 * than `maxBytes` or the upstream broke off.
 */
export async function peekBody(
  response: UpstreamResponse,
  maxBytes: number,
): Promise<{ readonly text: string; readonly response: UpstreamResponse }> {
  const data = await response.body.read(maxBytes);
  return { text: data.toString('utf8'), response: { ...response, body: new ReadBody(data) } };
}

class ReadBody implements UpstreamBody {
  readonly #data: Buffer;
  #piped = 0;

  constructor(data: Buffer) {
    this.#data = data;
  }

  get piped(): number {
    return this.#piped;
  }

  pipe(sink: Writable): Promise<number> {
    sink.end(this.#data);
    this.#piped = this.#data.length;
    return Promise.resolve(this.#piped);
  }

  read(maxBytes: number): Promise<Buffer> {
    return this.#data.length <= maxBytes
      ? Promise.resolve(this.#data)
      : Promise.reject(new Error(`the upstream's answer is longer than ${maxBytes} bytes`));
  }

  discard(): void {
    // Nothing is held.
  }
}

interface Consumer {
  /** False asks for a pause until `resume` is called. */
  data(chunk: Buffer, resume: () => void): boolean;
  end(): void;
  fail(error: Error): void;
}

/** Bytes kept until a consumer is there: one read of the socket, so that a small answer never has to be paused. */
const MAX_PENDING_BYTES = 65_536;
/** Copying more would cost what the shorter way saves. */
const MAX_STRING_BYTES = 16_384;

class ResponseBody implements UpstreamBody {
  readonly #controller: Dispatcher.DispatchController;
  readonly #pending: Buffer[] = [];
  #pendingBytes = 0;
  /**
   * Not at once: Node can say `drain` to one response while another one of the connection is written to, and so while
   * undici parses, which must not be resumed then.
   */
  readonly #resume = (): void => {
    queueMicrotask(() => {
      if (this.#outcome === undefined) this.#controller.resume();
    });
  };
  #consumer: Consumer | undefined;
  #piped = 0;
  #outcome: { readonly error: Error | undefined } | undefined;

  constructor(controller: Dispatcher.DispatchController) {
    this.#controller = controller;
  }

  push(chunk: Buffer): void {
    // undici says so when it resumes with nothing to read: no reason to write, or to pause again.
    if (chunk.length === 0) return;
    if (this.#consumer === undefined) {
      this.#pending.push(chunk);
      this.#pendingBytes += chunk.length;
      if (this.#pendingBytes >= MAX_PENDING_BYTES) this.#controller.pause();
    } else if (!this.#consumer.data(chunk, this.#resume)) {
      this.#controller.pause();
    }
  }

  end(): void {
    this.#outcome = { error: undefined };
    this.#consumer?.end();
  }

  fail(error: Error): void {
    this.#outcome = { error };
    this.#consumer?.fail(error);
  }

  get piped(): number {
    return this.#piped;
  }

  pipe(sink: Writable): Promise<number> {
    if (this.#outcome !== undefined && this.#outcome.error === undefined) {
      // All of it is here already: head and body leave together.
      const whole = this.#pending.length === 1 ? (this.#pending[0] as Buffer) : Buffer.concat(this.#pending);
      // As latin1, which keeps every byte, Node writes both as one string; beside a buffer it needs a vector of two.
      if (whole.length <= MAX_STRING_BYTES) sink.end(whole.toString('latin1'), 'latin1');
      else sink.end(whole);
      this.#piped = whole.length;
      return Promise.resolve(whole.length);
    }
    return new Promise((resolve, reject) => {
      this.#consume({
        data: (chunk, resume) => {
          this.#piped += chunk.length;
          if (sink.write(chunk)) return true;
          sink.once('drain', resume);
          return false;
        },
        end: () => {
          sink.end();
          resolve(this.#piped);
        },
        fail: reject,
      });
    });
  }

  read(maxBytes: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      this.#consume({
        data: (chunk) => {
          bytes += chunk.length;
          if (bytes <= maxBytes) {
            chunks.push(chunk);
            return true;
          }
          const error = new Error(`the upstream's answer is longer than ${maxBytes} bytes`);
          reject(error);
          // All of it may be here already: then there is nothing left to abort.
          if (this.#outcome === undefined) this.#controller.abort(error);
          return true;
        },
        end() {
          resolve(Buffer.concat(chunks));
        },
        fail: reject,
      });
    });
  }

  discard(): void {
    this.#consume({ data: () => true, end: () => undefined, fail: () => undefined });
    if (this.#outcome === undefined) this.#controller.abort(new Error('the answer is not needed'));
  }

  #consume(consumer: Consumer): void {
    this.#consumer = consumer;
    let wanted = true;
    for (const chunk of this.#pending) wanted = consumer.data(chunk, this.#resume) && wanted;
    this.#pending.length = 0;
    if (this.#outcome === undefined) {
      if (wanted && this.#controller.paused) this.#controller.resume();
    } else if (this.#outcome.error === undefined) {
      consumer.end();
    } else {
      consumer.fail(this.#outcome.error);
    }
  }
}

function rawHeaders(raw: Dispatcher.DispatchController['rawHeaders']): string[] {
  const headers: string[] = [];
  if (!Array.isArray(raw)) return headers;
  for (let i = 0; i + 1 < raw.length; i += 2)
    headers.push(latin1(raw[i] as Buffer | string).toLowerCase(), latin1(raw[i + 1] as Buffer | string));
  return headers;
}

function latin1(value: Buffer | string): string {
  return typeof value === 'string' ? value : value.toString('latin1');
}
