/** The request as it came over the wire, parsed once; every later stage reads this value and nothing else. */
import { S3Error } from './error.ts';
import { decodeUri } from './uri.ts';

export interface QueryParameter {
  /** Percent-decoded once; `+` stays a plus. */
  readonly name: string;
  /** Percent-decoded once; empty for `?acl` as for `?acl=`. */
  readonly value: string;
}

export interface WireRequest {
  readonly method: string;
  /** The request target, byte for byte. */
  readonly target: string;
  /** The path of the target, percent-decoded once and never normalised. Starts with `/`. */
  readonly path: string;
  /** In wire order, duplicates included. */
  readonly query: readonly QueryParameter[];
  readonly headers: WireHeaders;
}

/** Header fields by lower-case name; duplicates are joined with `,` in wire order, as SigV4 joins them. */
export class WireHeaders {
  readonly #fields: ReadonlyMap<string, string>;
  readonly #raw: readonly string[];

  /** @param rawHeaders name, value, name, value… as Node gives them: latin1 characters, one per byte. */
  constructor(rawHeaders: readonly string[]) {
    const fields = new Map<string, string>();
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      const name = (rawHeaders[i] as string).toLowerCase();
      const value = rawHeaders[i + 1] as string;
      const before = fields.get(name);
      fields.set(name, before === undefined ? value : `${before},${value}`);
    }
    this.#fields = fields;
    this.#raw = rawHeaders;
  }

  /** Resolves to undefined for an absent field; a present but empty one is the empty string. */
  get(name: string): string | undefined {
    return this.#fields.get(name);
  }

  has(name: string): boolean {
    return this.#fields.has(name);
  }

  entries(): IterableIterator<[string, string]> {
    return this.#fields.entries();
  }

  names(): IterableIterator<string> {
    return this.#fields.keys();
  }

  /** Whether some field came more than once. */
  get hasDuplicates(): boolean {
    return this.#fields.size * 2 < this.#raw.length;
  }

  /** How often a field came. @param name lower-case. */
  count(name: string): number {
    let count = 0;
    for (let i = 0; i + 1 < this.#raw.length; i += 2)
      if ((this.#raw[i] as string).toLowerCase() === name) count++;
    return count;
  }

  /** These fields and some more. @param rawHeaders name, value, name, value… as in the constructor. */
  with(rawHeaders: readonly string[]): WireHeaders {
    return new WireHeaders([...this.#raw, ...rawHeaders]);
  }
}

/**
 * Parses an origin-form request target and its headers.
 * @throws S3Error `InvalidURI` for a target that is not origin-form, a broken escape, or bytes that are not UTF-8.
 */
export function parseWireRequest(method: string, target: string, rawHeaders: readonly string[]): WireRequest {
  if (!target.startsWith('/') || target.includes('#')) throw new S3Error('InvalidURI');
  const mark = target.indexOf('?');
  const path = decodeUri(mark === -1 ? target : target.slice(0, mark));
  if (path === undefined) throw new S3Error('InvalidURI');
  return {
    method,
    target,
    path,
    query: mark === -1 ? [] : parseQuery(target.slice(mark + 1)),
    headers: new WireHeaders(rawHeaders),
  };
}

/** The first value of a parameter; undefined when absent. */
export function queryValue(query: readonly QueryParameter[], name: string): string | undefined {
  for (const parameter of query) if (parameter.name === name) return parameter.value;
  return undefined;
}

function parseQuery(text: string): readonly QueryParameter[] {
  const parameters: QueryParameter[] = [];
  for (const part of text.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = decodeUri(equals === -1 ? part : part.slice(0, equals));
    const value = equals === -1 ? '' : decodeUri(part.slice(equals + 1));
    if (name === undefined || value === undefined) throw new S3Error('InvalidURI');
    parameters.push({ name, value });
  }
  return parameters;
}
