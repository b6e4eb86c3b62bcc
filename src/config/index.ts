export { bucketSettings } from './bucket-rules.ts';
export type { BodyRequirement, BucketRule, BucketSettings, Config, UpstreamConfig } from './config.ts';
export { ConfigError } from './config-error.ts';
export { loadConfig } from './load.ts';
export { configWarnings } from './warnings.ts';
