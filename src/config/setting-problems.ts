/** What is wrong with settings that are each well-formed: two that contradict, a name that nothing has. */
import { accessSync, constants } from 'node:fs';
import { matchesBucketPattern } from '../s3/index.ts';
import { errorCode } from './error-code.ts';
import { isLoopback } from './loopback.ts';
import type { Settings } from './schema.ts';
import type { Path } from './settings-tree.ts';

interface SettingProblem {
  readonly path: Path;
  readonly expected: string;
  readonly found: string;
}

type UpstreamSettings = NonNullable<Settings['upstream']> & { readonly name?: string };

/** One upstream, with where its settings stand. */
interface Located {
  readonly name: string;
  readonly settings: UpstreamSettings;
  readonly path: Path;
}

export function settingProblems(settings: Settings): readonly SettingProblem[] {
  const upstreams = locate(settings);
  return [
    ...upstreamProblems(settings, upstreams),
    ...upstreams.flatMap((one) => [
      ...credentialProblems(one),
      ...integrityProblems(one),
      ...fileProblems(one),
    ]),
    ...bucketProblems(settings, upstreams),
    ...edgeProblems(settings),
  ];
}

function locate({ upstream, upstreams }: Settings): readonly Located[] {
  return [
    ...(upstream === undefined ? [] : [{ name: 'default', settings: upstream, path: ['upstream'] }]),
    ...upstreams.map((one, index) => ({ name: one.name, settings: one, path: ['upstreams', index] })),
  ];
}

function* upstreamProblems(settings: Settings, upstreams: readonly Located[]): Generator<SettingProblem> {
  if (settings.upstream !== undefined && settings.upstreams.length > 0)
    yield { path: ['upstreams'], expected: 'either `upstream` or `upstreams`', found: 'both' };
  const names = new Set<string>();
  let marked = 0;
  for (const { name, settings: one, path } of upstreams) {
    if (names.has(name))
      yield { path: [...path, 'name'], expected: 'a name of its own', found: `a second \`${name}\`` };
    names.add(name);
    if (one.default === true && ++marked === 2)
      yield { path: [...path, 'default'], expected: 'one default upstream', found: 'a second one' };
  }
}

function* credentialProblems({ settings, path }: Located): Generator<SettingProblem> {
  const { credentials = 'static', accessKeyId, secretAccessKey, profile, proxy, proxyCredentials } = settings;
  const keys = accessKeyId ?? secretAccessKey;
  if (credentials !== 'static' && keys !== undefined)
    yield {
      path: [...path, 'credentials'],
      expected: 'either a source of credentials, or `accessKeyId` and `secretAccessKey`',
      found: 'both',
    };
  if (profile !== undefined && !TAKE_PROFILE.has(credentials))
    yield {
      path: [...path, 'profile'],
      expected: `\`credentials\` to be one of ${[...TAKE_PROFILE].join(', ')}`,
      found: `\`${credentials}\``,
    };
  if (proxyCredentials !== undefined && proxy === undefined)
    yield { path: [...path, 'proxyCredentials'], expected: '`proxy` beside it', found: 'nothing' };
}

const TAKE_PROFILE: ReadonlySet<string> = new Set(['default', 'profile', 'process', 'sso']);

/** Neither the upstream nor the connection would notice a changed byte. */
function* integrityProblems({ settings, path }: Located): Generator<SettingProblem> {
  const { integrity, endpoint } = settings;
  if (integrity === 'unsigned' && endpoint.startsWith('http:') && !isLoopback(new URL(endpoint).hostname))
    yield {
      path: [...path, 'integrity'],
      expected: 'an https endpoint beside `unsigned`, or `signed-chunks`',
      found: `\`${endpoint}\``,
    };
}

function* fileProblems({ settings, path }: Located): Generator<SettingProblem> {
  for (const name of ['ca', 'cert', 'key'] as const) {
    const file = settings.tls?.[name];
    if (file === undefined) continue;
    try {
      accessSync(file, constants.R_OK);
    } catch (error) {
      yield {
        path: [...path, 'tls', name],
        expected: 'the path of a readable file',
        found: `\`${file}\` (${errorCode(error)})`,
      };
    }
  }
}

