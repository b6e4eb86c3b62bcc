/**
 * What test/vectors/s3-actions.json says that a request needs. Read from the request as it is sent: nothing here comes
 * from the gateway's own table.
 */
import { readFileSync } from 'node:fs';

/** A request of one operation. Method, path and what tells the operation from others come from the list. */
export interface Walk {
  /** As the list names it. */
  readonly operation: string;
  /** What is special about it; undefined for the plain one. */
  readonly variant?: string;
  readonly bucket: string;
  readonly key: string;
  /** Decoded. */
  readonly query: Readonly<Record<string, string>>;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** What the body of a DeleteObjects names. */
  readonly entries: readonly WalkedEntry[];
  /** Of a form, besides those of its signature. */
  readonly fields: Readonly<Record<string, string>>;
  /** Whether what is copied has tags. */
  readonly sourceHasTags: boolean;
  /** Whether the body of a CreateBucket has tags. */
  readonly bodyHasTags: boolean;
}

export interface WalkedEntry {
  readonly key: string;
  readonly versionId?: string;
  readonly etag?: string;
}

/** An action on an ARN. */
export interface Need {
  readonly action: string;
  readonly resource: string;
}

interface ListedAction {
  readonly action: string;
  readonly resource: string;
  readonly when: string;
  /** `upstream`: an action of another service. */
  readonly scope?: string;
  /** It decides about headers of the answer, or about nothing. */
  readonly enforcement?: string;
}

interface ListedOperation {
  readonly operation: string;
  readonly method: string;
  readonly uri: string;
  readonly match: {
    readonly queryPresent: readonly string[];
    readonly queryEquals: Readonly<Record<string, string>>;
    readonly headersPresent: readonly string[];
  };
  readonly actions: readonly ListedAction[];
}

const document = JSON.parse(
  readFileSync(new URL('../../vectors/s3-actions.json', import.meta.url), 'utf8'),
) as {
  readonly operations: readonly ListedOperation[];
  readonly extraOperations: readonly ListedOperation[];
};

const OPERATIONS: ReadonlyMap<string, ListedOperation> = new Map(
  [...document.operations, ...document.extraOperations].map((row) => [
    // Some names have an explanation behind them.
    row.operation.split(' ', 1)[0] as string,
    row,
  ]),
);

export function listedOperation(name: string): ListedOperation {
  const row = OPERATIONS.get(name);
  if (row === undefined) throw new Error(`the list has no operation ${name}`);
  return row;
}

/** The actions that decide about the request itself, with the condition of each. */
export function decidingActions(operation: string): readonly ListedAction[] {
  return listedOperation(operation).actions.filter(
    ({ scope, enforcement }) => scope !== 'upstream' && enforcement === undefined,
  );
}

/** Whether the condition of an action holds; of a DeleteObjects for an entry. */
export function holds(when: string, walk: Walk, entry?: WalkedEntry): boolean {
  const condition = CONDITIONS[when];
  if (condition === undefined) throw new Error(`the list has a condition that nothing here knows: ${when}`);
  return condition(walk, entry ?? { key: walk.key });
}

/** What the list says that the request needs, or one entry of a DeleteObjects. */
export function listedNeeds(walk: Walk, entry?: WalkedEntry): readonly Need[] {
  return decidingActions(walk.operation)
    .filter(({ when }) => holds(when, walk, entry))
    .map(({ action, resource, when }) => ({
      action: when.endsWith(OF_VERSION) && sourceOf(walk).hasVersion ? 's3:GetObjectVersionTagging' : action,
      resource: arnOf(resource, walk, entry),
    }));
}

/** How the list says that it is another action. */
const OF_VERSION = '(GetObjectVersionTagging with a source versionId)';

/** ARN of the resource that the list calls so. */
export function arnOf(resource: string, walk: Walk, entry?: WalkedEntry): string {
  switch (resource) {
    case '*':
      return 'arn:aws:s3:::*';
    case 'bucket':
      return `arn:aws:s3:::${walk.bucket}`;
    case 'object':
      return `arn:aws:s3:::${walk.bucket}/${(entry ?? walk).key}`;
    case 'copy-source-object':
      return `arn:aws:s3:::${sourceOf(walk).name}`;
    default:
      throw new Error(`the list has a resource that nothing here knows: ${resource}`);
  }
}

