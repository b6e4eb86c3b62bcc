/** `doctor request`: says whether the signature of a captured request is right, and if not, why. */
import { readFileSync } from 'node:fs';
import { loadConfig } from '../../config/index.ts';
import { decryptSecret } from '../../identity/index.ts';
import { explainCause, Secret } from '../../sigv4/index.ts';
import { CommandError } from '../command-error.ts';
import { warn, type CommandIo } from '../command-io.ts';
import { defineCommand } from '../command.ts';
import { COMMON_OPTIONS, parseOutputFormat } from '../keys/common-options.ts';
import { isoTime, json } from '../keys/key-metadata.ts';
import { requireKey } from '../keys/stored-key.ts';
import { withIdentity } from '../keys/with-identity.ts';
import { readSecretLine } from '../read-secret-line.ts';
import { parseCapturedRequest } from './captured-request.ts';
import { examineRequest, readClaim, type Claimed, type Examination } from './examine-request.ts';

export const doctorRequest = defineCommand({
  name: 'doctor request',
  summary: 'Say whether the signature of a captured request is right, and if not, why.',
  positionals: ['FILE'],
  options: {
    ...COMMON_OPTIONS,
    'secret-stdin': {
      type: 'boolean',
      help: 'read the secret access key from standard input, not from the store',
    },
  },
  notes: `FILE holds the request as it came to the gateway: request line, headers, an empty line, perhaps the body; with CRLF
or LF. What a proxy in front of the gateway logged is another request. A file with a request in it holds a signature
that may still be good: handle it like a password, and delete it.
Exit code 0: the signature is right; 1: it is not, or the request is refused for something else.
`,
  async run(values, [file = ''], io) {
    const format = parseOutputFormat(values.output);
    const config = loadConfig({ env: io.env, ...(values.config !== undefined && { file: values.config }) });
    const captured = parseCapturedRequest(readRequest(file));
    const read = readClaim(captured, config, io.now());
    if (read.kind === 'anonymous')
      throw new CommandError('The request carries no signature: the gateway takes it for an anonymous one.');
    if (read.kind === 'refused')
      throw new CommandError(
        `Refused before its signature is looked at: ${read.refusal.code}: ${read.refusal.message}`,
      );
    const secret =
      values['secret-stdin'] === true
        ? new Secret(await readSecretLine(io, 'Secret access key: '))
        : await storedSecret(read, values.config, io);
    const examination = examineRequest(read, secret, { config, body: captured.body, now: io.now() });
    io.stdout.write(format === 'json' ? renderJson(read, examination) : renderText(read, examination));
    if (!examination.matches) throw new CommandError(mismatch(examination));
    const [problem] = examination.problems;
    if (problem !== undefined)
      throw new CommandError(`The signature is right, and the request is refused: ${problem}`);
  },
});

function readRequest(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CommandError(`The file \`${file}\` cannot be read.`, { cause: error });
  }
}

function storedSecret({ claim }: Claimed, configFile: string | undefined, io: CommandIo): Promise<Secret> {
  const { accessKeyId } = claim;
  return withIdentity(io, configFile, async ({ store, masterKey }) => {
    const { key } = await requireKey(store, accessKeyId);
    if (key.status !== 'Active') warn(io, `the access key \`${accessKeyId}\` is disabled.`);
    if (key.expiresAt !== undefined && key.expiresAt <= io.now())
      warn(io, `the access key \`${accessKeyId}\` expired on ${isoTime(key.expiresAt)}.`);
    return decryptSecret(key.encryptedSecret, { accessKeyId, masterKey });
  });
}

function mismatch({ causes }: Examination): string {
  return causes === undefined
    ? 'The signature does not match, and nothing that usually goes wrong explains it. Compare the canonical request above with the one that the client logs.'
    : 'The signature does not match; the cause is above.';
}

function renderText({ request, claim }: Claimed, examination: Examination): string {
  const { matches, signedFor, causes, problems } = examination;
  const rows = [
    ['Method', request.method],
    ['Access key id', claim.accessKeyId],
    ['Algorithm', `${claim.algorithm}, ${claim.form === 'header' ? 'by header' : 'by presigned URL'}`],
    ['Signed at', isoTime(claim.signedAt)],
    ['Signature', matches ? 'right' : 'does not match'],
    ...(signedFor === undefined ? [] : [['Signed for', signedFor]]),
    ...(causes ?? []).map((cause) => ['Cause', explainCause(cause)]),
    ...problems.map((problem) => ['Problem', problem]),
  ];
  return [
    ...rows.map(
      ([name = '', value = '']) => `${name.padEnd(16)}${printable(value).replaceAll('\n', String.raw`\x0a`)}`,
    ),
    '\nCanonical request, as the gateway sees it:',
    printable(examination.canonicalRequest),
    '\nString to sign:',
    printable(examination.stringToSign),
    '',
  ].join('\n');
}

function renderJson({ request, claim }: Claimed, examination: Examination): string {
  return json({
    Method: request.method,
    AccessKeyId: claim.accessKeyId,
    Algorithm: claim.algorithm,
    Form: claim.form,
    SignedAt: isoTime(claim.signedAt),
    Matches: examination.matches,
    SignedFor: examination.signedFor,
    Causes: examination.causes?.map((cause) => ({ ...cause, explanation: explainCause(cause) })),
    Problems: examination.problems,
    CanonicalRequest: examination.canonicalRequest,
    StringToSign: examination.stringToSign,
  });
}

/** Bytes of the wire, which may be anything, must not steer a terminal. */
function printable(text: string): string {
  return text.replaceAll(
    /[^\n\x20-\x7e]/g,
    (character) => `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`,
  );
}
