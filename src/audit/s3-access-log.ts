/**
 * The S3 server access log format, field for field.
 * Source: Amazon S3 user guide, "Amazon S3 server access log format".
 *
 * INVARIANT: whatever a client sends, a record is one line with the same number of fields: what could
 * end a field, or the line, becomes `%XX`, as does everything that is not ASCII.
 */
import { encodeUriPath } from '../s3/index.ts';
import type { AccessRecord } from './access-record.ts';
import { redactRequestUri } from './redact.ts';
import { S3_OPERATION_NAMES } from './s3-operation-names.ts';

interface LineOptions {
  /** The canonical user id, 64 hex digits, of an account. */
  readonly canonicalUserId: (accountId: string) => string;
}

/** What differs between the lines of one request. */
interface Subject {
  readonly operation: string;
  readonly bucket?: string | undefined;
  readonly bucketOwner?: string | undefined;
  /** As the line has it. */
  readonly key?: string | undefined;
  readonly versionId?: string | undefined;
  readonly status?: number | undefined;
  readonly errorCode?: string | undefined;
  readonly bytesSent: number;
  readonly objectSize?: number | undefined;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** The line of the request itself, without its line end. */
export function renderS3AccessLogLine(record: AccessRecord, options: LineOptions): string {
  const { operation } = record;
  return renderLine(record, options, {
    operation: operation === undefined ? '-' : `REST.${S3_OPERATION_NAMES[operation]}`,
    bucket: record.bucket,
    bucketOwner: record.bucketOwner,
    key: record.key && twiceEncoded(record.key),
    versionId: record.versionId,
    status: record.status,
    errorCode: record.errorCode,
    bytesSent: record.bytesSent,
    objectSize: record.objectSize,
  });
}

/**
 * All lines of a record, as S3 writes them: a copy has a second one for the object that was read, in the source's
 * bucket; DeleteObjects has one `BATCH.DELETE.OBJECT` for each key.
 */
export function renderS3AccessLogLines(record: AccessRecord, options: LineOptions): readonly string[] {
  const lines = [renderS3AccessLogLine(record, options)];
  const { copySource, operation } = record;
  if (copySource !== undefined && operation !== undefined)
    lines.push(
      renderLine(record, options, {
        operation: `REST.${S3_OPERATION_NAMES[operation]}_GET`,
        bucket: copySource.bucket,
        bucketOwner: copySource.bucketOwner,
        key: twiceEncoded(copySource.key),
        versionId: copySource.versionId,
        status: record.status,
        errorCode: record.errorCode,
        bytesSent: 0,
        objectSize: record.objectSize,
      }),
    );
  for (const entry of record.entries ?? [])
    lines.push(
      renderLine(record, options, {
        operation: 'BATCH.DELETE.OBJECT',
        bucket: record.bucket,
        bucketOwner: record.bucketOwner,
        // Unlike in all other lines, S3 encodes the key once here.
        key: encodeUriPath(entry.key),
        versionId: entry.versionId,
        status: entry.status,
        errorCode: entry.errorCode,
        bytesSent: 0,
      }),
    );
  return lines;
}

function renderLine(record: AccessRecord, { canonicalUserId }: LineOptions, subject: Subject): string {
  const { bucketOwner } = subject;
  const { tls } = record;
  return [
    bucketOwner === undefined ? '-' : field(canonicalUserId(bucketOwner)),
    field(subject.bucket),
    formatTime(record.time),
    field(record.remoteAddress),
    requester(record.principal, canonicalUserId),
    field(record.requestId),
    subject.operation,
    field(subject.key),
    requestUri(record),
    number(subject.status),
    field(subject.errorCode),
    subject.bytesSent === 0 ? '-' : number(subject.bytesSent),
    number(subject.objectSize),
    number(record.totalTimeMs),
    number(record.turnAroundTimeMs),
    // S3's own example for Athena reads the referer as a field without spaces.
    `"${word(record.referer && redactRequestUri(record.referer))}"`,
    `"${text(record.userAgent)}"`,
    field(subject.versionId),
    field(record.hostId),
    field(record.signatureVersion),
    field(tls?.cipher),
    field(record.authType),
    field(record.host),
    field(tls?.protocol),
    // No access points, no ACLs, and no region that a request could have come from.
    '- - -',
  ].join(' ');
}

/** S3 has the account's canonical id for its root user, the ARN for everybody else, `-` without authentication. */
function requester(principal: string | undefined, canonicalUserId: (accountId: string) => string): string {
  if (principal === undefined || principal === 'anonymous') return '-';
  const root = /^arn:aws:iam::(?<account>\d{12}):root$/.exec(principal)?.groups?.['account'];
  return field(root === undefined ? principal : canonicalUserId(root));
}

function requestUri({ method, target, httpVersion }: AccessRecord): string {
  if (method === undefined || target === undefined) return '-';
  return `"${word(method)} ${word(redactRequestUri(target))} HTTP/${word(httpVersion ?? '1.1')}"`;
}

/** `[06/Feb/2019:00:00:38 +0000]` */
function formatTime(epochMs: number): string {
  const iso = new Date(epochMs).toISOString();
  const month = MONTHS[Number(iso.slice(5, 7)) - 1] as string;
  return `[${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000]`;
}

/** S3 encodes the key as in the URL, and the result once more. */
function twiceEncoded(key: string): string {
  return encodeUriPath(encodeUriPath(key));
}

function number(value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? '-' : String(Math.round(value));
}

/** Plain: visible ASCII without quotes, backslashes, and the brackets in which only the time stands. */
function field(value: string | undefined): string {
  if (value === undefined || value === '') return '-';
  return /^[!#-Z^-~]+$/.test(value) ? value : value.replaceAll(/[^!#-Z^-~]/gu, escape);
}

/** Inside quotes, where readers expect no spaces. */
function word(value: string | undefined): string {
  if (value === undefined || value === '') return '-';
  return /^[!#-[\]-~]+$/.test(value) ? value : value.replaceAll(/[^!#-[\]-~]/gu, escape);
}

/** Inside quotes. */
function text(value: string | undefined): string {
  if (value === undefined || value === '') return '-';
  return /^[ !#-[\]-~]+$/.test(value) ? value : value.replaceAll(/[^ !#-[\]-~]/gu, escape);
}

/** Header fields come as latin1, one character a byte; anything beyond that is UTF-8. */
function escape(character: string): string {
  const bytes = Buffer.from(character, (character.codePointAt(0) as number) <= 0xff ? 'latin1' : 'utf8');
  return `%${bytes.toString('hex').toUpperCase().match(/../g)?.join('%')}`;
}
