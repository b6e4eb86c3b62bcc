/** Which operation a request is. Whatever the table does not know ends here. */
import { addressLevel, type Address } from './address.ts';
import { S3Error } from './error.ts';
import type { Method, OperationLevel } from './operation.ts';
import { isAvailable, OPERATION_LIST, type AvailableOperation, type Operation } from './operation-table.ts';
import { assertUploadId, assertVersionId } from './opaque-id.ts';
import { CHECKSUM_HEADERS } from './operations/fields.ts';
import { COMMON_HEADERS, COMMON_PARAMETERS, ONLY_VALUES, WRITE_CONDITIONS } from './request-fields.ts';
import { queryValue, type WireRequest } from './wire-request.ts';

/**
 * What a read says of the body that it has not, as the AWS SDK for Java 2.56 does with GetObject: the CRC32 of no bytes.
 * Nothing follows from it, and it is not forwarded.
 */
const NO_BODY_CHECKSUMS: ReadonlySet<string> = new Set(
  CHECKSUM_HEADERS.filter((name) => name.startsWith('x-amz-checksum-')),
);

/**
 * The operation of a request, accepted in all of its parameters and headers.
 * @param request with `liftPresignedHeaders` done.
 * @throws S3Error as `matchOperation`; `NotImplemented` also for an operation that is not available, and for a query
 * parameter or `x-amz-*` header that neither its row nor the common ones know; `InvalidArgument` for one that comes
 * twice.
 */
export function identifyOperation(request: WireRequest, address: Address): AvailableOperation {
  const operation = matchOperation(request, address);
  if (!isAvailable(operation)) throw unavailable(operation);
  if (request.query.length > 0) checkParameters(request, operation);
  checkHeaders(request, operation);
  return operation;
}

/**
 * The row that a request matches, be it available or not, with nothing else checked: it names a refused request.
 * @throws S3Error `MethodNotAllowed` for a method that S3 does not have, `NotImplemented` for SOAP and when no row
 * or more than one matches.
 */
export function matchOperation(request: WireRequest, address: Address): Operation {
  const level = addressLevel(address);
  const rows = INDEX.get(request.method)?.[level];
  if (rows === undefined)
    throw new S3Error('MethodNotAllowed', {
      details: { Method: request.method, ResourceType: level.toUpperCase() },
      headers: { allow: [...INDEX.keys()].join(', ') },
    });
  if (request.method === 'POST') refuseSoap(request);
  const candidates = request.query.length === 0 ? rows.withoutQuery : rows.all;
  let found: Operation | undefined;
  for (const row of candidates) {
    if (found !== undefined && row.specificity < found.specificity) break;
    if (!matches(row, request)) continue;
    if (found !== undefined) throw ambiguous(found, row);
    found = row;
  }
  if (found === undefined) throw unmatched(request, level);
  return found;
}

interface Rows {
  /** The most specific first. */
  readonly all: readonly Operation[];
  /** Those that a request without a query can match. */
  readonly withoutQuery: readonly Operation[];
}

const METHODS: readonly Method[] = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS'];

const INDEX: ReadonlyMap<string, Readonly<Record<OperationLevel, Rows>>> = new Map(
  METHODS.map((method) => [
    method,
    {
      service: rowsOf(method, 'service'),
      bucket: rowsOf(method, 'bucket'),
      object: rowsOf(method, 'object'),
    },
  ]),
);

function rowsOf(method: Method, level: OperationLevel): Rows {
  const all = OPERATION_LIST.filter((row) => row.method === method && row.level === level).toSorted(
    (a, b) => b.specificity - a.specificity,
  );
  return {
    all,
    withoutQuery: all.filter((row) => row.match.query === undefined && row.match.queryEquals === undefined),
  };
}

function matches({ match }: Operation, { query, headers }: WireRequest): boolean {
  if (match.query !== undefined)
    for (const name of match.query) if (queryValue(query, name) === undefined) return false;
  if (match.queryEquals !== undefined)
    for (const name in match.queryEquals)
      if (queryValue(query, name) !== match.queryEquals[name]) return false;
  return match.headers === undefined || match.headers.every((name) => headers.has(name));
}

