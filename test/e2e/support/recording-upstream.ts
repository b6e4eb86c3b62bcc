/**
 * A store that has every bucket and knows every operation, and keeps what was sent to it. Objects whose key is `tagged`
 * have a tag.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RecordingUpstream {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  /** Method, target and body of each request since `clear`. */
  readonly sent: readonly string[];
  clear(): void;
  close(): Promise<void>;
}

export async function openRecordingUpstream(): Promise<RecordingUpstream> {
  let sent: string[] = [];
  const server = createServer((request, response) => {
    const { method = '', url = '' } = request;
    const chunks: Buffer[] = [];
    const at = sent.push(`${method} ${url} `) - 1;
    const log = sent;
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      log[at] += body;
      const isNew = /^\/walk-new-\d+$/.test(url) && method === 'HEAD';
      response.writeHead(isNew ? 404 : 200, { 'content-type': 'application/xml', etag: '"e"' });
      response.end(method === 'HEAD' ? undefined : answerTo(method, url, body));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get sent() {
      return sent;
    },
    clear() {
      sent = [];
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

/** Documents that the gateway reads; what it passes on may be anything. */
function answerTo(method: string, url: string, body: string): string {
  if (url.includes('?delete'))
    return `<DeleteResult>${body.replaceAll(/^.*?<Delete[^>]*>|<Quiet>.*?<\/Quiet>|<ETag>.*?<\/ETag>|<\/Delete>/gs, '').replaceAll('Object>', 'Deleted>')}</DeleteResult>`;
  if (method === 'GET' && url.includes('?tagging'))
    return `<Tagging><TagSet>${url.includes('/tagged?') ? TAG : ''}</TagSet></Tagging>`;
  const root = method === 'GET' ? ROOTS.find(([sign]) => url.includes(sign))?.[1] : undefined;
  return root === undefined ? '' : `<${root}><IsTruncated>false</IsTruncated></${root}>`;
}

const TAG = '<Tag><Key>a</Key><Value>b</Value></Tag>';

const ROOTS: readonly (readonly [sign: string, root: string])[] = [
  ['uploads=', 'ListMultipartUploadsResult'],
  ['versions=', 'ListVersionsResult'],
  ['uploadId=', 'ListPartsResult'],
  ['list-type=2', 'ListBucketResult'],
];
