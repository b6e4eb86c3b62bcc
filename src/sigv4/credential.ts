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

const HEADER_NAMES = /^[!#$%&'*+.^_`|~0-9a-z-]+(?:;[!#$%&'*+.^_`|~0-9a-z-]+)*$/;

/** Lower-case names, sorted; undefined for an empty list, an empty name, upper case or a repetition. */
export function parseSignedHeaders(text: string): readonly string[] | undefined {
  if (!HEADER_NAMES.test(text)) return undefined;
  const names = text.split(';');
  names.sort();
  for (let i = 1; i < names.length; i++) if (names[i] === names[i - 1]) return undefined;
  return names;
}
