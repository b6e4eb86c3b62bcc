import { describe, expect, test } from 'vitest';
import {
  identifyOperation,
  parseCopySource,
  requiredActions,
  requiredEntryActions,
  resolveAddress,
  type DeleteEntry,
} from '../../src/s3/index.ts';
import { request } from './requests.ts';

function actionsOf(method: string, target: string, headers: Readonly<Record<string, string>> = {}): string[] {
  const wire = request(method, target, headers);
  const address = resolveAddress(wire, []);
  const source = wire.headers.get('x-amz-copy-source');
  return requiredActions(
    identifyOperation(wire, address),
    wire,
    address,
    source === undefined ? undefined : parseCopySource(source),
  ).map(({ action, resource, bucket }) => `${action} ${resource} ${bucket ?? '-'}`);
}

const OBJECT = 'arn:aws:s3:::bucket/key bucket';
const BUCKET = 'arn:aws:s3:::bucket bucket';

describe('the actions of a request', () => {
  test.each<[string, string, Record<string, string>, string[]]>([
    ['GET', '/', {}, ['s3:ListAllMyBuckets arn:aws:s3:::* -']],
    ['GET', '/bucket', {}, [`s3:ListBucket ${BUCKET}`]],
    ['HEAD', '/bucket', {}, [`s3:ListBucket ${BUCKET}`]],
    ['DELETE', '/bucket?tagging', {}, [`s3:PutBucketTagging ${BUCKET}`]],
    ['GET', '/bucket/key', {}, [`s3:GetObject ${OBJECT}`]],
    ['GET', '/bucket/key?versionId=null', {}, [`s3:GetObjectVersion ${OBJECT}`]],
    ['PUT', '/bucket/key', {}, [`s3:PutObject ${OBJECT}`]],
    ['PUT', '/bucket/key', { 'x-amz-tagging': '' }, [`s3:PutObject ${OBJECT}`]],
    ['PUT', '/bucket/key', { 'if-none-match': '*' }, [`s3:PutObject ${OBJECT}`]],
    ['PUT', '/bucket/key', { 'if-match': '*' }, [`s3:PutObject ${OBJECT}`]],
    ['PUT', '/bucket/key', { 'if-match': '"e"' }, [`s3:PutObject ${OBJECT}`, `s3:GetObject ${OBJECT}`]],
    ['PUT', '/bucket/key', { 'x-amz-acl': 'private' }, [`s3:PutObject ${OBJECT}`]],
    [
      'PUT',
      '/bucket',
      { 'x-amz-acl': 'public-read' },
      [`s3:CreateBucket ${BUCKET}`, `s3:PutBucketAcl ${BUCKET}`],
    ],
    [
      'PUT',
      '/bucket/key',
      { 'x-amz-tagging': 'a=b', 'x-amz-grant-read': 'id=x' },
      [`s3:PutObject ${OBJECT}`, `s3:PutObjectAcl ${OBJECT}`, `s3:PutObjectTagging ${OBJECT}`],
    ],
    [
      'POST',
      '/bucket/key?uploads',
      { 'x-amz-tagging': 'a=b' },
      [`s3:PutObject ${OBJECT}`, `s3:PutObjectTagging ${OBJECT}`],
    ],
    [
      'DELETE',
      '/bucket/key?versionId=v',
      { 'x-amz-bypass-governance-retention': 'True' },
      [`s3:DeleteObjectVersion ${OBJECT}`, `s3:BypassGovernanceRetention ${OBJECT}`],
    ],
    [
      'DELETE',
      '/bucket/key',
      { 'x-amz-bypass-governance-retention': 'false' },
      [`s3:DeleteObject ${OBJECT}`],
    ],
    [
      'PUT',
      '/bucket/key',
      { 'x-amz-copy-source': '/other-bucket/a%2F..%2Fb' },
      [
        's3:GetObject arn:aws:s3:::other-bucket/a/../b other-bucket',
        's3:GetObject arn:aws:s3:::other-bucket/b other-bucket',
        `s3:PutObject ${OBJECT}`,
      ],
    ],
    [
      'PUT',
      '/bucket/key?partNumber=1&uploadId=u',
      { 'x-amz-copy-source': 'other-bucket/s?versionId=v' },
      ['s3:GetObjectVersion arn:aws:s3:::other-bucket/s other-bucket', `s3:PutObject ${OBJECT}`],
    ],
  ])('%s %s %j', (method, target, headers, expected) => {
    expect(actionsOf(method, target, headers)).toEqual(expected);
  });

  test('a copy without its source is a bug, never a smaller right', () => {
    const wire = request('PUT', '/bucket/key', { 'x-amz-copy-source': '/bucket/s' });
    const address = resolveAddress(wire, []);
    expect(() => requiredActions(identifyOperation(wire, address), wire, address)).toThrow('copy source');
  });
});

describe('the actions of DeleteObjects', () => {
  test('are those of each entry', () => {
    expect(entryActions({ key: 'key' })).toEqual([`s3:DeleteObject ${OBJECT}`]);
    expect(entryActions({ key: 'key', versionId: 'v' })).toEqual([`s3:DeleteObjectVersion ${OBJECT}`]);
    expect(entryActions({ key: 'key', etag: '*' })).toEqual([`s3:DeleteObject ${OBJECT}`]);
    expect(entryActions({ key: 'key', etag: '"e"' })).toEqual([
      `s3:DeleteObject ${OBJECT}`,
      `s3:GetObject ${OBJECT}`,
    ]);
    expect(entryActions({ key: 'key' }, { 'x-amz-bypass-governance-retention': 'true' })).toEqual([
      `s3:DeleteObject ${OBJECT}`,
      `s3:BypassGovernanceRetention ${OBJECT}`,
    ]);
  });

  test('belong to no other operation', () => {
    const wire = request('DELETE', '/bucket/key');
    const address = resolveAddress(wire, []);
    expect(() => requiredEntryActions(identifyOperation(wire, address), wire, address, { key: 'k' })).toThrow(
      'DeleteObject is not decided entry by entry',
    );
  });
});

function entryActions(entry: DeleteEntry, headers: Readonly<Record<string, string>> = {}): string[] {
  const wire = request('POST', '/bucket?delete', headers);
  const address = resolveAddress(wire, []);
  const operation = identifyOperation(wire, address);
  expect(requiredActions(operation, wire, address)).toEqual([]);
  return requiredEntryActions(operation, wire, address, entry).map(
    ({ action, resource, bucket }) => `${action} ${resource} ${bucket ?? '-'}`,
  );
}
