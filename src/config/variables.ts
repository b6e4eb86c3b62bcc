/** The environment variables and their twins in the file. */

const PREFIX = 'BUCKETWARDEN_';

type SettingPath = readonly [string, ...(string | number)[]];

interface Variable {
  /** Without the prefix. */
  readonly name: string;
  readonly path: SettingPath;
  /** The variable holds a list separated by commas. */
  readonly list?: true;
}

/** A secret's twin: the setting that names a file with the value. Its value is never printed, nor is the file's path. */
interface SecretSetting {
  readonly value: SettingPath;
  readonly file: SettingPath;
}

const VARIABLES: readonly Variable[] = [
  { name: 'LISTEN', path: ['listen'] },
  { name: 'ADMIN_LISTEN', path: ['adminListen'] },
  { name: 'REGION', path: ['region'] },
  { name: 'ACCOUNT_ID', path: ['accountId'] },
  { name: 'BASE_DOMAINS', path: ['baseDomains'], list: true },
  { name: 'TLS_CERT', path: ['tls', 'cert'] },
  { name: 'TLS_KEY', path: ['tls', 'key'] },
  { name: 'DATA_DIR', path: ['dataDir'] },
  { name: 'STORE', path: ['store'] },
  { name: 'POLICIES_DIR', path: ['policiesDir'] },
  { name: 'CANDIDATE_POLICIES_DIR', path: ['candidatePoliciesDir'] },
  { name: 'PUBLIC_ACCESS_BLOCK_BLOCK_PUBLIC_POLICY', path: ['publicAccessBlock', 'blockPublicPolicy'] },
  {
    name: 'PUBLIC_ACCESS_BLOCK_RESTRICT_PUBLIC_BUCKETS',
    path: ['publicAccessBlock', 'restrictPublicBuckets'],
  },
  { name: 'ROOT_ACCESS_KEY_ID', path: ['root', 'accessKeyId'] },
  { name: 'ROOT_ACCESS_KEY_ID_FILE', path: ['root', 'accessKeyIdFile'] },
  { name: 'ROOT_SECRET_ACCESS_KEY', path: ['root', 'secretAccessKey'] },
  { name: 'ROOT_SECRET_ACCESS_KEY_FILE', path: ['root', 'secretAccessKeyFile'] },
  { name: 'MASTER_KEY', path: ['masterKey'] },
  { name: 'MASTER_KEY_FILE', path: ['masterKeyFile'] },
  { name: 'UPSTREAM_ENDPOINT', path: ['upstream', 'endpoint'] },
  { name: 'UPSTREAM_REGION', path: ['upstream', 'region'] },
  { name: 'UPSTREAM_ACCESS_KEY_ID', path: ['upstream', 'accessKeyId'] },
  { name: 'UPSTREAM_ACCESS_KEY_ID_FILE', path: ['upstream', 'accessKeyIdFile'] },
  { name: 'UPSTREAM_SECRET_ACCESS_KEY', path: ['upstream', 'secretAccessKey'] },
  { name: 'UPSTREAM_SECRET_ACCESS_KEY_FILE', path: ['upstream', 'secretAccessKeyFile'] },
  { name: 'UPSTREAM_CREDENTIALS', path: ['upstream', 'credentials'] },
  { name: 'UPSTREAM_BUCKETS', path: ['upstream', 'buckets'], list: true },
  { name: 'SPOOL_ENABLED', path: ['spool', 'enabled'] },
  { name: 'PUBLIC_URLS', path: ['publicUrls'], list: true },
  { name: 'TRUSTED_PROXIES', path: ['trustedProxies'], list: true },
  { name: 'ACCESS_LOG', path: ['accessLog'] },
  { name: 'LOG_LEVEL', path: ['logLevel'] },
];

/** @param upstreams how many entries the list of upstreams has. */
export function secretSettings(upstreams: number): readonly SecretSetting[] {
  const sections: SettingPath[] = [['upstream']];
  for (let index = 0; index < upstreams; index++) sections.push(['upstreams', index]);
  return [
    { value: ['root', 'accessKeyId'], file: ['root', 'accessKeyIdFile'] },
    { value: ['root', 'secretAccessKey'], file: ['root', 'secretAccessKeyFile'] },
    { value: ['masterKey'], file: ['masterKeyFile'] },
    ...sections.flatMap((section) =>
      ['accessKeyId', 'secretAccessKey', 'proxyCredentials'].map((name): SecretSetting => ({
        value: [...section, name],
        file: [...section, `${name}File`],
      })),
    ),
  ];
}

/** Every variable's full name, in the order of the documentation. */
export const VARIABLE_NAMES: readonly string[] = VARIABLES.map(({ name }) => PREFIX + name);

/**
 * Kubernetes puts such variables into every container of a namespace that has a service named `bucketwarden`
 * (or `bucketwarden-…`): they are nobody's settings.
 */
const SERVICE_LINK =
  /^BUCKETWARDEN_(?:\w+_)?(?:SERVICE_(?:HOST|PORT(?:_\w+)?)|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)?)$/;

interface VariableValue {
  readonly variable: string;
  readonly path: SettingPath;
  readonly value: string | readonly string[];
}

interface VariableReading {
  readonly values: readonly VariableValue[];
  /** Names with the prefix that are no setting. */
  readonly unknown: readonly string[];
  /** Names of variables that are set to nothing. */
  readonly empty: readonly { readonly variable: string; readonly path: SettingPath }[];
}

export function readVariables(env: Readonly<Record<string, string | undefined>>): VariableReading {
  const values: VariableValue[] = [];
  const unknown: string[] = [];
  const empty: { variable: string; path: SettingPath }[] = [];
  for (const [variable, text] of Object.entries(env)) {
    if (text === undefined || !variable.startsWith(PREFIX) || SERVICE_LINK.test(variable)) continue;
    const known = VARIABLES.find(({ name }) => PREFIX + name === variable);
    if (known === undefined) unknown.push(variable);
    else if (text.trim() === '') empty.push({ variable, path: known.path });
    else values.push({ variable, path: known.path, value: known.list ? splitList(text) : text });
  }
  return { values, unknown, empty };
}

/** The variable that sets a path; undefined for a setting of the file only. */
export function variableOf(path: readonly string[]): string | undefined {
  const dotted = path.join('.');
  const row = VARIABLES.find((variable) => variable.path.join('.') === dotted);
  return row && PREFIX + row.name;
}

function splitList(text: string): readonly string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}
