export { UpstreamUnreachable, UpstreamUnusable } from './errors.ts';
export type { UpstreamBody, UpstreamResponse } from './exchange.ts';
export type { UpstreamEvent, UpstreamOptions } from './options.ts';
export type { UpstreamPayload } from './payload.ts';
export { createUpstream, type Upstream, type UpstreamRequest } from './upstream.ts';
