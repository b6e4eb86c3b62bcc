/** `AKID/yyyyMMdd/region/service/aws4_request`, and what S3 says of one that is wrong. */
import type { CredentialScope } from './canonical.ts';

export interface Credential {
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
}

export interface CredentialProblem {
  /** S3's words after "The authorization header is malformed; ". */
  readonly problem: string;
  readonly details?: Readonly<Record<string, string>>;
}

export function parseCredential(text: string, region: string): Credential | CredentialProblem {
  const parts = text.split('/');
  const [accessKeyId, date, scopeRegion, service, terminal] = parts;
  if (parts.length !== 5 || parts.some((part) => part === ''))
    return {
      problem: 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    };
  if (!/^\d{8}$/.test(date as string))
    return {
      problem: `incorrect date format "${date}". This date in the credential must be in the format "yyyyMMdd".`,
    };
  if (scopeRegion !== region)
    return {
      problem: `the region "${scopeRegion}" is wrong; expecting "${region}"`,
      details: { Region: region },
    };
  if (service !== 's3') return { problem: `incorrect service "${service}". This endpoint belongs to "s3".` };
  if (terminal !== 'aws4_request')
    return { problem: `incorrect terminal "${terminal}". This endpoint uses "aws4_request".` };
  return {
    accessKeyId: accessKeyId as string,
    scope: { date: date as string, region: scopeRegion, service },
  };
}

/** Lower-case names, sorted; undefined for an empty list, an empty name, upper case or a repetition. */
export function parseSignedHeaders(text: string): readonly string[] | undefined {
  const names = text.split(';');
  if (new Set(names).size !== names.length) return undefined;
  if (!names.every((name) => /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name))) return undefined;
  return names.sort();
}
