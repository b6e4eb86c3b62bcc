/** CORS configurations are kept by the gateway; the upstream never sees them. */
import { parseCorsConfiguration, renderCorsConfiguration, S3Error } from '../../s3/index.ts';
import { emptyAnswer, xmlAnswer, type Answer } from '../answer.ts';
import type { Authorized } from '../authorize.ts';
import type { Performance, PerformDependencies } from '../perform.ts';

export function getBucketCors({ request }: Performance): Promise<Answer> {
  const rules = request.bucket?.cors;
  if (rules === undefined)
    throw new S3Error('NoSuchCORSConfiguration', { details: { BucketName: nameOf(request) } });
  return Promise.resolve(xmlAnswer(renderCorsConfiguration(rules)));
}

export async function putBucketCors(
  { request, document }: Performance,
  { store, directory, now }: PerformDependencies,
): Promise<Answer> {
  const rules = parseCorsConfiguration(document.kind === 'text' ? document.text : '');
  await store.putBucketCors(nameOf(request), { document: renderCorsConfiguration(rules), changedAt: now() });
  await directory.refresh();
  return emptyAnswer(200, ['content-length', '0']);
}

export async function deleteBucketCors(
  { request }: Performance,
  { store, directory }: PerformDependencies,
): Promise<Answer> {
  await store.deleteBucketCors(nameOf(request));
  await directory.refresh();
  return emptyAnswer(204);
}

function nameOf({ address }: Authorized): string {
  return address.bucket ?? '';
}
