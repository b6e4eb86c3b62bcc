export { createBuckets } from './buckets.ts';
export { canonicalUserId } from './canonical-user.ts';
export { createHandler } from './handle.ts';
export { openPolicyFolder } from './policy-folder.ts';
export { createRecorder } from './record.ts';
export { createListingTokens } from './listing-token.ts';
export { createRoutes } from './routes.ts';
export { createGatewayServer } from './server.ts';
