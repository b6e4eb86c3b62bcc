/**
 * Small XML documents by schema: what a client sends is read strictly, and what goes upstream is written anew from what
 * was read. An element that the schema does not have is refused, never passed on.
 */
import { S3Error } from './error.ts';
import type { OperationSwitch, SwitchedPart } from './operation-switch.ts';
import { parseXml, renderXml, S3_NAMESPACE, type ParsedElement, type XmlElements } from './xml.ts';

/** What a text may be. */
interface TextSchema {
  readonly kind: 'text';
  /** Without `values` too: any text, which is then kept with its white space. */
  readonly pattern?: RegExp;
  readonly values?: readonly string[];
  /** Those of `values` that need a switch. */
  readonly switched?: Readonly<Record<string, OperationSwitch>>;
  /** Values of S3 that are never done here, each with the reason. */
  readonly refused?: Readonly<Record<string, string>>;
}

interface ElementsSchema {
  readonly kind: 'elements';
  readonly children: Readonly<Record<string, Child>>;
}

/** Never done here: refused, with the reason. */
interface RefusedSchema {
  readonly kind: 'refused';
  readonly reason: string;
}

type Schema = TextSchema | ElementsSchema | RefusedSchema;

interface Child {
  readonly schema: Schema;
  readonly required: boolean;
  readonly many: boolean;
  readonly needs?: OperationSwitch;
}

export interface DocumentSchema {
  /** Local name of the root. */
  readonly root: string;
  readonly content: ElementsSchema;
}

/** A document that was understood. */
export interface SettingsDocument {
  /** As it goes upstream. */
  readonly xml: string;
  /** What of it needs a switch. */
  readonly switched: readonly SwitchedPart[];
  /** The text at a path of element names below the root, of each element there. */
  texts(...path: readonly string[]): readonly string[];
}

/**
 * @throws S3Error `MalformedXML` for anything that the schema does not have, `NotImplemented` for what is refused on
 * purpose.
 */
export function parseSettings(text: string, { root, content }: DocumentSchema): SettingsDocument {
  const element = parseXml(text, root);
  const switched: SwitchedPart[] = [];
  const understood = readElements(element, content, { path: root, switched });
  return {
    xml: renderXml(root, understood, { namespace: S3_NAMESPACE }),
    switched,
    texts: (...path) =>
      path
        .reduce<readonly ParsedElement[]>(
          (found, name) => found.flatMap((parent) => parent.children(name)),
          [element],
        )
        .map((found) => found.text.trim()),
  };
}

export function document(root: string, children: Readonly<Record<string, Child>>): DocumentSchema {
  return { root, content: elements(children) };
}

export function elements(children: Readonly<Record<string, Child>>): ElementsSchema {
  return { kind: 'elements', children };
}

export const text: TextSchema = { kind: 'text' };
/** Up to what S3 takes for an object's size. */
export const integer: TextSchema = { kind: 'text', pattern: /^-?\d{1,18}$/ };
export const boolean: TextSchema = { kind: 'text', pattern: /^(?:true|false)$/i };
/** ISO 8601, as S3 and its SDKs write it. */
export const date: TextSchema = {
  kind: 'text',
  pattern: /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)?$/,
};

/** A word of a list that the upstream knows better: storage classes, events. */
export const word: TextSchema = { kind: 'text', pattern: /^[A-Za-z0-9:*_-]{1,100}$/ };

export function oneOf(...values: readonly string[]): TextSchema {
  return { kind: 'text', values };
}

/** As `oneOf`, with values that are refused on purpose. */
export function oneOfThese(
  values: readonly string[],
  refusedValues: Readonly<Record<string, string>>,
): TextSchema {
  return { kind: 'text', values, refused: refusedValues };
}

/** As `oneOf`, with values that need a switch. */
export function switchedValues(
  values: readonly string[],
  switched: Readonly<Record<string, OperationSwitch>>,
): TextSchema {
  return { kind: 'text', values: [...values, ...Object.keys(switched)], switched };
}

export function refused(reason: string): Child {
  return { schema: { kind: 'refused', reason }, required: false, many: false };
}

export function required(schema: Schema): Child {
  return { schema, required: true, many: false };
}

export function optional(schema: Schema, needs?: OperationSwitch): Child {
  return { schema, required: false, many: false, ...(needs !== undefined && { needs }) };
}

export function any(schema: Schema): Child {
  return { schema, required: false, many: true };
}

export function some(schema: Schema): Child {
  return { schema, required: true, many: true };
}

interface Reading {
  /** Names from the root on, for messages. */
  readonly path: string;
  readonly switched: SwitchedPart[];
}

/** In the order of the document: the same elements of another order are another document to some stores. */
function readElements(parent: ParsedElement, schema: ElementsSchema, reading: Reading): XmlElements {
  if (parent.text.trim() !== '') throw malformed(`text in \`${reading.path}\``);
  const seen = new Set<string>();
  const sequence: XmlElements[] = [];
  for (const { name, element } of parent.elements) {
    const path = `${reading.path}/${name}`;
    const child = Object.hasOwn(schema.children, name) ? schema.children[name] : undefined;
    if (child === undefined) throw malformed(`unknown element \`${path}\``);
    if (seen.has(name) && !child.many) throw malformed(`more than one \`${path}\``);
    const content = readContent(element, child, { ...reading, path });
    if (content === undefined) continue;
    seen.add(name);
    if (child.needs !== undefined) reading.switched.push({ needs: child.needs, part: `element \`${path}\`` });
    sequence.push({ [name]: content });
  }
  for (const [name, child] of Object.entries(schema.children))
    if (child.required && !seen.has(name)) throw malformed(`no \`${reading.path}/${name}\``);
  return { '#sequence': sequence };
}

/** Undefined for an optional one that is empty: some clients send an element for every field that they have. */
function readContent(
  element: ParsedElement,
  { schema, required: isRequired }: Child,
  reading: Reading,
): string | XmlElements | undefined {
  switch (schema.kind) {
    case 'elements':
      return readElements(element, schema, reading);
    case 'refused':
      throw notImplemented(`element \`${reading.path}\``, schema.reason);
    case 'text': {
      if (element.elements.length > 0) throw malformed(`elements in \`${reading.path}\``);
      if (schema.pattern === undefined && schema.values === undefined) return element.text;
      const value = element.text.trim();
      if (value === '' && !isRequired) return undefined;
      const reason = schema.refused?.[value];
      if (reason !== undefined) throw notImplemented(`value \`${value}\` of \`${reading.path}\``, reason);
      if (schema.pattern?.test(value) === false || schema.values?.includes(value) === false)
        throw malformed(`\`${reading.path}\` cannot be \`${value.slice(0, 100)}\``);
      const needs = schema.switched?.[value];
      if (needs !== undefined)
        reading.switched.push({ needs, part: `value \`${value}\` of \`${reading.path}\`` });
      return value;
    }
  }
}

function notImplemented(part: string, reason: string): S3Error {
  return new S3Error('NotImplemented', { message: `The ${part} is not implemented: ${reason}.` });
}

function malformed(reason: string): S3Error {
  return new S3Error('MalformedXML', { reason });
}
