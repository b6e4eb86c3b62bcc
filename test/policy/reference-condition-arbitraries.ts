/** Condition blocks and the context values that they meet. */
import * as fc from 'fast-check';

/** A lower-case condition key with its value; a list is a multivalued key. */
export type ContextEntry = readonly [key: string, value: string | readonly string[]];

const pick = fc.constantFrom;

const ADDRESSES = [
  '10.0.0.1',
  '10.0.0.2',
  '10.0.1.1',
  '0.0.0.0',
  '255.255.255.255',
  '::ffff:10.0.0.1',
  '::FFFF:a00:2',
  '0:0:0:0:0:ffff:a00:1',
  '::10.0.0.1',
  '2001:db8::1',
  '2001:DB8:0:0::0001',
  '2001:db8:0:0:0:0:0:2',
  '2001:db8:8000::',
  '::',
  '::1',
  '64:ff9b::10.0.0.1',
  '1:2:3:4:5:6:7::',
];
const NO_ADDRESSES = [
  '10.0.0',
  '10.0.0.256',
  ' 10.0.0.1',
  '010.0.0.1',
  '1::2::3',
  '10.0.0.1/32',
  'fe80::1%eth0',
  'x',
];
const range = fc
  .tuple(
    pick(...ADDRESSES),
    pick(undefined, 0, 1, 8, 15, 16, 17, 24, 30, 31, 32, 33, 48, 64, 95, 96, 97, 120, 126, 127, 128),
  )
  .map(([address, length]) =>
    length === undefined ? address : `${address}/${address.includes(':') ? length : Math.min(length, 32)}`,
  );

const NUMBERS = ['0', '-0', '1', '1.0', '1.2', '1.20', '1.3', '2', '9', '10', '010', '-1', '-1.5', '1000'];
const BIG_NUMBERS = [
  '9007199254740992',
  '9007199254740993',
  '9007199254740993.5',
  '0.1',
  '0.10000000000000001',
];
const NO_NUMBERS = ['10abc', '', ' 1', '0x10', '1.2.3', '--1', 'NaN', '1,5', '.', '-'];

const DATES = [
  '2026-07-01T00:00:00Z',
  '2026-07-01T02:00:00+02:00',
  '2026-06-30T19:00:00-05:00',
  '2026-06-30T23:59:59Z',
  '2026-07-01T00:00:00.5Z',
  '2026-07-01T00:00:00.50Z',
  '2026-07-01T00:00:00.1Z',
  '1782864000.1',
  '2026-07-01T00:00:00.123Z',
  '1782864000.123',
  '0050-01-01T00:00:00Z',
  '1950-01-01T00:00:00Z',
  '2026-07-01T00:00Z',
  '2026-07',
  '2026-07-01T00:00:01Z',
  '2026-07-01',
  '2026-07-02',
  '1782864000',
  '1782864000.5',
  '1782864001',
  '1782864000000',
  '1970-01-01T00:00:00Z',
  '0',
  '2024-02-29',
];
const NO_DATES = [
  'yesterday',
  '2026-02-29',
  '2026-13-01',
  '2026-07-01T24:00:01Z',
  '2026-07-01 00:00:00Z',
  '',
  '2026-7-1',
];

const ARNS = [
  'arn:aws:iam::111122223333:user/alice',
  'arn:aws:iam::111122223333:role/team/app',
  'arn:aws:iam::111122223333:role/app',
  'arn:aws:iam::444455556666:user/alice',
  'arn:aws:iam::111122223333:user/a:b',
  'arn:aws:s3:::logs',
  'arn:aws:sts::111122223333:assumed-role/app/run1',
];
const ARN_PATTERNS = [
  ...ARNS,
  'arn:aws:iam::*:user/alice',
  'arn:aws:iam::111122223333:*',
  'arn:aws:iam::111122223333:role/*app',
  'arn:aws:iam::11112222333?:user/${aws:username}',
  'arn:aws:iam:*:user/alice',
  'arn:*:*:*:*:*',
  'arn:aws:iam::111122223333:user/*:b',
  'arn:aws:s3:::${aws:PrincipalTag/Team}',
  'arn:aws:s3:::log?',
];
const NO_ARNS = ['alice', 'arn:aws:iam', '', 'arn:aws:iam::user/alice'];