/** INVARIANT: no two names of the gateway lead to places that overlap; see `placeProblem`. */
function* bucketProblems({ buckets }: Settings, upstreams: readonly Located[]): Generator<SettingProblem> {
  const virtual: VirtualBucket[] = [];
  for (const [index, rule] of buckets.entries()) {
    const path = ['buckets', index];
    const { target, upstream } = rule;
    if (target === undefined) {
      if (upstream !== undefined)
        yield { path: [...path, 'upstream'], expected: '`target` beside it', found: 'nothing' };
      continue;
    }
    if (rule.name.includes('*')) {
      yield {
        path: [...path, 'target'],
        expected: 'a `name` without `*` beside it',
        found: `\`${rule.name}\``,
      };
      continue;
    }
    const shadow = buckets.slice(0, index).find(({ name }) => matchesBucketPattern(name, rule.name));
    if (shadow !== undefined)
      yield {
        path: [...path, 'name'],
        expected: `an entry before \`${shadow.name}\`, the first that matches holds`,
        found: 'one behind it',
      };
    const where =
      upstream === undefined
        ? upstreams.find(({ settings }) => settings.default ?? upstreams.length === 1)
        : upstreams.find(({ name }) => name === upstream);
    if (where === undefined) {
      yield upstream === undefined
        ? {
            path: [...path, 'target'],
            expected: '`upstream` beside it, or a default upstream',
            found: 'neither',
          }
        : { path: [...path, 'upstream'], expected: 'the name of an upstream', found: `\`${upstream}\`` };
      continue;
    }
    const bucket = { name: rule.name, target, where };
    const problem = placeProblem(bucket, virtual, { buckets, upstreams });
    if (problem !== undefined) yield { path: [...path, 'target'], ...problem };
    virtual.push(bucket);
  }
}

interface VirtualBucket {
  readonly name: string;
  readonly target: { readonly bucket: string; readonly prefix: string };
  readonly where: Located;
}

function placeProblem(
  { name, target, where }: VirtualBucket,
  others: readonly VirtualBucket[],
  { buckets, upstreams }: { readonly buckets: Settings['buckets']; readonly upstreams: readonly Located[] },
): Pick<SettingProblem, 'expected' | 'found'> | undefined {
  const expected = 'a place that no other bucket of the gateway has';
  const same = (one: Located): boolean => one.settings.endpoint === where.settings.endpoint;
  const twin = others.find(
    (other) =>
      same(other.where) &&
      other.target.bucket === target.bucket &&
      (other.target.prefix.startsWith(target.prefix) || target.prefix.startsWith(other.target.prefix)),
  );
  if (twin !== undefined) return { expected, found: `one that overlaps with \`${twin.name}\`` };
  // The bucket itself would be a second way to the same objects.
  const isVirtual = buckets.some((rule) => rule.name === target.bucket && rule.target !== undefined);
  const exposed = upstreams.find(
    (one) =>
      same(one) && one.settings.buckets.some((pattern) => matchesBucketPattern(pattern, target.bucket)),
  );
  if (exposed !== undefined && !isVirtual && target.bucket !== (target.prefix === '' ? name : ''))
    return {
      expected,
      found: `one in \`${target.bucket}\`, which \`buckets\` of ${exposed.name} gives to clients`,
    };
  return undefined;
}

function* edgeProblems({ proxyProtocol, trustedProxies, spool }: Settings): Generator<SettingProblem> {
  if (proxyProtocol && trustedProxies.length === 0)
    yield { path: ['proxyProtocol'], expected: '`trustedProxies` beside it', found: 'nothing' };
  if (spool.maxBodySize > spool.maxTotalSize)
    yield {
      path: ['spool', 'maxBodySize'],
      expected: 'at most `spool.maxTotalSize`',
      found: `${spool.maxBodySize} bytes`,
    };
}
