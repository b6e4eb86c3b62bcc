/** What the checks of an upstream work with: requests below a prefix of their own, which is emptied in the end. */
import { parseXml, type ParsedElement } from '../../s3/index.ts';
import { UpstreamUnreachable, type Upstream, type UpstreamPayload } from '../../upstream/index.ts';

export interface TrialAnswer {
  readonly status: number;
  /** Undefined for a header that did not come. @param name lower-case. */
  header(name: string): string | undefined;
  readonly body: Buffer;
  /** Of an error document; undefined without one. */
  readonly code: string | undefined;
}

interface TrialRequest {
  readonly method: string;
  /** Below the prefix; undefined: the bucket. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly payload?: UpstreamPayload;
}

export interface Trial {
  /** Ends with a slash. */
  readonly prefix: string;
  /** Rejects only when there is no answer. @param upstream in place of the one under test. */
  readonly send: (request: TrialRequest, upstream?: Upstream) => Promise<TrialAnswer>;
  /** Sends a body that breaks off before its end, and resolves when the connection is cut. */
  breakOff(request: TrialRequest): Promise<void>;
  /** Deletes whatever is below the prefix. Resolves to what could not be deleted. */
  cleanUp(): Promise<readonly string[]>;
}

/** Larger than any answer to a check. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
const TIMEOUT_MS = 60_000;
const NOTHING: UpstreamPayload = { kind: 'none' };

export function createTrial(upstream: Upstream, bucket: string, prefix: string): Trial {
  const written = new Set<string>();
  const send: Trial['send'] = async ({ method, key, query = {}, headers = [], payload = NOTHING }, over) => {
    if (key !== undefined && method !== 'GET' && method !== 'HEAD') written.add(prefix + key);
    const {
      status,
      headers: raw,
      body,
    } = await (over ?? upstream).send({
      method,
      bucket,
      key: key === undefined ? undefined : prefix + key,
      query: Object.entries(query).map(([name, value]) => ({ name, value })),
      headers,
      payload,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const data = await body.read(MAX_BODY_BYTES);
    return {
      status,
      header(name) {
        const at = raw.findIndex((text, i) => i % 2 === 0 && text === name);
        return at === -1 ? undefined : raw[at + 1];
      },
      body: data,
      code: status < 300 ? undefined : childText(documentOf(data, 'Error'), 'Code'),
    };
  };
  const remove = async (key: string, versionId?: string): Promise<boolean> => {
    const { status } = await send({
      method: 'DELETE',
      key: key.slice(prefix.length),
      ...(versionId !== undefined && { query: { versionId } }),
    });
    return status < 300 || status === 404;
  };
  return {
    prefix,
    send,
    async breakOff(request) {
      try {
        await send(request);
      } catch (error) {
        if (!(error instanceof BrokenOff) && !(error instanceof UpstreamUnreachable)) throw error;
      }
    },
    async cleanUp() {
      for (const key of new Set([...written, ...(await listed(send, prefix))])) await remove(key);
      // Without versions this list is empty, or refused.
      const versions = await send({ method: 'GET', query: { versions: '', prefix } });
      const document = versions.status === 200 ? documentOf(versions.body, 'ListVersionsResult') : undefined;
      const held: string[] = [];
      for (const name of ['Version', 'DeleteMarker'])
        for (const version of document?.children(name) ?? []) {
          const key = childText(version, 'Key') ?? '';
          if (key.startsWith(prefix) && !(await remove(key, childText(version, 'VersionId')))) held.push(key);
        }
      return [...new Set([...held, ...(await listed(send, prefix))])];
    },
  };
}

/** Thrown in a body to break it off. */
export class BrokenOff extends Error {
  override readonly name = 'BrokenOff';
}

/** Keys below a prefix, as ListObjectsV2 gives them: a thousand at most, and far fewer are made. */
export async function listed(send: Trial['send'], prefix: string): Promise<readonly string[]> {
  const { status, body } = await send({ method: 'GET', query: { 'list-type': '2', prefix } });
  const document = status === 200 ? documentOf(body, 'ListBucketResult') : undefined;
  return (document?.children('Contents') ?? []).flatMap((one) => {
    const key = childText(one, 'Key');
    return key?.startsWith(prefix) === true ? [key] : [];
  });
}

/** Undefined for anything but XML with that root. */
export function documentOf(body: Buffer, root: string): ParsedElement | undefined {
  try {
    return parseXml(body.toString('utf8'), root);
  } catch {
    return undefined;
  }
}

export function childText(element: ParsedElement | undefined, name: string): string | undefined {
  return element?.children(name)[0]?.text;
}

/** A whole body, as a stream. */
export async function* streamOf(data: Buffer): AsyncGenerator<Buffer> {
  yield data;
}
