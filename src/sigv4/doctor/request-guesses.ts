/** Method, payload line and date as they may have been signed. */
import { queryValue, type WireRequest } from '../../s3/index.ts';
import { EMPTY_SHA256 } from '../canonical.ts';
import type { SignatureClaim } from '../claim.ts';
import { formatAmzDate, parseHttpDate } from '../date.ts';
import { UNSIGNED_PAYLOAD } from '../payload.ts';
import { withHeader, type Draft, type Guess } from './draft.ts';

const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'PATCH'];
const HOUR_MS = 3_600_000;

export function methodGuesses(request: WireRequest): readonly Guess[] {
  return METHODS.filter((method) => method !== request.method).map((method) => ({
    cause: { kind: 'method', signed: method },
    apply: (draft) => ({ ...draft, method }),
  }));
}

/** @param bodySha256 of the body as it came, hex; undefined where it was not read. */
export function payloadGuesses(
  request: WireRequest,
  claim: SignatureClaim,
  bodySha256: string | undefined,
): readonly Guess[] {
  const values = new Set(
    [
      UNSIGNED_PAYLOAD,
      EMPTY_SHA256,
      bodySha256,
      request.headers.get('x-amz-content-sha256'),
      queryValue(request.query, 'X-Amz-Content-Sha256'),
      'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      `STREAMING-${claim.algorithm}-PAYLOAD`,
      `STREAMING-${claim.algorithm}-PAYLOAD-TRAILER`,
      claim.payloadHash.toUpperCase(),
      '',
    ].filter((value) => value !== undefined),
  );
  values.delete(claim.payloadHash);
  return [...values].flatMap((signed): Guess[] => {
    const cause = { kind: 'payload', signed } as const;
    const line = (draft: Draft): Draft => ({ ...draft, payloadHash: signed });
    return [
      { cause, apply: line },
      // Replaced on the way, so that header and line were signed alike.
      { cause, apply: (draft) => withHeader(line(draft), 'x-amz-content-sha256', signed) },
    ];
  });
}

export function dateGuesses(request: WireRequest, claim: SignatureClaim): readonly Guess[] {
  const date = request.headers.get('date');
  const parsed = date === undefined ? undefined : parseHttpDate(date);
  const amzDate = request.headers.get('x-amz-date');
  const others = new Set([
    ...(parsed === undefined ? [] : [formatAmzDate(parsed)]),
    ...(amzDate === undefined ? [] : [amzDate]),
    // One reading of the clock for the string to sign, another for the header.
    ...[-2, -1, 1, 2].map((seconds) => formatAmzDate(claim.signedAt + seconds * 1000)),
    // Local time that passes for UTC in one of them.
    ...Array.from({ length: 27 }, (_, index) => formatAmzDate(claim.signedAt + (index - 12) * HOUR_MS)),
  ]);
  others.delete(claim.timestamp);
  return [...others].map((timestamp) => ({
    cause: { kind: 'date', signed: timestamp },
    apply: (draft) => ({ ...draft, timestamp }),
  }));
}
