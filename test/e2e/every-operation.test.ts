/**
 * Every operation of the table, with the actions that AWS lists for it: while one of them is missing nothing reaches the
 * upstream, and with exactly these it does.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isAvailable, OPERATION_LIST, OPERATION_SWITCHES } from '../../src/s3/index.ts';
import { formRequest, signedFields } from '../support/raw-form.ts';
import { runGateway, type Credentials, type RunningGateway } from '../support/running-gateway.ts';
import {
  decidingActions,
  holds,
  listedOperation,
  type Need,
  type Walk,
  type WalkedEntry,
} from './support/listed-actions.ts';
import { DEVIATIONS, nameOf, needsOf, REFUSED_FOR_ALL, WALKS } from './support/operation-walks.ts';
import { openRecordingUpstream, type RecordingUpstream } from './support/recording-upstream.ts';
import { exchange, sendRaw, type RawAnswer } from './support/signed-request.ts';

let folder: string;
let upstream: RecordingUpstream;
let gateway: RunningGateway;
let powerless: Credentials;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bucketwarden-every-operation-'));
  const file = join(folder, 'bucketwarden.yaml');
  const switches = Object.keys(OPERATION_SWITCHES).join(', ');
  await writeFile(
    file,
    `spool: { enabled: false }\nbuckets: [{ name: walk-*, operations: [${switches}] }]\n`,
  );
  upstream = await openRecordingUpstream();
  const env = { UPSTREAM_ENDPOINT: upstream.endpoint, UPSTREAM_BUCKETS: 'walk-*' };
  gateway = await runGateway({ file, env });
  powerless = credentialsOf(
    await gateway.keys(['issue', '--user', 'walker', '--no-policy', '--output', 'json']),
  );
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(() => {
  upstream.clear();
});

const available = OPERATION_LIST.filter(isAvailable);
const walks = WALKS.filter(({ operation }) => available.some(({ name }) => name === operation));
const walked = new Set(walks.map(({ operation }) => operation));
const named = walks.map((walk) => [`${walk.operation} ${walk.variant ?? ''}`.trim(), walk] as const);

describe('the walks', () => {
  test('there is one for every operation', () => {
    // A preflight is no subject of policies: CORS rules answer it.
    const missing = available.filter(({ name }) => name !== 'OptionsObject' && !walked.has(name));
    expect(missing.map(({ name }) => name)).toEqual([]);
    expect(walked.size).toBeGreaterThan(95);
    expect(new Set(named.map(([name]) => name)).size).toBe(walks.length);
  });

  test('meet every condition of the list, and miss it', () => {
    const unmet: string[] = [];
    const unmissed: string[] = [];
    const all = [...walks, ...REFUSED_FOR_ALL.map(({ walk }) => walk)];
    for (const operation of walked) {
      const own = all
        .filter((walk) => walk.operation === operation)
        .flatMap((walk) => entriesOf(walk).map((entry) => ({ walk, entry })));
      for (const { action, when } of decidingActions(operation)) {
        const met = own.filter(({ walk, entry }) => holds(when, walk, entry));
        if (met.length === 0) unmet.push(`${operation}: ${action} ${when}`);
        if (met.length === own.length && !UNCONDITIONAL.has(when))
          unmissed.push(`${operation}: ${action} ${when}`);
      }
    }
    expect({ unmet, unmissed }).toEqual({ unmet: [], unmissed: [] });
  });

  test('meet every deviation from the list', () => {
    const unmet = DEVIATIONS.filter(
      ({ operation, when }) => !walks.some((walk) => walk.operation === operation && when(walk)),
    );
    expect(unmet).toEqual([]);
  });
});

const UNCONDITIONAL = new Set(['always', 'session mode must be ReadWrite']);

describe('without any policy, and without a key, nothing reaches the upstream', () => {
  test.each(named)('%s', async (_, walk) => {
    expect(await refusalOf(walk, powerless)).toEqual(refused(walk));
    if (walk.operation === 'PostObject') return;
    expect(await refusalOf(walk, undefined)).toEqual(refused(walk));
  });
});

/** Each entry of a DeleteObjects is decided on its own: see below. */
const decidedWhole = named.filter(([, walk]) => walk.entries.length === 0);

