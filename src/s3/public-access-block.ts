/** The public access block of a bucket. Source: S3 API reference, PublicAccessBlockConfiguration. */
import { boolean, document, optional, parseSettings, type SettingsDocument } from './document-schema.ts';
import { S3Error } from './error.ts';
import { renderXml, S3_NAMESPACE } from './xml.ts';

/** ACLs are off, so that the first two hold whatever they say; they are kept for who asks for them. */
export interface PublicAccessBlock {
  readonly blockPublicAcls: boolean;
  readonly ignorePublicAcls: boolean;
  /** PutBucketPolicy refuses a public policy. */
  readonly blockPublicPolicy: boolean;
  /** A public policy is for callers of the owner's account alone. */
  readonly restrictPublicBuckets: boolean;
}

const SCHEMA = document('PublicAccessBlockConfiguration', {
  BlockPublicAcls: optional(boolean),
  IgnorePublicAcls: optional(boolean),
  BlockPublicPolicy: optional(boolean),
  RestrictPublicBuckets: optional(boolean),
});

/** @throws S3Error `MalformedXML`, `InvalidRequest` for a configuration that says nothing. */
export function parsePublicAccessBlock(text: string): PublicAccessBlock {
  const settings = parseSettings(text, SCHEMA);
  const said = Object.keys(SCHEMA.content.children).filter((name) => settings.texts(name).join('') !== '');
  if (said.length === 0)
    throw new S3Error('InvalidRequest', { message: 'Must specify at least one configuration.' });
  return {
    blockPublicAcls: isTrue(settings, 'BlockPublicAcls'),
    ignorePublicAcls: isTrue(settings, 'IgnorePublicAcls'),
    blockPublicPolicy: isTrue(settings, 'BlockPublicPolicy'),
    restrictPublicBuckets: isTrue(settings, 'RestrictPublicBuckets'),
  };
}

/** All four, in the order of the API reference. */
export function renderPublicAccessBlock(block: PublicAccessBlock): string {
  return renderXml(
    SCHEMA.root,
    {
      BlockPublicAcls: block.blockPublicAcls,
      IgnorePublicAcls: block.ignorePublicAcls,
      BlockPublicPolicy: block.blockPublicPolicy,
      RestrictPublicBuckets: block.restrictPublicBuckets,
    },
    { namespace: S3_NAMESPACE },
  );
}

/** The answer of GetBucketPolicyStatus. */
export function renderPolicyStatus(status: { readonly isPublic: boolean }): string {
  return renderXml('PolicyStatus', { IsPublic: status.isPublic }, { namespace: S3_NAMESPACE });
}

function isTrue(settings: SettingsDocument, name: string): boolean {
  return settings.texts(name).some((flag) => flag.toLowerCase() === 'true');
}
