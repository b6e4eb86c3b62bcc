/** Conditional requests. Source: RFC 9110, section 13; for the copy source, the S3 API reference (CopyObject). */
import { S3Error, type WireHeaders } from '../s3/index.ts';

interface Validators {
  /** With its quotation marks. */
  readonly etag: string;
  /** Epoch milliseconds, whole seconds. */
  readonly modified: number;
}

/** Conditions of a write; checked in the same transaction that writes. */
export interface WriteCondition {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/**
 * Checks a GET or HEAD: If-Match goes before If-Unmodified-Since, If-None-Match before If-Modified-Since.
 * @throws S3Error `PreconditionFailed`, or `NotModified` with the validators in its headers.
 */
export function checkReadConditions(headers: WireHeaders, object: Validators): void {
  const failed = failedStrongCondition(headers, '', object);
  if (failed !== undefined) throw preconditionFailed(failed);
  if (failedWeakCondition(headers, '', object) !== undefined)
    throw new S3Error('NotModified', {
      headers: { etag: object.etag, 'last-modified': new Date(object.modified).toUTCString() },
    });
}

/** @throws S3Error `PreconditionFailed` for any `x-amz-copy-source-if-*` that does not hold. */
export function checkCopySourceConditions(headers: WireHeaders, source: Validators): void {
  const failed =
    failedStrongCondition(headers, 'x-amz-copy-source-', source) ??
    failedWeakCondition(headers, 'x-amz-copy-source-', source);
  if (failed !== undefined) throw preconditionFailed(failed);
}

/** @throws S3Error `NotImplemented` for an If-None-Match other than `*`, which S3 does not take either. */
export function parseWriteCondition(headers: WireHeaders): WriteCondition {
  const ifNoneMatch = headers.get('if-none-match');
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== '*')
    throw new S3Error('NotImplemented', { details: { Header: 'If-None-Match' } });
  return { ifMatch: headers.get('if-match'), ifNoneMatch };
}

/** @throws S3Error `PreconditionFailed`, or `NoSuchKey` when an object that must match is not there. */
export function checkWriteCondition(
  condition: WriteCondition,
  existing: Pick<Validators, 'etag'> | undefined,
  key: string,
): void {
  if (condition.ifMatch !== undefined) {
    if (existing === undefined) throw new S3Error('NoSuchKey', { details: { Key: key } });
    if (!matches(condition.ifMatch, existing.etag)) throw preconditionFailed('If-Match');
  }
  if (condition.ifNoneMatch !== undefined && existing !== undefined)
    throw preconditionFailed('If-None-Match');
}

/** Whether `If-Range` allows a part; true without it. Source: RFC 9110, section 13.1.5. */
export function rangeApplies(headers: WireHeaders, object: Validators): boolean {
  const ifRange = headers.get('if-range')?.trim();
  if (ifRange === undefined) return true;
  return ifRange.startsWith('"') ? ifRange === object.etag : parseDate(ifRange) === object.modified;
}

/** The name of the condition that fails, if one does. */
function failedStrongCondition(headers: WireHeaders, prefix: string, object: Validators): string | undefined {
  const ifMatch = headers.get(`${prefix}if-match`);
  if (ifMatch !== undefined) return matches(ifMatch, object.etag) ? undefined : `${prefix}If-Match`;
  const since = parseDate(headers.get(`${prefix}if-unmodified-since`));
  return since !== undefined && object.modified > since ? `${prefix}If-Unmodified-Since` : undefined;
}

function failedWeakCondition(headers: WireHeaders, prefix: string, object: Validators): string | undefined {
  const ifNoneMatch = headers.get(`${prefix}if-none-match`);
  if (ifNoneMatch !== undefined)
    return matches(ifNoneMatch, object.etag) ? `${prefix}If-None-Match` : undefined;
  const since = parseDate(headers.get(`${prefix}if-modified-since`));
  return since !== undefined && object.modified <= since ? `${prefix}If-Modified-Since` : undefined;
}

/** Clients leave the quotation marks out as often as not, and S3 takes both. */
function matches(list: string, etag: string): boolean {
  return list.split(',').some((item) => {
    const value = item.trim().replace(/^W\//, '');
    return value === '*' || value === etag || `"${value}"` === etag;
  });
}

/** Epoch milliseconds; undefined (the condition is ignored) for what is not an HTTP date. */
function parseDate(text: string | undefined): number | undefined {
  if (text === undefined || !text.endsWith(' GMT')) return undefined;
  const epochMs = Date.parse(text);
  return Number.isNaN(epochMs) ? undefined : epochMs;
}

function preconditionFailed(condition: string): S3Error {
  return new S3Error('PreconditionFailed', { details: { Condition: condition } });
}
