/** The signature parameters of a presigned URL. */
import { S3Error, type QueryParameter } from '../s3/index.ts';
import { ALGORITHM, ECDSA_ALGORITHM } from './canonical.ts';
import { parseCredential, parseSignedHeaders, type Credential } from './credential.ts';
import { parseAmzDate } from './date.ts';

const PARAMETERS = [
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Signature',
  'X-Amz-Date',
  'X-Amz-SignedHeaders',
  'X-Amz-Expires',
] as const;
const OPTIONAL_PARAMETERS = ['X-Amz-Security-Token', 'X-Amz-Content-Sha256', 'X-Amz-Region-Set'] as const;
const ALL_PARAMETERS: ReadonlySet<string> = new Set([...PARAMETERS, ...OPTIONAL_PARAMETERS]);
const MAX_EXPIRES_SECONDS = 604_800;

export interface PresignedQuery extends Credential {
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly timestamp: string;
  readonly signedAt: number;
  readonly expiresSeconds: number;
  readonly sessionToken: string | undefined;
  /** Of SigV4A alone. */
  readonly regionSet: string | undefined;
}

/** True when any authentication parameter is there, so that a half-signed URL is an error and never anonymous. */
export function isPresigned(query: readonly QueryParameter[]): boolean {
  return query.some(({ name }) => ALL_PARAMETERS.has(name));
}

/** @throws S3Error `AuthorizationQueryParametersError`, in S3's words. */
export function parsePresignedQuery(query: readonly QueryParameter[], region: string): PresignedQuery {
  const fields = new Map<string, string>();
  for (const { name, value } of query) {
    if (!ALL_PARAMETERS.has(name)) continue;
    if (fields.has(name)) throw invalid(`${name} must be given only once`);
    fields.set(name, value);
  }
  const [algorithm, credentialText, signature, timestamp, signedHeadersText, expiresText] = PARAMETERS.map(
    (name) => fields.get(name),
  );
  if (
    algorithm === undefined ||
    credentialText === undefined ||
    signature === undefined ||
    timestamp === undefined ||
    signedHeadersText === undefined ||
    expiresText === undefined
  )
    throw invalid(
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    );
  if (algorithm !== ALGORITHM && algorithm !== ECDSA_ALGORITHM)
    throw invalid(`X-Amz-Algorithm only supports "${ALGORITHM} and ${ECDSA_ALGORITHM}"`);
  const credential = parseCredential(credentialText, algorithm, region);
  if ('problem' in credential)
    throw invalid(`Error parsing the X-Amz-Credential parameter; ${credential.problem}`, credential.details);
  const signedAt = parseAmzDate(timestamp);
  if (signedAt === undefined)
    throw invalid("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  if (credential.scope.date !== timestamp.slice(0, 8))
    throw invalid('Invalid credential date. Date is not the same as X-Amz-Date.');
  const signedHeaders = parseSignedHeaders(signedHeadersText);
  if (signedHeaders === undefined)
    throw invalid('X-Amz-SignedHeaders must be a list of lower-case header names');
  const regionSet = fields.get('X-Amz-Region-Set');
  if (algorithm === ECDSA_ALGORITHM && (regionSet === undefined || regionSet === ''))
    throw invalid('SigV4a query auth requires a non empty x-amz-region-set parameter.');
  return {
    ...credential,
    signedHeaders,
    signature,
    timestamp,
    signedAt,
    expiresSeconds: parseExpires(expiresText),
    sessionToken: fields.get('X-Amz-Security-Token'),
    regionSet,
  };
}

function parseExpires(text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw invalid('X-Amz-Expires should be a number');
  const seconds = Number(text);
  if (seconds < 0) throw invalid('X-Amz-Expires must be non-negative');
  if (seconds > MAX_EXPIRES_SECONDS)
    throw invalid(
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    );
  return seconds;
}

function invalid(message: string, details?: Readonly<Record<string, string>>): S3Error {
  return new S3Error('AuthorizationQueryParametersError', {
    message,
    ...(details !== undefined && { details }),
  });
}
