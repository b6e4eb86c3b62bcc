/** Documents of settings: read strictly by their schema, written anew. Examples of the S3 API reference. */
import { describe, expect, test } from 'vitest';
import { OPERATION_LIST, parseSettings, S3_NAMESPACE, type OperationName } from '../../src/s3/index.ts';
import { refusal } from './requests.ts';
import { SETTINGS_EXAMPLES as EXAMPLES } from './settings-examples.ts';

const rows = OPERATION_LIST.flatMap(({ name, document }) =>
  document === undefined ? [] : [{ name, document }],
);

function parse(name: OperationName, xml: string) {
  const row = rows.find((candidate) => candidate.name === name);
  if (row === undefined) throw new Error(`${name} has no document`);
  return parseSettings(xml, row.document);
}

/** Without white space between elements. */
const compact = (xml: string): string =>
  xml
    .replaceAll(/>\s+</g, '><')
    .replaceAll('"', '&quot;')
    .replaceAll(/<([\w-]+)\/>/g, '<$1></$1>');

describe.each(rows.map(({ name }) => name))('%s', (name) => {
  const example = EXAMPLES[name] ?? '';

  test('the example of the API reference goes upstream as it is, in the namespace of S3', () => {
    const root = /^<(\w+)/.exec(example)?.[1] ?? '';
    const expected = compact(example).replace(`<${root}>`, `<${root} xmlns="${S3_NAMESPACE}">`);
    expect(parse(name, example).xml).toBe(`<?xml version="1.0" encoding="UTF-8"?>\n${expected.trimEnd()}`);
  });

  test('an unknown element is refused, wherever it stands, and so are a second root and a text', () => {
    const ends = [...example.matchAll(/<\/\w[\w-]*>/g)].map((match) => match.index);
    for (const at of ends)
      for (const injected of ['<Unknown>1</Unknown>', '<Bucket2/>', '<x:Unknown xmlns:x="urn:x"/>'])
        expect(refusal(() => parse(name, example.slice(0, at) + injected + example.slice(at))).code).toBe(
          'MalformedXML',
        );
    expect(refusal(() => parse(name, `${example}<Other/>`)).code).toBe('MalformedXML');
    expect(refusal(() => parse(name, example.replace('><', '>text<'))).code).toBe('MalformedXML');
    expect(refusal(() => parse(name, '')).code).toBe('MalformedXML');
    expect(refusal(() => parse(name, `<!DOCTYPE a>${example}`)).code).toBe('MalformedXML');
  });
});

test('elements that may stand once are refused when they come twice', () => {
  const twice =
    '<VersioningConfiguration><Status>Enabled</Status><Status>Suspended</Status></VersioningConfiguration>';
  expect(refusal(() => parse('PutBucketVersioning', twice)).code).toBe('MalformedXML');
});

test('empty optional elements are left out, as some clients send one for every field', () => {
  const { xml } = parse(
    'PutObjectRetention',
    '<Retention><Mode></Mode><RetainUntilDate> </RetainUntilDate></Retention>',
  );
  expect(xml).toContain('></Retention>');
});

test.each([
  ['PutBucketVersioning', '<VersioningConfiguration><Status>On</Status></VersioningConfiguration>'],
  ['PutObjectLegalHold', '<LegalHold/>'],
  ['PutObjectRetention', '<Retention><RetainUntilDate>tomorrow</RetainUntilDate></Retention>'],
  [
    'PutBucketRequestPayment',
    '<RequestPaymentConfiguration><Payer>Nobody</Payer></RequestPaymentConfiguration>',
  ],
  ['PutBucketLifecycleConfiguration', '<LifecycleConfiguration/>'],
] as const)('%s refuses values that S3 does not have: %s', (name, xml) => {
  expect(refusal(() => parse(name, xml)).code).toBe('MalformedXML');
});

test.each([
  [
    'PutBucketVersioning',
    '<VersioningConfiguration><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>',
  ],
  [
    'PutBucketOwnershipControls',
    '<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>',
  ],
  [
    'RestoreObject',
    '<RestoreRequest><Type>SELECT</Type><OutputLocation><S3><BucketName>other</BucketName></S3></OutputLocation></RestoreRequest>',
  ],
  ['RestoreObject', '<RestoreRequest><OutputLocation/></RestoreRequest>'],
  [
    'PutBucketLogging',
    '<BucketLoggingStatus><LoggingEnabled><TargetBucket>b</TargetBucket><TargetPrefix/><TargetGrants/></LoggingEnabled></BucketLoggingStatus>',
  ],
] as const)('%s refuses on purpose, with the reason: %s', (name, xml) => {
  const error = refusal(() => parse(name, xml));
  expect(error.code).toBe('NotImplemented');
  expect(error.message).toMatch(/is not implemented: .+\.$/);
});

const needs = (name: OperationName, xml: string) => [
  ...new Set(parse(name, xml).switched.map((part) => part.needs)),
];

const rule = (inner: string) =>
  `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>${inner}</ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`;

describe('KMS keys in documents need their switch', () => {
  test('in the encryption of a bucket', () => {
    expect(needs('PutBucketEncryption', rule('<SSEAlgorithm>AES256</SSEAlgorithm>'))).toEqual([]);
    expect(needs('PutBucketEncryption', rule('<SSEAlgorithm>aws:kms</SSEAlgorithm>'))).toEqual(['kms-keys']);
    expect(
      needs(
        'PutBucketEncryption',
        rule('<SSEAlgorithm>AES256</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID>'),
      ),
    ).toEqual(['kms-keys']);
  });

  test('in an inventory and a replication', () => {
    const inventory = (EXAMPLES.PutBucketInventoryConfiguration ?? '').replace(
      '<SSE-S3/>',
      '<SSE-KMS><KeyId>k</KeyId></SSE-KMS>',
    );
    expect(needs('PutBucketInventoryConfiguration', inventory)).toEqual(['kms-keys']);
    const replication = (EXAMPLES.PutBucketReplication ?? '').replace(
      '</Bucket>',
      '</Bucket><EncryptionConfiguration><ReplicaKmsKeyID>k</ReplicaKmsKeyID></EncryptionConfiguration>',
    );
    expect(needs('PutBucketReplication', replication)).toEqual(['kms-keys']);
  });
});
