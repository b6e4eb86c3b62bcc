/** The latest refusals: for who has no request id. */
import type { LoggedRecord, LogSource } from '../../audit/index.ts';
import type { CommandIo } from '../command-io.ts';
import { isoTime } from '../keys/key-metadata.ts';
import { auditRecords } from './audit-files.ts';
import { printable } from './condition-words.ts';
import { isRecordOf } from './record-caller.ts';
import { explainRecord } from './record-explanation.ts';

export interface RefusalFilter {
  /** ARN, user name, access key id or `anonymous`. */
  readonly principal: string | undefined;
  readonly bucket: string | undefined;
}

/** The last in time come last. */
export async function latestRefusals(
  sources: readonly LogSource[],
  { principal, bucket }: RefusalFilter,
  options: { readonly max: number; readonly io: CommandIo },
): Promise<readonly LoggedRecord[]> {
  const { max, io } = options;
  // Each refusal has an errorCode, of the request or of a key.
  const wanted = ['errorCode', principal, bucket].filter((each) => each !== undefined);
  let latest: LoggedRecord[] = [];
  const settle = (): void => {
    latest = latest.toSorted((left, right) => left.time - right.time).slice(-max);
  };
  for await (const { record } of auditRecords(sources, io, wanted)) {
    if (!isRefusal(record) || (principal !== undefined && !isRecordOf(record, principal))) continue;
    if (bucket !== undefined && record.bucket !== bucket) continue;
    latest.push(record);
    if (latest.length >= max * 4) settle();
  }
  settle();
  return latest;
}

/** By policy, also of one key of many; or because of who asked. */
function isRefusal({ status, decision, entries = [] }: LoggedRecord): boolean {
  if (status === 401 || status === 403 || decision?.effect === 'Deny') return true;
  return entries.some((entry) => entry.decision?.effect === 'Deny');
}

export function renderRefusals(records: readonly LoggedRecord[]): string {
  return records
    .map((record) => {
      const { requestId, time, principal, accessKeyId, operation, bucket, key } = record;
      const who = principal ?? accessKeyId ?? 'nobody';
      const place = [bucket, key].filter((each) => each !== undefined).join('/');
      const what = `${operation ?? record.method ?? 'no operation'} ${place}`.trimEnd();
      return `${requestId}  ${isoTime(time)}  ${printable(`${who}  ${what}`)}: ${explainRecord(record).summary}\n`;
    })
    .join('');
}
