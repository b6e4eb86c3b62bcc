/** Where a bucket is: the body of CreateBucket, the answer of GetBucketLocation. Source: S3 API reference. */
import { S3Error } from './error.ts';
import { requiredText, requireKnown } from './xml-elements.ts';
import { parseXml, renderXml, S3_NAMESPACE } from './xml.ts';

/** The region that S3 calls by an empty name. */
const NAMELESS_REGION = 'us-east-1';

/**
 * The region that the body of CreateBucket asks for; undefined when it asks for none.
 * @param text the body, empty when there is none.
 * @throws S3Error `MalformedXML`; `NotImplemented` for directory buckets and for tags.
 */
export function parseCreateBucketConfiguration(text: string): string | undefined {
  if (text === '') return undefined;
  const root = parseXml(text, 'CreateBucketConfiguration');
  for (const name of ['Bucket', 'Location', 'Tags'])
    if (root.child(name) !== undefined)
      throw new S3Error('NotImplemented', {
        message: `The element \`${name}\` of CreateBucketConfiguration is not implemented.`,
      });
  requireKnown(root, ['LocationConstraint']);
  if (root.child('LocationConstraint') === undefined) return undefined;
  const region = requiredText(root, 'LocationConstraint').trim();
  return region === '' ? undefined : region;
}

/** The body to send to an upstream in that region; empty where none is needed. */
export function renderCreateBucketConfiguration(region: string): string {
  if (region === NAMELESS_REGION) return '';
  return renderXml('CreateBucketConfiguration', { LocationConstraint: region }, { namespace: S3_NAMESPACE });
}

/** The answer of GetBucketLocation. */
export function renderLocation(region: string): string {
  return renderXml('LocationConstraint', region === NAMELESS_REGION ? '' : region, {
    namespace: S3_NAMESPACE,
  });
}
