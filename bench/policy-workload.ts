/** Policies of teams as a gateway sees them, and what their members ask for. */

/** One request, in words that both engines can be told. */
export interface WorkloadRequest {
  readonly userName: string;
  readonly action: string;
  readonly bucket: string;
  /** Undefined for a request about the bucket. */
  readonly key: string | undefined;
  /** Condition keys as AWS writes them. */
  readonly conditions: Readonly<Record<string, string>>;
}

export interface Workload {
  readonly statements: number;
  /** The text of an identity policy. */
  readonly policy: string;
  readonly requests: readonly WorkloadRequest[];
}

const NETWORKS = ['10.0.0.0/8', '203.0.113.0/24', '2001:db8::/32'];

/**
 * From the second statement on: everything over plain HTTP is denied; the rest are Allows of teams, each with buckets of
 * its own, and conditions on the network, the listed prefix, the client and the user's name.
 */
export function workload(statements: number): Workload {
  const list = [...teamStatements(statements === 1 ? 1 : statements - 1)];
  if (statements > 1) list.unshift(HTTPS_ALONE);
  const teams = Math.ceil(statements / STATEMENTS_PER_TEAM);
  return {
    statements,
    policy: JSON.stringify({ Version: '2012-10-17', Statement: list }),
    requests: Array.from({ length: REQUESTS }, (_, index) => requestOf(index, teams)),
  };
}

const HTTPS_ALONE = {
  Sid: 'HttpsAlone',
  Effect: 'Deny',
  Action: 's3:*',
  Resource: 'arn:aws:s3:::*',
  Condition: { Bool: { 'aws:SecureTransport': 'false' } },
};

const STATEMENTS_PER_TEAM = 5;
const REQUESTS = 64;

const bucketOf = (team: number): string => `team-${String(team).padStart(4, '0')}`;

function* teamStatements(count: number): Generator {
  for (let index = 0; index < count; index += 1) {
    const bucket = bucketOf(Math.floor(index / STATEMENTS_PER_TEAM));
    yield statementOf(index % STATEMENTS_PER_TEAM, `arn:aws:s3:::${bucket}`, `S${index}`);
  }
}

function statementOf(kind: number, arn: string, Sid: string): unknown {
  switch (kind) {
    case 0:
      return {
        Sid,
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:PutObject'],
        Resource: `${arn}/projects/*`,
        Condition: { IpAddress: { 'aws:SourceIp': NETWORKS } },
      };
    case 1:
      return {
        Sid,
        Effect: 'Allow',
        Action: 's3:ListBucket',
        Resource: arn,
        Condition: { StringLike: { 's3:prefix': ['projects/*', 'reports/20??/*'] } },
      };
    case 2:
      return {
        Sid,
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
        Resource: `${arn}/home/\${aws:username}/*`,
      };
    case 3:
      return {
        Sid,
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:GetObjectVersion'],
        Resource: `${arn}-logs/*/2026/*.json`,
        Condition: { StringLike: { 'aws:UserAgent': 'aws-sdk-*' } },
      };
    default:
      return {
        Sid,
        Effect: 'Allow',
        Action: 's3:Get*',
        Resource: [`${arn}-site/*`, `${arn}-public/index.html`],
      };
  }
}

/** Three of four are allowed where the team has all of its statements. */
function requestOf(index: number, teams: number): WorkloadRequest {
  const bucket = bucketOf((index * 7919) % teams);
  const userName = ['alice', 'bob', 'carol'][index % 3] ?? '';
  const conditions = {
    'aws:username': userName,
    'aws:SecureTransport': 'true',
    'aws:SourceIp': index % 2 === 0 ? '10.20.30.40' : '203.0.113.77',
    'aws:UserAgent': 'aws-sdk-js/3.1 os/linux',
  };
  const object = (key: string, action = 's3:GetObject'): WorkloadRequest => ({
    userName,
    action,
    bucket,
    key,
    conditions,
  });
  switch (index % 8) {
    case 0:
      return object('projects/2026/report.parquet');
    case 1: {
      const listing = { ...conditions, 's3:prefix': 'projects/2026/' };
      return { userName, action: 's3:ListBucket', bucket, key: undefined, conditions: listing };
    }
    case 2:
      return object(`home/${userName}/notes.txt`, 's3:PutObject');
    case 3:
      return { ...object('eu/app/2026/10/01/events.json'), bucket: `${bucket}-logs` };
    case 4:
      return { ...object('assets/logo.png'), bucket: `${bucket}-site` };
    case 5:
      return object('projects/raw/data.csv', 's3:PutObject');
    case 6:
      return object('home/somebody-else/notes.txt');
    default: {
      const insecure = { ...conditions, 'aws:SecureTransport': 'false', 'aws:SourceIp': '198.51.100.1' };
      return { ...object('projects/2026/report.parquet'), conditions: insecure };
    }
  }
}
