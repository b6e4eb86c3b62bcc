/** Documents to begin with: the corpus, those of the policy cases, the templates. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PolicyType } from '../../src/policy/index.ts';

export interface Seed {
  readonly name: string;
  readonly type: PolicyType;
  readonly text: string;
  /** Undefined where only the case file says. */
  readonly accepted: boolean | undefined;
}

const ROOT = join(import.meta.dirname, '../..');
const TYPES: readonly PolicyType[] = ['resource', 'identity', 'session', 'boundary', 'trust'];

/** `corpus/accepted/TYPE/NAME.txt` and `corpus/refused/TYPE/NAME.txt`; no `.json`, since many are none. */
export function readCorpus(): Seed[] {
  const directory = join(import.meta.dirname, 'corpus');
  return globSync('{accepted,refused}/*/*.txt', { cwd: directory })
    .sort()
    .map((path) => {
      const [verdict = '', folder = '', name = ''] = path.split('/');
      const text = readFileSync(join(directory, path), 'utf8');
      return { name: `${folder}/${name}`, type: typeOf(folder), text, accepted: verdict === 'accepted' };
    });
}

export function readSeeds(): Seed[] {
  return [
    ...readCorpus(),
    ...globSync('policies/**/*.json', { cwd: ROOT }).map(template),
    ...caseDocuments(),
  ];
}

function template(path: string): Seed {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const type = text.includes('"Principal"') ? 'resource' : 'identity';
  return { name: path, type, text, accepted: undefined };
}

function caseDocuments(): Seed[] {
  const seeds: Seed[] = [];
  for (const file of globSync('test/policy/cases/*.jsonl', { cwd: ROOT }).sort()) {
    for (const line of readFileSync(join(ROOT, file), 'utf8').split('\n').filter(Boolean)) {
      const fields = JSON.parse(line) as Record<string, unknown>;
      const name = String(fields['id']);
      const add = (documents: unknown, type: PolicyType): void => {
        for (const document of [documents ?? []].flat()) {
          const text = typeof document === 'string' ? document : JSON.stringify(document);
          seeds.push({ name, type, text, accepted: undefined });
        }
      };
      const { policyType = 'resource' } = fields;
      add(fields['document'], typeOf(typeof policyType === 'string' ? policyType : ''));
      add(fields['identityPolicies'], 'identity');
      add(fields['resourcePolicy'], 'resource');
      add(fields['sessionPolicies'], 'session');
      add(fields['boundary'], 'boundary');
    }
  }
  return seeds;
}

function typeOf(name: string): PolicyType {
  const type = TYPES.find((each) => each === name);
  if (type === undefined) throw new Error(`no type of policy: ${name}`);
  return type;
}
