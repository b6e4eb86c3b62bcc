/**
 * A strict JSON reader (RFC 8259) that keeps positions. Stricter than JSON.parse where a policy could mean one thing
 * to its author and another to the engine: a key may not repeat, not even in another case, and nesting is bounded.
 */

import { PolicyError, type PolicyType, type Position } from './error.ts';

export type JsonNode = JsonObject | JsonArray | JsonText | JsonLiteral;

export interface JsonObject {
  readonly kind: 'object';
  readonly position: Position;
  readonly members: readonly JsonMember[];
}

interface JsonMember {
  readonly key: string;
  readonly position: Position;
  readonly value: JsonNode;
}

interface JsonArray {
  readonly kind: 'array';
  readonly position: Position;
  readonly items: readonly JsonNode[];
}

interface JsonText {
  readonly kind: 'string';
  readonly position: Position;
  readonly text: string;
}

interface JsonLiteral {
  readonly kind: 'number' | 'boolean' | 'null';
  readonly position: Position;
  /** As it is written in the document. */
  readonly text: string;
}

const MAX_DEPTH = 32;
export const INVALID_JSON = "Policies must be valid JSON and the first byte must be '{'";

/** Reads a document whose first character must be `{`. Throws PolicyError. */
export function readJson(text: string, type: PolicyType): JsonObject {
  return new JsonReader(text, type).document();
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

class JsonReader {
  readonly #text: string;
  readonly #type: PolicyType;
  #at = 0;
  #line = 1;
  #lineStart = 0;

  constructor(text: string, type: PolicyType) {
    this.#text = text;
    this.#type = type;
  }

  document(): JsonObject {
    if (this.#text[0] !== '{') {
      throw this.#refuse(whyNoBrace(this.#text));
    }
    const root = this.#object(1);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unexpected('after the end of the document');
    return root;
  }

  #value(depth: number): JsonNode {
    const position = this.#position();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return { kind: 'string', position, text: this.#string() };
      case 't':
        return this.#word('true', 'boolean');
      case 'f':
        return this.#word('false', 'boolean');
      case 'n':
        return this.#word('null', 'null');
      case undefined:
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonObject {
    const position = this.#position();
    this.#assertDepth(depth);
    const members: JsonMember[] = [];
    const seen = new Set<string>();
    this.#at += 1;
    this.#skipSpace();
    while (this.#text[this.#at] !== '}') {
      if (members.length > 0) this.#expect(',');
      const keyPosition = this.#position();
      if (this.#text[this.#at] !== '"') throw this.#unexpected('where a key in double quotes is expected');
      const key = this.#string();
      const folded = key.toLowerCase();
      if (seen.has(folded)) {
        throw this.#refuse(
          `the key \`${key}\` occurs twice in one object (case does not tell keys apart); merge the two or remove one`,
          keyPosition,
        );
      }
      seen.add(folded);
      this.#skipSpace();
      this.#expect(':');
      members.push({ key, position: keyPosition, value: this.#value(depth + 1) });
      this.#skipSpace();
    }
    this.#at += 1;
    return { kind: 'object', position, members };
  }

  #array(depth: number): JsonArray {
    const position = this.#position();
    this.#assertDepth(depth);
    const items: JsonNode[] = [];
    this.#at += 1;
    this.#skipSpace();
    while (this.#text[this.#at] !== ']') {
      if (items.length > 0) this.#expect(',');
      items.push(this.#value(depth + 1));
      this.#skipSpace();
    }
    this.#at += 1;
    return { kind: 'array', position, items };
  }

  #string(): string {
    const position = this.#position();
    this.#at += 1;
    let value = '';
    let start = this.#at;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) throw this.#unexpected('inside a string');
      if (character < ' ') throw this.#unexpected('inside a string; write it as an escape');
      if (character === '"') break;
      if (character === '\\') {
        value += this.#text.slice(start, this.#at) + this.#escape();
        start = this.#at;
      } else {
        this.#at += 1;
      }
    }
    value += this.#text.slice(start, this.#at);
    this.#at += 1;
    // Half a character is in no key and no value of a request, and is not kept by UTF-8.
    if (!value.isWellFormed()) throw this.#refuse('a string holds half of a surrogate pair', position);
    return value;
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? '';
    if (letter === 'u') {
      const digits = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#refuse('`\\u` needs four hexadecimal digits');
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const plain = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
    if (plain === undefined) throw this.#refuse(`\`\\${letter}\` is not an escape of JSON`);
    this.#at += 2;
    return plain;
  }

  #word(word: string, kind: 'boolean' | 'null'): JsonLiteral {
    const position = this.#position();
    if (!this.#text.startsWith(word, this.#at)) throw this.#unexpected('where a value is expected');
    this.#at += word.length;
    return { kind, position, text: word };
  }

  #number(): JsonLiteral {
    const position = this.#position();
    NUMBER.lastIndex = this.#at;
    const text = NUMBER.exec(this.#text)?.[0];
    if (text === undefined) throw this.#unexpected('where a value is expected');
    this.#at += text.length;
    return { kind: 'number', position, text };
  }

  #expect(character: string): void {
    if (this.#text[this.#at] !== character) throw this.#unexpected(`where \`${character}\` is expected`);
    this.#at += 1;
    this.#skipSpace();
  }

  #skipSpace(): void {
    for (; ; this.#at += 1) {
      const character = this.#text[this.#at];
      if (character === '\n') {
        this.#line += 1;
        this.#lineStart = this.#at + 1;
      } else if (character !== ' ' && character !== '\t' && character !== '\r') {
        return;
      }
    }
  }

  #assertDepth(depth: number): void {
    if (depth > MAX_DEPTH) {
      throw this.#refuse(`the document is nested deeper than ${MAX_DEPTH} levels; no policy needs that`);
    }
  }

  #position(): Position {
    return { line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  #unexpected(where: string): PolicyError {
    const character = this.#text[this.#at];
    const found = character === undefined ? 'the document ends' : `${JSON.stringify(character)} stands`;
    return this.#refuse(`${found} ${where}`);
  }

  #refuse(detail: string, position = this.#position()): PolicyError {
    return new PolicyError(INVALID_JSON, { type: this.#type, position, detail });
  }
}

function whyNoBrace(text: string): string {
  if (text.trim() === '') return 'the document is empty; write a policy, or remove the file';
  // Not seen in an editor.
  if (text.startsWith('\u{feff}')) return 'the document starts with a byte order mark; save it without one';
  return 'the document does not start with `{`; remove what stands before it';
}
