/** `keys issue`: a new key, scoped to what it is for; its secret is shown this once. */
import {
  encryptSecret,
  newAccessKeyId,
  newSecretAccessKey,
  type OpenedIdentity,
  type StoredKeyOwner,
} from '../../identity/index.ts';
import { type Secret } from '../../sigv4/index.ts';
import { defineCommand } from '../command.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { type CommandIo } from '../command-io.ts';
import { parseOutputFormat } from './common-options.ts';
import { describeGrant } from './describe-grant.ts';
import { isoTime, json, keyMetadata } from './key-metadata.ts';
import { KEY_OPTIONS, parseKeyRequest, prepareUser, warnOfPrefix, type KeyRequest } from './key-options.ts';
import { withIdentity } from './with-identity.ts';

export const issueKey = defineCommand({
  name: 'keys issue',
  summary: 'Make a new access key for a user, scoped to a bucket or a prefix.',
  positionals: [],
  options: {
    ...KEY_OPTIONS,
    'no-policy': { type: 'boolean', help: 'no rights of its own: bucket policies alone grant' },
  },
  notes: `The scope belongs to the key, so that two keys of one user may do different things.

Example:
  bucketwarden keys issue --user alice --bucket reports --prefix 2026/ --read-only --expires 30d
`,
  async run(values, _positionals, io) {
    const format = parseOutputFormat(values.output);
    const request = parseKeyRequest(values, io.now());
    if ((request.grant.kind === 'none') !== (values['no-policy'] === true)) {
      throw new UsageError(
        request.grant.kind === 'none'
          ? 'What may the key do? Give --bucket NAME (with --prefix, and --read-only, --read-write or --write-only), or --policy-file FILE; --no-policy for a key that only bucket policies grant anything.'
          : '--no-policy excludes --bucket and --policy-file.',
      );
    }
    warnOfPrefix(request, io);
    await withIdentity(io, values.config, async (identity, { accountId }) => {
      const issued = await addNewKey(request, identity, accountId, io);
      io.stdout.write(format === 'json' ? renderJson(issued) : renderText(issued, request));
    });
  },
});

interface IssuedKey extends StoredKeyOwner {
  readonly secret: Secret;
}

async function addNewKey(
  request: KeyRequest,
  identity: OpenedIdentity,
  accountId: string,
  io: CommandIo,
): Promise<IssuedKey> {
  const { store, masterKey } = identity;
  const { grant, expiresAt, description } = request;
  const principal = await prepareUser(request, identity, accountId, io);
  const accessKeyId = newAccessKeyId(io.randomBytes);
  const secret = newSecretAccessKey(io.randomBytes);
  const key = {
    accessKeyId,
    encryptedSecret: encryptSecret(secret, { accessKeyId, masterKey, randomBytes: io.randomBytes }),
    masterKeyId: masterKey.id,
    status: 'Active',
    origin: 'issued',
    createdAt: io.now(),
    expiresAt,
    description,
  } as const;
  const policies = grant.kind === 'none' ? [] : [grant.policy];
  if (!(await store.addKey({ principal, key, policies }))) {
    throw new CommandError(`The new access key id \`${accessKeyId}\` is taken by chance. Try again.`);
  }
  return { key, principal, secret };
}

/** The members of IAM's AccessKey, and the rest of the key. */
function renderJson(issued: IssuedKey): string {
  const { UserName, AccessKeyId, Status, CreateDate, ...rest } = keyMetadata(issued);
  return json({
    UserName,
    AccessKeyId,
    Status,
    SecretAccessKey: issued.secret.expose(),
    CreateDate,
    ...rest,
  });
}

/** A shell can evaluate all of it: what is no command is a comment. */
function renderText({ key, principal, secret }: IssuedKey, { grant }: KeyRequest): string {
  return [
    `# Access key of user ${principal.userName} (${principal.arn})`,
    `# May: ${describeGrant(grant)}`,
    ...(key.expiresAt === undefined ? [] : [`# Expires: ${isoTime(key.expiresAt)}`]),
    `export AWS_ACCESS_KEY_ID=${key.accessKeyId}`,
    `export AWS_SECRET_ACCESS_KEY=${secret.expose()}`,
    '# The secret is shown once, here, and cannot be shown again. Keep it now.',
    '',
  ].join('\n');
}
