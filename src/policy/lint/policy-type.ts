/** Which kind of policy a document is, told from the document. */
import type { PolicyType } from '../error.ts';
import { readJson, type JsonNode, type JsonObject } from '../json.ts';

/**
 * With a Principal it belongs to a bucket, or to a role when it names no resource and no action of S3. Without one it
 * is taken for an identity policy: session policies and boundaries have the same form.
 *
 * @throws PolicyError when it is not JSON.
 */
export function detectPolicyType(text: string): PolicyType {
  const statements = statementNodes(readJson(text, 'identity')).filter((node) => node.kind === 'object');
  const has = (name: string): boolean =>
    statements.some(({ members }) => members.some(({ key }) => key === name || key === `Not${name}`));
  if (!has('Principal')) return 'identity';
  const speaksOfS3 = statements.some(({ members }) =>
    members.some(
      ({ key, value }) => key === 'Action' && texts(value).some((each) => /^(?:s3:|\*$)/i.test(each)),
    ),
  );
  return has('Resource') || speaksOfS3 ? 'resource' : 'trust';
}

/** The elements of `Statement`; a lone one counts as a list of one. */
export function statementNodes(root: JsonObject): readonly JsonNode[] {
  const node = root.members.find(({ key }) => key === 'Statement')?.value;
  if (node === undefined) return [];
  return node.kind === 'array' ? node.items : [node];
}

function texts(node: JsonNode): readonly string[] {
  const nodes = node.kind === 'array' ? node.items : [node];
  return nodes.flatMap((each) => (each.kind === 'string' ? [each.text] : []));
}
