/** `keys disable` and `keys enable`: the switch that can be undone. */
import { type KeyStatus } from '../../identity/index.ts';
import { defineCommand, type Command } from '../command.ts';
import { COMMON_OPTIONS, parseOutputFormat } from './common-options.ts';
import { json, keyMetadata } from './key-metadata.ts';
import { assertNotConfigured, requireKey, unknownKey } from './stored-key.ts';
import { withIdentity } from './with-identity.ts';

export const disableKey = defineStatusCommand({
  name: 'keys disable',
  summary: 'Refuse a key from now on, within a second in a running gateway.',
  status: 'Inactive',
  done: 'disabled',
});

export const enableKey = defineStatusCommand({
  name: 'keys enable',
  summary: 'Accept a disabled key again.',
  status: 'Active',
  done: 'enabled',
});

function defineStatusCommand(spec: {
  readonly name: string;
  readonly summary: string;
  readonly status: KeyStatus;
  readonly done: string;
}): Command {
  const { name, summary, status, done } = spec;
  return defineCommand({
    name,
    summary,
    positionals: ['ACCESS_KEY_ID'],
    options: COMMON_OPTIONS,
    async run(values, [accessKeyId = ''], io) {
      const format = parseOutputFormat(values.output);
      await withIdentity(io, values.config, async ({ store }) => {
        const identity = await requireKey(store, accessKeyId);
        assertNotConfigured(identity);
        if (!(await store.setKeyStatus(accessKeyId, status))) throw unknownKey(store, accessKeyId);
        const { key, principal } = identity;
        io.stdout.write(
          format === 'json'
            ? json(keyMetadata({ key: { ...key, status }, principal }))
            : `Access key ${accessKeyId} of user ${principal.userName} ${done}.\n`,
        );
      });
    },
  });
}
