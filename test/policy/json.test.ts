import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readJson, type JsonNode } from '../../src/policy/json.ts';

function toValue(node: JsonNode): unknown {
  switch (node.kind) {
    case 'object':
      return Object.fromEntries(node.members.map(({ key, value }) => [key, toValue(value)]));
    case 'array':
      return node.items.map(toValue);
    case 'string':
      return node.text;
    case 'number':
      return Number(node.text);
    case 'boolean':
      return node.text === 'true';
    case 'null':
      return null;
  }
}

function hasRepeatedKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const keys = Object.keys(value).map((key) => key.toLowerCase());
  return new Set(keys).size < keys.length || Object.values(value).some(hasRepeatedKey);
}

const nested = (levels: number): string => `{"k":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;

const objects = (levels: number): string => `${'{"k":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`;

describe('JSON reader', () => {
  test('reads what JSON.stringify writes', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { noNullPrototype: true });
    fc.assert(
      fc.property(object, fc.constantFrom(undefined, 2, '\t'), (value, indent) => {
        fc.pre(!Array.isArray(value) && !hasRepeatedKey(value));
        const text = JSON.stringify(value, undefined, indent);
        expect(toValue(readJson(text, 'identity'))).toEqual(JSON.parse(text));
      }),
    );
  });

  test('accepts nothing that JSON.parse refuses', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"a"',
      '"',
      '\\',
      '1',
      '-',
      '.',
      'e',
      'true',
      ' ',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = `{"k":${pieces.join('')}`;
        try {
          readJson(text, 'identity');
        } catch {
          return;
        }
        expect(() => JSON.parse(text) as unknown).not.toThrow();
      }),
      { numRuns: 5000 },
    );
  });

  test('gives positions', () => {
    const root = readJson('{\r\n  "a": [1,\n\t"b"]\n}', 'identity');
    expect(root.members[0]?.position).toEqual({ line: 2, column: 3 });
    const list = root.members[0]?.value;
    expect(list?.kind === 'array' ? list.items.map((item) => item.position) : list).toEqual([
      { line: 2, column: 9 },
      { line: 3, column: 2 },
    ]);
  });

  test('takes 32 levels, not 33', () => {
    expect(readJson(nested(32), 'identity').kind).toBe('object');
    expect(readJson(objects(32), 'identity').kind).toBe('object');
    expect(() => readJson(nested(33), 'identity')).toThrow(/valid JSON/);
    expect(() => readJson(objects(33), 'identity')).toThrow(/valid JSON/);
    expect(() => readJson(nested(100_000), 'identity')).toThrow(/valid JSON/);
  });
});