describe('with everything but one of the needed actions on its resource, nothing reaches the upstream', () => {
  test.each(decidedWhole)('%s', async (_, walk) => {
    for (const missing of allNeeds(walk))
      expect({ missing, ...(await refusalOf(walk, await keyWithout(missing))) }).toEqual({
        missing,
        ...refused(walk),
      });
  });
});

describe('with exactly what is needed, the policies let it pass', () => {
  test.each(named)('%s', async (_, walk) => {
    const needs = allNeeds(walk);
    const credentials = await keyWith(
      ...needs.map(({ action, resource }) => ({ Effect: 'Allow', Action: action, Resource: resource })),
    );
    const answer = await send(walk, credentials);
    const record = await recordOf(answer);
    expect({
      operation: record.operation,
      decided: decidedIn(record)
        .map(({ effect, ...need }) => `${effect} ${nameOf(need)}`)
        .toSorted(),
      went: sentFor(walk).length === 0 ? answer.status : 'upstream',
    }).toEqual({
      operation: walk.operation,
      decided: needs.map((need) => `Allow ${nameOf(need)}`).toSorted(),
      went: ANSWERED_HERE[walk.operation] ?? 'upstream',
    });
  });
});

/** Operations that the gateway answers from its own state, with the status. */
const ANSWERED_HERE: Readonly<Record<string, number>> = {
  DeleteBucketCors: 204,
  DeleteBucketPolicy: 204,
  DeletePublicAccessBlock: 204,
  GetBucketCors: 404,
  GetBucketPolicy: 404,
  GetBucketPolicyStatus: 404,
  GetPublicAccessBlock: 404,
  PutBucketCors: 200,
  PutBucketPolicy: 204,
  PutPublicAccessBlock: 200,
};

describe('what is refused whatever the policies say reaches the upstream for nobody', () => {
  test.each(REFUSED_FOR_ALL.map((row) => [`${row.walk.operation} ${row.walk.variant ?? ''}`, row] as const))(
    '%s',
    async (_, { walk, code }) => {
      const record = await recordOf(await send(walk, gateway.root));
      expect({ code: record.errorCode, sent: upstream.sent }).toEqual({ code, sent: [] });
    },
  );
});

const perEntry = named.filter(([, walk]) => walk.entries.length > 0);

describe('of the entries of a DeleteObjects only those go upstream that nothing is missing for', () => {
  test.each(perEntry)('%s', async (_, walk) => {
    const refusal = /<Error><Key>(\w+)<\/Key>(?:<VersionId>\w+<\/VersionId>)?<Code>AccessDenied</g;
    for (const entry of walk.entries)
      for (const missing of needsOf(walk, entry)) {
        upstream.clear();
        const answer = await send(walk, await keyWithout(missing));
        const sent = upstream.sent.join('');
        expect({
          missing,
          sent: walk.entries.filter(({ key }) => sent.includes(`<Key>${key}</Key>`)),
          refused: [...answer.body.matchAll(refusal)].map(([, key]) => key),
        }).toEqual({
          missing,
          sent: walk.entries.filter((other) => other !== entry),
          refused: [entry.key],
        });
      }
  });
});

/** Undefined for what is not decided entry by entry. */
function entriesOf({ entries }: Walk): readonly (WalkedEntry | undefined)[] {
  return entries.length === 0 ? [undefined] : entries;
}

interface Refused {
  readonly operation: unknown;
  readonly status: number;
  readonly errors: readonly unknown[];
  readonly sent: readonly string[];
}

/** What a refusal looks like: a DeleteObjects is refused entry by entry. */
function refused({ operation, entries }: Walk): Refused {
  return entries.length === 0
    ? { operation, status: 403, errors: ['AccessDenied'], sent: [] }
    : { operation, status: 200, errors: entries.map(() => 'AccessDenied'), sent: [] };
}