function checkParameters({ query }: WireRequest, operation: Operation): void {
  const seen = new Set<string>();
  for (const { name, value } of query) {
    if (operation.parameters.has(name)) {
      if (seen.has(name))
        throw new S3Error('InvalidArgument', {
          message: `The query parameter \`${name}\` comes more than once.`,
          details: { ArgumentName: name, ArgumentValue: value },
        });
      seen.add(name);
      if (name === 'versionId') assertVersionId(value);
      else if (name === 'uploadId') assertUploadId(value);
    } else if (!COMMON_PARAMETERS.has(name)) throw unknownParameter(name);
  }
}

function checkHeaders({ method, headers }: WireRequest, operation: Operation): void {
  const writes = method !== 'GET' && method !== 'HEAD';
  for (const name of headers.names()) {
    if (name.startsWith('x-amz-')) {
      if (COMMON_HEADERS.has(name)) continue;
      if (!writes && NO_BODY_CHECKSUMS.has(name)) continue;
      if (!operation.headers.has(name)) throw unknownHeader(name);
      const only = ONLY_VALUES.get(name);
      if (only !== undefined && !only.includes(headers.get(name) ?? ''))
        throw new S3Error('NotImplemented', {
          message: `A header you provided implies functionality that is not implemented: \`${name}\` must be \`${only.join('` or `')}\`.`,
          details: { Header: name },
        });
    } else if (writes && WRITE_CONDITIONS.has(name) && !operation.headers.has(name))
      throw unknownHeader(name);
  }
  if (headers.hasDuplicates) refuseDuplicates(headers.names(), (name) => headers.count(name));
}

/** Joined values would be read as one: another copy source, another token than what was signed. */
function refuseDuplicates(names: Iterable<string>, count: (name: string) => number): void {
  for (const name of names) {
    const single =
      (name.startsWith('x-amz-') && !name.startsWith('x-amz-meta-')) ||
      name === 'content-md5' ||
      name === 'range';
    if (single && count(name) > 1)
      throw new S3Error('InvalidArgument', {
        message: `The header \`${name}\` comes more than once.`,
        details: { ArgumentName: name },
      });
  }
}

/** Source: "Appendix: SOAP API" of the S3 API reference. */
function refuseSoap({ path, query, headers }: WireRequest): void {
  const type = mediaType(headers.get('content-type'));
  const soap =
    headers.has('soapaction') ||
    type === 'application/soap+xml' ||
    (path === '/soap' && query.length === 0 && (type === 'text/xml' || type === 'application/xml'));
  if (soap)
    throw new S3Error('NotImplemented', {
      message:
        'SOAP APIs for Amazon S3 are not available. We recommend that you use either the REST API or the AWS SDKs.',
    });
}

/** Lower-case, without parameters. */
function mediaType(contentType: string | undefined): string | undefined {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase();
}

function unavailable({ name, handling }: Operation): S3Error {
  const why = typeof handling === 'string' ? '' : handling.refused;
  return new S3Error('NotImplemented', { message: `The operation \`${name}\` is not implemented: ${why}.` });
}

function unmatched({ method, query }: WireRequest, level: OperationLevel): S3Error {
  const unknown = query.find((parameter) => !COMMON_PARAMETERS.has(parameter.name));
  if (unknown !== undefined) return unknownParameter(unknown.name);
  return new S3Error('NotImplemented', {
    message: `\`${method}\` without a sub-resource is not an operation of S3 at the ${level} level.`,
  });
}

function ambiguous(one: Operation, other: Operation): S3Error {
  return new S3Error('NotImplemented', {
    message: `The request asks for more than one operation, \`${one.name}\` and \`${other.name}\`; send them one by one.`,
  });
}

function unknownParameter(name: string): S3Error {
  return new S3Error('NotImplemented', {
    message: `A query parameter you provided implies functionality that is not implemented: \`${name}\`.`,
    details: { ParameterName: name },
  });
}

function unknownHeader(name: string): S3Error {
  return new S3Error('NotImplemented', {
    message: `A header you provided implies functionality that is not implemented: \`${name}\`.`,
    details: { Header: name },
  });
}
