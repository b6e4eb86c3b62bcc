/** Every operation of test/vectors/s3-actions.json is one row, found by its own request, with the actions it needs. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  isAvailable,
  matchOperation,
  OPERATION_LIST,
  OPERATIONS,
  resolveAddress,
  switchedParts,
  type ActionCondition,
  type OperationSpec,
} from '../../src/s3/index.ts';
import { identify, refusal, request } from './requests.ts';

interface ListedAction {
  readonly action: string;
  readonly resource: string;
  readonly when: string;
  readonly scope?: string;
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
  readonly actions?: readonly ListedAction[];
  readonly aliasOf?: string;
  readonly modelHeaders?: readonly string[];
  readonly modelQuery?: readonly string[];
}

const document = JSON.parse(readFileSync(new URL('../vectors/s3-actions.json', import.meta.url), 'utf8')) as {
  operations: readonly ListedOperation[];
  extraOperations: readonly ListedOperation[];
};
const listed = [...document.operations, ...document.extraOperations].map((row) =>
  Object.assign(row, { operation: row.operation.split(' ', 1)[0] as string }),
);
const rows: Readonly<Record<string, OperationSpec>> = OPERATIONS;

/** What tells an operation from another one beside the list's match rule. */
const DISTINCTIONS: Readonly<Record<string, { query?: string; headers?: Record<string, string> }>> = {
  // Another endpoint of S3 answers it; its parameter stands for that.
  ListDirectoryBuckets: { query: 'max-directory-buckets=10' },
  PostObject: { headers: { 'content-type': 'multipart/form-data; boundary=x' } },
  // The list says: not by x-id, but by this parameter.
  GetObjectAnnotation: { query: 'annotationName=a' },
};

function syntheticRequest(row: ListedOperation) {
  const distinction = DISTINCTIONS[row.operation];
  const query = row.match.queryPresent.map((name) => `${name}=${row.match.queryEquals[name] ?? ''}`);
  if (distinction?.query !== undefined) query.push(distinction.query);
  const path = row.uri.replace('{Bucket}', 'bucket').replace('{Key+}', 'key');
  return request(row.method, query.length === 0 ? path : `${path}?${query.join('&')}`, {
    ...Object.fromEntries(row.match.headersPresent.map((name) => [name, 'value'])),
    ...distinction?.headers,
  });
}

describe('the operation table and the list of S3 operations', () => {
  test('the list is whole', () => {
    expect(document.operations).toHaveLength(111);
    expect(document.extraOperations).toHaveLength(7);
  });

  test('every listed operation has a row, an alias as the older name of one, and there is no other row', () => {
    const names = listed.filter((row) => row.aliasOf === undefined).map((row) => row.operation);
    expect(Object.keys(OPERATIONS).toSorted()).toEqual(names.toSorted());
    const aliases = listed.filter((row) => row.aliasOf !== undefined);
    expect(aliases).toHaveLength(4);
    for (const row of aliases) expect(rows[row.aliasOf ?? '']?.alsoKnownAs).toEqual([row.operation]);
  });

  test.each(listed.map((row) => [row.operation, row] as const))('%s is found by its request', (name, row) => {
    const wire = syntheticRequest(row);
    expect(matchOperation(wire, resolveAddress(wire, [])).name).toBe(row.aliasOf ?? name);
  });

  test.each(listed.map((row) => [row.operation, row] as const))('%s needs what is listed', (name, row) => {
    const spec = rows[row.aliasOf ?? name];
    const needed = spec?.actions.map(
      ({ action, resource, when }) => `${action} ${resource} ${describeCondition(when)}`,
    );
    const expected = (row.actions ?? [])
      .filter(({ scope, enforcement }) => scope !== 'upstream' && enforcement === undefined)
      .map(
        ({ action, resource, when }) => `${action} ${RESOURCES[resource] ?? resource} ${WHEN[when] ?? when}`,
      );
    // Asked for beyond the list: the answer to a conditional copy tells an entity tag, as that of a put does.
    if (name === 'CopyObject')
      expected.push(
        's3:GetObject object entityTag if-match',
        // In the words of the list, "GetObjectVersionTagging with a source versionId".
        's3:GetObjectVersionTagging copy-source copiesTags true,copySourceVersion true',
        // Source: S3 API reference, CopyObject, x-amz-object-annotation-directive.
        's3:GetObjectAnnotation copy-source headerEquals x-amz-object-annotation-directive,COPY,copySourceVersion false',
        's3:GetObjectVersionAnnotation copy-source headerEquals x-amz-object-annotation-directive,COPY,copySourceVersion true',
        's3:PutObjectAnnotation object headerEquals x-amz-object-annotation-directive,COPY',
      );
    // Source: S3 API reference, DeleteObjectAnnotation, of an object that is locked in governance mode.
    if (name === 'DeleteObjectAnnotation') expected.push(`s3:BypassGovernanceRetention object ${BYPASS}`);
    // S3 has renames in directory buckets alone, where a session decides: here each key is decided as well.
    if (name === 'RenameObject')
      expected.push(
        's3:GetObject copy-source always',
        's3:DeleteObject copy-source always',
        's3:PutObject object always',
        's3:GetObject object entityTag if-match',
      );
    expect(needed?.toSorted()).toEqual(expected.toSorted());
  });

  test('response headers that need another action are those of the list', () => {
    for (const row of listed) {
      const gated = (row.actions ?? []).filter(({ enforcement }) => enforcement === 'strip-response-header');
      const spec = rows[row.operation];
      const own = spec !== undefined && 'headerActions' in spec ? (spec.headerActions ?? []) : [];
      expect(own.map(({ action }) => action).toSorted()).toEqual(
        gated.map(({ action }) => action).toSorted(),
      );
    }
  });
});