async function refusalOf(walk: Walk, credentials: Credentials | undefined): Promise<Refused> {
  upstream.clear();
  const answer = await send(walk, credentials);
  const record = await recordOf(answer);
  return {
    operation: record.operation,
    status: answer.status,
    errors:
      walk.entries.length === 0
        ? [record.errorCode]
        : [...answer.body.matchAll(/<Error>.*?<Code>(\w+)</g)].map(([, code]) => code),
    sent: sentFor(walk),
  };
}

/** What went upstream but for what the gateway itself asks before it decides: the tags of what is to be copied. */
function sentFor({ operation }: Walk): readonly string[] {
  return upstream.sent.filter((line) => operation !== 'CopyObject' || !/^GET \S+\?tagging=/.test(line));
}

/** Of all entries of a DeleteObjects, each once. */
function allNeeds(walk: Walk): readonly Need[] {
  const needs = entriesOf(walk).flatMap((entry) => needsOf(walk, entry));
  return [...new Map(needs.map((need) => [nameOf(need), need])).values()];
}

interface Recorded {
  readonly operation?: string;
  readonly errorCode?: string;
  readonly decision?: RecordedNeed;
  readonly otherDecisions?: readonly RecordedNeed[];
  readonly entries?: readonly Pick<Recorded, 'decision' | 'otherDecisions'>[];
}

type RecordedNeed = Need & { readonly effect: string };

async function recordOf({ headers }: RawAnswer): Promise<Recorded> {
  return gateway.record(String(headers['x-amz-request-id']));
}

function decidedIn({ decision, otherDecisions = [], entries = [] }: Recorded): readonly RecordedNeed[] {
  const own = decision === undefined ? [] : [decision, ...otherDecisions];
  return [...own, ...entries.flatMap(decidedIn)].map(({ effect, action, resource }) => ({
    effect,
    action,
    resource,
  }));
}

/** Keys with what was asked for before; nothing about them depends on the order. */
const keys = new Map<string, Promise<Credentials>>();

function keyWith(...statements: readonly object[]): Promise<Credentials> {
  const policy = { Version: '2012-10-17', Statement: statements };
  const name = JSON.stringify(policy);
  const key = keys.get(name) ?? gateway.keyWithPolicy('walker', policy);
  keys.set(name, key);
  return key;
}

/** May do everything but this action on this resource. */
function keyWithout({ action, resource }: Need): Promise<Credentials> {
  return keyWith(
    { Effect: 'Allow', NotAction: action, Resource: '*' },
    { Effect: 'Allow', Action: action, NotResource: resource },
  );
}

function credentialsOf(printed: string): Credentials {
  const { AccessKeyId, SecretAccessKey } = JSON.parse(printed) as Record<string, string>;
  return { accessKeyId: AccessKeyId ?? '', secretAccessKey: SecretAccessKey ?? '' };
}

function send(walk: Walk, credentials: Credentials | undefined): Promise<RawAnswer> {
  const { bucket, key, query, headers, body } = walk;
  const { method, uri } = listedOperation(walk.operation);
  const path = uri.replace('{Bucket}', bucket).replace('{Key+}', key);
  if (walk.operation === 'PostObject') return sendForm(walk, path, credentials ?? powerless);
  // A signed hash would do for those who sign.
  const md5 = createHash('md5').update(body).digest('base64');
  const checked = body === '' ? headers : { ...headers, 'content-md5': md5 };
  return sendRaw(gateway, { method, path, query, headers: checked, body, credentials });
}

function sendForm(
  { bucket, key, fields }: Walk,
  target: string,
  credentials: Credentials,
): Promise<RawAnswer> {
  const signed = signedFields({ credentials, bucket, fields: Object.entries({ key, ...fields }) });
  const { headers, body } = formRequest({
    host: `127.0.0.1:${gateway.port}`,
    target,
    fields: signed,
    file: 'content',
  });
  return exchange(gateway.port, { method: 'POST', target, headers: Object.fromEntries(headers), body });
}
