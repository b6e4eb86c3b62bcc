/** The Authorization header of a SigV4 request. */
import { S3Error, stripWhiteSpace, type WireHeaders } from '../s3/index.ts';
import { ALGORITHM, ECDSA_ALGORITHM } from './canonical.ts';
import { parseCredential, parseSignedHeaders, type Credential } from './credential.ts';
import { formatAmzDate, parseAmzDate, parseHttpDate } from './date.ts';

const PREFIX = 'The authorization header is malformed; ';
const THREE_COMPONENTS =
  'the authorization header requires three components: Credential, SignedHeaders, and Signature.';

export interface AuthorizationHeader extends Credential {
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

/** @throws S3Error `InvalidArgument` or `AuthorizationHeaderMalformed`, in S3's words. */
export function parseAuthorizationHeader(value: string, region: string): AuthorizationHeader {
  const space = value.indexOf(' ');
  if (space <= 0 || space === value.length - 1 || value[space + 1] === ' ')
    throw new S3Error('InvalidArgument', {
      message: "Authorization header is invalid -- one and only one ' ' (space) required.",
      details: { ArgumentName: 'Authorization', ArgumentValue: value },
    });
  const algorithm = value.slice(0, space);
  if (algorithm !== ALGORITHM && algorithm !== ECDSA_ALGORITHM)
    throw new S3Error('InvalidArgument', {
      message: 'Unsupported Authorization Type',
      details: { ArgumentName: 'Authorization', ArgumentValue: value },
    });
  const components = value.slice(space + 1).split(',');
  const credentialText = component(components, 'Credential=');
  const signedHeadersText = component(components, 'SignedHeaders=');
  const signature = component(components, 'Signature=');
  // Three, and each of the three names among them: none comes twice.
  if (
    components.length !== 3 ||
    credentialText === undefined ||
    signedHeadersText === undefined ||
    signature === undefined
  )
    throw malformed(THREE_COMPONENTS);
  const credential = parseCredential(credentialText, algorithm, region);
  if ('problem' in credential) throw malformed(credential.problem, credential.details);
  const signedHeaders = parseSignedHeaders(signedHeadersText);
  if (signedHeaders === undefined) throw malformed(THREE_COMPONENTS);
  return { ...credential, signedHeaders, signature };
}

/**
 * When a header-signed request was signed: `X-Amz-Date` beats `Date`.
 * @throws S3Error `AccessDenied` without a readable one.
 */
export function parseHeaderTimestamp(headers: WireHeaders): {
  readonly timestamp: string;
  readonly signedAt: number;
} {
  const amzDate = headers.get('x-amz-date');
  const date = headers.get('date');
  const signedAt =
    amzDate !== undefined
      ? parseAmzDate(amzDate)
      : date === undefined
        ? undefined
        : (parseHttpDate(date) ?? parseAmzDate(date));
  if (signedAt === undefined)
    throw new S3Error('AccessDenied', {
      message: 'AWS authentication requires a valid Date or x-amz-date header.',
    });
  return { timestamp: amzDate ?? formatAmzDate(signedAt), signedAt };
}

function component(components: readonly string[], prefix: string): string | undefined {
  for (const text of components) {
    const trimmed = stripWhiteSpace(text);
    if (trimmed.startsWith(prefix)) return trimmed.slice(prefix.length);
  }
  return undefined;
}

function malformed(problem: string, details?: Readonly<Record<string, string>>): S3Error {
  return new S3Error('AuthorizationHeaderMalformed', {
    message: `${PREFIX}${problem}`,
    ...(details !== undefined && { details }),
  });
}
