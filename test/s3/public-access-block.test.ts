import { describe, expect, test } from 'vitest';
import {
  parsePublicAccessBlock,
  renderPolicyStatus,
  renderPublicAccessBlock,
  S3Error,
} from '../../src/s3/index.ts';

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

const block = (...elements: readonly string[]): string =>
  `<PublicAccessBlockConfiguration xmlns="${NAMESPACE}">${elements.join('')}</PublicAccessBlockConfiguration>`;

function codeOf(text: string): string {
  try {
    parsePublicAccessBlock(text);
  } catch (error) {
    if (error instanceof S3Error) return error.code;
    throw error;
  }
  return 'accepted';
}

describe('a public access block', () => {
  // The sample request of the S3 API reference, PutPublicAccessBlock.
  test('is read as the API reference writes it', () => {
    const sample = block(
      '\n  <BlockPublicAcls>TRUE</BlockPublicAcls>\n',
      '  <IgnorePublicAcls>FALSE</IgnorePublicAcls>\n',
      '  <BlockPublicPolicy>FALSE</BlockPublicPolicy>\n',
      '  <RestrictPublicBuckets>FALSE</RestrictPublicBuckets>\n',
    );
    expect(parsePublicAccessBlock(sample)).toEqual({
      blockPublicAcls: true,
      ignorePublicAcls: false,
      blockPublicPolicy: false,
      restrictPublicBuckets: false,
    });
  });

  test('takes what is not said for false', () => {
    expect(parsePublicAccessBlock(block('<RestrictPublicBuckets>true</RestrictPublicBuckets>'))).toEqual({
      blockPublicAcls: false,
      ignorePublicAcls: false,
      blockPublicPolicy: false,
      restrictPublicBuckets: true,
    });
  });

  test('is written with all four, in lower case, since botocore takes `TRUE` for false', () => {
    const read = parsePublicAccessBlock(block('<BlockPublicPolicy>TRUE</BlockPublicPolicy>'));
    expect(renderPublicAccessBlock(read)).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>\n${block(
        '<BlockPublicAcls>false</BlockPublicAcls>',
        '<IgnorePublicAcls>false</IgnorePublicAcls>',
        '<BlockPublicPolicy>true</BlockPublicPolicy>',
        '<RestrictPublicBuckets>false</RestrictPublicBuckets>',
      )}`,
    );
    expect(parsePublicAccessBlock(renderPublicAccessBlock(read))).toEqual(read);
  });

  test.each([
    ['nothing', '', 'MalformedXML'],
    ['another root', '<CORSConfiguration/>', 'MalformedXML'],
    ['an unknown element', block('<BlockPublicAcl>true</BlockPublicAcl>'), 'MalformedXML'],
    ['another case of one', block('<blockPublicAcls>true</blockPublicAcls>'), 'MalformedXML'],
    ['no truth value', block('<BlockPublicAcls>yes</BlockPublicAcls>'), 'MalformedXML'],
    [
      'an element twice',
      block('<BlockPublicPolicy>true</BlockPublicPolicy>', '<BlockPublicPolicy>false</BlockPublicPolicy>'),
      'MalformedXML',
    ],
    ['an element in an element', block('<BlockPublicAcls><a/></BlockPublicAcls>'), 'MalformedXML'],
    ['no setting', block(), 'InvalidRequest'],
    ['an empty setting', block('<BlockPublicAcls/>'), 'InvalidRequest'],
  ])('is refused for %s', (_, text, code) => {
    expect(codeOf(text)).toBe(code);
  });
});

test('the status of a policy is in lower case, for the same reason', () => {
  const start = `<?xml version="1.0" encoding="UTF-8"?>\n<PolicyStatus xmlns="${NAMESPACE}">`;
  expect(renderPolicyStatus({ isPublic: true })).toBe(`${start}<IsPublic>true</IsPublic></PolicyStatus>`);
  expect(renderPolicyStatus({ isPublic: false })).toBe(`${start}<IsPublic>false</IsPublic></PolicyStatus>`);
});
