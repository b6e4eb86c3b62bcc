import { expect, test } from 'vitest';
import {
  alternatives,
  holds,
  quoted,
  wouldHold,
  wouldNotHold,
} from '../../src/cli/policy/condition-words.ts';

test.each([
  ['StringEquals', ['a'], 'b', '`k` were `a`; it is `b`'],
  ['StringNotEqualsIfExists', ['a', 'b'], 'a', '`k` were not `a` or `b`; it is `a`'],
  ['StringLike', ['a*', 'b*', 'c*'], '', '`k` matched `a*`, `b*` or `c*`; it is empty'],
  ['NumericLessThanEquals', ['10'], '11', '`k` were at most `10`; it is `11`'],
  [
    'DateGreaterThan',
    ['2026-01-01T00:00:00Z'],
    '2025-01-01',
    '`k` were after `2026-01-01T00:00:00Z`; it is `2025-01-01`',
  ],
  ['bool', ['true'], undefined, '`k` were `true`; the request has none'],
  ['IpAddress', ['10.0.0.0/8'], '203.0.113.7', '`k` were in `10.0.0.0/8`; it is `203.0.113.7`'],
  ['Null', ['true'], 'x', '`k` were absent; it is `x`'],
  ['Null', ['false'], undefined, '`k` were present; the request has none'],
  ['ForAllValues:StringEquals', ['a'], ['a', 'b'], 'every value of `k` were `a`; its values are `a`, `b`'],
  ['ForAnyValue:StringLike', ['a*'], [], 'one value of `k` matched `a*`; it has no values'],
])('%s of %j, and %j: what would have to hold', (operator, wanted, actual, words) => {
  expect(wouldHold({ operator, key: 'k', wanted, actual })).toBe(words);
});

test.each([
  ['Bool', ['false'], 'false', '`k` is `false`', '`k` were not `false`'],
  [
    'NotIpAddress',
    ['10.0.0.0/8'],
    '::1',
    '`k` is not in `10.0.0.0/8` (it is `::1`)',
    '`k` were in `10.0.0.0/8`',
  ],
  ['Null', ['true'], undefined, '`k` is absent', '`k` were present'],
  ['Null', ['false'], 'x', '`k` is present', '`k` were absent'],
  ['NumericGreaterThan', ['5'], '6', '`k` is above `5` (it is `6`)', '`k` were not above `5`'],
  ['StringNotEquals', ['a'], undefined, '`k` is not `a` (the request has none)', '`k` were `a`'],
])('%s of %j, and %j: what holds, and what would undo it', (operator, wanted, actual, fact, undone) => {
  const condition = { operator, key: 'k', wanted, actual };
  expect(holds(condition)).toBe(fact);
  expect(wouldNotHold(condition)).toBe(undone);
});

test('values are on one line, and cut where they are long', () => {
  expect(quoted('a\nb\u001B')).toBe(String.raw`\`a\u{a}b\u{1b}\``.replaceAll('\\`', '`'));
  expect(quoted('x'.repeat(300))).toBe(`\`${'x'.repeat(200)}…\``);
  expect(alternatives([])).toBe('nothing');
});
