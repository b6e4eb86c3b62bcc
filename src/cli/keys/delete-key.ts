/** `keys delete`: the end of a key and of its own policies. Its user stays. */
import { defineCommand } from '../command.ts';
import { warn } from '../command-io.ts';
import { COMMON_OPTIONS, parseOutputFormat } from './common-options.ts';
import { json, keyMetadata } from './key-metadata.ts';
import { assertNotConfigured, requireKey, unknownKey } from './stored-key.ts';
import { withIdentity } from './with-identity.ts';

export const deleteKey = defineCommand({
  name: 'keys delete',
  summary: 'Delete a key for good, with its own policies; its user stays.',
  positionals: ['ACCESS_KEY_ID'],
  options: COMMON_OPTIONS,
  async run(values, [accessKeyId = ''], io) {
    const format = parseOutputFormat(values.output);
    await withIdentity(io, values.config, async ({ store }) => {
      const identity = await requireKey(store, accessKeyId);
      assertNotConfigured(identity);
      if (!(await store.deleteKey(accessKeyId))) throw unknownKey(store, accessKeyId);
      if (identity.principal.type === 'root') {
        warn(
          io,
          "that was the administrator's key: the next start of the gateway makes a new one and shows it. To go on without one, disable it instead.",
        );
      }
      io.stdout.write(
        format === 'json'
          ? json(keyMetadata(identity))
          : `Access key ${accessKeyId} of user ${identity.principal.userName} deleted.\n`,
      );
    });
  },
});