const TEXTS = [
  'red',
  'Red',
  'RED',
  'blue',
  'alice',
  'a*',
  'a?',
  'abc',
  'a\nb',
  '',
  '*',
  'é',
  '😀',
  'logs',
  '${aws:username}',
];
const TEXT_PATTERNS = [
  ...TEXTS,
  'r*',
  '*e*',
  '?ed',
  'a*c',
  '?',
  '${aws:username}',
  '${aws:PrincipalTag/Team}',
  "${aws:PrincipalTag/team, 'red'}",
  "${aws:PrincipalTag/None, '*'}",
  '${aws:PrincipalTag/None}',
  '${aws:TagKeys}',
  "${aws:TagKeys, 'red'}",
  '${*}',
  'a${?}',
  '${$}{aws:username}',
  '${AWS:PRINCIPALTAG/TEAM}*',
];
const BOOLEANS = ['true', 'false', 'True', 'FALSE'];
const ENCODED = ['cmVk', 'YWxpY2U=', 'w6k=', 'YQpi', ''];

/** One kind of value: where it stands in requests, what it is there and in policies, and what compares it. */
interface Kind {
  readonly keys: readonly string[];
  readonly requested: fc.Arbitrary<string>;
  readonly wanted: fc.Arbitrary<string | number | boolean>;
  readonly operators: readonly string[];
}

const mostly = (good: readonly string[], bad: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 9, arbitrary: pick(...good) }, { weight: 1, arbitrary: pick(...bad) });

const ORDER = ['Equals', 'NotEquals', 'LessThan', 'LessThanEquals', 'GreaterThan', 'GreaterThanEquals'];

const KINDS: readonly Kind[] = [
  {
    keys: ['aws:UserAgent', 'aws:PrincipalTag/Team', 'aws:username', 's3:signatureversion'],
    requested: pick(...TEXTS),
    wanted: pick(...TEXT_PATTERNS),
    operators: [
      'StringEquals',
      'StringNotEquals',
      'StringEqualsIgnoreCase',
      'StringNotEqualsIgnoreCase',
      'StringLike',
      'StringNotLike',
    ],
  },
  {
    keys: ['s3:TlsVersion', 'aws:MultiFactorAuthAge', 's3:signatureAge'],
    requested: mostly([...NUMBERS, ...BIG_NUMBERS], NO_NUMBERS),
    wanted: fc.oneof(pick(...NUMBERS, ...BIG_NUMBERS), pick(0, 1, 1.2, -1.5, 10, 1000)),
    operators: ORDER.map((relation) => `Numeric${relation}`),
  },
  {
    keys: ['aws:CurrentTime', 'aws:TokenIssueTime', 'aws:EpochTime'],
    requested: mostly(DATES, NO_DATES),
    wanted: fc.oneof({ weight: 4, arbitrary: pick(...DATES) }, { weight: 1, arbitrary: pick(0, 1782864000) }),
    operators: ORDER.map((relation) => `Date${relation}`),
  },
  {
    keys: ['aws:SecureTransport', 'aws:MultiFactorAuthPresent'],
    requested: mostly(BOOLEANS, ['', '1', 'yes']),
    wanted: fc.oneof(pick(...BOOLEANS), fc.boolean()),
    operators: ['Bool'],
  },
  {
    keys: ['aws:SourceIp', 'aws:VpcSourceIp'],
    requested: mostly(ADDRESSES, NO_ADDRESSES),
    wanted: range,
    operators: ['IpAddress', 'NotIpAddress'],
  },
  {
    keys: ['aws:PrincipalArn', 'aws:SourceArn'],
    requested: mostly(ARNS, NO_ARNS),
    wanted: pick(...ARN_PATTERNS),
    operators: ['ArnEquals', 'ArnNotEquals', 'ArnLike', 'ArnNotLike'],
  },
  {
    keys: ['aws:PrincipalTag/Team', 'aws:UserAgent'],
    requested: pick(...TEXTS),
    wanted: pick(...ENCODED),
    operators: ['BinaryEquals'],
  },
];
const ALL_KEYS = [...new Set(KINDS.flatMap((kind) => kind.keys)), 'aws:TagKeys', 'aws:CalledVia'];

