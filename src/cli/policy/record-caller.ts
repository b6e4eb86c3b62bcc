/** Whose a record is, as it is asked for on a command line. */
import type { LoggedRecord } from '../../audit/index.ts';

/** @param who an ARN (also of a role, for its sessions), a user name, an access key id, or `anonymous`. */
export function isRecordOf(record: LoggedRecord, who: string): boolean {
  const { principal: arn = '', accessKeyId, evaluation } = record;
  if (arn === who || accessKeyId === who || evaluation?.context['aws:PrincipalArn'] === who) return true;
  return !who.includes(':') && arn.includes(':user/') && arn.slice(arn.lastIndexOf('/') + 1) === who;
}
