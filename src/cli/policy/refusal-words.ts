/** Refusals that are no policy's, in plain words: what it was, and what to do about it. */
import type { LoggedRecord } from '../../audit/index.ts';
import { ERRORS } from '../../s3/index.ts';
import { printable, quoted } from './condition-words.ts';

/** Of a request that was refused, or not answered, for something else than a policy: why, and then what to do. */
export function whyRefused(record: LoggedRecord): readonly string[] {
  const { errorCode = '', errorReason, upstream, decision } = record;
  if (upstream?.errorCode !== undefined || upstream?.cause !== undefined) return whatUpstreamSaid(record);
  if (errorCode === 'SignatureDoesNotMatch') return whySignature(record);
  const reason = errorReason === undefined ? catalogued(errorCode) : sentence(errorReason);
  const advice = byReason(record) ?? BY_CODE[errorCode]?.(record);
  const policies =
    decision?.effect === 'Allow' ? ['The policies allowed it; it was refused for something else.'] : [];
  return [reason, ...policies, ...(advice === undefined ? [] : [advice])];
}

function whatUpstreamSaid({ errorCode, upstream, key, bucket }: LoggedRecord): readonly string[] {
  const { status, errorCode: code, cause, requestId } = upstream ?? {};
  const answered = [status, code].filter((each) => each !== undefined).join(' ');
  const said = [
    answered === '' ? 'The upstream did not answer' : `The upstream answered ${answered}`,
    ...(cause === undefined ? [] : [`: ${printable(cause)}`]),
    '.',
    ...(requestId === undefined ? [] : [` Its own id of the request is ${quoted(requestId)}.`]),
  ].join('');
  if (status === 404 && errorCode === 'AccessDenied')
    return [
      said,
      `${quoted(key ?? bucket ?? '')} is not there, and only who may s3:ListBucket on ${quoted(`arn:aws:s3:::${bucket ?? ''}`)} is told so: others get 403.`,
    ];
  if (status === 401 || status === 403)
    return [
      said,
      "The policies of the gateway allowed it. The upstream refused the gateway's own credentials: what may they do there?",
    ];
  return [said, 'The policies of the gateway allowed it.'];
}

function whySignature({ signatureCause, accessKeyId }: LoggedRecord): readonly string[] {
  const whose = accessKeyId === undefined ? '' : ` of the access key ${quoted(accessKeyId)}`;
  if (signatureCause !== undefined)
    return [`The signature${whose} does not match. ${printable(signatureCause.explanation)}`];
  return [
    `The signature${whose} does not match: another secret, or a request that was changed on its way.`,
    'Nothing that usually goes wrong was found, or it was not looked into. Capture the request, and run `bucketwarden doctor request FILE`.',
  ];
}

function catalogued(code: string): string {
  return Object.hasOwn(ERRORS, code)
    ? sentence(ERRORS[code as keyof typeof ERRORS].message)
    : `The error is ${quoted(code)}.`;
}

/** With a capital, and a full stop. */
function sentence(text: string): string {
  const said = printable(text);
  const begun = said.slice(0, 1).toUpperCase() + said.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

/** The reasons of the gateway that need an action of its operator, or say too little by themselves. */
const BY_REASON: readonly (readonly [RegExp, (record: LoggedRecord) => string])[] = [
  [
    /^unknown access key$/,
    ({ accessKeyId = '' }) =>
      `${quoted(accessKeyId)} is no key of this gateway. \`bucketwarden keys list\` shows those there are; \`keys import\` takes one that clients have already.`,
  ],
  [
    /^the access key is disabled$/,
    ({ accessKeyId }) => `\`bucketwarden keys enable ${accessKeyId}\` enables it.`,
  ],
  [
    /^the access key has expired$/,
    () => '`bucketwarden keys issue` makes a new one. One that has expired stays so.',
  ],
  [
    /^no bucket `.*` at the gateway$/,
    () =>
      'It was not made through the gateway, and no upstream of the configuration has it in `buckets`. Is the name right?',
  ],
  [
    /setting `bodies`/,
    () =>
      'The upload declared less about its body than the bucket demands: let the client sign or checksum it.',
  ],
  [/setting `readOnly`/, () => 'Nothing in the bucket can be changed until its setting `readOnly` is false.'],
  [/setting `maxObjectSize`/, () => 'The object is larger than the setting allows.'],
  [
    /in the setting `operations`/,
    () => 'It is off until that setting has it: docs/operations.md says what it does.',
  ],
  [
    /owner is not the expected/,
    () => 'The client demanded another owner by x-amz-expected-bucket-owner: is it the bucket that is meant?',
  ],
  [
    /^Request has expired$/,
    () =>
      'The presigned URL is past its time: a new one is needed, or one that is good for longer (X-Amz-Expires).',
  ],
  [
    /^Request is not valid yet$/,
    () => "The presigned URL was made by a clock that is ahead: set the client's.",
  ],
];

function byReason(record: LoggedRecord): string | undefined {
  const { errorReason = '' } = record;
  return BY_REASON.find(([pattern]) => pattern.test(errorReason))?.[1](record);
}

const BODY_CHANGED = (): string =>
  'The body is not what the request declared: it was changed or broken off on its way. Nothing of it was stored.';

const BY_CODE: Readonly<Record<string, (record: LoggedRecord) => string>> = {
  BadDigest: BODY_CHANGED,
  IncompleteBody: BODY_CHANGED,
  InternalError: ({ requestId }) =>
    `The log has the cause: the line "internal error" with the requestId ${quoted(requestId)}.`,
  InvalidToken: () =>
    'The client sent a session token beside a key of the gateway, which has none: it mixes the credentials of two systems.',
  MalformedTrailerError: BODY_CHANGED,
  NoSuchBucket: ({ bucket = '' }) =>
    `${quoted(bucket)} was not made through the gateway, and no upstream of the configuration has it in \`buckets\`. Is the name right?`,
  RequestTimeTooSkewed: () =>
    "The client's clock is wrong by more than 15 minutes, or the request was kept that long before it was sent.",
  SlowDown: () =>
    'Every connection to the upstream was busy: see `upstream.connections` in docs/configuration.md.',
  XAmzContentSHA256Mismatch: BODY_CHANGED,
};
