/**
 * Cross-origin requests of browsers: the preflight that asks whether one is allowed, and what answers say of it. Neither
 * grants anything: it is the browser that keeps an answer from a page.
 */
import {
  assertBucketName,
  corsHeaders,
  isAvailable,
  isBucketName,
  isCorsMethod,
  locate,
  OPERATION_LIST,
  publicUrlOf,
  resolveAddress,
  S3Error,
  type AvailableOperation,
  type GatewayNames,
} from '../s3/index.ts';
import { emptyAnswer, type Answer } from './answer.ts';
import type { Buckets } from './buckets.ts';
import type { Accepted, PlainRequest } from './stages.ts';

export interface CorsDependencies extends GatewayNames {
  readonly buckets: Buckets;
}

const NO_HEADERS: readonly string[] = [];

/**
 * What the answer to a cross-origin request says, be it a success or an error: name, value, name, value… None for any
 * other request, and where no rule of the bucket allows it. Rejects only when the store fails.
 */
export async function crossOriginHeaders(
  { method, wire }: Accepted,
  { buckets, ...names }: CorsDependencies,
): Promise<readonly string[]> {
  const origin = wire.headers.get('origin');
  if (origin === undefined || method === 'OPTIONS') return NO_HEADERS;
  const { bucket: name = '' } = locate(wire.headers.get('host') ?? '', wire.path, names);
  const rules = isBucketName(name) ? (await buckets.find(name))?.cors : undefined;
  if (rules === undefined) return NO_HEADERS;
  // S3 goes by what a request of any method says in the headers of a preflight.
  const request = {
    origin,
    method: wire.headers.get('access-control-request-method') ?? method,
    headers: wire.headers.get('access-control-request-headers'),
  };
  return corsHeaders(rules, request) ?? NO_HEADERS;
}

export function isPreflight({ method }: Accepted): boolean {
  return method === 'OPTIONS';
}

/**
 * A preflight is about the request to come: its query and signature are that one's, and are not looked at.
 * @throws S3Error `InvalidBucketName`, `KeyTooLongError`; `InvalidRequest` for one with a body.
 */
export function identifyPreflight(request: Accepted, names: GatewayNames): PlainRequest {
  const { wire } = request;
  const address = resolveAddress(wire, names.baseDomains, names.publicUrls);
  if (address.bucket !== undefined) assertBucketName(address.bucket);
  const length = wire.headers.get('content-length');
  if (wire.headers.has('transfer-encoding') || (length !== undefined && Number(length) !== 0))
    throw new S3Error('InvalidRequest', { message: 'A preflight takes no request body.' });
  return {
    ...request,
    effective: wire,
    address,
    publicUrl: publicUrlOf(wire, names),
    operation: PREFLIGHT,
    form: undefined,
  };
}

/**
 * Anybody gets the answer that the bucket's rules give.
 * @throws S3Error `BadRequest`, `AccessForbidden`; rejects otherwise only when the store fails.
 */
export async function answerPreflight(
  { wire, address }: PlainRequest,
  { buckets }: CorsDependencies,
): Promise<Answer> {
  const origin = wire.headers.get('origin');
  if (origin === undefined)
    throw new S3Error('BadRequest', { message: 'Insufficient information. Origin request header needed.' });
  const method = wire.headers.get('access-control-request-method');
  const bucket = address.bucket === undefined ? undefined : await buckets.find(address.bucket);
  const refuse = (why: string, about: 'BUCKET' | 'OBJECT'): S3Error =>
    new S3Error('AccessForbidden', {
      message: `CORSResponse: ${why}`,
      details: { Method: method ?? 'OPTIONS', ResourceType: about },
    });
  // S3 tells whether there is such a bucket. Here nobody is told who may not read it.
  if (bucket?.cors === undefined) throw refuse('CORS is not enabled for this bucket.', 'BUCKET');
  if (method === undefined || !isCorsMethod(method))
    throw new S3Error('BadRequest', {
      message: `Invalid Access-Control-Request-Method: ${method ?? 'null'}`,
    });
  const headers = corsHeaders(bucket.cors, {
    origin,
    method,
    headers: wire.headers.get('access-control-request-headers'),
  });
  if (headers === undefined) throw refuse(NOT_ALLOWED, address.key === undefined ? 'BUCKET' : 'OBJECT');
  return emptyAnswer(200, [...headers, 'content-length', '0']);
}

/** S3's words, `evalution` included. */
const NOT_ALLOWED =
  "This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.";

const PREFLIGHT = preflightOperation();

function preflightOperation(): AvailableOperation {
  const operation = OPERATION_LIST.find(({ name }) => name === 'OptionsObject');
  if (operation === undefined || !isAvailable(operation)) throw new Error('no row for preflights');
  return operation;
}
