/** The forms in which a body can be sent, what is checked of it, and what an upload leaves that is cut off. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHECKSUM_ALGORITHMS, createChecksum, type ChecksumAlgorithm } from '../../body/index.ts';
import type { UpstreamPayload } from '../../upstream/index.ts';
import { attempted, BODY, described, type Finding, type Subject } from './finding.ts';
import { BrokenOff, streamOf } from './trial.ts';

/** In which an upstream may still store what was cut off. */
const SETTLE_MS = 300;

/** The payload of each form over the same bytes. */
const FORMS: Readonly<
  Record<
    string,
    (chunks: AsyncIterable<Buffer>) => { readonly payload: UpstreamPayload; readonly label: string }
  >
> = {
  hash: (chunks) => ({
    label: 'declared SHA-256',
    payload: { kind: 'stream', chunks, length: BODY.length, sha256: sha256(BODY) },
  }),
  unsigned: (chunks) => ({
    label: 'UNSIGNED-PAYLOAD',
    payload: { kind: 'stream', chunks, length: BODY.length, sha256: undefined },
  }),
  'signed-chunks': (chunks) => ({
    label: 'signed chunks',
    payload: { kind: 'signed-chunks', chunks, length: BODY.length },
  }),
  trailer: (chunks) => ({
    label: 'trailing checksum',
    payload: { kind: 'framed', chunks, length: BODY.length, trailer: trailer('crc32') },
  }),
};

/** Named so that the settings can be told from the findings. */
export function integrityCheck(mode: string): string {
  return `integrity ${mode}`;
}

export function cutOffCheck(form: string): string {
  return `an upload cut off is not stored (${form})`;
}

export async function checkIntegrity({ trial }: Subject): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [mode, form] of Object.entries(FORMS)) {
    const { label, payload } = form(streamOf(BODY));
    const key = `integrity-${mode}`;
    findings.push(
      await attempted(integrityCheck(mode), async () => {
        const put = await trial.send({ method: 'PUT', key, payload });
        if (put.status !== 200) return ['no', `${label}: ${described(put)}`];
        const get = await trial.send({ method: 'GET', key, headers: [['x-amz-checksum-mode', 'ENABLED']] });
        if (!get.body.equals(BODY)) return ['no', `${label}: the framing is stored as data`];
        if (mode !== 'trailer') return ['yes', label];
        const { header } = CHECKSUM_ALGORITHMS.crc32;
        return get.header(header) === trailer('crc32').value()
          ? ['yes', `${label}, stored with the object`]
          : ['yes', `${label}, taken but not stored`];
      }),
    );
  }
  return findings;
}

export async function checkWrongHash({ trial }: Subject): Promise<readonly Finding[]> {
  return [
    await attempted('a wrong SHA-256 is refused', async () => {
      const put = await trial.send({
        method: 'PUT',
        key: 'wrong-hash',
        payload: {
          kind: 'stream',
          chunks: streamOf(BODY),
          length: BODY.length,
          sha256: sha256(Buffer.from('other')),
        },
      });
      return put.status === 200
        ? ['no', 'the upstream does not check it again: integrity rests on the connection']
        : ['yes', described(put)];
    }),
  ];
}

export async function checkAborts({ trial }: Subject): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [mode, form] of Object.entries(FORMS)) {
    const key = `aborted-${mode}`;
    findings.push(
      await attempted(cutOffCheck(mode), async () => {
        const { payload } = form(oneByteShort());
        await trial.breakOff({ method: 'PUT', key, payload });
        await sleep(SETTLE_MS);
        const get = await trial.send({ method: 'HEAD', key });
        return get.status === 404 || get.status === 403
          ? ['yes', 'one byte short: nothing there']
          : ['no', `one byte short, and it is there (${get.status}): never to be sent in this form`];
      }),
    );
  }
  return findings;
}

export async function checkChecksums({ trial }: Subject): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const algorithm of Object.keys(CHECKSUM_ALGORITHMS) as ChecksumAlgorithm[]) {
    const { label, header } = CHECKSUM_ALGORITHMS[algorithm];
    const key = `checksum-${algorithm}`;
    findings.push(
      await attempted(`checksum ${label}`, async () => {
        const value = trailer(algorithm).value();
        const put = await trial.send({
          method: 'PUT',
          key,
          headers: [[header, value]],
          payload: { kind: 'buffer', data: BODY },
        });
        if (put.status !== 200) return ['no', described(put)];
        const head = await trial.send({ method: 'HEAD', key, headers: [['x-amz-checksum-mode', 'ENABLED']] });
        return head.header(header) === value
          ? ['yes', 'stored and returned']
          : ['no', 'taken, but not returned'];
      }),
    );
  }
  return findings;
}

/** All but the last byte, which had time to arrive; then nothing more. */
async function* oneByteShort(): AsyncGenerator<Buffer> {
  yield BODY.subarray(0, -1);
  await sleep(SETTLE_MS);
  throw new BrokenOff('one byte short');
}

function trailer(algorithm: ChecksumAlgorithm) {
  const { header, size } = CHECKSUM_ALGORITHMS[algorithm];
  const checksum = createChecksum(algorithm);
  checksum.update(BODY);
  const value = checksum.digest().toString('base64');
  return { name: header, valueLength: Math.ceil(size / 3) * 4, value: () => value };
}

function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
