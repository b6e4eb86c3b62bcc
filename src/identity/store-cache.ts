/** What was read from the store, kept in memory with bounds, and dropped as soon as the store changes. */
import { LRUCache } from 'lru-cache';

import { type IdentityStore } from './store.ts';

export interface StoreCacheOptions<Value extends object> {
  readonly store: Pick<IdentityStore, 'changeToken'>;
  /** Reads one value; undefined when there is none. */
  readonly load: (id: string) => Promise<Value | undefined>;
  /** Most values kept; as many absences are kept beside them. */
  readonly max: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Told when the store cannot say whether it changed, at most once for each run of failures. */
  readonly onPollFailure: (error: unknown) => void;
  /** Between two looks at the store, in milliseconds; 0: only `refresh` looks. */
  readonly pollInterval: number;
}

/**
 * INVARIANT: a value is never given out that was read before the last change which `refresh` has seen, and none for
 * longer than `MAX_STALE` while the store cannot say whether it changed.
 */
export interface StoreCache<Value> {
  /** Resolves to undefined for what the store does not have; rejects only when the store fails. */
  find(id: string): Promise<Value | undefined>;
  /** Looks whether the store changed. Runs by itself every `pollInterval`; never rejects. */
  refresh(): Promise<void>;
  close(): void;
}

/** An outage of the store shorter than this passes unnoticed for what is cached; after it, `find` asks the store. */
const MAX_STALE = 60_000;
/** Absences are short-lived, so that trying out ids cannot fill the memory of what is not there for long. */
const ABSENT_TTL = 1_000;

export function createStoreCache<Value extends object>(options: StoreCacheOptions<Value>): StoreCache<Value> {
  const { store, load, now } = options;
  const present = new LRUCache<string, Promise<Value>>({ max: options.max });
  const absentUntil = new LRUCache<string, number>({ max: options.max });
  /** Concurrent misses for one id share one load. */
  let loading = new Map<string, Promise<Value | undefined>>();
  let token: string | undefined;
  let seenAt = now();
  let failing = false;
  let refreshing: Promise<void> | undefined;
  let following: Promise<void> | undefined;

  function clear(): void {
    present.clear();
    absentUntil.clear();
    // A load that began before the change may still end after it: it keeps its waiters, and is not cached.
    loading = new Map();
  }

  function find(id: string): Promise<Value | undefined> {
    const known = present.get(id);
    if (known !== undefined && now() - seenAt <= MAX_STALE) return known;
    const until = absentUntil.get(id);
    if (until !== undefined && now() < until) return ABSENT;
    const pending = loading.get(id);
    if (pending !== undefined) return pending;
    const current = loading;
    const started = loadInto(id, current);
    current.set(id, started);
    return started;
  }

  async function loadInto(
    id: string,
    current: Map<string, Promise<Value | undefined>>,
  ): Promise<Value | undefined> {
    try {
      const value = await load(id);
      if (loading === current) {
        if (value === undefined) absentUntil.set(id, now() + ABSENT_TTL);
        else {
          absentUntil.delete(id);
          present.set(id, Promise.resolve(value));
        }
      }
      return value;
    } finally {
      current.delete(id);
    }
  }

  async function look(): Promise<void> {
    try {
      const latest = await store.changeToken();
      if (latest !== token) clear();
      token = latest;
      seenAt = now();
      failing = false;
    } catch (error) {
      if (!failing) options.onPollFailure(error);
      failing = true;
    }
  }

  /** A look under way may have asked before the change: one more follows it, for all who ask meanwhile. */
  function refresh(): Promise<void> {
    if (refreshing === undefined) return start();
    following ??= refreshing.then(() => {
      following = undefined;
      return start();
    });
    return following;
  }

  function start(): Promise<void> {
    refreshing = look().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  }

  const timer =
    options.pollInterval === 0 ? undefined : setInterval(() => void refresh(), options.pollInterval);
  timer?.unref();
  return {
    find,
    refresh,
    close: () => {
      clearInterval(timer);
      clear();
    },
  };
}

const ABSENT = Promise.resolve(undefined);
