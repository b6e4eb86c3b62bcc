/** Signs a request and the chunks of its body: the gateway's own, on the way to the upstream. */
import type { QueryParameter } from '../s3/index.ts';
import {
  ALGORITHM,
  canonicalPath,
  canonicalQuery,
  canonicalRequest,
  formatScope,
  stringToSign,
  type CredentialScope,
} from './canonical.ts';
import { createChunkSigner, type ChunkSigner } from './chunk.ts';
import { formatAmzDate } from './date.ts';
import type { Secret } from './secret.ts';
import { hmacHex, type SigningCredentials, type SigningKeys } from './signing-key.ts';

export interface SignableRequest {
  readonly method: string;
  /** Decoded, as it will be encoded on the wire with `encodeUriPath`. */
  readonly path: string;
  /** Decoded. */
  readonly query: readonly QueryParameter[];
  /** Lower-case name and value; all of them are signed. Must hold `host`, must not repeat a name. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** A sha256 in hex or `UNSIGNED-PAYLOAD`: sent as `x-amz-content-sha256`. */
  readonly payloadHash: string;
}

export interface Signer {
  readonly credentials: SigningCredentials & {
    /** Of temporary credentials: sent, and signed, as `x-amz-security-token`. */
    readonly sessionToken?: Secret | undefined;
  };
  readonly region: string;
  readonly signingKeys: SigningKeys;
}

/** The headers of `request` as a raw array (name, value, name, value…), with date, payload hash and Authorization. */
export function signRequest(request: SignableRequest, signer: Signer, now: number): string[] {
  return sign(request, signer, now).headers;
}

/** As `signRequest`, for a body of signed chunks: `payloadHash` is the name of its streaming form. */
export function signChunkedRequest(
  request: SignableRequest,
  signer: Signer,
  now: number,
): { readonly headers: string[]; readonly chunks: ChunkSigner } {
  const { headers, timestamp, scope, signature, signingKey } = sign(request, signer, now);
  return { headers, chunks: createChunkSigner({ timestamp, scope, signature, signingKey }) };
}

function sign(request: SignableRequest, signer: Signer, now: number) {
  const { credentials } = signer;
  const timestamp = formatAmzDate(now);
  const scope: CredentialScope = { date: timestamp.slice(0, 8), region: signer.region, service: 's3' };
  const fields = new Map<string, string>(request.headers);
  fields.set('x-amz-content-sha256', request.payloadHash);
  fields.set('x-amz-date', timestamp);
  if (credentials.sessionToken !== undefined)
    fields.set('x-amz-security-token', credentials.sessionToken.expose());
  const signedHeaders = [...fields.keys()].sort();
  const canonical = canonicalRequest({
    method: request.method,
    path: canonicalPath(request.path),
    query: canonicalQuery(request.query),
    signedHeaders,
    header: (name) => fields.get(name),
    payloadHash: request.payloadHash,
  });
  const signingKey = signer.signingKeys.get(credentials, scope);
  const signature = hmacHex(signingKey, stringToSign(timestamp, scope, canonical));
  const headers: string[] = [];
  for (const [name, value] of fields) headers.push(name, value);
  headers.push(
    'authorization',
    `${ALGORITHM} Credential=${credentials.accessKeyId}/${formatScope(scope)}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`,
  );
  return { headers, timestamp, scope, signature, signingKey };
}
