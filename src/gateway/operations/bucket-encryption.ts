/** How a bucket's objects are encrypted by default. */
import { parseXml, renderXml, S3_NAMESPACE, type ParsedElement, type XmlElements } from '../../s3/index.ts';
import { xmlAnswer, type Answer } from '../answer.ts';
import { send } from '../forward.ts';
import { readSettings } from './settings.ts';
import type { Performance, PerformDependencies } from '../perform.ts';
import { unavailable, upstreamOutcome } from '../upstream-error.ts';

const MAX_ANSWER_BYTES = 65_536;
const ROOT = 'ServerSideEncryptionConfiguration';
const KEY_ID = 'KMSMasterKeyID';

/** Which key of the upstream's account it is stays untold unless the operator has switched on `kms-keys`. */
export async function getBucketEncryption(
  performance: Performance,
  dependencies: PerformDependencies,
): Promise<Answer> {
  const { request, signal } = performance;
  if (request.bucket?.operations.has('kms-keys')) return readSettings(performance, [ROOT], dependencies);
  const response = await send(request, { payload: { kind: 'none' }, signal }, dependencies);
  const outcome = upstreamOutcome(response);
  try {
    const text = (await response.body.read(MAX_ANSWER_BYTES)).toString('utf8');
    const content = withoutKeyId(parseXml(text, ROOT));
    return xmlAnswer(renderXml(ROOT, content, { namespace: S3_NAMESPACE }), outcome);
  } catch (error) {
    throw unavailable(outcome, `the upstream's answer is not S3's XML: ${String(error)}`);
  }
}

function withoutKeyId({ elements }: ParsedElement): XmlElements {
  return {
    '#sequence': elements
      .filter(({ name }) => name !== KEY_ID)
      .map(({ name, element }) => ({
        [name]: element.elements.length === 0 ? element.text : withoutKeyId(element),
      })),
  };
}
