export type { UpstreamBody, UpstreamResponse } from './exchange.ts';
export { createUpstream, UpstreamUnreachable, type Upstream, type UpstreamPayload } from './upstream.ts';
