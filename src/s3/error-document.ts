/** The XML of a refusal. Source: S3 API reference, "REST error responses". */
import { renderXml } from './xml.ts';

export interface RenderableError {
  readonly code: string;
  readonly message: string;
  /** Extra elements, in order. */
  readonly details: Readonly<Record<string, string>>;
}

export interface ErrorContext {
  /** The path that was asked for. */
  readonly resource: string;
  readonly requestId: string;
  readonly hostId: string;
}

/** @param error an `S3Error`, or a refusal that came from the upstream. */
export function renderError(error: RenderableError, context: ErrorContext): string {
  return renderXml('Error', {
    Code: error.code,
    Message: error.message,
    ...error.details,
    Resource: context.resource,
    RequestId: context.requestId,
    HostId: context.hostId,
  });
}
