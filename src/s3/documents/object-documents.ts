/** What is said of one object: its lock, its restoration, a query over it. Source: S3 API reference. */
import {
  boolean,
  date,
  document,
  elements,
  integer,
  oneOf,
  optional,
  refused,
  required,
  text,
} from '../document-schema.ts';

const EVENT_HOLDS = 'event holds are not known to the gateway';

export const RETENTION = document('Retention', {
  // Neither of them takes a retention off, which only governance mode lets happen.
  Mode: optional(oneOf('GOVERNANCE', 'COMPLIANCE')),
  RetainUntilDate: optional(date),
  EventHold: refused(EVENT_HOLDS),
  EventHoldDuration: refused(EVENT_HOLDS),
});

export const LEGAL_HOLD = document('LegalHold', { Status: required(oneOf('ON', 'OFF')) });

const RESTORE_TIER = oneOf('Standard', 'Bulk', 'Expedited');
const RESTORE_SELECT =
  'it would write the result of a query into another bucket; SelectObjectContent answers with it';

export const RESTORE = document('RestoreRequest', {
  Days: optional(integer),
  GlacierJobParameters: optional(elements({ Tier: required(RESTORE_TIER) })),
  Tier: optional(RESTORE_TIER),
  Description: optional(text),
  Type: refused(RESTORE_SELECT),
  SelectParameters: refused(RESTORE_SELECT),
  OutputLocation: refused(RESTORE_SELECT),
});

export const SELECT = document('SelectObjectContentRequest', {
  Expression: required(text),
  ExpressionType: required(oneOf('SQL')),
  RequestProgress: optional(elements({ Enabled: optional(boolean) })),
  InputSerialization: required(
    elements({
      CompressionType: optional(oneOf('NONE', 'GZIP', 'BZIP2')),
      CSV: optional(
        elements({
          FileHeaderInfo: optional(oneOf('USE', 'IGNORE', 'NONE')),
          Comments: optional(text),
          QuoteEscapeCharacter: optional(text),
          RecordDelimiter: optional(text),
          FieldDelimiter: optional(text),
          QuoteCharacter: optional(text),
          AllowQuotedRecordDelimiter: optional(boolean),
        }),
      ),
      JSON: optional(elements({ Type: optional(oneOf('DOCUMENT', 'LINES')) })),
      Parquet: optional(elements({})),
    }),
  ),
  OutputSerialization: required(
    elements({
      CSV: optional(
        elements({
          QuoteFields: optional(oneOf('ALWAYS', 'ASNEEDED')),
          QuoteEscapeCharacter: optional(text),
          RecordDelimiter: optional(text),
          FieldDelimiter: optional(text),
          QuoteCharacter: optional(text),
        }),
      ),
      JSON: optional(elements({ RecordDelimiter: optional(text) })),
    }),
  ),
  ScanRange: optional(elements({ Start: optional(integer), End: optional(integer) })),
});
