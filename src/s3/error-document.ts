/** The XML of a refusal. Source: S3 API reference, "REST error responses". */
import type { S3Error } from './error.ts';
import { renderXml } from './xml.ts';

export interface ErrorContext {
  /** The path that was asked for. */
  readonly resource: string;
  readonly requestId: string;
  readonly hostId: string;
}

export function renderError(error: S3Error, context: ErrorContext): string {
  return renderXml('Error', {
    Code: error.code,
    Message: error.message,
    ...error.details,
    Resource: context.resource,
    RequestId: context.requestId,
    HostId: context.hostId,
  });
}
