/** The checks of `doctor upstream`, in the order in which they run. */
import {
  attempted,
  BODY,
  described,
  finding,
  reason,
  type Check,
  type Finding,
  type Subject,
} from './finding.ts';
import { checkAborts, checkChecksums, checkIntegrity, checkWrongHash } from './integrity-checks.ts';
import { childText, documentOf, listed, streamOf, type TrialAnswer } from './trial.ts';

/** The first ones; when one of them is bad, no other can tell anything. */
export const BASICS: readonly Check[] = [checkConnection, checkWriting];

export const CHECKS: readonly Check[] = [
  checkStyles,
  checkIntegrity,
  checkWrongHash,
  checkAborts,
  checkChecksums,
  checkConditions,
  checkMultipart,
  checkListing,
  checkKeys,
  checkVersioning,
];

const MAX_SKEW_MS = 15 * 60_000;
const MULTIPART_BYTES = 5 * 1024 * 1024;
async function checkConnection({ trial, now }: Subject): Promise<readonly Finding[]> {
  const started = now();
  const answer = await trial.send({
    method: 'GET',
    query: { 'list-type': '2', 'max-keys': '1', prefix: trial.prefix },
  });
  const ms = now() - started;
  const date = Date.parse(answer.header('date') ?? '');
  const skew = date - now();
  return [
    finding('connection', 'yes', `answers in ${ms} ms${serverOf(answer)}`),
    Number.isNaN(skew)
      ? finding('clock', 'no', 'the upstream sends no Date: its clock cannot be compared')
      : finding(
          'clock',
          Math.abs(skew) < MAX_SKEW_MS ? 'yes' : 'bad',
          `${Math.round(Math.abs(skew) / 1000)} s apart${Math.abs(skew) < MAX_SKEW_MS ? '' : ': more than 15 minutes are refused'}`,
        ),
    answer.status === 200
      ? finding('credentials', 'yes', 'may list the bucket')
      : answer.code === 'AccessDenied'
        ? finding(
            'credentials',
            'no',
            'may not list the bucket, so that listings through the gateway are denied',
          )
        : finding('credentials', 'bad', `listing the bucket: ${described(answer)}`),
  ];
}

async function checkWriting({ trial }: Subject): Promise<readonly Finding[]> {
  const put = await trial.send({ method: 'PUT', key: 'first', payload: { kind: 'buffer', data: BODY } });
  if (put.status !== 200) return [finding('write and read', 'bad', `PUT: ${described(put)}`)];
  const get = await trial.send({ method: 'GET', key: 'first' });
  return [
    get.status === 200 && get.body.equals(BODY)
      ? finding('write and read', 'yes', 'an object comes back as it was sent')
      : finding('write and read', 'bad', `GET: ${get.status === 200 ? 'other bytes' : described(get)}`),
  ];
}

async function checkStyles({ trial, styles }: Subject): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const style of ['path', 'virtual-hosted'] as const) {
    const upstream = styles[style];
    const name = `${style} style`;
    if (upstream === undefined) {
      findings.push(finding(name, 'no', 'not possible with an address as endpoint'));
      continue;
    }
    try {
      const answer = await trial.send({ method: 'GET', key: 'first' }, upstream);
      const works = answer.status === 200 && answer.body.equals(BODY);
      findings.push(finding(name, works ? 'yes' : 'no', works ? '' : described(answer)));
    } catch (error) {
      findings.push(finding(name, 'no', reason(error)));
    }
  }
  return findings;
}

async function checkConditions({ trial }: Subject): Promise<readonly Finding[]> {
  const put = (key: string, name: string, value: string): Promise<TrialAnswer> =>
    trial.send({ method: 'PUT', key, headers: [[name, value]], payload: { kind: 'buffer', data: BODY } });
  return [
    await attempted('If-None-Match: * on writes', async () => {
      const fresh = await put('conditional', 'if-none-match', '*');
      if (fresh.status !== 200) return ['no', described(fresh)];
      const again = await put('conditional', 'if-none-match', '*');
      return again.status === 412 ? ['yes', ''] : ['no', `an existing object: ${described(again)}`];
    }),
    await attempted('If-Match on writes', async () => {
      const head = await trial.send({ method: 'HEAD', key: 'first' });
      const wrong = await put('first', 'if-match', '"00000000000000000000000000000000"');
      if (wrong.status !== 412) return ['no', `another ETag: ${described(wrong)}`];
      const right = await put('first', 'if-match', head.header('etag') ?? '');
      return right.status === 200 ? ['yes', ''] : ['no', `the right ETag: ${described(right)}`];
    }),
  ];
}

