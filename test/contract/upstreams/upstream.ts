/** A store behind the gateway, in processes of its own, with keys of its own. */
import type { Certificate } from '../certificates.ts';
import type { Credentials } from '../credentials.ts';
import type { Server } from '../process.ts';
import { findTool, type ToolName } from '../tools.ts';

export interface Upstream extends Server {
  readonly endpoint: string;
  readonly credentials: Credentials;
  /** The authority to trust, for an `https` endpoint. */
  readonly caFile?: string;
}

interface UpstreamOptions {
  readonly folder: string;
  /** Absent: plain http. */
  readonly certificate?: Certificate;
}

export interface UpstreamKind {
  readonly title: string;
  /** What must be on this machine. */
  readonly tools: readonly ToolName[];
  /** How verified uploads go there: the gateway's `integrity` setting. */
  readonly integrity: 'trailer' | 'hash' | 'signed-chunks' | 'unsigned';
  readonly start: (options: UpstreamOptions) => Promise<Upstream>;
  readonly version: () => Promise<string>;
}

/** @throws Error when this machine has none. */
export function programOf(tool: ToolName): string {
  const program = findTool(tool);
  if (program === undefined) throw new Error(`\`${tool}\` is not installed`);
  return program;
}
