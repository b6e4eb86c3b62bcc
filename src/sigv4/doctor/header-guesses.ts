/** Signed headers as they may have been before something on the way changed them or took them away. */
import { isSecretField, type WireRequest } from '../../s3/index.ts';
import { canonicalHeaderValue } from '../canonical.ts';
import type { SignatureClaim } from '../claim.ts';
import type { HeaderFault } from './cause.ts';
import { withHeader, type Draft, type Guess } from './draft.ts';

const MAX_GUESSES_OF_ONE = 24;
const MAX_HEADERS = 40;

/** What clients and HTTP libraries send, by header. */
const USUAL: Readonly<Record<string, readonly string[]>> = {
  accept: ['*/*', 'application/xml', 'application/json', 'text/html, */*'],
  'accept-encoding': [
    'identity',
    'gzip',
    'gzip, deflate',
    'gzip, deflate, br',
    'gzip, deflate, br, zstd',
    'gzip,deflate',
    'deflate, gzip',
    'br,gzip,deflate',
    'gzip, br, deflate, zstd',
    'gzip;q=1.0,deflate;q=0.6,identity;q=0.3',
    '*',
  ],
  'accept-language': ['*', 'en', 'en-US', 'en-US,en;q=0.9'],
  'amz-sdk-request': ['1', '2', '3'].flatMap((attempt) =>
    ['', '; max=1', '; max=2', '; max=3', '; max=4', '; max=5', '; max=10'].map(
      (max) => `attempt=${attempt}${max}`,
    ),
  ),
  'cache-control': ['no-cache', 'max-age=0', 'no-store', 'no-transform'],
  connection: ['keep-alive', 'Keep-Alive', 'close', 'TE, close', 'Upgrade, HTTP2-Settings'],
  'content-encoding': ['aws-chunked', 'gzip', 'aws-chunked,gzip', 'identity'],
  'content-length': ['0'],
  'content-type': [
    'application/octet-stream',
    'binary/octet-stream',
    'application/xml',
    'text/xml',
    'text/plain',
    'application/json',
    'application/x-www-form-urlencoded',
    'application/x-www-form-urlencoded; charset=utf-8',
    'application/x-www-form-urlencoded; charset=UTF-8',
  ],
  expect: ['100-continue', '100-Continue'],
  pragma: ['no-cache'],
  'proxy-connection': ['keep-alive'],
  te: ['trailers', 'deflate,gzip;q=0.3'],
  'transfer-encoding': ['chunked', 'identity'],
  'upgrade-insecure-requests': ['1'],
  'x-forwarded-proto': ['http', 'https'],
};

/** Their values are guessed elsewhere. */
const ELSEWHERE: ReadonlySet<string> = new Set(['host', 'x-amz-content-sha256', 'x-amz-date']);

export function headerGuesses(request: WireRequest, claim: SignatureClaim): readonly Guess[] {
  return claim.signedHeaders
    .filter((name) => !ELSEWHERE.has(name))
    .slice(0, MAX_HEADERS)
    .flatMap((name) => guessesOf(name, request));
}

function guessesOf(name: string, { headers, ...request }: WireRequest): readonly Guess[] {
  const received = headers.get(name);
  const how: HeaderFault = received === undefined ? 'missing' : 'changed';
  const usual = name === 'content-length' ? lengths({ headers, ...request }) : (USUAL[name] ?? []);
  const values = new Map<string, HeaderFault>();
  const offer = (value: string | undefined, fault: HeaderFault): void => {
    if (value !== undefined && !values.has(value)) values.set(value, fault);
  };
  if (received !== undefined) {
    offer(received, 'not-folded');
    offer(received.trim(), 'not-folded');
    if (headers.count(name) > 1) {
      offer(received.replaceAll(',', ', '), 'joined-otherwise');
      offer(received.slice(0, received.indexOf(',')), 'joined-otherwise');
      offer(received.slice(received.lastIndexOf(',') + 1), 'joined-otherwise');
    }
    for (const value of otherEncodings(received)) offer(canonicalHeaderValue(value), 'encoded-otherwise');
    for (const value of likely(name, received)) offer(canonicalHeaderValue(value), 'changed');
  }
  for (const value of [...usual, '']) offer(value, how);
  values.delete(received === undefined ? '' : canonicalHeaderValue(received));
  const guesses = [...values].slice(0, MAX_GUESSES_OF_ONE).map(([signed, fault]): Guess => ({
    cause: { kind: 'header', name, how: fault, signed: isSecretField(name) ? undefined : signed },
    apply: (draft) => withHeader(draft, name, signed),
  }));
  return [...guesses, leftOut(name)];
}

function leftOut(name: string): Guess {
  return {
    cause: { kind: 'header', name, how: 'left-out', signed: undefined },
    apply: (draft): Draft => {
      const headers = new Map(draft.headers);
      headers.delete(name);
      return { ...draft, headers };
    },
  };
}

/** What a received value may have been made of. */
function likely(name: string, received: string): readonly string[] {
  const guesses: string[] = [];
  if (name === 'content-type') {
    const bare = (received.split(';')[0] ?? '').trim();
    guesses.push(
      bare,
      `${bare}; charset=utf-8`,
      `${bare}; charset=UTF-8`,
      `${bare};charset=UTF-8`,
      `${bare};charset=utf-8`,
    );
  }
  // A proxy that adds itself to a list, or to the products of a user agent.
  const comma = received.lastIndexOf(',');
  if (comma !== -1) guesses.push(received.slice(0, comma), received.slice(0, received.indexOf(',')));
  const space = received.lastIndexOf(' ');
  if (space !== -1) guesses.push(received.slice(0, space), received.slice(0, received.indexOf(' ')));
  if (/^W\/|-gzip"$/.test(received)) guesses.push(received.replace(/^W\//, '').replace(/-gzip"$/, '"'));
  if (received.includes(', ')) guesses.push(received.replaceAll(', ', ','));
  else if (received.includes(',')) guesses.push(received.replaceAll(',', ', '));
  if (received.includes('%')) guesses.push(decodeLoosely(received));
  guesses.push(received.toLowerCase());
  return guesses;
}

function lengths({ headers }: WireRequest): readonly string[] {
  const decoded = headers.get('x-amz-decoded-content-length');
  return [...(USUAL['content-length'] ?? []), ...(decoded === undefined ? [] : [decoded])];
}

/** UTF-8 for latin1, and the other way round. */
function otherEncodings(received: string): readonly string[] {
  if (!/[\x80-\xff]/.test(received)) return [];
  return [
    Buffer.from(received, 'latin1').toString('utf8'),
    Buffer.from(received, 'utf8').toString('latin1'),
    received.replaceAll(/[\x80-\xff]/g, '?'),
  ];
}

function decodeLoosely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