async function checkMultipart({ trial }: Subject): Promise<readonly Finding[]> {
  const key = 'multipart';
  const begin = async (): Promise<string> => {
    const answer = await trial.send({ method: 'POST', key, query: { uploads: '' } });
    const id = childText(documentOf(answer.body, 'InitiateMultipartUploadResult'), 'UploadId');
    if (id === undefined) throw new Refused(`CreateMultipartUpload: ${described(answer)}`);
    return id;
  };
  const part = async (uploadId: string, partNumber: number, data: Buffer): Promise<string> => {
    const payload = {
      kind: 'stream',
      chunks: streamOf(data),
      length: data.length,
      sha256: undefined,
    } as const;
    const query = { partNumber: String(partNumber), uploadId };
    const answer = await trial.send({ method: 'PUT', key, query, payload });
    if (answer.status !== 200) throw new Refused(`UploadPart: ${described(answer)}`);
    const etag = (answer.header('etag') ?? '').replaceAll('"', '&quot;');
    return `<Part><PartNumber>${partNumber}</PartNumber><ETag>${etag}</ETag></Part>`;
  };
  return [
    await attempted('multipart uploads', async () => {
      const uploadId = await begin();
      const first = Buffer.alloc(MULTIPART_BYTES, 'x');
      const parts = [await part(uploadId, 1, first), await part(uploadId, 2, BODY)];
      const data = Buffer.from(
        `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join('')}</CompleteMultipartUpload>`,
      );
      const done = await trial.send({
        method: 'POST',
        key,
        query: { uploadId },
        payload: { kind: 'buffer', data },
      });
      const head = await trial.send({ method: 'HEAD', key });
      return head.header('content-length') === String(MULTIPART_BYTES + BODY.length)
        ? ['yes', 'two parts']
        : ['no', `CompleteMultipartUpload: ${described(done)}`];
    }),
    await attempted('aborted multipart uploads', async () => {
      const uploadId = await begin();
      const aborted = await trial.send({ method: 'DELETE', key, query: { uploadId } });
      return aborted.status === 204 ? ['yes', ''] : ['no', described(aborted)];
    }),
  ];
}

async function checkListing({ trial }: Subject): Promise<readonly Finding[]> {
  return [
    await attempted('ListObjectsV2', async () => {
      const keys = await listed(trial.send, trial.prefix);
      const sorted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      if (!keys.includes(`${trial.prefix}first`)) return ['no', 'an object that was written is not listed'];
      return keys.every((key, i) => key === sorted[i])
        ? ['yes', '']
        : ['no', 'keys are not in the order of their bytes'];
    }),
  ];
}

async function checkKeys({ trial }: Subject): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [name, key, elsewhere] of [
    ['keys with `..` stay as they are', 'dots/../up', 'up'],
    ['keys with `//` stay as they are', 'slashes//two', 'slashes/two'],
  ] as const)
    findings.push(
      await attempted(name, async () => {
        const put = await trial.send({ method: 'PUT', key, payload: { kind: 'buffer', data: BODY } });
        const moved = await trial.send({ method: 'HEAD', key: elsewhere });
        if (moved.status === 200) return ['no', `stored as \`${elsewhere}\``];
        return put.status === 200 ? ['yes', ''] : ['no', described(put)];
      }),
    );
  return findings;
}

async function checkVersioning({ trial }: Subject): Promise<readonly Finding[]> {
  return [
    await attempted('versioning', async () => {
      const answer = await trial.send({ method: 'GET', query: { versioning: '' } });
      if (answer.status !== 200) return ['no', described(answer)];
      const status = childText(documentOf(answer.body, 'VersioningConfiguration'), 'Status');
      return ['yes', status ?? 'known, off for this bucket'];
    }),
    await attempted('object lock', async () => {
      const answer = await trial.send({ method: 'GET', query: { 'object-lock': '' } });
      if (answer.status === 200) return ['yes', 'on for this bucket'];
      return answer.code === 'ObjectLockConfigurationNotFoundError'
        ? ['yes', 'known, off for this bucket']
        : ['no', described(answer)];
    }),
  ];
}

/** Ends a check: its message is the result. */
class Refused extends Error {}

function serverOf(answer: TrialAnswer): string {
  const server = answer.header('server');
  return server === undefined ? '' : `, ${server.slice(0, 60)}`;
}
