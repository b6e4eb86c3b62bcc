/** Renewal: before they expire, off the path of requests, and never to something worse. */
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Secret } from '../../src/sigv4/index.ts';
import type { ProvidedCredentials } from '../../src/upstream/credential-providers.ts';
import { keepFresh } from '../../src/upstream/credentials.ts';
import type { UpstreamEvent } from '../../src/upstream/index.ts';

const START = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const MINUTE = 60_000;

beforeEach(() => {
  vi.useFakeTimers({ now: START });
});

afterEach(() => {
  vi.useRealTimers();
});

function credentials(name: string, expiresAt: number | undefined): ProvidedCredentials {
  return {
    accessKeyId: `ASIA${name}`,
    secretAccessKey: new Secret(name),
    sessionToken: new Secret(`token of ${name}`),
    expiresAt,
  };
}

function fresh(
  first: ProvidedCredentials,
  provide: () => Promise<ProvidedCredentials>,
  options: { readonly random?: number; readonly pollMs?: number } = {},
) {
  const events: UpstreamEvent[] = [];
  const held = keepFresh(first, {
    now: Date.now,
    random: () => options.random ?? 0,
    onEvent: (event) => {
      events.push(event);
    },
    provide,
    pollMs: options.pollMs,
  });
  onTestFinished(() => {
    held.close();
  });
  return { held, events };
}

describe('temporary credentials', () => {
  test('are renewed five minutes before they expire, without a request', async () => {
    const provide = vi.fn<() => Promise<ProvidedCredentials>>(() =>
      Promise.resolve(credentials('second', START + 2 * HOUR)),
    );
    const { held } = fresh(credentials('first', START + HOUR), provide);
    await vi.advanceTimersByTimeAsync(HOUR - 5 * MINUTE - 1);
    expect(provide).not.toHaveBeenCalled();
    expect(held.current().accessKeyId).toBe('ASIAfirst');
    const before = held.current().secretVersion;
    await vi.advanceTimersByTimeAsync(1);
    expect(held.current()).toMatchObject({ accessKeyId: 'ASIAsecond' });
    // Signing keys are cached by it.
    expect(held.current().secretVersion).not.toBe(before);
    expect(held.expiresAt).toBe(START + 2 * HOUR);
    await vi.advanceTimersByTimeAsync(HOUR);
    expect(provide).toHaveBeenCalledTimes(2);
  });

  test('are renewed up to a tenth sooner, so that gateways do not ask as one', async () => {
    const provide = vi.fn<() => Promise<ProvidedCredentials>>(() =>
      Promise.resolve(credentials('second', START + 9 * HOUR)),
    );
    fresh(credentials('first', START + HOUR), provide, { random: 0.999_999 });
    await vi.advanceTimersByTimeAsync(49 * MINUTE);
    expect(provide).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(provide).toHaveBeenCalledOnce();
  });

  test('of a short life are renewed after half of it', async () => {
    const provide = vi.fn<() => Promise<ProvidedCredentials>>(() =>
      Promise.resolve(credentials('second', START + HOUR)),
    );
    fresh(credentials('first', START + 4 * MINUTE), provide);
    await vi.advanceTimersByTimeAsync(2 * MINUTE);
    expect(provide).toHaveBeenCalledOnce();
  });

  test('stay in use while renewing fails, which is tried again', async () => {
    let works = false;
    const provide = vi.fn<() => Promise<ProvidedCredentials>>(() =>
      works
        ? Promise.resolve(credentials('second', START + 2 * HOUR))
        : Promise.reject(new Error('no role\nhunter2')),
    );
    const { held, events } = fresh(credentials('first', START + HOUR), provide);
    await vi.advanceTimersByTimeAsync(HOUR - MINUTE);
    expect(held.current().accessKeyId).toBe('ASIAfirst');
    expect(provide.mock.calls.length).toBeGreaterThanOrEqual(4);
    expect(provide.mock.calls.length).toBeLessThan(10);
    expect(events.at(-1)).toEqual({
      kind: 'credentials-failed',
      reason: 'no role',
      expiresAt: START + HOUR,
    });
    works = true;
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(held.current().accessKeyId).toBe('ASIAsecond');
  });

  test('that have expired are not used: ServiceUnavailable, with the reason for the record', async () => {
    let works = false;
    const provide = () =>
      works ? Promise.resolve(credentials('second', START + 9 * HOUR)) : Promise.reject(new Error('no role'));
    const { held } = fresh(credentials('first', START + HOUR), provide);
    await vi.advanceTimersByTimeAsync(HOUR - 1);
    expect(held.current().accessKeyId).toBe('ASIAfirst');
    await vi.advanceTimersByTimeAsync(1);
    expect(() => held.current()).toThrow(
      expect.objectContaining({
        code: 'ServiceUnavailable',
        status: 503,
        reason:
          'the credentials for the upstream expired at 2026-01-01T01:00:00.000Z, and no new ones could be had',
      }) as Error,
    );
    works = true;
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(held.current().accessKeyId).toBe('ASIAsecond');
  });

  test('that the upstream refuses are renewed at once, by one question, and not all the time', async () => {
    const asking = Promise.withResolvers<ProvidedCredentials>();
    const provide = vi.fn<() => Promise<ProvidedCredentials>>(() => asking.promise);
    const { held } = fresh(credentials('first', START + HOUR), provide);
    held.refused();
    expect(provide).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(10_000);
    for (let i = 0; i < 3; i++) held.refused();
    expect(provide).toHaveBeenCalledOnce();
    asking.resolve(credentials('second', START + HOUR));
    await vi.advanceTimersByTimeAsync(0);
    expect(held.current().accessKeyId).toBe('ASIAsecond');
    held.refused();
    expect(provide).toHaveBeenCalledOnce();
  });

  test('are asked for no more once the upstream is closed', async () => {
    const provide = vi.fn<() => Promise<ProvidedCredentials>>(() =>
      Promise.resolve(credentials('second', START + 2 * HOUR)),
    );
    const { held } = fresh(credentials('first', START + HOUR), provide);
    held.close();
    await vi.advanceTimersByTimeAsync(3 * HOUR);
    expect(provide).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('lasting credentials', () => {
  test('of a file are looked at again, and the version changes only with them', async () => {
    let name = 'first';
    const { held } = fresh(
      credentials('first', undefined),
      () => Promise.resolve(credentials(name, undefined)),
      { pollMs: 5 * MINUTE },
    );
    const version = held.current().secretVersion;
    await vi.advanceTimersByTimeAsync(5 * MINUTE);
    expect(held.current().secretVersion).toBe(version);
    name = 'second';
    await vi.advanceTimersByTimeAsync(5 * MINUTE);
    expect(held.current().accessKeyId).toBe('ASIAsecond');
    expect(held.current().secretVersion).not.toBe(version);
  });

  test('of other sources are kept', async () => {
    const provide = vi.fn<() => Promise<ProvidedCredentials>>(() =>
      Promise.resolve(credentials('second', undefined)),
    );
    fresh(credentials('first', undefined), provide);
    await vi.advanceTimersByTimeAsync(100 * HOUR);
    expect(provide).not.toHaveBeenCalled();
  });
});
