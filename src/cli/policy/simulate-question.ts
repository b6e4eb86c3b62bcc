/** The command line of `policy simulate`: who asks for what, in which context, and by which policies. */
import {
  compilePolicies,
  isKnownS3Action,
  type CompiledPolicy,
  type PolicySource,
} from '../../policy/index.ts';
import { type OptionValues } from '../arguments.ts';
import { UsageError } from '../command-error.ts';
import { readPolicyFile } from './policy-file.ts';
import { EMPTY_OVERLAY, readPolicyOverlay, type PolicyOverlay } from './policy-overlay.ts';
import { bucketOf } from './recorded-request.ts';

export const SIMULATE_OPTIONS = {
  principal: {
    type: 'string',
    value: 'WHO',
    help: 'an ARN, a user name, an access key id, or `anonymous`',
  },
  action: { type: 'string', multiple: true, value: 's3:ACTION', help: 'what is asked for; may be repeated' },
  resource: {
    type: 'string',
    multiple: true,
    value: 'ARN',
    help: 'arn:aws:s3:::BUCKET or arn:aws:s3:::BUCKET/KEY; may be repeated',
  },
  context: {
    type: 'string',
    multiple: true,
    value: 'KEY=VALUE',
    help: 'a condition key, aws:SourceIp=203.0.113.7; the same key again adds a value',
  },
  'access-key': { type: 'string', value: 'ID', help: 'a key of the principal, whose own policies count too' },
  'identity-policy': {
    type: 'string',
    multiple: true,
    value: 'FILE',
    help: 'a policy that the principal has besides; may be repeated',
  },
  'resource-policy': { type: 'string', value: 'FILE', help: "in place of the bucket's policy" },
  boundary: { type: 'string', value: 'FILE', help: 'a permissions boundary of the principal' },
  'session-policy': {
    type: 'string',
    multiple: true,
    value: 'FILE',
    help: 'a policy that limits the session; may be repeated',
  },
  'policy-dir': {
    type: 'string',
    value: 'DIR',
    help: 'policies by name: BUCKET.json, users/USERNAME/POLICY.json, keys/ACCESSKEYID/POLICY.json',
  },
  enforced: {
    type: 'boolean',
    help: 'with policies from files: they add to and stand in for those in force',
  },
  config: {
    type: 'string',
    short: 'c',
    value: 'FILE',
    help: "the gateway's configuration file; as --enforced",
  },
  'resource-account': { type: 'string', value: 'ID', help: 'the account that owns the bucket, 12 digits' },
  expect: { type: 'string', value: 'allow|deny', help: 'what every result must be (default: allow)' },
  format: { type: 'string', value: 'text|json', help: 'how to print the results (default: text)' },
} as const;

type SimulateValues = OptionValues<typeof SIMULATE_OPTIONS>;

/** What is asked, of whom. */
export interface Question {
  readonly principal: string;
  readonly accessKeyId: string | undefined;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** By lower-case key. */
  readonly context: ReadonlyMap<string, string | readonly string[]>;
  readonly resourceAccount: string | undefined;
}

/** What the options say beside what is in force, or instead of it. */
export interface PolicyFiles {
  readonly overlay: PolicyOverlay;
  readonly identity: readonly PolicySource[];
  readonly boundary: CompiledPolicy | undefined;
  readonly session: CompiledPolicy | undefined;
}

/** @throws UsageError */
export function parseQuestion(values: SimulateValues): Question {
  const { principal, action = [], resource = [] } = values;
  const accessKeyId = values['access-key'];
  const resourceAccount = values['resource-account'];
  if (principal === undefined) throw new UsageError('--principal is missing: who asks?');
  if (action.length === 0) throw new UsageError('--action is missing: what is asked for? `s3:GetObject`.');
  if (resource.length === 0)
    throw new UsageError('--resource is missing: of what? `arn:aws:s3:::BUCKET/KEY`.');
  const unknown = action.find((each) => !isKnownS3Action(each));
  if (unknown !== undefined)
    throw new UsageError(
      `--action \`${unknown}\` is no action of S3. One is meant, without wildcards, as \`s3:GetObject\`; docs/operations.md lists them.`,
    );
  const malformed = resource.find((each) => !/^arn:[a-z-]+:s3:/.test(each) && each !== '*');
  if (malformed !== undefined)
    throw new UsageError(
      `--resource \`${malformed}\` is no ARN of S3: \`arn:aws:s3:::BUCKET\` for a bucket, \`arn:aws:s3:::BUCKET/KEY\` for an object.`,
    );
  if (resourceAccount !== undefined && !/^\d{12}$/.test(resourceAccount))
    throw new UsageError(`--resource-account \`${resourceAccount}\` is no account: 12 digits are expected.`);
  const context = parseContext(values.context ?? []);
  return { principal, accessKeyId, actions: action, resources: resource, context, resourceAccount };
}

function parseContext(given: readonly string[]): Question['context'] {
  const context = new Map<string, string | readonly string[]>();
  for (const each of given) {
    const [, key, value] = /^([\w.-]+:[^=]+)=(.*)$/s.exec(each) ?? [];
    if (key === undefined || value === undefined)
      throw new UsageError(
        `--context \`${each}\` is not of the form KEY=VALUE: \`aws:SourceIp=203.0.113.7\`.`,
      );
    const folded = key.toLowerCase();
    const before = context.get(folded);
    context.set(folded, before === undefined ? value : [before, value].flat());
  }
  return context;
}

/** True: the files are all the policies there are. */
export function isCustom(values: SimulateValues): boolean {
  if (values.enforced === true || values.config !== undefined) return false;
  return FILE_OPTIONS.some((name) => values[name] !== undefined);
}

const FILE_OPTIONS = [
  'boundary',
  'identity-policy',
  'policy-dir',
  'resource-policy',
  'session-policy',
] as const;

/** @throws InputError for a file that cannot be used. */
export function readFiles(values: SimulateValues, { resources }: Question): PolicyFiles {
  const directory = values['policy-dir'];
  const overlay = directory === undefined ? EMPTY_OVERLAY : readPolicyOverlay(directory);
  const resourceFile = values['resource-policy'];
  const session = values['session-policy'] ?? [];
  return {
    overlay:
      resourceFile === undefined ? overlay : withBucketPolicy(overlay, resourceFile, onlyBucket(resources)),
    identity: (values['identity-policy'] ?? []).map((file) => readPolicyFile(file, { type: 'identity' })),
    boundary:
      values.boundary === undefined
        ? undefined
        : compilePolicies([readPolicyFile(values.boundary, { type: 'boundary' })]),
    session:
      session.length === 0
        ? undefined
        : compilePolicies(session.map((file) => readPolicyFile(file, { type: 'session' }))),
  };
}

function withBucketPolicy(overlay: PolicyOverlay, file: string, bucket: string): PolicyOverlay {
  const source = readPolicyFile(file, { type: 'resource', bucket });
  return { ...overlay, buckets: new Map([...overlay.buckets, [bucket, source]]) };
}

function onlyBucket(resources: readonly string[]): string {
  const [bucket, ...others] = new Set(resources.map(bucketOf));
  if (bucket !== undefined && others.length === 0) return bucket;
  throw new UsageError(
    '--resource-policy is the policy of one bucket: give resources of one bucket, or --policy-dir with a file for each.',
  );
}
