/** Which upstream a bucket is in, and under which name and prefix there. */
import type { BucketRule, UpstreamConfig } from '../config/index.ts';
import { matchesBucketPattern } from '../s3/index.ts';
import type { Upstream } from '../upstream/index.ts';

/** Where a bucket's objects are. */
export interface Place {
  readonly upstream: Upstream;
  /** The name of the bucket upstream. */
  readonly bucket: string;
  /** What stands before every key upstream; empty, or with a slash at its end. */
  readonly prefix: string;
}

/** An upstream, with the names of the buckets in it that exist at the gateway without having been made through it. */
export interface RoutedUpstream extends Pick<UpstreamConfig, 'name' | 'buckets' | 'isDefault'> {
  readonly upstream: Upstream;
}

export interface Routes {
  /** The place of a bucket that the configuration says exists; undefined for one that it does not. */
  configured(bucket: string): Place | undefined;
  /**
   * The place of a bucket that was made through the gateway, in the upstream of that name; undefined when that is
   * configured no more, or the bucket has become the target of a virtual one.
   */
  made(bucket: string, upstream: string | undefined): Place | undefined;
  /** Where a new bucket of this name is made, and the name of that upstream; undefined: nowhere. */
  forNew(bucket: string): { readonly place: Place; readonly upstream: string } | undefined;
  /** Upstreams whose configured names say that some of their buckets exist here. */
  readonly listed: readonly Upstream[];
  /** The names of the virtual buckets. */
  readonly virtual: readonly string[];
}

/** The first rule whose pattern matches holds; of upstreams, one that names the bucket comes before one with a pattern. */
export function createRoutes(
  upstreams: readonly RoutedUpstream[],
  rules: readonly Pick<BucketRule, 'pattern' | 'target'>[],
): Routes {
  const named = new Map(upstreams.map((one) => [one.name, one]));
  const virtual = new Map<string, Place>();
  for (const { pattern, target } of rules) {
    const route = target && named.get(target.upstream);
    if (route !== undefined && target !== undefined)
      virtual.set(pattern, { upstream: route.upstream, bucket: target.bucket, prefix: target.prefix });
  }
  const places = [...virtual.values()];
  // INVARIANT: no two names lead to overlapping places. The configuration cannot know what was made through the gateway.
  const isTarget = (upstream: Upstream, bucket: string): boolean =>
    places.some((place) => place.bucket === bucket && place.upstream.endpoint === upstream.endpoint);
  const plain = ({ upstream }: RoutedUpstream, bucket: string): Place | undefined =>
    isTarget(upstream, bucket) ? undefined : { upstream, bucket, prefix: '' };
  const configured = (bucket: string): (RoutedUpstream & { readonly place: Place }) | undefined => {
    const route =
      upstreams.find(({ buckets }) => buckets.includes(bucket)) ??
      upstreams.find(({ buckets }) => buckets.some((pattern) => matchesBucketPattern(pattern, bucket)));
    const place = route && plain(route, bucket);
    return route && place && { ...route, place };
  };
  const fallback = upstreams.find(({ isDefault }) => isDefault);
  return {
    configured: (bucket) => virtual.get(bucket) ?? configured(bucket)?.place,
    made(bucket, upstream) {
      if (virtual.has(bucket)) return undefined;
      const route = upstream === undefined ? fallback : named.get(upstream);
      return route && plain(route, bucket);
    },
    forNew(bucket) {
      const route = configured(bucket) ?? fallback;
      const place = route && !virtual.has(bucket) ? plain(route, bucket) : undefined;
      return route && place && { place, upstream: route.name };
    },
    listed: upstreams.filter(({ buckets }) => buckets.length > 0).map(({ upstream }) => upstream),
    virtual: [...virtual.keys()],
  };
}