describe('what the rows promise', () => {
  test('only what uploads a content takes streaming payloads', () => {
    const streaming = OPERATION_LIST.filter((row) => row.streamingPayload).map((row) => row.name);
    expect(streaming.toSorted()).toEqual(['PutObject', 'PutObjectAnnotation', 'UploadPart']);
  });

  test('what no switch turns on is no known header', () => {
    const never = [
      'x-amz-mfa',
      'x-amz-write-offset-bytes',
      'x-amz-bucket-namespace',
      'x-amz-object-lock-event-hold',
    ];
    for (const row of OPERATION_LIST)
      expect(never.filter((header) => row.headers.has(header) || row.forwardedHeaders.has(header))).toEqual(
        [],
      );
  });

  test('a header that makes the upstream act elsewhere, or with its own keys, needs a switch', () => {
    const elsewhere = {
      'x-amz-request-payer': 'request-payment',
      'x-amz-server-side-encryption': 'kms-keys',
      'x-amz-server-side-encryption-aws-kms-key-id': 'kms-keys',
      'x-amz-server-side-encryption-context': 'kms-keys',
      'x-amz-server-side-encryption-bucket-key-enabled': 'kms-keys',
      'x-amz-website-redirect-location': 'website',
    };
    for (const [header, needs] of Object.entries(elsewhere)) {
      const put = request('PUT', '/bucket/key', { [header]: 'aws:kms' });
      expect(
        switchedParts(identify('PUT', '/bucket/key', { [header]: 'aws:kms' }), put.headers),
      ).toMatchObject([{ needs }]);
    }
    const plain = request('PUT', '/bucket/key', { 'x-amz-server-side-encryption': 'AES256' });
    expect(switchedParts(identify('PUT', '/bucket/key'), plain.headers)).toEqual([]);
  });

  /** AWS's names of what the issue of each switch is about, so that no row escapes by being forgotten. */
  test('every operation that makes the upstream act outside of the bucket needs its switch', () => {
    const needs: readonly (readonly [name: RegExp, needs: string])[] = [
      [/Accelerate/, 'accelerate'],
      [/Analytics/, 'analytics'],
      [/ObjectAnnotation/, 'annotations'],
      [/IntelligentTiering/, 'intelligent-tiering'],
      [/BucketInventory/, 'inventory'],
      [/RenameObject/, 'renames'],
      [/Logging/, 'logging'],
      [/BucketMetadata/, 'metadata-tables'],
      [/Metrics/, 'metrics'],
      [/Notification/, 'notifications'],
      [/Replication/, 'replication'],
      [/RequestPayment/, 'request-payment'],
      [/Website/, 'website'],
    ];
    for (const row of OPERATION_LIST)
      expect([row.name, row.needs]).toEqual([row.name, needs.find(([name]) => name.test(row.name))?.[1]]);
  });

  test('a body that is forwarded is streamed, or understood', () => {
    const understood = new Set([
      'CompleteMultipartUpload',
      'CreateBucket',
      'PutBucketTagging',
      'PutObjectTagging',
    ]);
    for (const row of OPERATION_LIST) {
      if (row.handling !== 'forward' || typeof row.body === 'string' || understood.has(row.name)) continue;
      expect([row.name, row.document?.root]).toEqual([row.name, expect.any(String)]);
    }
  });

  /** Of the public S3 service model: `httpChecksumRequired`. ACLs and policies are kept by the gateway. */
  test('what S3 takes with a checksum of the body alone needs one', () => {
    const required = OPERATION_LIST.filter((row) => row.needsIntegrity).map((row) => row.name);
    expect(required.toSorted()).toEqual([
      'CreateBucketMetadataConfiguration',
      'CreateBucketMetadataTableConfiguration',
      'DeleteObjects',
      'PutBucketCors',
      'PutBucketEncryption',
      'PutBucketLifecycleConfiguration',
      'PutBucketLogging',
      'PutBucketOwnershipControls',
      'PutBucketReplication',
      'PutBucketRequestPayment',
      'PutBucketTagging',
      'PutBucketVersioning',
      'PutBucketWebsite',
      'PutObjectLegalHold',
      'PutObjectLockConfiguration',
      'PutObjectRetention',
      'PutObjectTagging',
      'PutPublicAccessBlock',
      'UpdateBucketMetadataAnnotationTableConfiguration',
      'UpdateBucketMetadataInventoryTableConfiguration',
      'UpdateBucketMetadataJournalTableConfiguration',
    ]);
  });

  test('what would delete a bucket or overwrite an object without its sub-resource asks first', () => {
    // Known to every store that the gateway is tested with, and asked for too often; or, of a rename, to its operator.
    const everywhere = new Set(['PutObjectTagging', 'DeleteObjectTagging', 'RenameObject']);
    const harmful = OPERATION_LIST.filter(
      (row) =>
        row.match.query !== undefined &&
        !row.match.query.includes('uploadId') &&
        row.handling === 'forward' &&
        (row.method === 'DELETE' || (row.method === 'PUT' && row.level === 'object')),
    );
    expect(harmful.length).toBeGreaterThan(10);
    const unasked = harmful.filter((row) => row.knownBy === undefined && !everywhere.has(row.name));
    expect(unasked.map(({ name }) => name)).toEqual([]);
  });

  test('a setting is shown when it is the document that was asked for', () => {
    const shown = OPERATION_LIST.filter(
      (row) => row.method === 'GET' && row.handling === 'forward' && row.answer === 'xml',
    );
    const unchecked = shown.filter((row) => row.answerRoots === undefined).map(({ name }) => name);
    expect(unchecked).toEqual([]);
  });

  /** Names of `modelHeaders` in the list that this gateway does not take, each for a reason in docs/operations.md. */
  test('every header that S3 lists for an operation is known, but those refused on purpose', () => {
    const refused = new Set(['x-amz-mfa', 'x-amz-write-offset-bytes', 'x-amz-bucket-namespace']);
    for (const row of listed) {
      const spec = OPERATION_LIST.find(({ name }) => name === row.operation);
      if (spec === undefined || !isAvailable(spec)) continue;
      const missing = (row.modelHeaders ?? []).filter(
        (header) => !refused.has(header) && !spec.headers.has(header),
      );
      expect([row.operation, missing]).toEqual([row.operation, []]);
      const parameters = (row.modelQuery ?? []).filter((name) => !spec.parameters.has(name));
      expect([row.operation, parameters]).toEqual([row.operation, []]);
    }
  });

  test('ACLs, owners and framing never go upstream', () => {
    const own = [
      'x-amz-acl',
      'x-amz-grant-read',
      'x-amz-expected-bucket-owner',
      'x-amz-trailer',
      'authorization',
    ];
    for (const row of OPERATION_LIST)
      expect(own.filter((header) => row.forwardedHeaders.has(header))).toEqual([]);
  });

  test('an object is answered with its own headers, and with nothing of the upstream itself', () => {
    const { responseHeaders } = identify('GET', '/bucket/key');
    for (const header of [
      'etag',
      'x-amz-meta-a',
      'x-amz-checksum-crc32',
      'content-range',
      'x-amz-version-id',
    ])
      expect(responseHeaders.has(header)).toBe(true);
    for (const header of ['server', 'date', 'x-amz-request-id', 'x-amz-id-2', 'set-cookie', 'connection'])
      expect(responseHeaders.has(header)).toBe(false);
  });

  test('an operation that is not available is NotImplemented, and says why', () => {
    for (const row of listed) {
      const wire = syntheticRequest(row);
      const operation = matchOperation(wire, resolveAddress(wire, []));
      if (isAvailable(operation)) continue;
      const headers = Object.fromEntries(wire.headers.entries());
      const error = refusal(() => identify(wire.method, wire.target, headers));
      expect(error.code).toBe('NotImplemented');
      expect(error.message).toMatch(
        new RegExp(`^The operation \`${operation.name}\` is not implemented: .+\\.$`),
      );
    }
  });
});

