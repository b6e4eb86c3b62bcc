/** The answer names bucket and key: the client gets its own names. */
import { withoutFraming, xmlAnswer, type Answer } from '../answer.ts';
import { answerHeaders, send } from '../forward.ts';
import { inClientsNames } from '../late-xml.ts';
import type { Performance, PerformDependencies } from '../perform.ts';
import { unavailable, upstreamOutcome } from '../upstream-error.ts';

const MAX_ANSWER_BYTES = 65_536;

export async function createMultipartUpload(
  { request, signal }: Performance,
  dependencies: PerformDependencies,
): Promise<Answer> {
  const response = await send(request, { payload: { kind: 'none' }, signal }, dependencies);
  const outcome = upstreamOutcome(response);
  let xml: string;
  try {
    const text = (await response.body.read(MAX_ANSWER_BYTES)).toString('utf8');
    xml = inClientsNames(request, text, 'InitiateMultipartUploadResult');
  } catch (error) {
    throw unavailable(outcome, `the upstream's answer is not S3's XML: ${String(error)}`);
  }
  const answer = xmlAnswer(xml, outcome);
  const kept = answerHeaders(request, response, dependencies);
  return { ...answer, headers: [...withoutFraming(kept), ...answer.headers] };
}
