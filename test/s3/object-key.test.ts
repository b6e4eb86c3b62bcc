import { posix } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyAsPath } from '../../src/s3/object-key.ts';

test.each([
  ['a/b', 'a/b'],
  ['a/.b/..c/d.', 'a/.b/..c/d.'],
  ['folder/', 'folder/'],
  ['public/../secret', 'secret'],
  ['public//secret/x', 'public/secret/x'],
  ['./public/x', 'public/x'],
  ['/a', 'a'],
  ['a/./b', 'a/b'],
  ['a/.', 'a'],
  ['a/..', ''],
  ['../../a', 'a'],
  ['a//', 'a/'],
  ['..', ''],
  ['a/../../b/', 'b/'],
])('a file system reads `%s` as `%s`', (key, path) => {
  expect(keyAsPath(key)).toBe(path);
});

test('it is what the system itself makes of the path', () => {
  const segment = fc.constantFrom('', '.', '..', 'a', 'b.', '.c', '...');
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 6 }), (segments) => {
      const key = segments.join('/');
      expect(keyAsPath(key)).toBe(posix.normalize(`/${key}`).slice(1));
    }),
  );
});
