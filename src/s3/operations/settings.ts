/** Rows of settings of a bucket: a document that is read, written and removed at one sub-resource. */
import type { DocumentSchema } from '../document-schema.ts';
import type { AvailableRow, MatchRule } from '../operation.ts';
import type { OperationSwitch } from '../operation-switch.ts';
import { CHECKSUM_HEADERS, EXPECTED_OWNER, XML_RESPONSE } from './fields.ts';

/** A thousand rules with all that they may have. */
const SETTINGS_BYTES = 1024 * 1024;

interface Setting {
  readonly match: MatchRule;
  readonly action: string;
  readonly needs?: OperationSwitch;
  /** Request headers beside those of every setting. */
  readonly headers?: readonly string[];
  /** Query parameters beside those of the match rule. */
  readonly query?: readonly string[];
  readonly responseHeaders?: readonly string[];
  readonly alsoKnownAs?: readonly string[];
}

/** Root of its document. */
type Named = Setting & { readonly root: string };

/** An answer that is the document. */
export function readSetting({ headers = [], responseHeaders = [], root, ...setting }: Named): AvailableRow {
  return {
    ...row(setting),
    method: 'GET',
    handling: 'forward',
    body: 'none',
    headers: [...headers, EXPECTED_OWNER],
    answer: 'xml',
    answerRoots: [root],
    responseHeaders: [...XML_RESPONSE, ...responseHeaders],
  };
}

/** A body that is the document, written anew. */
export function writeSetting(
  document: DocumentSchema,
  {
    headers = [],
    responseHeaders = [],
    method = 'PUT',
    integrity,
    ...setting
  }: Setting & { readonly method?: 'POST' | 'PUT'; readonly integrity?: 'required' },
): AvailableRow {
  return {
    ...row(setting),
    method,
    handling: 'forward',
    body: { buffered: SETTINGS_BYTES },
    document,
    checksums: 'body',
    ...(integrity !== undefined && { integrity }),
    headers: ['content-type', ...headers, ...CHECKSUM_HEADERS, EXPECTED_OWNER],
    answer: 'empty',
    responseHeaders,
  };
}

export function removeSetting({ root, ...setting }: Named): AvailableRow {
  return {
    ...row(setting),
    knownBy: [root],
    method: 'DELETE',
    handling: 'forward',
    body: 'none',
    headers: [EXPECTED_OWNER],
    answer: 'empty',
    responseHeaders: [],
  };
}

function row({ match, action, needs, query, alsoKnownAs }: Setting) {
  return {
    level: 'bucket',
    match,
    actions: [{ action, resource: 'bucket' }],
    ...(needs !== undefined && { needs }),
    ...(query !== undefined && { query }),
    ...(alsoKnownAs !== undefined && { alsoKnownAs }),
  } as const;
}
