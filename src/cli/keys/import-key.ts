/** `keys import`: a key that clients have already; its secret comes on standard input, never on the command line. */
import { assertAccessKeyId, encryptSecret, parseSecretAccessKey } from '../../identity/index.ts';
import { defineCommand } from '../command.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { warn } from '../command-io.ts';
import { readSecretLine } from '../read-secret-line.ts';
import { parseOutputFormat } from './common-options.ts';
import { describeGrant } from './describe-grant.ts';
import { json, keyMetadata } from './key-metadata.ts';
import { KEY_OPTIONS, parseKeyRequest, prepareUser, warnOfPrefix } from './key-options.ts';
import { withIdentity } from './with-identity.ts';

export const importKey = defineCommand({
  name: 'keys import',
  summary: 'Take over an existing access key; its secret is read from standard input.',
  positionals: [],
  options: {
    'access-key-id': { type: 'string', value: 'ID', help: 'the id that clients sign with' },
    ...KEY_OPTIONS,
  },
  notes: `On a terminal the secret is asked for and not shown. In a script:
  bucketwarden keys import --user alice --access-key-id AKIA... --bucket reports < secret.txt

Without --bucket or --policy-file the key may do only what bucket policies grant to the user.
`,
  async run(values, _positionals, io) {
    const format = parseOutputFormat(values.output);
    const accessKeyId = values['access-key-id'];
    if (accessKeyId === undefined) {
      throw new UsageError('--access-key-id is missing: the id that clients sign with.');
    }
    assertAccessKeyId(accessKeyId);
    const request = parseKeyRequest(values, io.now());
    warnOfPrefix(request, io);
    if (request.grant.kind === 'none') {
      warn(
        io,
        'without --bucket or --policy-file the key may do only what bucket policies grant to the user.',
      );
    }
    const secret = parseSecretAccessKey(await readSecretLine(io, 'Secret access key: '));
    await withIdentity(io, values.config, async (identity, { accountId }) => {
      const { store, masterKey } = identity;
      const principal = await prepareUser(request, identity, accountId, io);
      const { grant, expiresAt, description } = request;
      const key = {
        accessKeyId,
        encryptedSecret: encryptSecret(secret, { accessKeyId, masterKey, randomBytes: io.randomBytes }),
        masterKeyId: masterKey.id,
        status: 'Active',
        origin: 'imported',
        createdAt: io.now(),
        expiresAt,
        description,
      } as const;
      const policies = grant.kind === 'none' ? [] : [grant.policy];
      if (!(await store.addKey({ principal, key, policies }))) {
        throw new CommandError(
          `There is an access key \`${accessKeyId}\` in \`${store.location}\` already. See \`bucketwarden keys show ${accessKeyId}\`; to replace it, delete it first.`,
        );
      }
      io.stdout.write(
        format === 'json'
          ? json(keyMetadata({ key, principal }))
          : `Access key ${accessKeyId} of user ${principal.userName} imported. It may: ${describeGrant(grant)}.\n`,
      );
    });
  },
});
