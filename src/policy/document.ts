/** A policy document: JSON text to checked statements. */

import { createHash } from 'node:crypto';
import { checkArnPattern } from './arn.ts';
import { checkBucketPolicy } from './bucket-policy.ts';
import type { Condition } from './condition.ts';
import { PolicyError, type PolicyType, type Position } from './error.ts';
import { readJson, type JsonNode, type JsonObject } from './json.ts';
import { parseOperator } from './operators.ts';
import { parsePrincipal, type PrincipalPattern } from './principal.ts';

type PolicyVersion = '2008-10-17' | '2012-10-17';

export interface PolicyDocument {
  readonly type: PolicyType;
  readonly version: PolicyVersion;
  readonly id: string | undefined;
  readonly statements: readonly Statement[];
  /** The first 12 hex digits of the text's SHA-256: tells in a record which text was in force. */
  readonly fingerprint: string;
}

export interface Statement {
  readonly sid: string | undefined;
  readonly effect: 'Allow' | 'Deny';
  /** Undefined in policies that are attached to an identity. */
  readonly principals: Selection<LocatedPrincipal> | undefined;
  readonly actions: Selection<LocatedText>;
  /** Undefined in trust policies. */
  readonly resources: Selection<LocatedText> | undefined;
  readonly conditions: readonly LocatedCondition[];
  readonly position: Position;
}

/** An element with its `Not` form. */
interface Selection<Item> {
  readonly negated: boolean;
  readonly items: readonly Item[];
  readonly position: Position;
}

export interface LocatedText {
  readonly text: string;
  readonly position: Position;
}

export interface LocatedCondition extends Condition {
  /** The operator as it is written. */
  readonly name: string;
  readonly position: Position;
}

interface LocatedPrincipal {
  readonly pattern: PrincipalPattern;
  /** The value as it is written. */
  readonly text: string;
  readonly position: Position;
}

export interface ParsePolicyOptions {
  readonly type: PolicyType;
  /** For a bucket policy: the bucket that it is for. Without it, any bucket's resources are accepted. */
  readonly bucket?: string;
}

/**
 * Parses and checks a document. What is returned can be compiled and evaluated.
 * Throws PolicyError for the first thing wrong.
 */
export function parsePolicy(text: string, options: ParsePolicyOptions): PolicyDocument {
  const { type } = options;
  const limit = type === 'resource' ? MAX_BUCKET_POLICY_BYTES : MAX_OTHER_BYTES;
  const size = Buffer.byteLength(text);
  if (size > limit) {
    throw new PolicyError('Policy exceeds the maximum allowed document size.', {
      type,
      position: { line: 1, column: 1 },
      detail: `the document has ${size} bytes, the limit is ${limit}; use wildcards or fewer statements`,
    });
  }
  const fingerprint = createHash('sha256').update(text).digest('hex').slice(0, 12);
  const document = { ...new DocumentReader(type).document(readJson(text, type)), fingerprint };
  if (type === 'resource') checkBucketPolicy(document, options.bucket);
  return document;
}

/** Source: S3 User Guide, "Policies and permissions in Amazon S3": bucket policies are limited to 20 KB. */
const MAX_BUCKET_POLICY_BYTES = 20 * 1024;
/** Bounds memory; the quotas of IAM are smaller and belong to its API. */
const MAX_OTHER_BYTES = 1024 * 1024;

const ROOT_ELEMENTS = ['Version', 'Id', 'Statement'];
const STATEMENT_ELEMENTS = [
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
];
const UNPREFIXED = 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.';

class DocumentReader {
  readonly #type: PolicyType;
  #version: PolicyVersion = '2008-10-17';

  constructor(type: PolicyType) {
    this.#type = type;
  }

