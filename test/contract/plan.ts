/** Which client tells its story to which target. */
import type { StoryClient } from './story.ts';
import { SCHEMES, type TargetName, UPSTREAMS } from './target.ts';

export interface PlannedTarget extends TargetName {
  readonly clients: readonly StoryClient[];
}

export const ALL_TARGETS: readonly TargetName[] = UPSTREAMS.flatMap((upstream) =>
  SCHEMES.map((scheme) => ({ upstream, scheme })),
);

/** Every client on every target. */
export function planAll(
  clients: readonly StoryClient[],
  targets: readonly TargetName[],
): readonly PlannedTarget[] {
  return targets.map((target) => ({ ...target, clients }));
}

/**
 * Every client once, and every upstream over http and over https as long as there are clients enough.
 * @param start the target of the first client: another number tries other pairs.
 */
export function planOnce(clients: readonly StoryClient[], start: number): readonly PlannedTarget[] {
  return ALL_TARGETS.map(({ upstream, scheme }, at) => ({
    upstream,
    scheme,
    clients: clients.filter((_, index) => (index + start) % ALL_TARGETS.length === at),
  })).filter((target) => target.clients.length > 0);
}