/** The case of condition keys does not count. */
const inAnyCase = (names: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(pick(...names), fc.nat(5))
    .map(([name, style]) => (style === 0 ? name.toUpperCase() : style === 1 ? name.toLowerCase() : name));

const quantifier = pick('', '', '', 'ForAllValues:', 'ForAnyValue:');
const ifExists = pick('', '', 'IfExists');

interface Clause {
  readonly operator: string;
  readonly key: string;
  readonly values: unknown;
}

const oneOrMore = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | Value[]> =>
  fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 }));

const clauses: readonly fc.Arbitrary<Clause>[] = [
  ...KINDS.map((kind) =>
    fc
      .record({
        name: pick(...kind.operators),
        set: quantifier,
        suffix: ifExists,
        key: inAnyCase([...kind.keys, ...kind.keys, 'aws:TagKeys', 'aws:CalledVia']),
        values: oneOrMore(kind.wanted),
      })
      .map(({ name, set, suffix, key, values }) => ({ operator: set + name + suffix, key, values })),
  ),
  fc
    .record({
      set: quantifier,
      key: inAnyCase(ALL_KEYS),
      values: oneOrMore(fc.oneof(fc.boolean(), pick(...BOOLEANS))),
    })
    .map(({ set, key, values }) => ({ operator: `${set}Null`, key, values })),
  // Any operator over any key: what is compared is then often of another kind.
  fc
    .record({
      kind: pick(...KINDS),
      set: quantifier,
      suffix: ifExists,
      key: inAnyCase(ALL_KEYS),
    })
    .chain(({ kind, set, suffix, key }) =>
      fc.record({
        operator: pick(...kind.operators).map((name) => set + name + suffix),
        key: fc.constant(key),
        values: oneOrMore(kind.wanted),
      }),
    ),
];

/** Up to two clauses; most often none, so that statements apply. */
export const conditionBlock: fc.Arbitrary<Record<string, Record<string, unknown>> | undefined> = fc
  .oneof(
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(fc.oneof(...clauses), { minLength: 1, maxLength: 2, size: 'max' }) },
  )
  .map((list) => {
    const block: Record<string, Record<string, unknown>> = {};
    for (const { operator, key, values } of list) {
      const keys = (block[operator] ??= {});
      keys[key] = values;
    }
    return list.length === 0 ? undefined : block;
  });

const entries: readonly fc.Arbitrary<ContextEntry>[] = [
  ...KINDS.map((kind) =>
    fc.tuple(
      pick(...kind.keys).map((key) => key.toLowerCase()),
      kind.requested,
    ),
  ),
  fc.tuple(
    pick('aws:tagkeys', 'aws:calledvia'),
    fc.array(
      fc.oneof(
        { weight: 5, arbitrary: pick(...TEXTS) },
        { weight: 1, arbitrary: pick(...NUMBERS, ...ADDRESSES, ...ARNS, ...DATES, 'true') },
      ),
      { maxLength: 3 },
    ),
  ),
];

/** What the request carries; keys that are not here are absent. */
export const contextValues: fc.Arbitrary<readonly ContextEntry[]> = fc.array(fc.oneof(...entries), {
  maxLength: 10,
  size: 'max',
});
