/** ACLs are off: reading one shows the owner's full control, and only what grants nothing more may be written. */
import { grantsOnlyOwner, renderAccessControlPolicy, S3Error } from '../../s3/index.ts';
import { canonicalUserId } from '../canonical-user.ts';
import { emptyAnswer, xmlAnswer, type Answer, type UpstreamOutcome } from '../answer.ts';
import { head } from '../forward.ts';
import type { Performance, PerformDependencies } from '../perform.ts';

export async function getAcl(performance: Performance, dependencies: PerformDependencies): Promise<Answer> {
  const upstream = await assertExists(performance, dependencies);
  const account = performance.request.bucket?.ownerAccount ?? dependencies.accountId;
  return xmlAnswer(renderAccessControlPolicy(canonicalUserId(account)), upstream);
}

/** Source: User Guide, "Controlling ownership of objects and disabling ACLs for your bucket". */
export async function putAcl(performance: Performance, dependencies: PerformDependencies): Promise<Answer> {
  const { document, request } = performance;
  const text = document.kind === 'text' ? document.text : '';
  const ownerId = canonicalUserId(request.bucket?.ownerAccount ?? dependencies.accountId);
  // Canned ACLs that grant more were refused before; a document may say what `bucket-owner-full-control` does.
  const harmless =
    text.trim() === '' ? request.effective.headers.has('x-amz-acl') : grantsOnlyOwner(text, ownerId);
  if (!harmless) throw new S3Error('AccessControlListNotSupported');
  const upstream = await assertExists(performance, dependencies);
  return { ...emptyAnswer(200, ['content-length', '0']), upstream };
}

/** An ACL of nothing is `NoSuchKey` or `NoSuchBucket`. */
function assertExists(
  { request, signal }: Performance,
  dependencies: PerformDependencies,
): Promise<UpstreamOutcome> {
  const query = request.effective.query.filter(({ name }) => name === 'versionId');
  return head(request, { signal, query }, dependencies);
}
