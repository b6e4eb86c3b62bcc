import { describe, expect, test } from 'vitest';
import { counters, gauge, histograms } from '../../src/telemetry/instruments.ts';
import { createMetrics } from '../../src/telemetry/index.ts';

/** Prometheus text format 0.0.4, read from its grammar: sample line, escapes and numbers. */
const SAMPLE =
  /^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?<labels>(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (?<value>[+-]Inf|NaN|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;

describe('instruments', () => {
  test('counters have one line for each combination of labels', () => {
    const family = counters('hits_total', 'Hits.', ['method', 'code']);
    family.with('GET', '200').add();
    family.with('GET', '200').add(2);
    family.with('PUT', '403').add();
    expect(family.render()).toBe(
      `# HELP hits_total Hits.
# TYPE hits_total counter
hits_total{method="GET",code="200"} 3
hits_total{method="PUT",code="403"} 1
`,
    );
  });

  test('a metric without labels is zero from the start', () => {
    expect(counters('sent_total', 'Sent.', []).render()).toContain('\nsent_total 0\n');
  });

  test('a histogram counts cumulatively and has sum and count', () => {
    const family = histograms('seconds', 'Time.', ['op'], [0.1, 1]);
    const child = family.with('get');
    for (const value of [0.05, 0.1, 0.5, 7]) child.observe(value);
    expect(family.render()).toBe(
      `# HELP seconds Time.
# TYPE seconds histogram
seconds_bucket{op="get",le="0.1"} 2
seconds_bucket{op="get",le="1"} 3
seconds_bucket{op="get",le="+Inf"} 4
seconds_sum{op="get"} 7.65
seconds_count{op="get"} 4
`,
    );
  });

  test('a gauge goes up and down, or is read when rendered', () => {
    const inFlight = gauge('in_flight', 'Now.');
    inFlight.add(3);
    inFlight.add(-1);
    expect(inFlight.render()).toContain('\nin_flight 2\n');
    expect(gauge('memory', 'Now.', () => 5).render()).toContain('\nmemory 5\n');
  });

  test('label values and help cannot break a line', () => {
    const family = counters('x_total', 'a\nb\\', ['code']);
    family.with('a"b\\c\nd} 1').add();
    expect(family.render()).toBe(
      '# HELP x_total a\\nb\\\\\n# TYPE x_total counter\nx_total{code="a\\"b\\\\c\\nd} 1"} 1\n',
    );
  });

  test('beyond a bound, new label values are counted together', () => {
    const family = counters('x_total', 'X.', ['code']);
    for (let i = 0; i < 2500; i++) family.with(`code-${i}`).add();
    const lines = family.render().trimEnd().split('\n').slice(2);
    expect(lines).toHaveLength(2001);
    expect(lines.at(-1)).toBe('x_total{code="other"} 500');
  });
});

describe("the gateway's metrics", () => {
  test('are all there, in the text format', () => {
    const metrics = createMetrics();
    try {
      metrics.requests.with('GetObject', '200', 'Allow').add();
      metrics.requestDuration.with('GetObject').observe(0.003);
      metrics.requestsInFlight.add(1);
      metrics.bytesReceived.add(10);
      metrics.bytesSent.add(20);
      metrics.refusals.with('AccessDenied').add();
      metrics.upstreamRequests.with('200').add();
      metrics.upstreamErrors.with('ECONNRESET').add();
      metrics.upstreamBreaker.with('main').set(2);
      metrics.upstreamRetries.with('main').add();
      metrics.upstreamRedirects.with('main').add();
      metrics.upstreamCredentialsExpiry.with('main').set(1_800_000_000);
      metrics.upstreamCredentialsFailures.with('main').add();
      metrics.accessLogDropped.add();
      const text = metrics.render();
      expect(text.endsWith('\n')).toBe(true);
      const lines = text.trimEnd().split('\n');
      const samples = lines.filter((line) => !line.startsWith('#'));
      expect(samples.filter((line) => !SAMPLE.test(line))).toEqual([]);
      expect(lines).toContain(
        'bucketwarden_requests_total{operation="GetObject",status="200",effect="Allow"} 1',
      );
      expect(lines).toContain(
        'bucketwarden_request_duration_seconds_bucket{operation="GetObject",le="0.005"} 1',
      );
      expect(lines).toContain('bucketwarden_requests_in_flight 1');
      expect(lines).toContain('bucketwarden_bytes_received_total 10');
      expect(lines).toContain('bucketwarden_bytes_sent_total 20');
      expect(lines).toContain('bucketwarden_refusals_total{code="AccessDenied"} 1');
      expect(lines).toContain('bucketwarden_upstream_requests_total{status="200"} 1');
      expect(lines).toContain('bucketwarden_upstream_errors_total{code="ECONNRESET"} 1');
      expect(lines).toContain('bucketwarden_upstream_breaker_state{upstream="main"} 2');
      expect(lines).toContain('bucketwarden_upstream_retries_total{upstream="main"} 1');
      expect(lines).toContain('bucketwarden_upstream_redirects_total{upstream="main"} 1');
      expect(lines).toContain(
        'bucketwarden_upstream_credentials_expiry_timestamp_seconds{upstream="main"} 1800000000',
      );
      expect(lines).toContain('bucketwarden_upstream_credentials_failures_total{upstream="main"} 1');
      expect(lines).toContain('bucketwarden_access_log_dropped_total 1');
      const names = lines.filter((line) => line.startsWith('# TYPE ')).map((line) => line.split(' ')[2]);
      expect(new Set(names).size).toBe(names.length);
    } finally {
      metrics.close();
    }
  });

  test.each([
    ['process_cpu_seconds_total', 0, 3600],
    ['process_resident_memory_bytes', 1_000_000, 1e12],
    ['process_start_time_seconds', 1.5e9, 1e10],
    ['nodejs_heap_size_used_bytes', 100_000, 1e12],
    ['nodejs_eventloop_lag_p99_seconds', 0, 60],
  ])('%s has a plausible value', (name, least, most) => {
    const metrics = createMetrics();
    const text = metrics.render();
    metrics.close();
    const value = Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
    expect(value).toBeGreaterThanOrEqual(least);
    expect(value).toBeLessThan(most);
  });
});
