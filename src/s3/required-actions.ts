/** The actions that a request needs: every one of them must be allowed. */
import { isGrantingAcl } from './acl.ts';
import type { Address } from './address.ts';
import { ALL_BUCKETS_ARN, bucketArn, objectArn } from './arn.ts';
import type { CopySource } from './copy-source.ts';
import type { DeleteEntry } from './delete-objects.ts';
import { keyAsPath } from './object-key.ts';
import type { ActionCondition, OperationAction } from './operation.ts';
import type { Operation } from './operation-table.ts';
import { queryValue, type WireRequest } from './wire-request.ts';

export interface RequiredAction {
  readonly action: string;
  /** An ARN; its key is not encoded. */
  readonly resource: string;
  /** Whose policy decides; undefined for what concerns no bucket. */
  readonly bucket: string | undefined;
  /** Of the object; without one the current version is meant. */
  readonly versionId?: string | undefined;
}

/**
 * The actions of a request. None for an operation that is decided entry by entry.
 * @param copySource of an operation that has `x-amz-copy-source`; leaving it out there is a bug, and throws.
 */
export function requiredActions(
  operation: Operation,
  request: WireRequest,
  address: Address,
  copySource?: CopySource,
): readonly RequiredAction[] {
  if (operation.perEntry) return [];
  return collect(operation.actions, { request, address, copySource, entry: undefined });
}

/**
 * What a copy needs besides when its source has tags, which are copied along with it; none where they are replaced.
 * @param copySource of the request.
 */
export function copiedTagActions(
  operation: Operation,
  request: WireRequest,
  address: Address,
  copySource: CopySource,
): readonly RequiredAction[] {
  if (request.headers.get('x-amz-tagging-directive') === 'REPLACE') return [];
  const ofTags = operation.actions.filter(({ when }) => when !== undefined && 'copiesTags' in when);
  return collect(ofTags, { request, address, copySource, entry: undefined, sourceHasTags: true });
}

/** The actions of one entry of a DeleteObjects body. */
export function requiredEntryActions(
  operation: Operation,
  request: WireRequest,
  address: Address,
  entry: DeleteEntry,
): readonly RequiredAction[] {
  if (!operation.perEntry) throw new Error(`${operation.name} is not decided entry by entry`);
  return collect(operation.actions, { request, address, copySource: undefined, entry });
}

interface Facts {
  readonly request: WireRequest;
  readonly address: Address;
  readonly copySource: CopySource | undefined;
  readonly entry: DeleteEntry | undefined;
  /** Known upstream only: what hangs on it is asked for by itself. */
  readonly sourceHasTags?: boolean;
}

function collect(actions: readonly OperationAction[], facts: Facts): readonly RequiredAction[] {
  const required: RequiredAction[] = [];
  for (const { action, resource, when } of actions)
    if (when === undefined || holds(when, facts))
      required.push(...asPathsToo({ action, ...target(resource, facts) }));
  return required;
}

/**
 * INVARIANT: a key is decided as its bytes and, where those look like a path with `..`, `.` or empty segments, as the
 * path that they resolve to as well: an upstream that keeps objects as files would open that one, and a scope of
 * `public/*` must not reach `secret` as `public/../secret`. See docs/decisions/0009.
 */
export function asPathsToo(required: RequiredAction): readonly RequiredAction[] {
  const { resource, bucket } = required;
  if (bucket === undefined || !(resource.includes('//') || resource.includes('/.'))) return [required];
  const prefix = objectArn(bucket, '');
  if (!resource.startsWith(prefix)) return [required];
  const key = resource.slice(prefix.length);
  const path = keyAsPath(key);
  return path === key ? [required] : [required, { ...required, resource: prefix + path }];
}

function target(kind: OperationAction['resource'], facts: Facts): Omit<RequiredAction, 'action'> {
  if (kind === '*') return { resource: ALL_BUCKETS_ARN, bucket: undefined };
  if (kind === 'copy-source') {
    const { bucket, key, versionId } = present(facts.copySource, 'copy source');
    return { resource: objectArn(bucket, key), bucket, versionId };
  }
  const { address, entry, request } = facts;
  const bucket = present(address.bucket, 'bucket');
  if (kind === 'bucket') return { resource: bucketArn(bucket), bucket };
  const versionId = entry === undefined ? queryValue(request.query, 'versionId') : entry.versionId;
  return { resource: objectArn(bucket, present(entry?.key ?? address.key, 'key')), bucket, versionId };
}

function holds(when: ActionCondition, { request, copySource, entry, sourceHasTags = false }: Facts): boolean {
  const { query, headers } = request;
  if ('noQuery' in when) return queryValue(query, when.noQuery) === undefined;
  if ('query' in when) return queryValue(query, when.query) !== undefined;
  if ('anyHeader' in when) return when.anyHeader.some((name) => headers.has(name));
  if ('nonEmptyHeader' in when) return (headers.get(when.nonEmptyHeader) ?? '') !== '';
  if ('headerTrue' in when) return (headers.get(when.headerTrue) ?? 'false').toLowerCase() !== 'false';
  if ('headerEquals' in when || 'copiesTags' in when) {
    const { copySourceVersion: version } = when;
    const isVersion = version === undefined || (copySource?.versionId !== undefined) === version;
    return (
      isVersion &&
      ('headerEquals' in when ? headers.get(when.headerEquals[0]) === when.headerEquals[1] : sourceHasTags)
    );
  }
  if ('entityTag' in when) return (headers.get(when.entityTag) ?? '*') !== '*';
  if ('grantingAcl' in when) return isGrantingAcl(headers);
  if ('copySourceVersion' in when)
    return (present(copySource, 'copy source').versionId !== undefined) === when.copySourceVersion;
  if ('entryVersion' in when) return (present(entry, 'entry').versionId !== undefined) === when.entryVersion;
  if ('entryEntityTag' in when) return (present(entry, 'entry').etag ?? '*') !== '*';
  // What cannot be told from the request adds nothing; docs/operations.md lists it.
  return false;
}

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the request has no ${what}`);
  return value;
}
