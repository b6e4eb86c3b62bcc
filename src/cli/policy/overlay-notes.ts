/** What in a candidate is most likely not meant: a file that stands for nothing that is there. */
import type { IdentityStore, PolicyReplacements, StoredIdentity } from '../../identity/index.ts';
import { quoted } from './condition-words.ts';
import type { PolicyOverlay } from './policy-overlay.ts';
import type { PolicySources } from './policy-sources.ts';

/** @param inForce without the candidate. */
export async function overlayNotes(
  overlay: PolicyOverlay,
  store: IdentityStore,
  inForce: PolicySources,
): Promise<readonly string[]> {
  const notes: string[] = [];
  for (const bucket of overlay.buckets.keys())
    if ((await inForce.ofBucket(bucket)).ownerAccount === undefined)
      notes.push(`the gateway has no bucket ${quoted(bucket)}`);
  for (const [userName, replacements] of overlay.users) {
    const [owner] = await store.listKeys({ userName });
    const identity = owner && (await store.findKey(owner.key.accessKeyId));
    notes.push(
      ...ownerNotes(`users/${userName}`, 'user with a key', replacements, identity?.principalPolicies),
    );
  }
  for (const [accessKeyId, replacements] of overlay.keys) {
    const identity = await store.findKey(accessKeyId);
    notes.push(...ownerNotes(`keys/${accessKeyId}`, 'key', replacements, identity?.keyPolicies));
  }
  return notes;
}

function ownerNotes(
  folder: string,
  kind: string,
  replacements: PolicyReplacements,
  policies: StoredIdentity['keyPolicies'] | undefined,
): readonly string[] {
  if (policies === undefined) return [`${quoted(folder)} stands for no ${kind} that is in the store`];
  const names = new Set(policies.map(({ name }) => name));
  return [...replacements]
    .filter(([name]) => !names.has(name))
    .map(([name, replacement]) => {
      const file = quoted(`${folder}/${name}.json`);
      return replacement === undefined
        ? `${file} takes away a policy that is not there`
        : `${file} is new: it comes beside ${names.size === 0 ? 'no other policy' : [...names].map(quoted).join(', ')}`;
    });
}
