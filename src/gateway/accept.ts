/** First checks: is this one well-formed S3 request, within limits, that no two HTTP parsers can read differently? */
import { parseWireRequest, S3Error } from '../s3/index.ts';
import type { Accepted, Received } from './stages.ts';

export interface AcceptLimits {
  /** Names and values of all header fields together, in bytes. */
  readonly headerBytes: number;
  /** Names and values of `x-amz-meta-*` together, in bytes. */
  readonly userMetadataBytes: number;
}

/** What the names of user metadata begin with. */
export const USER_METADATA = 'x-amz-meta-';

/**
 * @throws S3Error `InvalidURI`, `InvalidRequest`, `RequestHeaderSectionTooLarge` or `MetadataTooLarge`.
 */
export function accept(received: Received, limits: AcceptLimits): Accepted {
  const { incoming, originProblem } = received;
  if (originProblem !== undefined) throw invalid(`The client's address cannot be told: ${originProblem}.`);
  checkHeaders(incoming.rawHeaders, limits);
  checkFraming(incoming.rawHeaders, incoming.httpVersion);
  return { ...received, wire: parseWireRequest(received.method, received.target, incoming.rawHeaders) };
}

function checkHeaders(rawHeaders: readonly string[], limits: AcceptLimits): void {
  let total = 0;
  let metadata = 0;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const length = name.length + (rawHeaders[i + 1] as string).length;
    total += length;
    if (
      name.length > USER_METADATA.length &&
      name.slice(0, USER_METADATA.length).toLowerCase() === USER_METADATA
    )
      metadata += length - USER_METADATA.length;
  }
  if (total > limits.headerBytes)
    throw new S3Error('RequestHeaderSectionTooLarge', {
      details: { MaxSizeAllowed: String(limits.headerBytes) },
    });
  checkUserMetadata(metadata, limits);
}

/** @throws S3Error `MetadataTooLarge` */
export function checkUserMetadata(size: number, { userMetadataBytes }: AcceptLimits): void {
  if (size > userMetadataBytes)
    throw new S3Error('MetadataTooLarge', {
      details: { Size: String(size), MaxSizeAllowed: String(userMetadataBytes) },
    });
}

/**
 * INVARIANT: after this, there is one Host, and the body's end is where Content-Length or the final chunk says, for
 * every parser. Node refuses both at once, a repeated Content-Length and obs-fold (RFC 9112, section 6.3); it lets
 * pass what is refused here.
 */
function checkFraming(rawHeaders: readonly string[], httpVersion: string): void {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') throw invalid('HTTP must be of version 1.1 or 1.0');
  let hosts = 0;
  let transferEncodings = 0;
  let contentLengths = 0;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const value = rawHeaders[i + 1] as string;
    switch ((rawHeaders[i] as string).toLowerCase()) {
      case 'host':
        hosts += 1;
        break;
      case 'transfer-encoding':
        transferEncodings += 1;
        if (value.toLowerCase() !== 'chunked' || httpVersion === '1.0')
          throw invalid('Transfer-Encoding must be `chunked`, and nothing else');
        break;
      case 'content-length':
        contentLengths += 1;
        if (!/^\d{1,16}$/.test(value)) throw invalid('Content-Length must be a number');
        break;
      case 'upgrade':
        // Some clients offer HTTP/2 with every request; the offer may be ignored (RFC 9110, section 7.8).
        if (value.toLowerCase() !== 'h2c') throw invalid('Upgrade is not supported');
        break;
      default:
    }
  }
  if (hosts !== 1) throw invalid('The request must have exactly one Host header');
  if (transferEncodings > 1 || contentLengths > 1 || transferEncodings + contentLengths > 1)
    throw invalid('The request must have one Content-Length, or one Transfer-Encoding, and not both');
}

function invalid(message: string): S3Error {
  return new S3Error('InvalidRequest', { message });
}
