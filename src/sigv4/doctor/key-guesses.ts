/** The key as it comes out of a secret, a region or a service that are not the right ones. */
import type { SignatureClaim } from '../claim.ts';
import { deriveVerificationKey } from '../ecdsa-key.ts';
import { Secret } from '../secret.ts';
import { deriveSigningKey, hmac } from '../signing-key.ts';
import type { SecretFault } from './cause.ts';
import type { Draft, Guess } from './draft.ts';

/** Those of AWS, and what other stores and mistakes have in their place. */
const REGIONS =
  'us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1 ca-west-1 mx-central-1 sa-east-1 eu-west-1 eu-west-2 eu-west-3 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 ap-south-1 ap-south-2 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 me-south-1 me-central-1 il-central-1 af-south-1 cn-north-1 cn-northwest-1 us-gov-east-1 us-gov-west-1 aws-global auto default global local garage eu us'.split(
    ' ',
  );
const SERVICES = [
  '',
  ...'S3 s3express s3-object-lambda s3-outposts execute-api iam sts es aoss service glacier'.split(' '),
];
const DAY_MS = 86_400_000;

/** @param secret the right one. */
export function keyGuesses(claim: SignatureClaim, secret: Secret): readonly Guess[] {
  return [
    ...secretsLike(secret.expose(), claim.accessKeyId).map(([how, value]): Guess => ({
      cause: { kind: 'secret', how },
      apply: (draft) => ({ ...draft, key: keyOf(new Secret(value), claim) }),
    })),
    ...(claim.scope.region === undefined ? [] : scopeGuesses(claim.scope, claim, secret)),
  ];
}

/** What of the scope the key was derived from, and what of it was signed besides. */
function scopeGuesses(
  scope: { readonly date: string; readonly region: string; readonly service: string },
  claim: SignatureClaim,
  secret: Secret,
): readonly Guess[] {
  const withScope = (changed: typeof scope, cause: Guess['cause']): readonly Guess[] => [
    { cause, apply: (draft) => ({ ...draft, key: deriveSigningKey(secret, changed) }) },
    { cause, apply: (draft) => ({ ...draft, key: deriveSigningKey(secret, changed), scope: changed }) },
    { cause, apply: (draft) => ({ ...draft, scope: changed }) },
  ];
  const dates = [-1, 1].map((days) =>
    new Date(claim.signedAt + days * DAY_MS).toISOString().slice(0, 10).replaceAll('-', ''),
  );
  const direct: readonly ['not-derived' | 'without-prefix', () => Buffer][] = [
    ['not-derived', () => Buffer.from(secret.expose())],
    ['not-derived', () => Buffer.from(`AWS4${secret.expose()}`)],
    [
      'without-prefix',
      () => hmac(hmac(hmac(hmac(secret.expose(), scope.date), scope.region), scope.service), 'aws4_request'),
    ],
  ];
  return [
    ...['', ...REGIONS]
      .filter((region) => region !== scope.region)
      .flatMap((region) => withScope({ ...scope, region }, { kind: 'region', signed: region })),
    ...SERVICES.flatMap((service) => withScope({ ...scope, service }, { kind: 'service', signed: service })),
    ...dates.flatMap((date) => withScope({ ...scope, date }, { kind: 'date', signed: date })),
    ...direct.map(([how, key]): Guess => ({
      cause: { kind: 'key', how },
      apply: (draft: Draft) => ({ ...draft, key: key() }),
    })),
  ];
}

function keyOf(secret: Secret, { accessKeyId, scope }: SignatureClaim): Draft['key'] {
  return scope.region === undefined
    ? deriveVerificationKey(accessKeyId, secret)
    : deriveSigningKey(secret, scope);
}

/** What copying, pasting, quoting and parsing make of a secret. */
function secretsLike(secret: string, accessKeyId: string): readonly [SecretFault, string][] {
  const encoded = encodeURIComponent(secret);
  const candidates: [SecretFault, string][] = [
    ['line-break-at-end', `${secret}\n`],
    ['line-break-at-end', `${secret}\r\n`],
    ['line-break-at-end', `${secret}\r`],
    ['line-break-at-end', `${secret}\\n`],
    ['space-at-end', `${secret} `],
    ['space-at-end', `${secret}\t`],
    ['space-at-end', `${secret}\u00a0`],
    ['space-at-start', ` ${secret}`],
    ['space-at-start', `\t${secret}`],
    ['quotes', `"${secret}"`],
    ['quotes', `'${secret}'`],
    ['quotes', `\`${secret}\``],
    ['quotes', `"${secret}`],
    ['quotes', `${secret}"`],
    ['url-encoded', encoded],
    ['url-encoded', encoded.replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase())],
    ['url-encoded', secret.replaceAll('/', '%2F')],
    ['url-decoded', decodedOnce(secret)],
    ['plus-to-space', secret.replaceAll('+', ' ')],
    ['escaped', secret.replaceAll('/', '\\/')],
    ['escaped', secret.replaceAll('\\', '')],
    ['truncated', secret.slice(0, -1)],
    ['truncated', secret.slice(0, -2)],
    ['truncated', secret.slice(0, 32)],
    ['truncated', secret.slice(0, 20)],
    ['truncated', secret.slice(0, 40)],
    ['first-character-missing', secret.slice(1)],
    ['cut-at-special-character', secret.replace(/\/.*$/, '')],
    ['cut-at-special-character', secret.replace(/\+.*$/, '')],
    ['cut-at-special-character', secret.replace(/=.*$/, '')],
    ['cut-at-special-character', secret.replace(/#.*$/, '')],
    ['cut-at-special-character', secret.replace(/\$.*$/, '')],
    ['special-characters-missing', secret.replaceAll(/[^A-Za-z0-9]/g, '')],
    ['special-characters-missing', secret.replaceAll('/', '')],
    ['special-characters-missing', secret.replaceAll('+', '')],
    ['base64', Buffer.from(secret).toString('base64')],
    ['base64', Buffer.from(`${secret}\n`).toString('base64')],
    ['byte-order-mark', `\ufeff${secret}`],
    ['letter-case', secret.toLowerCase()],
    ['letter-case', secret.toUpperCase()],
    ['twice', secret + secret],
    ['access-key-id', accessKeyId],
    ['empty', ''],
  ];
  const seen = new Set([secret]);
  return candidates.filter(([, value]) => {
    const fresh = !seen.has(value);
    seen.add(value);
    return fresh;
  });
}

function decodedOnce(secret: string): string {
  try {
    return decodeURIComponent(secret);
  } catch {
    return secret;
  }
}
