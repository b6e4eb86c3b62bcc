export { createLogger, type Logger, type LogOutput } from './logger.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export type { Counter, Family, Gauge, Histogram } from './instruments.ts';
