export { createBuckets, type Buckets } from './buckets.ts';
export { canonicalUserId } from './canonical-user.ts';
export { createHandler, type Handler, type HandlerDependencies } from './handle.ts';
export { openPolicyFolder, type PolicyFolder } from './policy-folder.ts';
export { createRecorder, type Recorder } from './record.ts';
export { createGatewayServer, type GatewayServer } from './server.ts';
