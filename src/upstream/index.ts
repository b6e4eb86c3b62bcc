export type { UpstreamBody, UpstreamResponse } from './exchange.ts';
export {
  createUpstream,
  UpstreamUnreachable,
  type Upstream,
  type UpstreamOptions,
  type UpstreamPayload,
  type UpstreamRequest,
} from './upstream.ts';
