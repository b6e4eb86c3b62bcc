/** Stores the file of a browser form as a PUT would, and answers as the form asks. */
import { encodeUriComponent, postSuccess, redirectLocation, renderXml } from '../../s3/index.ts';
import type { Answer } from '../answer.ts';
import { forward, streamPayload } from '../forward.ts';
import { objectUrl } from '../object-url.ts';
import type { Performance, PerformDependencies } from '../perform.ts';
import { headerOf, withoutHeaders } from '../raw-headers.ts';

const MAX_ANSWER_BYTES = 64 * 1024;

/** @throws S3Error for a form that does not end as it should, among others; UpstreamRefusal. */
export async function postObject(
  { request, body, signal }: Performance,
  dependencies: PerformDependencies,
): Promise<Answer> {
  const { form, bucket, address } = request;
  const { key } = address;
  if (form === undefined || bucket === undefined || key === undefined) throw new Error('not a form');
  const file = await body().open({ maxLength: bucket.maxObjectBytes });
  const payload = streamPayload(request, file);
  const stored = await forward(request, { payload, signal, upload: file, method: 'PUT' }, dependencies);
  // Nothing of the answer to a PUT is in its body.
  if (stored.body.kind === 'stream') await stored.body.stream.read(MAX_ANSWER_BYTES);

  const etag = headerOf(stored.headers, 'etag') ?? '';
  // S3 writes the slashes of the key as %2F here.
  const location = objectUrl(request, '') + encodeUriComponent(key);
  const headers = withoutHeaders(stored.headers, 'content-length');
  const success = postSuccess(form.fields);
  if (success.kind === 'redirect') {
    const target = redirectLocation(success.url, { bucket: bucket.name, key, etag });
    return { ...stored, ...empty(303, [...headers, 'location', target]) };
  }
  headers.push('location', location);
  if (success.status !== 201) return { ...stored, ...empty(success.status, headers) };
  const xml = renderXml('PostResponse', {
    Location: location,
    Bucket: bucket.name,
    Key: key,
    ETag: etag,
  });
  return {
    ...stored,
    status: 201,
    headers: [
      ...headers,
      'content-type',
      'application/xml',
      'content-length',
      String(Buffer.byteLength(xml)),
    ],
    body: { kind: 'text', text: xml },
  };
}

/** 204 must not have a length (RFC 9110, section 8.6). */
function empty(status: number, headers: readonly string[]): Pick<Answer, 'status' | 'headers' | 'body'> {
  return {
    status,
    headers: status === 204 ? headers : [...headers, 'content-length', '0'],
    body: { kind: 'none' },
  };
}
