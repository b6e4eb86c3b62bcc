/** Requests as they come over the wire, for the tests of this folder. */
import {
  identifyOperation,
  liftPresignedHeaders,
  parseWireRequest,
  resolveAddress,
  S3Error,
  type AvailableOperation,
  type WireRequest,
} from '../../src/s3/index.ts';

export function request(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>> = {},
): WireRequest {
  return parseWireRequest(method, target, Object.entries({ host: '127.0.0.1:9000', ...headers }).flat());
}

export function identify(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>> = {},
): AvailableOperation {
  const lifted = liftPresignedHeaders(request(method, target, headers));
  return identifyOperation(lifted, resolveAddress(lifted, []));
}

/** The refusal that a call throws; fails when it throws none, or something else. */
export function refusal(call: () => unknown): S3Error {
  try {
    call();
  } catch (error) {
    if (error instanceof S3Error) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