function describeCondition(when: ActionCondition | undefined): string {
  if (when === undefined) return 'always';
  return Object.entries(when)
    .map(([kind, value]) => `${kind} ${String(value)}`)
    .join();
}

const RESOURCES: Readonly<Record<string, string>> = {
  'copy-source-object': 'copy-source',
  'object-lambda access point': '*',
};

const ACL = 'grantingAcl true';
const BYPASS = 'headerTrue x-amz-bypass-governance-retention';
const SOURCE_TAGS = 'copiesTags true';

/** The conditions of the list, in the words of the table. */
const WHEN: Readonly<Record<string, string>> = {
  'query versionId absent': 'noQuery versionId',
  'query versionId present': 'query versionId',
  'x-amz-copy-source has no ?versionId=': 'copySourceVersion false',
  'x-amz-copy-source has ?versionId=': 'copySourceVersion true',
  'per <Object> entry without <VersionId>': 'entryVersion false',
  'per <Object> entry with <VersionId>': 'entryVersion true',
  'per key: its ETag element present (not *)': 'entryEntityTag true',
  'header x-amz-bypass-governance-retention: true': BYPASS,
  'per entry, header x-amz-bypass-governance-retention: true': BYPASS,
  'header if-match present with an ETag': 'entityTag if-match',
  'header if-match present with an ETag (not *)': 'entityTag if-match',
  'header x-amz-tagging present (non-empty)': 'nonEmptyHeader x-amz-tagging',
  'header x-amz-object-lock-mode or x-amz-object-lock-retain-until-date present':
    'anyHeader x-amz-object-lock-mode,x-amz-object-lock-retain-until-date',
  'header x-amz-object-lock-legal-hold present': 'anyHeader x-amz-object-lock-legal-hold',
  'header x-amz-object-ownership present': 'anyHeader x-amz-object-ownership',
  'header x-amz-bucket-object-lock-enabled: true': 'headerTrue x-amz-bucket-object-lock-enabled',
  'any of headers x-amz-acl, x-amz-grant-read, x-amz-grant-read-acp, x-amz-grant-write-acp, x-amz-grant-full-control present':
    ACL,
  'ACL header present and not (x-amz-acl: private alone)': ACL,
  'source object has tags and x-amz-tagging-directive is COPY or absent': SOURCE_TAGS,
  'source object has tags and x-amz-tagging-directive is COPY or absent (GetObjectVersionTagging with a source versionId)': `${SOURCE_TAGS},copySourceVersion false`,
  'CreateBucketConfiguration.Tags present in body': 'notEvaluated Tags in the body, which is refused',
  'session mode must be ReadWrite': 'always',
  // Form fields are read as the headers of a PUT.
  'form field acl or x-amz-acl / x-amz-grant-* present': ACL,
  'form field tagging present': 'nonEmptyHeader x-amz-tagging',
  'x-amz-object-lock-mode / retain-until-date field':
    'anyHeader x-amz-object-lock-mode,x-amz-object-lock-retain-until-date',
  'x-amz-object-lock-legal-hold field': 'anyHeader x-amz-object-lock-legal-hold',
};
