/** XML in and out. The only file that knows the XML library; entities are off and the caller caps the input. */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { S3Error } from './error.ts';

export const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/**
 * Content of an element: text, child elements in order, or a list, which repeats the element. A child named
 * `@name` is an attribute of the element; one named `#sequence` is a list of children in place of itself, for
 * elements of different names whose order counts.
 */
export type XmlContent = string | number | boolean | XmlElements | readonly XmlContent[] | undefined;
export interface XmlElements {
  readonly [name: string]: XmlContent;
}

/**
 * Renders a document. Characters that XML 1.0 cannot hold are written as numeric references, as S3 does in
 * listings without `encoding-type=url`.
 */
export function renderXml(
  root: string,
  content: XmlElements | string,
  options: { readonly namespace?: string } = {},
): string {
  const attribute = options.namespace === undefined ? '' : ` xmlns="${escape(options.namespace)}"`;
  const inner = typeof content === 'string' ? escape(content) : renderChildren(content);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${attribute}>${inner}</${root}>`;
}

/** A parsed element: its text, or its children by local name, each a list in document order. */
export interface ParsedElement {
  readonly text: string;
  children(name: string): readonly ParsedElement[];
  /** The only child of that name, undefined when absent. @throws S3Error `MalformedXML` when there are several. */
  child(name: string): ParsedElement | undefined;
  /** Each name once. */
  readonly childNames: readonly string[];
  /** All children, in document order. */
  readonly elements: readonly NamedElement[];
}

interface NamedElement {
  readonly name: string;
  readonly element: ParsedElement;
}

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: false,
  processEntities: false,
  ignoreDeclaration: true,
  cdataPropName: '#cdata',
  textNodeName: '#text',
});

/** A thousand entries of DeleteObjects with all that they may have are 12,000. */
const MAX_TAGS = 20_000;

/**
 * Parses a document whose root has the given local name.
 * @param limits.maxTags opening, closing, comments and instructions: each costs far more than the bytes that it has.
 * @throws S3Error `MalformedXML` for anything not well-formed, another root, a DOCTYPE, CDATA, an entity other than
 * XML's own five and numeric references, or more tags than that.
 */
export function parseXml(
  text: string,
  root: string,
  { maxTags }: { readonly maxTags: number } = { maxTags: MAX_TAGS },
): ParsedElement {
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  let tags = 0;
  for (let at = source.indexOf('<'); at !== -1; at = source.indexOf('<', at + 1))
    if (++tags > maxTags) throw new S3Error('MalformedXML', { reason: `more than ${maxTags} tags` });
  if (source.includes('<!DOCTYPE') || source.includes('<![CDATA[')) throw new S3Error('MalformedXML');
  try {
    if (XMLValidator.validate(source) !== true) throw new S3Error('MalformedXML');
    const document = (parser.parse(source) as readonly ParsedNode[]).filter(isElement);
    const [only] = document;
    if (only === undefined || document.length > 1 || nameOf(only) !== root) throw new S3Error('MalformedXML');
    return toElement(only[root] as readonly ParsedNode[]);
  } catch (error) {
    if (error instanceof S3Error) throw error;
    throw new S3Error('MalformedXML', { cause: error });
  }
}

/** An element is `{ name: its nodes }`, a text is `{ '#text': the text }`. */
type ParsedNode = Readonly<Record<string, readonly ParsedNode[] | string>>;

function nameOf(node: ParsedNode): string {
  for (const name in node) return name;
  return '#text';
}

function isElement(node: ParsedNode): boolean {
  return nameOf(node) !== '#text';
}

function toElement(nodes: readonly ParsedNode[]): ParsedElement {
  let text = '';
  const elements: NamedElement[] = [];
  for (const node of nodes) {
    const name = nameOf(node);
    const content = node[name];
    if (typeof content === 'string') text += content;
    else if (content !== undefined) elements.push({ name, element: toElement(content) });
  }
  const children = (name: string): readonly ParsedElement[] =>
    elements.filter((child) => child.name === name).map(({ element }) => element);
  return {
    text: unescape(text),
    elements,
    children,
    child(name) {
      const list = children(name);
      if (list.length > 1) throw new S3Error('MalformedXML');
      return list[0];
    },
    get childNames() {
      return [...new Set(elements.map(({ name }) => name))];
    },
  };
}

function renderChildren(content: XmlElements): string {
  let out = '';
  for (const name in content)
    if (name === SEQUENCE) out += renderSequence(content[name]);
    else if (!name.startsWith('@')) out += renderElement(name, content[name]);
  return out;
}

const SEQUENCE = '#sequence';

function renderSequence(content: XmlContent): string {
  if (!Array.isArray(content)) throw new Error(`${SEQUENCE} is a list`);
  return content.map((item: XmlContent) => renderChildren(item as XmlElements)).join('');
}

function renderAttributes(content: XmlElements): string {
  let out = '';
  for (const name in content) {
    const value = content[name];
    if (name.startsWith('@') && typeof value === 'string') out += ` ${name.slice(1)}="${escape(value)}"`;
  }
  return out;
}

function renderElement(name: string, content: XmlContent): string {
  if (content === undefined) return '';
  if (Array.isArray(content)) return content.map((item: XmlContent) => renderElement(name, item)).join('');
  if (typeof content !== 'object') return `<${name}>${escape(String(content))}</${name}>`;
  const elements = content as XmlElements;
  return `<${name}${renderAttributes(elements)}>${renderChildren(elements)}</${name}>`;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escape(text: string): string {
  let out = '';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const named = ESCAPES[text[i] as string];
    const numeric = (c < 0x20 && c !== 0x09 && c !== 0x0a) || c === 0x7f || c === 0xfffe || c === 0xffff;
    if (named === undefined && !numeric) continue;
    out += text.slice(from, i) + (named ?? `&#x${c.toString(16)};`);
    from = i + 1;
  }
  return from === 0 ? text : out + text.slice(from);
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescape(text: string): string {
  if (!text.includes('&')) return text;
  return text.replaceAll(/&([^;&]*);?/g, (whole: string, name: string) => {
    const named = Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : undefined;
    const code = /^#(?:(\d{1,7})|x([0-9a-f]{1,6}))$/i.exec(name);
    const point =
      code === null ? Number.NaN : Number.parseInt(code[1] ?? (code[2] as string), code[1] ? 10 : 16);
    if (
      !whole.endsWith(';') ||
      (named === undefined && !(point >= 0 && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff)))
    )
      throw new S3Error('MalformedXML');
    return named ?? String.fromCodePoint(point);
  });
}
