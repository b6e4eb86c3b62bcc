import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchesBucketPattern } from '../../src/s3/index.ts';

describe('bucket patterns', () => {
  test.each([
    ['*', 'any', true],
    ['team-*', 'team-', true],
    ['team-*', 'team', false],
    ['*-logs', 'a-logs-logs', true],
    ['a*b*c', 'a-b-c', true],
    ['a*b*c', 'acb', false],
    ['exact', 'exact', true],
    ['exact', 'exactly', false],
    ['a.b', 'axb', false],
  ])('`%s` and `%s`: %s', (pattern, bucket, matches) => {
    expect(matchesBucketPattern(pattern, bucket)).toBe(matches);
  });

  test('agree with the same pattern as a regular expression', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    const name = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
    fc.assert(
      fc.property(text, name, (pattern, bucket) => {
        const form = new RegExp(`^${pattern.replaceAll('*', '.*')}$`);
        expect(matchesBucketPattern(pattern, bucket)).toBe(form.test(bucket));
      }),
    );
  });
});
