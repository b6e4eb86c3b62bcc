/** The gateway's metrics, by name. */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import {
  counters,
  gauge,
  gauges,
  histograms,
  readCounter,
  type Counter,
  type Family,
  type Gauge,
  type Histogram,
  type Rendered,
} from './instruments.ts';

export interface Metrics {
  /** Finished requests. `effect` is `Allow`, `Deny`, or `none` when nothing was decided. */
  readonly requests: Family<Counter, readonly ['operation', 'status', 'effect']>;
  /** Seconds, from the first byte of the request to the last of the answer. */
  readonly requestDuration: Family<Histogram, readonly ['operation']>;
  readonly requestsInFlight: Gauge;
  /** Body bytes from clients. */
  readonly bytesReceived: Counter;
  /** Body bytes to clients. */
  readonly bytesSent: Counter;
  /** Requests that the gateway itself refused, by S3 error code. */
  readonly refusals: Family<Counter, readonly ['code']>;
  readonly upstreamRequests: Family<Counter, readonly ['status']>;
  /** By the upstream's S3 error code, or the system's for a connection that failed. */
  readonly upstreamErrors: Family<Counter, readonly ['code']>;
  /** 0: closed; 1: half-open; 2: open. */
  readonly upstreamBreaker: Family<Gauge, readonly ['upstream']>;
  readonly upstreamRetries: Family<Counter, readonly ['upstream']>;
  readonly upstreamRedirects: Family<Counter, readonly ['upstream']>;
  /** Seconds since the epoch. */
  readonly upstreamCredentialsExpiry: Family<Gauge, readonly ['upstream']>;
  readonly upstreamCredentialsFailures: Family<Counter, readonly ['upstream']>;
  /** Bytes of uploads of unknown length that wait on disk. */
  readonly spoolBytes: Gauge;
  /** Access log lines that could not be kept. */
  readonly accessLogDropped: Counter;
  /** Decisions made once more by candidate policies. `outcome`: same, would_allow, would_deny or undecidable. */
  readonly candidateDecisions: Family<Counter, readonly ['outcome', 'action']>;
  /** `state`: usable or broken. */
  readonly candidateFiles: Family<Gauge, readonly ['state']>;
  /** Differences that found no room in the log. */
  readonly candidateSuppressed: Counter;
  /** Text format 0.0.4. */
  readonly render: () => string;
  /** Stops measuring the event loop. */
  readonly close: () => void;
}

const DURATIONS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
] as const;
const EVENT_LOOP_RESOLUTION_MS = 20;

export function createMetrics(): Metrics {
  const requests = counters('bucketwarden_requests_total', 'Finished requests.', [
    'operation',
    'status',
    'effect',
  ]);
  const requestDuration = histograms(
    'bucketwarden_request_duration_seconds',
    'From the first byte of a request to the last byte of its answer.',
    ['operation'],
    DURATIONS,
  );
  const requestsInFlight = gauge('bucketwarden_requests_in_flight', 'Requests that are not finished.');
  const bytesReceived = counters('bucketwarden_bytes_received_total', 'Body bytes from clients.', []);
  const bytesSent = counters('bucketwarden_bytes_sent_total', 'Body bytes to clients.', []);
  const refusals = counters('bucketwarden_refusals_total', 'Requests refused by the gateway.', ['code']);
  const upstreamRequests = counters('bucketwarden_upstream_requests_total', 'Answers of the upstream.', [
    'status',
  ]);
  const upstreamErrors = counters('bucketwarden_upstream_errors_total', 'Failures of and at the upstream.', [
    'code',
  ]);
  const upstreamBreaker = gauges(
    'bucketwarden_upstream_breaker_state',
    'Circuit breaker of an upstream: 0 closed, 1 half-open, 2 open.',
    ['upstream'],
  );
  const upstreamRetries = counters(
    'bucketwarden_upstream_retries_total',
    'Requests sent again after no answer came.',
    ['upstream'],
  );
  const upstreamRedirects = counters(
    'bucketwarden_upstream_redirects_total',
    'Answers that named another endpoint or region of the upstream.',
    ['upstream'],
  );
  const upstreamCredentialsExpiry = gauges(
    'bucketwarden_upstream_credentials_expiry_timestamp_seconds',
    'When the credentials for an upstream expire, since the epoch.',
    ['upstream'],
  );
  const upstreamCredentialsFailures = counters(
    'bucketwarden_upstream_credentials_failures_total',
    'Renewals of credentials that failed.',
    ['upstream'],
  );
  const spoolBytes = gauge(
    'bucketwarden_spool_bytes',
    'Bytes of uploads of unknown length that wait on disk.',
  );
  const accessLogDropped = counters(
    'bucketwarden_access_log_dropped_total',
    'Access log lines that could not be kept.',
    [],
  );
  const candidateDecisions = counters(
    'bucketwarden_candidate_decisions_total',
    'Decisions made once more by candidate policies, by how they compare.',
    ['outcome', 'action'],
  );
  const candidateFiles = gauges('bucketwarden_candidate_files', 'Files of candidate policies.', ['state']);
  const candidateSuppressed = counters(
    'bucketwarden_candidate_suppressed_total',
    'Differences of candidate policies that were counted and not logged.',
    [],
  );
  const running = processMetrics();
  const all: readonly Rendered[] = [
    requests,
    requestDuration,
    requestsInFlight,
    bytesReceived,
    bytesSent,
    refusals,
    upstreamRequests,
    upstreamErrors,
    upstreamBreaker,
    upstreamRetries,
    upstreamRedirects,
    upstreamCredentialsExpiry,
    upstreamCredentialsFailures,
    spoolBytes,
    accessLogDropped,
    candidateDecisions,
    candidateFiles,
    candidateSuppressed,
    ...running.metrics,
  ];
  return {
    requests,
    requestDuration,
    requestsInFlight,
    bytesReceived: bytesReceived.with(),
    bytesSent: bytesSent.with(),
    refusals,
    upstreamRequests,
    upstreamErrors,
    upstreamBreaker,
    upstreamRetries,
    upstreamRedirects,
    upstreamCredentialsExpiry,
    upstreamCredentialsFailures,
    spoolBytes,
    accessLogDropped: accessLogDropped.with(),
    candidateDecisions,
    candidateFiles,
    candidateSuppressed: candidateSuppressed.with(),
    render: () => all.map((metric) => metric.render()).join(''),
    close: running.close,
  };
}

/** The names that Prometheus client libraries agree on. */
function processMetrics(): { readonly metrics: readonly Rendered[]; readonly close: () => void } {
  const delay = monitorEventLoopDelay({ resolution: EVENT_LOOP_RESOLUTION_MS });
  delay.enable();
  return {
    metrics: [
      readCounter('process_cpu_seconds_total', 'User and system CPU time.', () => {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1e6;
      }),
      gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss()),
      gauge(
        'process_start_time_seconds',
        'Start of the process since the epoch.',
        () => performance.timeOrigin / 1000,
      ),
      gauge('nodejs_heap_size_used_bytes', 'Used part of the heap.', () => process.memoryUsage().heapUsed),
      gauge('nodejs_eventloop_lag_p99_seconds', '99th percentile since the last scrape.', () => {
        const nanoseconds = delay.percentile(99);
        delay.reset();
        return Math.max(0, nanoseconds / 1e9 - EVENT_LOOP_RESOLUTION_MS / 1000);
      }),
    ],
    close: () => {
      delay.disable();
    },
  };
}
