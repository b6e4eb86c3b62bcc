/**
 * An index over the resources of statements: a radix tree whose edges spell how the patterns begin, up to their first
 * wildcard or variable. The way that an ARN takes through it meets every statement that can match, and few others.
 */

import type { ArnMatcher } from './arn.ts';
import type { CompiledStatement } from './compile.ts';
import { PrincipalIndex } from './index-principal.ts';

/** A statement that may match, and what of its resources remains to be tested. */
export interface Candidate {
  readonly statement: CompiledStatement;
  /** One has to match; undefined when the beginning, which the index has compared, was enough. */
  readonly tests: readonly ArnMatcher[] | undefined;
}

/** The candidates for one resource, each list in the order of the documents. */
export interface Candidates {
  readonly deny: readonly Candidate[];
  readonly allow: readonly Candidate[];
  /** Of many, by whom they name. */
  readonly denyByPrincipal?: PrincipalIndex<Candidate> | undefined;
  readonly allowByPrincipal?: PrincipalIndex<Candidate> | undefined;
}

export const NO_CANDIDATES: Candidates = {
  deny: [],
  allow: [],
  denyByPrincipal: undefined,
  allowByPrincipal: undefined,
};

/** More would rather be put together anew for each request than be kept. */
const MAX_KEPT = 100_000;

export class ResourceIndex {
  /** In the order of the documents. */
  readonly statements: readonly CompiledStatement[];
  readonly #root = new Node('', undefined);
  #kept = 0;

  constructor(statements: readonly CompiledStatement[]) {
    this.statements = statements;
    for (const statement of statements) {
      const { resources } = statement;
      if (resources.negated) {
        // What does not match can begin with anything.
        const test: ArnMatcher = (arn, context) => resources.matches(arn, context);
        this.#root.own.push({ statement, test });
        continue;
      }
      for (const { literal, rest } of resources.patterns) {
        nodeOf(this.#root, literal).own.push({ statement, test: rest });
      }
    }
  }

  along(resource: string): Candidates {
    let node = this.#root;
    let last = node;
    let at = 0;
    for (;;) {
      const child = node.children?.get(resource.charCodeAt(at));
      if (child === undefined || !continues(resource, child.label, at)) break;
      at += child.label.length;
      node = child;
      if (node.own.length > 0) last = node;
    }
    if (last.along !== undefined) return last.along;
    const along = collect(last);
    const size = along.deny.length + along.allow.length;
    if (this.#kept + size <= MAX_KEPT) {
      this.#kept += size;
      last.along = along;
    }
    return along;
  }
}

/** One pattern of a statement; without a test, an ARN that begins like it matches. */
interface Entry {
  readonly statement: CompiledStatement;
  readonly test: ArnMatcher | undefined;
}

class Node {
  /** What the edge from the parent spells. */
  label: string;
  parent: Node | undefined;
  /** By the first UTF-16 unit of their label. */
  children: Map<number, Node> | undefined;
  /** Those whose literal beginning ends here. */
  readonly own: Entry[] = [];
  /** `own` and those of all the nodes above; made when it is first needed. */
  along: Candidates | undefined;

  constructor(label: string, parent: Node | undefined) {
    this.label = label;
    this.parent = parent;
    this.children = undefined;
    this.along = undefined;
  }

  adopt(child: Node): void {
    child.parent = this;
    this.children ??= new Map();
    this.children.set(child.label.charCodeAt(0), child);
  }
}

/** `text.startsWith(label, at)`, which costs more for labels as short as most are. */
function continues(text: string, label: string, at: number): boolean {
  if (at + label.length > text.length) return false;
  for (let index = 0; index < label.length; index += 1) {
    if (text.charCodeAt(at + index) !== label.charCodeAt(index)) return false;
  }
  return true;
}

/** The node at which `text` ends, made if need be. */
function nodeOf(root: Node, text: string): Node {
  let node = root;
  let at = 0;
  while (at < text.length) {
    const child = node.children?.get(text.charCodeAt(at));
    if (child === undefined) {
      const leaf = new Node(text.slice(at), node);
      node.adopt(leaf);
      return leaf;
    }
    const common = commonLength(child.label, text, at);
    node = common === child.label.length ? child : split(node, child, common);
    at += common;
  }
  return node;
}

/** Puts a node between the two, behind the first `length` units of the label. */
function split(parent: Node, child: Node, length: number): Node {
  const between = new Node(child.label.slice(0, length), parent);
  parent.adopt(between);
  child.label = child.label.slice(length);
  between.adopt(child);
  return between;
}

function commonLength(label: string, text: string, from: number): number {
  let length = 0;
  while (length < label.length && label.charCodeAt(length) === text.charCodeAt(from + length)) length += 1;
  return length;
}

/** One candidate for each statement, however many of its patterns lie on the way. */
function collect(node: Node): Candidates {
  const testsOf = new Map<CompiledStatement, ArnMatcher[]>();
  const certain = new Set<CompiledStatement>();
  for (let at: Node | undefined = node; at !== undefined; at = at.parent) {
    for (const { statement, test } of at.own) {
      const tests = testsOf.get(statement);
      if (test === undefined) certain.add(statement);
      if (tests === undefined) testsOf.set(statement, test === undefined ? [] : [test]);
      else if (test !== undefined) tests.push(test);
    }
  }
  const inOrder = [...testsOf.keys()].sort((left, right) => left.order - right.order);
  const ofEffect = (effect: 'Allow' | 'Deny'): Candidate[] =>
    inOrder
      .filter(({ source }) => source.effect === effect)
      .map((statement) => ({
        statement,
        tests: certain.has(statement) ? undefined : testsOf.get(statement),
      }));
  const deny = ofEffect('Deny');
  const allow = ofEffect('Allow');
  return {
    deny,
    allow,
    denyByPrincipal: PrincipalIndex.of(deny),
    allowByPrincipal: PrincipalIndex.of(allow),
  };
}