/** Source: the list's note on CopyObject, "must be URL-decoded once, leading slash optional, split ?versionId= off the end". */
function sourceOf({ headers }: Walk): { readonly name: string; readonly hasVersion: boolean } {
  const header = headers['x-amz-copy-source'] ?? headers['x-amz-rename-source'] ?? '';
  const [path = '', version] = header.split('?versionId=');
  return { name: decodeURIComponent(path).replace(/^\//, ''), hasVersion: version !== undefined };
}

type Condition = (walk: Walk, entry: WalkedEntry) => boolean;

const ACLS = [
  'x-amz-acl',
  'x-amz-grant-read',
  'x-amz-grant-read-acp',
  'x-amz-grant-write-acp',
  'x-amz-grant-full-control',
];

const hasAny =
  (...names: readonly string[]): Condition =>
  ({ headers }) =>
    names.some((name) => headers[name] !== undefined);
const isTrue =
  (name: string): Condition =>
  ({ headers }) =>
    headers[name]?.toLowerCase() === 'true';
const namesEntityTag = (value: string | undefined): boolean => value !== undefined && value !== '*';
const hasField =
  (...names: readonly string[]): Condition =>
  ({ fields }) =>
    Object.keys(fields).some((field) =>
      names.some((name) => (name.endsWith('*') ? field.startsWith(name.slice(0, -1)) : field === name)),
    );
const copiesTags: Condition = ({ sourceHasTags, headers }) =>
  sourceHasTags && (headers['x-amz-tagging-directive'] ?? 'COPY') === 'COPY';

const CONDITIONS: Readonly<Record<string, Condition>> = {
  always: () => true,
  'session mode must be ReadWrite': () => true,
  'query versionId absent': ({ query }) => query['versionId'] === undefined,
  'query versionId present': ({ query }) => query['versionId'] !== undefined,
  'x-amz-copy-source has no ?versionId=': (walk) => !sourceOf(walk).hasVersion,
  'x-amz-copy-source has ?versionId=': (walk) => sourceOf(walk).hasVersion,
  'source object has tags and x-amz-tagging-directive is COPY or absent': copiesTags,
  'source object has tags and x-amz-tagging-directive is COPY or absent (GetObjectVersionTagging with a source versionId)':
    copiesTags,
  'per <Object> entry without <VersionId>': (_, entry) => entry.versionId === undefined,
  'per <Object> entry with <VersionId>': (_, entry) => entry.versionId !== undefined,
  'per key: its ETag element present (not *)': (_, entry) => namesEntityTag(entry.etag),
  'per entry, header x-amz-bypass-governance-retention: true': isTrue('x-amz-bypass-governance-retention'),
  'header x-amz-bypass-governance-retention: true': isTrue('x-amz-bypass-governance-retention'),
  'header x-amz-bucket-object-lock-enabled: true': isTrue('x-amz-bucket-object-lock-enabled'),
  'header x-amz-object-ownership present': hasAny('x-amz-object-ownership'),
  'header x-amz-tagging present (non-empty)': ({ headers }) => (headers['x-amz-tagging'] ?? '') !== '',
  'header x-amz-object-lock-mode or x-amz-object-lock-retain-until-date present': hasAny(
    'x-amz-object-lock-mode',
    'x-amz-object-lock-retain-until-date',
  ),
  'header x-amz-object-lock-legal-hold present': hasAny('x-amz-object-lock-legal-hold'),
  'header if-match present with an ETag': ({ headers }) => namesEntityTag(headers['if-match']),
  'header if-match present with an ETag (not *)': ({ headers }) => namesEntityTag(headers['if-match']),
  'any of headers x-amz-acl, x-amz-grant-read, x-amz-grant-read-acp, x-amz-grant-write-acp, x-amz-grant-full-control present':
    hasAny(...ACLS),
  'ACL header present and not (x-amz-acl: private alone)': (walk) =>
    hasAny(...ACLS.slice(1), 'x-amz-grant-write')(walk, walk) ||
    (walk.headers['x-amz-acl'] ?? 'private') !== 'private',
  'CreateBucketConfiguration.Tags present in body': ({ bodyHasTags }) => bodyHasTags,
  'form field acl or x-amz-acl / x-amz-grant-* present': hasField('acl', 'x-amz-acl', 'x-amz-grant-*'),
  'form field tagging present': hasField('tagging'),
  'x-amz-object-lock-mode / retain-until-date field': hasField(
    'x-amz-object-lock-mode',
    'x-amz-object-lock-retain-until-date',
  ),
  'x-amz-object-lock-legal-hold field': hasField('x-amz-object-lock-legal-hold'),
};
