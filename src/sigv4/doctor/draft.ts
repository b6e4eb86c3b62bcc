/** What may have been signed: the request as it came, until a guess changes something about it. */
import { createHash } from 'node:crypto';
import type { WireRequest } from '../../s3/index.ts';
import {
  canonicalHeaderValue,
  canonicalPath,
  canonicalQuery,
  formatScope,
  algorithmOf,
  type CredentialScope,
  type MultiRegionScope,
} from '../canonical.ts';
import type { SignatureClaim } from '../claim.ts';
import type { SignatureCause } from './cause.ts';
import type { VerificationKey } from '../signing-key.ts';

export interface Draft {
  readonly method: string;
  /** As it stands in the canonical request, like all that follows. */
  readonly path: string;
  readonly query: string;
  readonly signedHeaders: readonly string[];
  /** By name; those that a signer left out are not among them. */
  readonly headers: ReadonlyMap<string, string>;
  readonly payloadHash: string;
  readonly timestamp: string;
  readonly scope: CredentialScope | MultiRegionScope;
  readonly key: VerificationKey;
}

/** A draft with one thing changed. */
export interface Guess {
  readonly cause: SignatureCause;
  readonly apply: (draft: Draft) => Draft;
}

export function draftOf(request: WireRequest, claim: SignatureClaim, key: VerificationKey): Draft {
  return {
    method: request.method,
    path: canonicalPath(request.path),
    query: canonicalQuery(request.query, claim.form === 'presigned' ? 'X-Amz-Signature' : undefined),
    signedHeaders: claim.signedHeaders,
    headers: new Map(
      claim.signedHeaders.map((name) => [name, canonicalHeaderValue(request.headers.get(name) ?? '')]),
    ),
    payloadHash: claim.payloadHash,
    timestamp: claim.timestamp,
    scope: claim.scope,
    key,
  };
}

export function withHeader(draft: Draft, name: string, value: string): Draft {
  return draft.headers.has(name) ? { ...draft, headers: new Map(draft.headers).set(name, value) } : draft;
}

/** The string to sign of a draft. */
export function draftText(draft: Draft): string {
  let headers = '';
  for (const name of draft.signedHeaders) {
    const value = draft.headers.get(name);
    if (value !== undefined) headers += `${name}:${value}\n`;
  }
  const canonical = `${draft.method}\n${draft.path}\n${draft.query}\n${headers}\n${draft.signedHeaders.join(';')}\n${draft.payloadHash}`;
  // Bytes of the wire where they are; a guess about encodings may hold characters beyond them.
  const encoding = /[^\0-\xff]/.test(canonical) ? 'utf8' : 'latin1';
  const digest = createHash('sha256').update(canonical, encoding).digest('hex');
  return `${algorithmOf(draft.scope)}\n${draft.timestamp}\n${formatScope(draft.scope)}\n${digest}`;
}
