/**
 * Settings behind a sub-resource that a store may not know. Some stores ignore what they do not know, and answer
 * `GET ?retention` with the object itself, `DELETE ?ownershipControls` by deleting the bucket: see docs/operations.md.
 */
import { parseXml, S3Error, type QueryParameter } from '../../s3/index.ts';
import type { UpstreamResponse } from '../../upstream/index.ts';
import { withoutFraming, xmlAnswer, type Answer } from '../answer.ts';
import type { Authorized } from '../authorize.ts';
import { answerHeaders, forwardedQuery, send } from '../forward.ts';
import type { Performance, PerformDependencies } from '../perform.ts';
import { UpstreamRefusal, upstreamOutcome } from '../upstream-error.ts';

/** A thousand rules with all that they may have. */
const MAX_SETTINGS_BYTES = 1024 * 1024;

/** The upstream's document as it is, when it is the one that was asked for. */
export async function readSettings(
  { request, signal }: Performance,
  roots: readonly string[],
  dependencies: PerformDependencies,
): Promise<Answer> {
  const response = await send(request, { payload: { kind: 'none' }, signal }, dependencies);
  const text = await documentOf(response, roots);
  const answer = xmlAnswer(text, upstreamOutcome(response));
  const kept = answerHeaders(request, response, dependencies);
  return { ...answer, headers: [...withoutFraming(kept), ...answer.headers] };
}

/**
 * INVARIANT: a request that would do harm without its sub-resource goes to a store that has shown that it knows it.
 * @param roots of the document that a GET of the same address answers with; an error of its own shows as much.
 * @throws UpstreamRefusal `NotImplemented` otherwise, and what the GET meets on its way.
 */
export async function requireKnown(
  request: Authorized,
  roots: readonly string[],
  signal: AbortSignal,
  dependencies: PerformDependencies,
): Promise<void> {
  const left = request.operation.knownWithout;
  const query: readonly QueryParameter[] = forwardedQuery(request).filter(({ name }) => !left.includes(name));
  let response: UpstreamResponse;
  try {
    const probe = { method: 'GET', query, headers: [], payload: { kind: 'none' }, signal } as const;
    response = await send(request, probe, dependencies);
  } catch (error) {
    if (error instanceof UpstreamRefusal && isOfSettings(error)) return;
    throw error;
  }
  await documentOf(response, roots);
}

/**
 * A refusal that only a store which looked for the setting can give. Any other may be that of a GET without the
 * sub-resource: of a version that is none, or of an object that is encrypted with the client's key.
 */
function isOfSettings({ code, status }: UpstreamRefusal): boolean {
  return status >= 400 && status < 500 && NOT_SET.test(code);
}

/** Such as NoSuchLifecycleConfiguration, ObjectLockConfigurationNotFoundError, NoSuchTagSet, OwnershipControlsNotFoundError. */
const NOT_SET = /Configuration|TagSet|ControlsNotFound/;

async function documentOf(response: UpstreamResponse, roots: readonly string[]): Promise<string> {
  try {
    const text = (await response.body.read(MAX_SETTINGS_BYTES)).toString('utf8');
    parseXml(text, roots.find((name) => text.includes(`<${name}`)) ?? (roots[0] as string), {
      maxTags: MAX_SETTINGS_BYTES,
    });
    return text;
  } catch (error) {
    const { code, status } = new S3Error('NotImplemented');
    throw new UpstreamRefusal(
      { code, status, message: 'The storage of this bucket does not know this operation.' },
      {
        ...upstreamOutcome(response),
        cause: `the upstream does not answer with \`${roots.join(' or ')}\`, as if it had not seen what was asked for: ${String(error)}`,
      },
    );
  }
}
