/** Access records out of logs: the other way round than `json-record.ts`. */
import type { AccessRecord } from './access-record.ts';
import { readLogLines, type LogSource } from './log-lines.ts';
import { either, isObject, listOf, number, object, oneOf, optional, text, valuesOf } from './shape.ts';

/** A record as it stands in a log: of the target what may be told, and operations of other versions too. */
export interface LoggedRecord extends Omit<AccessRecord, 'operation' | 'target'> {
  readonly operation?: string | undefined;
  /** The request target, redacted. */
  readonly requestUri?: string | undefined;
}

export interface FoundRecord {
  readonly record: LoggedRecord;
  /** The name of the source. */
  readonly source: string;
  /** From 1. */
  readonly line: number;
}

/** A line that is a record, but not a whole one: broken off, or changed on its way. */
export interface DamagedRecord {
  readonly source: string;
  readonly line: number;
  readonly problem: string;
}

export interface ReadRecordsOptions {
  /**
   * Texts of which each must stand in the line: looked for in its bytes before it is parsed, so that a search
   * takes a second for a gigabyte. They narrow down, and do not decide: a text can stand anywhere in the line.
   */
  readonly containing?: readonly string[];
  readonly onDamaged: (damaged: DamagedRecord) => void;
}

/**
 * The records of the sources, in their order. Lines that are no records, such as those in between in the gateway's
 * log, are skipped; so is what a log collector has put before a record, or around it (`{"log":"…"}`).
 * @throws LogSourceError for a source that cannot be read.
 */
export async function* readRecords(
  sources: readonly LogSource[],
  options: ReadRecordsOptions,
): AsyncGenerator<FoundRecord, void, undefined> {
  const containing = [...(options.containing ?? []), MARK];
  for (const source of sources) {
    for await (const { text: found, line } of readLogLines(source, containing)) {
      const parsed = parseLine(found);
      if (parsed === undefined) continue;
      if ('record' in parsed) yield { record: parsed.record, source: source.name, line };
      else options.onDamaged({ source: source.name, line, problem: parsed.problem });
    }
  }
}

/** Stands in every record, and early: what is broken off behind it is known for one. */
const MARK = 'requestTime';

function parseLine(
  line: string,
): { readonly record: LoggedRecord } | { readonly problem: string } | undefined {
  const fields = parseFields(line);
  if (fields === undefined) return { problem: 'not a whole JSON object' };
  // Also another line may hold the name of a field, in a message.
  if (fields['requestTime'] === undefined) return undefined;
  if (fields['msg'] !== undefined && fields['msg'] !== 'access') return undefined;
  const where = RECORD(fields);
  if (where !== undefined) return { problem: `\`${where.slice(1)}\` is missing, or not what a record has` };
  const time = Date.parse(fields['requestTime'] as string);
  if (Number.isNaN(time)) return { problem: '`requestTime` is no time' };
  // The shape was checked, in every part that is of another type than `unknown` for whoever reads it.
  return { record: { ...fields, time } as unknown as LoggedRecord };
}

function parseFields(line: string): Readonly<Record<string, unknown>> | undefined {
  const start = line.indexOf('{');
  if (start === -1) return undefined;
  try {
    const value: unknown = JSON.parse(line.slice(start));
    if (!isObject(value)) return undefined;
    // Docker's json-file driver keeps each line as a string.
    return typeof value['log'] === 'string' && value['requestTime'] === undefined
      ? parseFields(value['log'])
      : value;
  } catch {
    return undefined;
  }
}

const conditionValue = either(text, listOf(text));

const STATEMENT = object({ policy: text, sid: optional(text), index: number });

const CONDITION = { operator: text, key: text, wanted: listOf(text), actual: optional(conditionValue) };

const DECISION = object({
  effect: oneOf('Allow', 'Deny'),
  action: text,
  resource: text,
  resourceAccount: text,
  restrictPublicBuckets: optional(oneOf(true, false)),
  context: optional(valuesOf(either(oneOf(null), conditionValue))),
  tagsKnown: optional(oneOf(true, false)),
  by: optional(STATEMENT),
  reason: optional(text),
  candidate: optional(oneOf('would_allow', 'would_deny', 'undecidable')),
  nearest: optional(
    listOf(
      object({
        by: STATEMENT,
        role: oneOf('identity', 'resource', 'boundary', 'session'),
        effect: oneOf('Allow', 'Deny'),
        mismatches: listOf(
          object({
            element: text,
            operator: optional(text),
            key: optional(text),
            wanted: listOf(text),
            actual: optional(conditionValue),
          }),
        ),
        held: listOf(object(CONDITION)),
      }),
    ),
  ),
});

const RECORD = object({
  requestTime: text,
  requestId: text,
  remoteAddress: text,
  peerAddress: optional(text),
  method: optional(text),
  requestUri: optional(text),
  host: optional(text),
  userAgent: optional(text),
  tls: optional(object({ protocol: text, cipher: text })),
  operation: optional(text),
  bucket: optional(text),
  bucketOwner: optional(text),
  key: optional(text),
  versionId: optional(text),
  copySource: optional(object({ bucket: text, key: text, versionId: optional(text) })),
  principal: optional(text),
  accessKeyId: optional(text),
  authType: optional(text),
  signatureVersion: optional(text),
  decision: optional(DECISION),
  otherDecisions: optional(listOf(DECISION)),
  evaluation: optional(
    object({
      context: valuesOf(conditionValue),
      leftOut: optional(listOf(text)),
      policies: listOf(text),
    }),
  ),
  status: optional(number),
  errorCode: optional(text),
  errorReason: optional(text),
  signatureCause: optional(object({ kinds: listOf(text), explanation: text })),
  bytesReceived: number,
  bytesSent: number,
  totalTimeMs: number,
  outcome: oneOf('completed', 'aborted-by-client', 'malformed'),
  upstream: optional(object({ status: optional(number), errorCode: optional(text), cause: optional(text) })),
  entries: optional(
    listOf(
      object({
        key: text,
        versionId: optional(text),
        status: number,
        errorCode: optional(text),
        decision: optional(DECISION),
        otherDecisions: optional(listOf(DECISION)),
      }),
    ),
  ),
});
