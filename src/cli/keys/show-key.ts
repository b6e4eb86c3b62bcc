/** `keys show`: one key with its policies, without its secret. */
import { type StoredIdentity, type StoredPolicy } from '../../identity/index.ts';
import { defineCommand } from '../command.ts';
import { COMMON_OPTIONS, parseOutputFormat } from './common-options.ts';
import { isoTime, json, keyMetadata, policyList, tagList } from './key-metadata.ts';
import { requireKey } from './stored-key.ts';
import { withIdentity } from './with-identity.ts';

export const showKey = defineCommand({
  name: 'keys show',
  summary: 'Show one access key with its policies, never its secret.',
  positionals: ['ACCESS_KEY_ID'],
  options: COMMON_OPTIONS,
  async run(values, [accessKeyId = ''], io) {
    const format = parseOutputFormat(values.output);
    await withIdentity(io, values.config, async ({ store }) => {
      const identity = await requireKey(store, accessKeyId);
      io.stdout.write(format === 'json' ? renderJson(identity) : renderText(identity, io.now()));
    });
  },
});

function renderJson(identity: StoredIdentity): string {
  return json({
    ...keyMetadata(identity),
    UserId: identity.principal.userId,
    Tags: tagList(identity.principal.tags),
    Policies: policyList(identity.keyPolicies),
    UserPolicies: policyList(identity.principalPolicies),
  });
}

function renderText({ key, principal, principalPolicies, keyPolicies }: StoredIdentity, now: number): string {
  const expired = key.expiresAt !== undefined && key.expiresAt <= now ? ' (expired)' : '';
  const tags = Object.entries(principal.tags).map(([name, value]) => `${name}=${value}`);
  const rows = [
    ['Access key id', key.accessKeyId],
    ['User', principal.arn],
    ['Tags of the user', tags.join(', ') || 'none'],
    ['Status', key.status],
    ['Created', `${isoTime(key.createdAt)} (${key.origin})`],
    ['Expires', key.expiresAt === undefined ? 'never' : isoTime(key.expiresAt) + expired],
    ['Description', key.description ?? ''],
  ];
  const facts = rows.map(([name = '', value = '']) => `${name.padEnd(18)}${value}`.trimEnd());
  const full = principal.type === 'root' ? ['Full access, as the administrator.'] : [];
  return [
    ...facts,
    ...full,
    ...describePolicies('Policy of the user', principalPolicies),
    ...describePolicies('Policy of the key', keyPolicies),
    '',
  ].join('\n');
}

function describePolicies(title: string, policies: readonly StoredPolicy[]): readonly string[] {
  return policyList(policies).map(
    ({ PolicyName, PolicyDocument }) =>
      `\n${title}: ${PolicyName}\n${JSON.stringify(PolicyDocument, undefined, 2)}`,
  );
}
