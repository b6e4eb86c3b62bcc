/** What of a request is done only where the operator has switched it on for the bucket. */
import type { SwitchedPart } from './operation-switch.ts';
import type { Operation } from './operation-table.ts';
import { SWITCHED_HEADERS } from './request-fields.ts';
import type { WireHeaders } from './wire-request.ts';

/** Of the row and the headers; a document has its own. */
export function switchedParts(operation: Operation, headers: WireHeaders): readonly SwitchedPart[] {
  const parts: SwitchedPart[] = [];
  if (operation.needs !== undefined)
    parts.push({ needs: operation.needs, part: `operation \`${operation.name}\`` });
  for (const name of headers.names()) {
    // Cheap, since every request comes here: those with a switch are all longer.
    if (!name.startsWith('x-amz-')) continue;
    const needs = SWITCHED_HEADERS.get(name);
    if (needs !== undefined) parts.push({ needs, part: `header \`${name}\`` });
    else if (name === ENCRYPTION && headers.get(name) !== 'AES256')
      parts.push({ needs: 'kms-keys', part: `value \`${headers.get(name) ?? ''}\` of \`${name}\`` });
  }
  return parts;
}

const ENCRYPTION = 'x-amz-server-side-encryption';
