/**
 * Headers that a client put into the query of a presigned URL. SDKs do that with `x-amz-*` headers
 * (`x-amz-checksum-mode`, `x-amz-tagging`, `X-Amz-Checksum-Sha256`…), and S3 takes them as if they were headers.
 */
import { S3Error } from './error.ts';
import { COMMON_PARAMETERS, isSecretField } from './request-fields.ts';
import { stripWhiteSpace } from './white-space.ts';
import { queryValue, type QueryParameter, type WireRequest } from './wire-request.ts';

/**
 * The request with such parameters moved into its headers; the request itself when it has none, or is not presigned.
 * The checksum of an empty body, which SDKs write when they do not know the body, is left out.
 * The signature is checked over the request as it came; everything after that reads this one.
 * @throws S3Error `InvalidArgument` for one that comes twice, disagrees with the header, or cannot be a header's value.
 */
export function liftPresignedHeaders(request: WireRequest): WireRequest {
  if (request.query.length === 0 || !request.query.some(isHeaderParameter)) return request;
  if (queryValue(request.query, 'X-Amz-Algorithm') === undefined) return request;
  const lifted = new Map<string, string>();
  const ofNoBody = request.query.some(isChecksumOfNoBody);
  for (const parameter of request.query) {
    if (!isHeaderParameter(parameter)) continue;
    const name = parameter.name.toLowerCase();
    if (ofNoBody && (name === SDK_ALGORITHM || isChecksumOfNoBody(parameter))) continue;
    if (!isHeaderName(name)) throw invalid(parameter, 'cannot be the name of a header');
    if (lifted.has(name)) throw invalid(parameter, 'comes more than once');
    if (!isHeaderValue(parameter.value)) throw invalid(parameter, 'cannot be the value of a header');
    lifted.set(name, Buffer.from(stripWhiteSpace(parameter.value), 'utf8').toString('latin1'));
  }
  const added: string[] = [];
  for (const [name, value] of lifted) {
    const present = request.headers.get(name);
    if (present === undefined) added.push(name, value);
    else if (present !== value)
      throw invalid({ name, value }, 'differs between the query and the header of that name');
  }
  return {
    ...request,
    query: request.query.filter((parameter) => !isHeaderParameter(parameter)),
    headers: request.headers.with(added),
  };
}

function isHeaderParameter(parameter: QueryParameter): boolean {
  return /^x-amz-/i.test(parameter.name) && !SIGNING.has(parameter.name.toLowerCase());
}

const SDK_ALGORITHM = 'x-amz-sdk-checksum-algorithm';

/**
 * What the AWS SDKs put into the URL of an upload when they sign it without knowing the body: the checksum of nothing.
 * S3 does not look at it, and neither does the gateway: whatever the URL is used for would not fit.
 */
const CHECKSUMS_OF_NOTHING: ReadonlyMap<string, string> = new Map([
  ['x-amz-checksum-crc32', 'AAAAAA=='],
  ['x-amz-checksum-crc32c', 'AAAAAA=='],
  ['x-amz-checksum-crc64nvme', 'AAAAAAAAAAA='],
  ['x-amz-checksum-md5', '1B2M2Y8AsgTpgAmY7PhCfg=='],
  ['x-amz-checksum-sha1', '2jmj7l5rSw0yVb/vlWAYkK/YBwk='],
  ['x-amz-checksum-sha256', '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='],
  [
    'x-amz-checksum-sha512',
    'z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==',
  ],
  ['x-amz-checksum-xxhash64', '70bbN1HY6Zk='],
  ['x-amz-checksum-xxhash3', 'LQaABTjTlMI='],
  ['x-amz-checksum-xxhash128', 'maoG0wFHmNhgAcMkRo1Jfw=='],
]);

function isChecksumOfNoBody({ name, value }: QueryParameter): boolean {
  return CHECKSUMS_OF_NOTHING.get(name.toLowerCase()) === value;
}

const SIGNING: ReadonlySet<string> = new Set([...COMMON_PARAMETERS].map((name) => name.toLowerCase()));

/** Source: RFC 9110, section 5.6.2, `token`, of which `x-amz-` is the beginning and never the whole. */
function isHeaderName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) && !name.endsWith('-');
}

/** No control characters: a line break would start another header. */
function isHeaderValue(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return false;
  }
  return true;
}

function invalid(parameter: QueryParameter, problem: string): S3Error {
  return new S3Error('InvalidArgument', {
    message: `The query parameter \`${parameter.name}\` ${problem}.`,
    details: {
      ArgumentName: parameter.name,
      ...(!isSecretField(parameter.name) && { ArgumentValue: parameter.value }),
    },
  });
}
