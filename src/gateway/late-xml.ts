/**
 * Answers that start with 200 and white space, and end with a result or an `<Error>`: CopyObject, UploadPartCopy and
 * CompleteMultipartUpload. Source: S3 API reference, CompleteMultipartUpload.
 */
import {
  parseXml,
  renderError,
  renderXml,
  S3_NAMESPACE,
  type ErrorContext,
  type ParsedElement,
  type XmlContent,
} from '../s3/index.ts';
import type { UpstreamBody } from '../upstream/index.ts';
import type { AnswerBody, LateXml, UpstreamOutcome } from './answer.ts';
import { objectUrl } from './object-url.ts';
import { pathOf } from './respond.ts';
import type { Authorized } from './authorize.ts';
import { refusalOf, unavailable, type UpstreamRefusal } from './upstream-error.ts';

interface LateOptions {
  readonly upstream: UpstreamOutcome;
  readonly hostId: string;
  /** Makes what the caller gets to know of a refusal. */
  readonly tell: (refusal: UpstreamRefusal) => UpstreamRefusal;
}

/** Makes the upstream's document anew: its Location and its error texts speak of the upstream. */
export function lateXml(request: Authorized, stream: UpstreamBody, options: LateOptions): AnswerBody {
  // White space may have come before the XML declaration, where it must not stand in a document.
  return { kind: 'late-xml', stream, rewrite: (xml) => rewrite(request, xml.trimStart(), options) };
}

const RESULTS = ['CopyObjectResult', 'CopyPartResult', 'CompleteMultipartUploadResult'] as const;

function rewrite(request: Authorized, xml: string, { upstream, hostId, tell }: LateOptions): LateXml {
  const context = { resource: pathOf(request.target), requestId: request.requestId, hostId };
  const root = RESULTS.find((name) => xml.includes(`<${name}`));
  if (root === undefined) return lateError(context, tell(errorOf(xml, upstream)));
  try {
    return { xml: inClientsNames(request, xml, root), errorCode: undefined };
  } catch (error) {
    return lateError(
      context,
      unavailable(upstream, `the upstream's answer is not S3's XML: ${String(error)}`),
    );
  }
}

/**
 * The document with the bucket, key and location that the client knows in place of the upstream's.
 * @throws S3Error `MalformedXML` when it is not one.
 */
export function inClientsNames(request: Authorized, xml: string, root: string): string {
  const content = contentOf(parseXml(xml, root));
  const own: Readonly<Record<string, string>> = {
    Bucket: request.address.bucket ?? '',
    Key: request.address.key ?? '',
    Location: objectUrl(request, request.address.key ?? ''),
  };
  const names = Object.fromEntries(Object.entries(own).filter(([name]) => name in content));
  return renderXml(root, { ...content, ...names }, { namespace: S3_NAMESPACE });
}

function errorOf(xml: string, upstream: UpstreamOutcome): UpstreamRefusal {
  try {
    return refusalOf(parseXml(xml, 'Error'), 500, upstream);
  } catch (error) {
    return unavailable(upstream, `the upstream's answer is not S3's XML: ${String(error)}`);
  }
}

function lateError(context: ErrorContext, refusal: UpstreamRefusal): LateXml {
  return { xml: renderError(refusal, context), errorCode: refusal.code };
}

/** Text of leaves, children of the rest, in the order in which their names first come. */
function contentOf(element: ParsedElement): { readonly [name: string]: XmlContent } {
  const content: Record<string, XmlContent> = {};
  for (const name of element.childNames)
    content[name] = element
      .children(name)
      .map((child) => (child.childNames.length === 0 ? child.text : contentOf(child)));
  return content;
}
