/** Host and path as a proxy may have found them, and as a client may have written them. */
import { encodeUriPath, type GatewayNames, type WireRequest } from '../../s3/index.ts';
import { canonicalPath, genericCanonicalPath } from '../canonical.ts';
import type { PathFault } from './cause.ts';
import { withHeader, type Guess } from './draft.ts';

/** Ports that gateways and their proxies commonly listen on. */
const PORTS = ['80', '443', '8080', '8443', '9000', '8000', '3000'];
const MAX_SLASHES = 8;

/** The most likely first. */
export function addressGuesses(request: WireRequest, region: string, names: GatewayNames): readonly Guess[] {
  const received = request.headers.get('host') ?? '';
  const path = canonicalPath(request.path);
  const hosts = hostsOf(request, region, names).filter((host) => host !== received);
  const prefixes = prefixesOf(request, names);
  return [
    ...hosts.map(hostGuess),
    ...prefixes.map((prefix) => pathGuess('prefix', prefix + path)),
    ...prefixes
      .filter((prefix) => path.startsWith(`${prefix}/`))
      .map((prefix) => pathGuess('prefix', path.slice(prefix.length))),
    ...names.publicUrls.map(({ host, prefix }) => addressGuess(host, prefix + path)),
    ...otherStyle(received, hosts, path),
  ];
}

export function pathGuesses(request: WireRequest): readonly Guess[] {
  const mark = request.target.indexOf('?');
  const wirePath = mark === -1 ? request.target : request.target.slice(0, mark);
  const path = canonicalPath(request.path);
  const guesses = [
    pathGuess('encoded-twice', encodeUriPath(path)),
    pathGuess('encoded-twice', encodeUriPath(wirePath)),
    pathGuess('encoded-otherwise', wirePath),
    // `+` for a space: a client that means it, or a proxy that wrote it.
    pathGuess('encoded-otherwise', path.replaceAll('%20', '+')),
    pathGuess('encoded-otherwise', path.replaceAll('%2B', '%20')),
    pathGuess(
      'encoded-otherwise',
      path.replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()),
    ),
    // As `encodeURIComponent` of browsers, and older clients' rules have it.
    pathGuess('encoded-otherwise', path.replaceAll(/%(?:21|27|28|29|2A)/g, decodeURIComponent)),
    pathGuess('encoded-otherwise', path.replaceAll('~', '%7E')),
    pathGuess('encoded-otherwise', path.replaceAll(/%(?:3D|40|3A|24|26|2B|2C|3B)/g, decodeURIComponent)),
    pathGuess('not-encoded', request.path),
    pathGuess('not-encoded', Buffer.from(request.path, 'utf8').toString('latin1')),
    pathGuess('normalised', genericCanonicalPath(request.path, { normalize: true })),
    pathGuess('normalised', genericCanonicalPath(wirePath, { normalize: true })),
    pathGuess('slash', path.endsWith('/') ? path.slice(0, -1) : `${path}/`),
    ...slashesIn(path).map((at) => pathGuess('slash', `${path.slice(0, at)}/${path.slice(at)}`)),
  ];
  const seen = new Set([path]);
  return guesses.filter(({ cause }) => {
    const signed = cause.kind === 'path' ? cause.signed : '';
    const fresh = !seen.has(signed);
    seen.add(signed);
    return fresh;
  });
}

function hostGuess(host: string): Guess {
  return { cause: { kind: 'host', signed: host }, apply: (draft) => withHeader(draft, 'host', host) };
}

function pathGuess(how: PathFault, path: string): Guess {
  return { cause: { kind: 'path', how, signed: path }, apply: (draft) => ({ ...draft, path }) };
}

function addressGuess(host: string, path: string): Guess {
  return {
    cause: { kind: 'address', signed: `${host}${path}` },
    apply: (draft) => withHeader({ ...draft, path }, 'host', host),
  };
}

function hostsOf(request: WireRequest, region: string, names: GatewayNames): readonly string[] {
  const received = request.headers.get('host') ?? '';
  const name = received.replace(/:\d+$/, '');
  const forwarded = [
    request.headers.get('x-forwarded-host'),
    request.headers.get('x-original-host'),
    /host="?([^";,\s]+)/i.exec(request.headers.get('forwarded') ?? '')?.[1],
  ].flatMap((value) => (value === undefined ? [] : value.split(',').map((part) => part.trim())));
  const port = request.headers.get('x-forwarded-port');
  const known = names.publicUrls.map(({ host }) => host);
  const aws = ['s3.amazonaws.com', `s3.${region}.amazonaws.com`, `s3-${region}.amazonaws.com`];
  const local = ['localhost', '127.0.0.1'];
  const own = /^(?:localhost|127\.0\.0\.1)$/.test(name) ? local : [name];
  const ports = port === undefined ? PORTS : [port, ...PORTS];
  const named = [name, ...known, ...forwarded];
  return [
    ...new Set([
      ...named,
      ...named.map((host) => host.replace(/:\d+$/, '')),
      received.toLowerCase(),
      ...own,
      ...own.flatMap((host) => ports.map((number) => `${host}:${number}`)),
      ...[...known, ...forwarded].flatMap((host) =>
        host.includes(':') ? [] : ['80', '443'].map((number) => `${host}:${number}`),
      ),
      ...names.baseDomains,
      ...aws,
      ...local,
    ]),
  ].filter((host) => host !== '');
}

function prefixesOf(request: WireRequest, { publicUrls }: GatewayNames): readonly string[] {
  const forwarded = request.headers.get('x-forwarded-prefix');
  const prefixes = publicUrls.map(({ prefix }) => prefix);
  if (forwarded?.startsWith('/') === true) prefixes.push(encodeUriPath(forwarded.replace(/\/$/, '')));
  return [...new Set(prefixes)].filter((prefix) => prefix !== '');
}

/** Bucket in the path for one in the host, or the other way round. */
function otherStyle(received: string, hosts: readonly string[], path: string): readonly Guess[] {
  const [, bucket = '', rest = '/'] = /^\/([^/]+)(\/.*)?$/.exec(path) ?? [];
  const guesses: Guess[] = [];
  if (bucket !== '')
    for (const host of [received, ...hosts]) guesses.push(addressGuess(`${bucket}.${host}`, rest));
  const dot = received.indexOf('.');
  if (dot > 0) {
    const [first, base] = [received.slice(0, dot), received.slice(dot + 1)];
    guesses.push(addressGuess(base, `/${first}${path}`), addressGuess(received, `/${first}${path}`));
  }
  if (bucket !== '') guesses.push(pathGuess('prefix', rest));
  return guesses;
}

function slashesIn(path: string): readonly number[] {
  const found: number[] = [];
  for (let at = path.indexOf('/'); at !== -1 && found.length < MAX_SLASHES; at = path.indexOf('/', at + 1))
    found.push(at);
  return found;
}
