/** A request on its way to its handler, and what the handler answers. */
import type { ChecksumAlgorithm } from '../body/index.ts';
import type { WireRequest } from '../s3/index.ts';
import type { Catalog } from './catalog.ts';
import type { DataFiles } from './data-files.ts';
import type { ByteRange } from './byte-range.ts';
import type { Segment } from './object-records.ts';

/** What handlers work on. */
export interface Store {
  readonly catalog: Catalog;
  readonly files: DataFiles;
  readonly region: string;
  readonly ownerId: string;
  /** Epoch milliseconds, whole seconds: what HTTP dates can tell. */
  readonly now: () => number;
}

/** Its signature has been verified. */
export interface Call {
  readonly wire: WireRequest;
  /** Empty for the service. */
  readonly bucket: string;
  /** Empty for a bucket. */
  readonly key: string;
  /** A sha256 in hex or `UNSIGNED-PAYLOAD`. */
  readonly payloadHash: string;
  /** Of the body, its framing taken off. */
  readonly contentLength: number;
  /** Of the checksum that comes behind the body, and is verified with it. */
  readonly trailer: ChecksumAlgorithm | undefined;
  /** Asks the client for the body, which can be read once; rejects when the connection ends before it does. */
  body(): AsyncIterable<Uint8Array>;
}

/** Part of an object's bytes. `release` is called once they were sent, or could not be. */
export interface ObjectBytes extends ByteRange {
  readonly segments: readonly Segment[];
  readonly release: () => void;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text is a document. Undefined: no body, and `headers` may tell the length of the one that HEAD leaves out. */
  readonly body?: string | ObjectBytes;
}

export interface DevStoreLog {
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export type Handler = (call: Call, store: Store) => Reply | Promise<Reply>;
