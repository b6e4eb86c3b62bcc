/** Each key of a DeleteObjects is decided alone; only what is allowed goes upstream, and the answers are merged. */
import { setImmediate } from 'node:timers/promises';
import {
  parseDeleteResult,
  renderDeleteObjects,
  renderDeleteResult,
  requiredEntryActions,
  S3Error,
  type DeletedEntry,
  type DeleteEntry,
  type DeleteErrorEntry,
} from '../../s3/index.ts';
import { xmlAnswer, type Answer, type DecidedEntry, type UpstreamOutcome } from '../answer.ts';
import { requireBucket, type Authorized } from '../authorize.ts';
import { decideAll, type DecideDependencies, type Decided } from '../decide.ts';
import { forwardedHeaders, send, xmlPayload } from '../forward.ts';
import type { Performance, PerformDependencies } from '../perform.ts';
import { clientKey, names, placeOf, upstreamKey } from '../place.ts';
import type { Place } from '../routes.ts';
import { unavailable, upstreamOutcome } from '../upstream-error.ts';

/** Most bytes of the upstream's answer: 1,000 entries with keys of 1,024 bytes, escaped. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** So many are decided before others have a turn: a policy made for it takes milliseconds for each. */
const TURN = 8;

export async function deleteObjects(
  { request, document, signal, noteEntries }: Performance,
  dependencies: PerformDependencies,
): Promise<Answer> {
  if (document.kind !== 'delete') throw new Error('DeleteObjects without its document');
  const { objects, quiet } = document.delete;
  const allowed: DeleteEntry[] = [];
  const errors: DeleteErrorEntry[] = [];
  const decisions: DecidedEntry[] = [];
  noteEntries(decisions);
  const now = dependencies.now();
  for (const [index, entry] of objects.entries()) {
    if (index % TURN === TURN - 1) await setImmediate();
    // One after the other: a policy may make the upstream be asked for the tags of each object.
    const decided = await decideEntry(request, entry, now, dependencies);
    decisions.push({ key: entry.key, versionId: entry.versionId, decided });
    if (isAllowed(decided)) allowed.push(entry);
    else errors.push(denied(entry));
  }
  const answer = (
    deleted: readonly DeletedEntry[],
    failed: readonly DeleteErrorEntry[],
    outcome?: UpstreamOutcome,
  ): Answer => ({
    // Some stores, versitygw for one, name what was deleted also to who wants it quiet.
    ...xmlAnswer(
      renderDeleteResult({ deleted: quiet ? [] : deleted, errors: [...errors, ...failed] }),
      outcome,
    ),
    entries: decisions.map(({ key, versionId, decided }) => ({
      key,
      versionId,
      decided,
      // The same key may be there twice, and refused for the sake of an entity tag once.
      errorCode: isAllowed(decided) ? codeFor({ key, versionId }, failed) : 'AccessDenied',
    })),
  });
  if (allowed.length === 0) return answer([], []);
  requireBucket(request, request.bucket);

  const place = placeOf(request);
  const named = allowed.map((entry) => renamed(entry, upstreamKey(place, entry.key)));
  const { payload, headers } = xmlPayload(renderDeleteObjects({ quiet, objects: named }));
  const kept = forwardedHeaders(request).filter(([name]) => name === 'x-amz-bypass-governance-retention');
  const response = await send(request, { payload, signal, headers: [...kept, ...headers] }, dependencies);
  const outcome = upstreamOutcome(response);
  try {
    const result = parseDeleteResult((await response.body.read(MAX_ANSWER_BYTES)).toString('utf8'));
    const deleted = result.deleted.map((entry) => inClientsKey(entry, place));
    const failed = result.errors.map((entry) =>
      withoutUpstreamText(inClientsKey(entry, place), request.bucket),
    );
    return answer(deleted, failed, outcome);
  } catch (error) {
    throw unavailable(outcome, `the upstream's answer is not S3's XML: ${String(error)}`);
  }
}

/** @throws Error for a key that is not below the place's prefix. */
function inClientsKey<T extends { readonly key: string }>(entry: T, place: Place): T {
  const key = clientKey(place, entry.key);
  if (key === undefined) throw new Error('the answer names a key that was not asked for');
  return renamed(entry, key);
}

function renamed<T extends { readonly key: string }>(entry: T, key: string): T {
  return entry.key === key ? entry : { ...entry, key };
}

/** Up to the first refusal of its actions. */
function decideEntry(
  request: Authorized,
  entry: DeleteEntry,
  now: number,
  dependencies: DecideDependencies,
): Promise<readonly Decided[]> {
  const required = requiredEntryActions(request.operation, request.effective, request.address, entry);
  if (required.length === 0) throw new Error('an entry of DeleteObjects that needs no action');
  const options = {
    bucketOf: () => request.bucket,
    body: { entityTag: entry.etag },
    existingTags: request.existingTags,
    now,
  };
  return decideAll(request, required, options, dependencies);
}

function isAllowed(decided: readonly Decided[]): boolean {
  return decided.every(({ decision }) => decision.effect === 'Allow');
}

function codeFor(
  entry: Omit<DecidedEntry, 'decided'>,
  errors: readonly DeleteErrorEntry[],
): string | undefined {
  return errors.find(({ key, versionId }) => key === entry.key && versionId === entry.versionId)?.code;
}

function denied({ key, versionId }: DeleteEntry): DeleteErrorEntry {
  const { code, message } = new S3Error('AccessDenied');
  return { key, ...(versionId !== undefined && { versionId }), code, message };
}

/** The upstream's AccessDenied speaks of the gateway's own account, and its other texts of names that it knows. */
function withoutUpstreamText(error: DeleteErrorEntry, bucket: Authorized['bucket']): DeleteErrorEntry {
  if (error.code === 'AccessDenied') return { ...error, message: new S3Error('AccessDenied').message };
  return bucket !== undefined && names(bucket, error.message) ? { ...error, message: error.code } : error;
}
