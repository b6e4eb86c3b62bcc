/** The query as other rules write it, and without what may have been added to it. */
import { encodeUriComponent, type QueryParameter, type WireRequest } from '../../s3/index.ts';
import { canonicalQuery } from '../canonical.ts';
import type { SignatureClaim } from '../claim.ts';
import type { SignatureCause } from './cause.ts';
import type { Guess } from './draft.ts';

const MAX_PARAMETERS = 16;
/** No operation knows half as many: each guess would sort and encode them anew. */
const MOST_PARAMETERS = 100;

export function queryGuesses(request: WireRequest, claim: SignatureClaim): readonly Guess[] {
  const query = request.query.filter(({ name }) => claim.form === 'header' || name !== 'X-Amz-Signature');
  if (query.length === 0 || query.length > MOST_PARAMETERS) return [];
  const canonical = canonicalQuery(query);
  const spaces = query.map((parameter) => ({ ...parameter, value: parameter.value.replaceAll('+', ' ') }));
  const raw = rawQuery(request.target, claim);
  const lower = canonical.replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());
  const guesses: [SignatureCause, string][] = [
    [{ kind: 'query', how: 'plus-for-space' }, canonicalQuery(spaces)],
    [{ kind: 'query', how: 'plus-for-space' }, canonical.replaceAll('%20', '+')],
    [{ kind: 'query', how: 'no-equals' }, canonical.replaceAll(/=(?=&|$)/g, '')],
    [{ kind: 'query', how: 'unsorted' }, raw],
    [{ kind: 'query', how: 'unsorted' }, inOrder(query, encodeUriComponent)],
    [{ kind: 'query', how: 'encoded-otherwise' }, lower],
    [{ kind: 'query', how: 'encoded-otherwise' }, canonical.replaceAll('%2F', '/')],
    [
      { kind: 'query', how: 'encoded-otherwise' },
      canonical.replaceAll(/%(?:21|27|28|29|2A)/g, decodeURIComponent),
    ],
    [{ kind: 'query', how: 'encoded-otherwise' }, canonical.replaceAll('~', '%7E')],
    [{ kind: 'query', how: 'encoded-otherwise' }, inOrder(sorted(query), encodeTwice)],
    [{ kind: 'query', how: 'not-encoded' }, inOrder(sorted(query), (text) => text)],
    [{ kind: 'query', how: 'not-encoded' }, inOrder(query, (text) => text)],
    ...[...new Set(query.map(({ name }) => name))]
      .slice(0, MAX_PARAMETERS)
      .map((name): [SignatureCause, string] => [{ kind: 'parameter', name }, canonicalQuery(query, name)]),
    [{ kind: 'query', how: 'dropped' }, ''],
  ];
  return guesses.flatMap(([cause, signed]) =>
    signed === canonical ? [] : [{ cause, apply: (draft) => ({ ...draft, query: signed }) }],
  );
}

/** As it was sent, but for the signature. */
function rawQuery(target: string, { form }: SignatureClaim): string {
  const mark = target.indexOf('?');
  const parts = mark === -1 ? [] : target.slice(mark + 1).split('&');
  return parts.filter((part) => form === 'header' || !part.startsWith('X-Amz-Signature=')).join('&');
}

function inOrder(query: readonly QueryParameter[], encode: (text: string) => string): string {
  return query.map(({ name, value }) => `${encode(name)}=${encode(value)}`).join('&');
}

function sorted(query: readonly QueryParameter[]): readonly QueryParameter[] {
  return query.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function encodeTwice(text: string): string {
  return encodeUriComponent(encodeUriComponent(text));
}
