/**
 * `AKID/yyyyMMdd/region/service/aws4_request`, of SigV4A without the region, and what S3 says of one that is wrong.
 */
import {
  ECDSA_ALGORITHM,
  type CredentialScope,
  type MultiRegionScope,
  type SigningAlgorithm,
} from './canonical.ts';

export interface Credential {
  readonly accessKeyId: string;
  readonly scope: CredentialScope | MultiRegionScope;
}

export interface CredentialProblem {
  /** S3's words after "The authorization header is malformed; ". */
  readonly problem: string;
  readonly details?: Readonly<Record<string, string>>;
}

export function parseCredential(
  text: string,
  algorithm: SigningAlgorithm,
  region: string,
): Credential | CredentialProblem {
  const regional = algorithm !== ECDSA_ALGORITHM;
  const parts = text.split('/');
  const [accessKeyId, date] = parts;
  const [service, terminal] = parts.slice(-2);
  if (parts.length !== (regional ? 5 : 4) || parts.some((part) => part === ''))
    return {
      problem: `the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/${regional ? 'REGION/' : ''}SERVICE/aws4_request".`,
    };
  if (!/^\d{8}$/.test(date as string))
    return {
      problem: `incorrect date format "${date}". This date in the credential must be in the format "yyyyMMdd".`,
    };
  if (regional && parts[2] !== region)
    return {
      problem: `the region "${parts[2]}" is wrong; expecting "${region}"`,
      details: { Region: region },
    };
  if (service !== 's3') return { problem: `incorrect service "${service}". This endpoint belongs to "s3".` };
  if (terminal !== 'aws4_request')
    return { problem: `incorrect terminal "${terminal}". This endpoint uses "aws4_request".` };
  return {
    accessKeyId: accessKeyId as string,
    scope: regional ? { date: date as string, region, service } : { date: date as string, service },
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