  document(root: JsonObject): Omit<PolicyDocument, 'fingerprint'> {
    const elements = this.#elements(root, ROOT_ELEMENTS);
    this.#version = this.#readVersion(elements.get('Version'));
    const id = this.#optionalText(elements.get('Id'), 'Id');
    const statement = elements.get('Statement');
    if (statement === undefined) throw this.#missing('Statement', root.position);
    const nodes = statement.kind === 'array' ? statement.items : [statement];
    if (nodes.length === 0 && this.#isResource) {
      throw this.#refuse(
        'Statement is empty!',
        statement.position,
        'write a statement, or delete the policy',
      );
    }
    const statements = nodes.map((node) => this.#statement(node));
    if (!this.#isResource) this.#assertUniqueSids(statements);
    return { type: this.#type, version: this.#version, id, statements };
  }

  #readVersion(node: JsonNode | undefined): PolicyVersion {
    if (node === undefined) return '2008-10-17';
    if (node.kind === 'string' && (node.text === '2012-10-17' || node.text === '2008-10-17')) {
      return node.text;
    }
    throw this.#refuse(
      'The policy must contain a valid version string',
      node.position,
      'write `"Version": "2012-10-17"`',
    );
  }

  #statement(node: JsonNode): Statement {
    if (node.kind !== 'object') throw this.#syntax(node.position, 'a statement is an object');
    const elements = this.#elements(node, STATEMENT_ELEMENTS);
    const sid = this.#sid(elements.get('Sid'));
    const effect = this.#effect(elements.get('Effect'), node.position);
    const principals = this.#principals(elements, node.position);
    if (principals?.negated === true && effect === 'Allow') {
      throw this.#refuse(
        'Allow with NotPrincipal is not allowed.',
        principals.position,
        '`NotPrincipal` with `Allow` grants to everyone else, anonymous callers included; name the callers in `Principal`',
      );
    }
    return {
      sid,
      effect,
      principals,
      actions: this.#actions(elements, node.position),
      resources: this.#resources(elements, node.position),
      conditions: this.#conditions(elements.get('Condition')),
      position: node.position,
    };
  }

  #sid(node: JsonNode | undefined): string | undefined {
    const sid = this.#optionalText(node, 'Sid');
    if (node !== undefined && sid !== undefined && !this.#isResource && !/^[0-9A-Za-z]*$/.test(sid)) {
      throw this.#refuse(
        'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*',
        node.position,
        `\`${sid}\` has other characters; remove them`,
      );
    }
    return sid === '' ? undefined : sid;
  }

  #assertUniqueSids(statements: readonly Statement[]): void {
    const seen = new Set<string>();
    for (const { sid, position } of statements) {
      if (sid === undefined) continue;
      if (seen.has(sid)) {
        throw this.#refuse(
          'Statement IDs (SID) in a single policy must be unique.',
          position,
          `\`${sid}\` stands in two statements; rename one`,
        );
      }
      seen.add(sid);
    }
  }

  #effect(node: JsonNode | undefined, position: Position): 'Allow' | 'Deny' {
    if (node === undefined) throw this.#missing('Effect', position);
    if (node.kind === 'string' && (node.text === 'Allow' || node.text === 'Deny')) return node.text;
    const found = 'text' in node ? node.text : node.kind;
    throw this.#refuse(`Invalid effect: ${found}`, node.position, 'write `Allow` or `Deny`, in this case');
  }

  #principals(elements: Elements, position: Position): Selection<LocatedPrincipal> | undefined {
    const element = this.#oneOf(elements, 'Principal', position);
    if (this.#type !== 'resource' && this.#type !== 'trust') {
      if (element === undefined) return undefined;
      throw this.#refuse(
        'Policy document should not specify a principal.',
        element.node.position,
        'the policy speaks of the identity that it is attached to; remove the element',
      );
    }
    if (element === undefined) throw this.#missing('Principal', position);
    const { node, negated } = element;
    if (node.kind === 'string') {
      if (node.text !== '*') throw this.#invalidPrincipal(node.text, node.position);
      const everyone = { pattern: { kind: 'everyone' }, text: '*', position: node.position } as const;
      return { negated, items: [everyone], position: node.position };
    }
    if (node.kind !== 'object') throw this.#invalidPrincipal(node.kind, node.position);
    const items = node.members.flatMap((member) =>
      this.#texts(member.value).map(({ text, position: at }) => {
        const pattern = parsePrincipal(member.key, text);
        if (pattern === undefined) throw this.#invalidPrincipal(`"${member.key}": "${text}"`, at);
        return { pattern, text, position: at };
      }),
    );
    if (items.length === 0) throw this.#invalidPrincipal('{}', node.position);
    return { negated, items, position: node.position };
  }

  #actions(elements: Elements, position: Position): Selection<LocatedText> {
    const element = this.#oneOf(elements, 'Action', position);
    if (element === undefined) throw this.#missing('Action', position);
    const items = this.#texts(element.node);
    if (items.length === 0 && this.#isResource) throw this.#missing('Action', element.node.position);
    if (!this.#isResource) for (const item of items) this.#assertAction(item);
    return { negated: element.negated, items, position: element.node.position };
  }

  #assertAction({ text, position }: LocatedText): void {
    if (text === '*') return;
    const colon = text.indexOf(':');
    if (colon < 1 || colon === text.length - 1) {
      throw this.#refuse(
        UNPREFIXED,
        position,
        `\`${text}\` has no service prefix; write \`s3:${text.replace(/^s3[^a-z]*/i, '')}\``,
      );
    }
    if (text.includes(':', colon + 1)) {
      throw this.#refuse('Actions/Condition can contain only one colon.', position, `\`${text}\` has more`);
    }
  }

  #resources(elements: Elements, position: Position): Selection<LocatedText> | undefined {
    const element = this.#oneOf(elements, 'Resource', position);
    if (this.#type === 'trust') {
      if (element === undefined) return undefined;
      throw this.#refuse(
        'Has prohibited field Resource',
        element.node.position,
        'a trust policy speaks of the role that it belongs to; remove the element',
      );
    }
    if (element === undefined) throw this.#missing('Resource', position);
    const items = this.#texts(element.node);
    if (items.length === 0 && this.#isResource) throw this.#missing('Resource', element.node.position);
    for (const item of items) {
      const wrong = checkArnPattern(item.text, { variables: this.#hasVariables });
      if (wrong === undefined) continue;
      throw this.#refuse(
        this.#isResource
          ? 'Policy has invalid resource'
          : `Resource ${item.text} must be in ARN format or "*".`,
        item.position,
        `${wrong}; write \`arn:aws:s3:::BUCKET\` or \`arn:aws:s3:::BUCKET/KEY\``,
      );
    }
    return { negated: element.negated, items, position: element.node.position };
  }

  #conditions(node: JsonNode | undefined): LocatedCondition[] {
    if (node === undefined) return [];
    if (node.kind !== 'object') throw this.#syntax(node.position, '`Condition` is an object of operators');
    return node.members.flatMap(({ key: name, position, value }) => {
      const use = parseOperator(name);
      if (use === undefined) {
        throw this.#refuse(
          `Invalid Condition type : ${name}`,
          position,
          `\`${name}\` is not a condition operator; see "IAM JSON policy elements: Condition operators"`,
        );
      }
      if (value.kind !== 'object') {
        throw this.#syntax(value.position, `\`${name}\` takes an object of condition keys`);
      }
      return value.members.map((member) => {
        if (!/^[^:]+:./.test(member.key)) {
          throw this.#refuse(
            this.#isResource ? 'Policy has an invalid condition key' : UNPREFIXED,
            member.position,
            `\`${member.key}\` has no service prefix; write \`aws:...\` or \`s3:...\``,
          );
        }
        const values = this.#conditionValues(member.value);
        for (const each of values) {
          const compiled = use.operator.compile(each.text, { variables: this.#hasVariables });
          if (typeof compiled !== 'function') {
            throw this.#syntax(each.position, `\`${name}\` cannot compare with it: ${compiled.invalid}`);
          }
        }
        return {
          use,
          name,
          key: member.key,
          values: values.map(({ text }) => text),
          position: member.position,
        };
      });
    });
  }

  #conditionValues(node: JsonNode): LocatedText[] {
    const nodes = node.kind === 'array' ? node.items : [node];
    if (nodes.length === 0 && this.#isResource) {
      throw this.#syntax(node.position, 'a condition without values never holds; write one or remove it');
    }
    return nodes.map((each) => {
      if (each.kind === 'string' || each.kind === 'boolean') return each;
      if (each.kind !== 'number') {
        throw this.#syntax(each.position, 'a condition value is a string, a number or a boolean');
      }
      return { text: /e/i.test(each.text) ? String(Number(each.text)) : each.text, position: each.position };
    });
  }

  /** X or NotX; undefined if neither is there. */
  #oneOf(
    elements: Elements,
    name: 'Principal' | 'Action' | 'Resource',
    position: Position,
  ): { readonly node: JsonNode; readonly negated: boolean } | undefined {
    const plain = elements.get(name);
    const not = elements.get(`Not${name}`);
    if (plain !== undefined && not !== undefined) {
      throw this.#syntax(position, `the statement has \`${name}\` and \`Not${name}\`; keep one of them`);
    }
    if (not !== undefined) return { node: not, negated: true };
    return plain === undefined ? undefined : { node: plain, negated: false };
  }

  #elements(node: JsonObject, known: readonly string[]): Elements {
    const elements = new Map<string, JsonNode>();
    for (const { key, position, value } of node.members) {
      if (!known.includes(key)) {
        throw this.#refuse(
          `Unknown field ${key}`,
          position,
          `\`${key}\` is not an element here; the elements are ${known.join(', ')}`,
        );
      }
      elements.set(key, value);
    }
    return elements;
  }

  #texts(node: JsonNode): LocatedText[] {
    const nodes = node.kind === 'array' ? node.items : [node];
    return nodes.map((each) => {
      if (each.kind !== 'string') throw this.#syntax(each.position, 'a string is expected here');
      return each;
    });
  }

  #optionalText(node: JsonNode | undefined, name: string): string | undefined {
    if (node === undefined) return undefined;
    if (node.kind !== 'string') throw this.#syntax(node.position, `\`${name}\` is a string`);
    return node.text;
  }

  get #isResource(): boolean {
    return this.#type === 'resource';
  }

  get #hasVariables(): boolean {
    return this.#version === '2012-10-17';
  }

  #missing(field: string, position: Position): PolicyError {
    const identity = this.#type !== 'resource' && this.#type !== 'trust';
    const sentence =
      identity && field === 'Action'
        ? 'Policy statement must contain actions.'
        : identity && field === 'Resource'
          ? 'Policy statement must contain resources.'
          : `Missing required field ${field}`;
    return this.#refuse(sentence, position, `add \`"${field}"\``);
  }

  #invalidPrincipal(found: string, position: Position): PolicyError {
    return this.#refuse(
      'Invalid principal in policy',
      position,
      `\`${found}\` is not a principal; write \`"*"\`, or \`"AWS"\` with an account id or the ARN of a user, role or session, ` +
        'without wildcards (groups are never principals)',
    );
  }

  #syntax(position: Position, detail: string): PolicyError {
    return this.#refuse(
      this.#isResource ? 'Invalid policy syntax.' : 'Syntax errors in policy.',
      position,
      detail,
    );
  }

  #refuse(sentence: string, position: Position, detail: string): PolicyError {
    return new PolicyError(sentence, { type: this.#type, position, detail });
  }
}

type Elements = ReadonlyMap<string, JsonNode>;
