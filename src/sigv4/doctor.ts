/**
 * Finds out why a signature does not match: tries what clients and proxies are known to do, and tells what would have
 * made the signature right. For operators alone.
 *
 * INVARIANT: nothing of it lets a request in. It returns neither an identity nor a key nor the expected signature, only
 * what the client did.
 */
import type { GatewayNames, WireRequest } from '../s3/index.ts';
import type { SignatureClaim } from './claim.ts';
import type { SignatureCause } from './doctor/cause.ts';
import { addressGuesses, pathGuesses } from './doctor/address-guesses.ts';
import { draftOf, draftText, type Draft, type Guess } from './doctor/draft.ts';
import { headerGuesses } from './doctor/header-guesses.ts';
import { keyGuesses } from './doctor/key-guesses.ts';
import { queryGuesses } from './doctor/query-guesses.ts';
import { dateGuesses, methodGuesses, payloadGuesses } from './doctor/request-guesses.ts';
import type { Secret } from './secret.ts';
import type { VerificationKey } from './signing-key.ts';
import { isSignatureOf } from './verify.ts';

export { explainCause, type SignatureCause } from './doctor/cause.ts';

export interface SignatureCase {
  /** As it came. */
  readonly request: WireRequest;
  readonly claim: SignatureClaim;
  /** Of the access key that the claim names. */
  readonly secret: Secret;
  /** The right key for the claim. */
  readonly key: VerificationKey;
  /** Of the body as it came, hex; undefined where it was not read. */
  readonly bodySha256?: string | undefined;
}

/**
 * Signatures that are computed or verified for one case at most, and at a time: those of ECDSA cost ten times more. They
 * are counted by what each has to hash, so that a large request costs no more than a small one.
 */
const COUNTED_BYTES = 2_048;
const LIMITS = {
  'AWS4-HMAC-SHA256': { all: 2_000, slice: 100 },
  'AWS4-ECDSA-P256-SHA256': { all: 400, slice: 5 },
};

interface DoctorContext {
  /** What the gateway is called. */
  readonly names: GatewayNames;
  /** The gateway's. */
  readonly region: string;
}

/** The cause, or the two together, that explain a signature; undefined when none of those known does. */
export type Diagnosis = readonly SignatureCause[] | undefined;

/** Also undefined for a signature that is right. */
export function diagnoseSignature(signatureCase: SignatureCase, context: DoctorContext): Diagnosis {
  const steps = diagnoseInSteps(signatureCase, context);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** As `diagnoseSignature`, in steps of a millisecond or two, between which other work can be done. */
export function* diagnoseInSteps(
  signatureCase: SignatureCase,
  context: DoctorContext,
): Generator<undefined, Diagnosis> {
  const { all, slice } = LIMITS[signatureCase.claim.algorithm];
  const weight = 1 + Math.floor(sizeOf(signatureCase.request) / COUNTED_BYTES);
  let tried = 0;
  let pause = slice;
  for (const { draft, signature, causes } of attempts(signatureCase, context)) {
    if (tried >= all) return undefined;
    if (isSignatureOf(draftText(draft), signature, draft.key)) return causes;
    tried += weight;
    if (tried < pause) continue;
    pause = tried + slice;
    yield undefined;
  }
  return undefined;
}

function sizeOf({ target, headers }: WireRequest): number {
  let size = target.length;
  for (const [name, value] of headers.entries()) size += name.length + value.length;
  return size;
}

interface Attempt {
  readonly draft: Draft;
  readonly signature: string;
  readonly causes: Diagnosis;
}

/** The likelier and the cheaper first. */
function* attempts(signatureCase: SignatureCase, context: DoctorContext): Generator<Attempt> {
  const { request, claim, secret, key, bodySha256 } = signatureCase;
  const { signature } = claim;
  const received = draftOf(request, claim, key);
  yield { draft: received, signature, causes: undefined };
  for (const [how, form] of otherForms(signature))
    yield { draft: received, signature: form, causes: [{ kind: 'form', how }] };
  const address = addressGuesses(request, context.region, context.names);
  const path = pathGuesses(request);
  const query = queryGuesses(request, claim);
  const headers = headerGuesses(request, claim);
  const payload = payloadGuesses(request, claim, bodySha256);
  const others = [methodGuesses(request), payload, dateGuesses(request, claim), keyGuesses(claim, secret)];
  for (const guess of [address, path, query, ...others, headers].flat())
    yield { draft: guess.apply(received), signature, causes: [guess.cause] };
  // What one proxy does at a time: it changes the host and something else, or two headers.
  const pairs = [
    ...[path, query, headers, payload].map((guesses) => [address, guesses]),
    [path, query],
    [headers, headers],
  ];
  for (const [first = [], second = []] of pairs)
    for (const one of first) {
      const changed = one.apply(received);
      for (const other of second)
        if (isPair(one, other))
          yield { draft: other.apply(changed), signature, causes: [one.cause, other.cause] };
    }
}

/** Two guesses about one thing are no pair. */
function isPair({ cause: one }: Guess, { cause: other }: Guess): boolean {
  if (one.kind === 'header' && other.kind === 'header') return one.name < other.name;
  return one.kind !== other.kind && !(one.kind === 'address' && other.kind === 'path');
}

function otherForms(signature: string): readonly ['upper-case' | 'base64' | 'white-space', string][] {
  const forms: ['upper-case' | 'base64' | 'white-space', string][] = [
    ['white-space', signature.trim()],
    ['upper-case', signature.toLowerCase()],
    ['base64', Buffer.from(signature, 'base64').toString('hex')],
  ];
  return forms.filter(([, form]) => form !== signature);
}
