import { describe, expect, test } from 'vitest';
import { createStoreCache } from '../../src/identity/store-cache.ts';
import { NOW } from './fixtures.ts';

interface Entry {
  readonly text: string;
}

/** A store of texts whose loads can be held back, and whose change token can fail. */
function setUp(options: { readonly max?: number } = {}) {
  const texts = new Map<string, string>();
  const loads: string[] = [];
  const failures: unknown[] = [];
  const state = { now: NOW, token: 0, broken: false, gate: Promise.resolve() };
  const cache = createStoreCache<Entry>({
    store: {
      changeToken: () =>
        state.broken ? Promise.reject(new Error('store is down')) : Promise.resolve(String(state.token)),
    },
    load: async (id) => {
      loads.push(id);
      const text = texts.get(id);
      await state.gate;
      if (state.broken) throw new Error('store is down');
      return text === undefined ? undefined : { text };
    },
    max: options.max ?? 10,
    now: () => state.now,
    onPollFailure: (error) => failures.push(error),
    pollInterval: 0,
  });
  const write = (id: string, text: string): void => {
    texts.set(id, text);
    state.token += 1;
  };
  return { cache, loads, failures, state, write };
}

describe('the cache over the store', () => {
  test('a value is loaded once, also by those who ask at the same time', async () => {
    const { cache, loads, write } = setUp();
    write('a', '1');
    const found = await Promise.all([cache.find('a'), cache.find('a'), cache.find('a')]);
    expect(found).toEqual([{ text: '1' }, { text: '1' }, { text: '1' }]);
    expect(await cache.find('a')).toBe(found[0]);
    expect(loads).toEqual(['a']);
  });

  test('a change is seen after refresh, and nothing is loaded again without one', async () => {
    const { cache, loads, write } = setUp();
    write('a', '1');
    await cache.refresh();
    await cache.find('a');
    await cache.refresh();
    await cache.find('a');
    expect(loads).toEqual(['a']);
    write('a', '2');
    await cache.refresh();
    expect(await cache.find('a')).toEqual({ text: '2' });
  });

  test('a value read before the change that the first refresh cannot know of is not kept', async () => {
    const { cache, write } = setUp();
    write('a', '1');
    await cache.find('a');
    write('a', '2');
    await cache.refresh();
    expect(await cache.find('a')).toEqual({ text: '2' });
  });

  test('a change is seen after refresh, also while another look, begun before it, is under way', async () => {
    const { cache, write } = setUp();
    write('a', '1');
    await cache.refresh();
    await cache.find('a');
    const before = cache.refresh();
    write('a', '2');
    await Promise.all([cache.refresh(), cache.refresh()]);
    expect(await cache.find('a')).toEqual({ text: '2' });
    await before;
  });

  test('a load that a change overtakes is given to its waiters and not kept', async () => {
    const { cache, state, write } = setUp();
    await cache.refresh();
    write('a', '1');
    const { promise, resolve } = Promise.withResolvers<undefined>();
    state.gate = promise.then(() => undefined);
    const early = cache.find('a');
    write('a', '2');
    await cache.refresh();
    const late = cache.find('a');
    resolve(undefined);
    expect(await early).toEqual({ text: '1' });
    expect(await late).toEqual({ text: '2' });
    expect(await cache.find('a')).toEqual({ text: '2' });
  });

  test('absence is remembered for a second, and forgotten on a change', async () => {
    const { cache, loads, state, write } = setUp();
    await cache.refresh();
    expect(await cache.find('a')).toBeUndefined();
    expect(await cache.find('a')).toBeUndefined();
    expect(loads).toHaveLength(1);
    state.now += 1_000;
    await cache.find('a');
    expect(loads).toHaveLength(2);
    write('a', '1');
    await cache.refresh();
    expect(await cache.find('a')).toEqual({ text: '1' });
  });

  test('no more than max values and absences are kept; the least recently used goes first', async () => {
    const { cache, loads, write } = setUp({ max: 2 });
    for (const id of ['a', 'b', 'c']) {
      write(id, id);
      await cache.find(id);
      await cache.find(`no ${id}`);
    }
    loads.length = 0;
    for (const id of ['b', 'c', 'no b', 'no c']) await cache.find(id);
    expect(loads).toEqual([]);
    await cache.find('a');
    await cache.find('no a');
    expect(loads).toEqual(['a', 'no a']);
  });

  test('a failed load rejects for all who wait, and is tried again by the next', async () => {
    const { cache, state, write } = setUp();
    write('a', '1');
    state.broken = true;
    const outcomes = await Promise.allSettled([cache.find('a'), cache.find('a')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    state.broken = false;
    expect(await cache.find('a')).toEqual({ text: '1' });
  });

  test('a short outage of the store is survived by what is cached, and told once', async () => {
    const { cache, failures, state, write } = setUp();
    write('a', '1');
    await cache.refresh();
    await cache.find('a');
    state.broken = true;
    for (let second = 0; second < 60; second += 1) {
      state.now += 1_000;
      await cache.refresh();
      expect(await cache.find('a')).toEqual({ text: '1' });
    }
    expect(failures).toHaveLength(1);
  });

  test('after a minute without knowing of changes nothing cached is given out', async () => {
    const { cache, failures, state, write } = setUp();
    write('a', '1');
    await cache.refresh();
    await cache.find('a');
    state.broken = true;
    state.now += 60_001;
    await cache.refresh();
    await expect(cache.find('a')).rejects.toThrow('store is down');
    state.broken = false;
    write('a', '2');
    expect(await cache.find('a')).toEqual({ text: '2' });
    await cache.refresh();
    state.broken = true;
    await cache.refresh();
    expect(failures).toHaveLength(2);
  });
});
