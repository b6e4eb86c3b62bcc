export { bucketSettings, matchesBucketPattern } from './bucket-rules.ts';
export type {
  BodyRequirement,
  BucketRule,
  BucketSettings,
  Config,
  Limits,
  ListenAddress,
  LogLevel,
  RootKey,
  TlsFiles,
  UpstreamConfig,
} from './config.ts';
export { ConfigError, type ConfigProblem } from './config-error.ts';
export { loadConfig, type ConfigSource } from './load.ts';
export { configWarnings } from './warnings.ts';
