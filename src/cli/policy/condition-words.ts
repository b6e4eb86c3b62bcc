/** Conditions in plain words: what a statement asks of a key, and what the request has. */

type ConditionValue = string | readonly string[];

/** As `ConditionReport` of the policy engine, and what a record keeps of one. */
export interface ConditionFacts {
  readonly operator?: string | undefined;
  readonly key?: string | undefined;
  readonly wanted: readonly string[];
  readonly actual: ConditionValue | undefined;
}

/** `aws:SourceIp` were in `10.0.0.0/8`; it is `203.0.113.7` */
export function wouldHold(condition: ConditionFacts): string {
  return `${says(condition, 'wish')}; ${actualWords(condition)}`;
}

/** `aws:SecureTransport` were not `false` */
export function wouldNotHold(condition: ConditionFacts): string {
  return says(condition, 'undo');
}

/** `aws:SecureTransport` is `false` */
export function holds(condition: ConditionFacts): string {
  const { operator = '', actual, wanted } = condition;
  const said = says(condition, 'fact');
  // Where the value stands in the sentence already, it is not said again.
  if (typeof actual === 'string' && wanted.length === 1 && wanted[0] === actual) return said;
  if (parseOperator(operator).base === 'null') return said;
  return `${said} (${actualWords(condition)})`;
}

type Mood = 'fact' | 'undo' | 'wish';

/** By lower-case operator without its prefix and `IfExists`. */
const VERBS: Readonly<Record<string, Readonly<Record<Mood, string>>>> = {
  stringequals: { wish: 'were', undo: 'were not', fact: 'is' },
  stringnotequals: { wish: 'were not', undo: 'were', fact: 'is not' },
  stringequalsignorecase: {
    wish: 'were, in any case,',
    undo: 'were not, in any case,',
    fact: 'is, in any case,',
  },
  stringnotequalsignorecase: {
    wish: 'were not, in any case,',
    undo: 'were, in any case,',
    fact: 'is not, in any case,',
  },
  stringlike: { wish: 'matched', undo: 'did not match', fact: 'matches' },
  stringnotlike: { wish: 'did not match', undo: 'matched', fact: 'does not match' },
  numericequals: { wish: 'were', undo: 'were not', fact: 'is' },
  numericnotequals: { wish: 'were not', undo: 'were', fact: 'is not' },
  numericlessthan: { wish: 'were below', undo: 'were not below', fact: 'is below' },
  numericlessthanequals: { wish: 'were at most', undo: 'were above', fact: 'is at most' },
  numericgreaterthan: { wish: 'were above', undo: 'were not above', fact: 'is above' },
  numericgreaterthanequals: { wish: 'were at least', undo: 'were below', fact: 'is at least' },
  dateequals: { wish: 'were', undo: 'were not', fact: 'is' },
  datenotequals: { wish: 'were not', undo: 'were', fact: 'is not' },
  datelessthan: { wish: 'were before', undo: 'were not before', fact: 'is before' },
  datelessthanequals: { wish: 'were not after', undo: 'were after', fact: 'is not after' },
  dategreaterthan: { wish: 'were after', undo: 'were not after', fact: 'is after' },
  dategreaterthanequals: { wish: 'were not before', undo: 'were before', fact: 'is not before' },
  bool: { wish: 'were', undo: 'were not', fact: 'is' },
  binaryequals: { wish: 'were, in base64,', undo: 'were not, in base64,', fact: 'is, in base64,' },
  ipaddress: { wish: 'were in', undo: 'were not in', fact: 'is in' },
  notipaddress: { wish: 'were not in', undo: 'were in', fact: 'is not in' },
  arnequals: { wish: 'matched', undo: 'did not match', fact: 'matches' },
  arnnotequals: { wish: 'did not match', undo: 'matched', fact: 'does not match' },
  arnlike: { wish: 'matched', undo: 'did not match', fact: 'matches' },
  arnnotlike: { wish: 'did not match', undo: 'matched', fact: 'does not match' },
};

const SUBJECTS: Readonly<Record<string, string>> = {
  forallvalues: 'every value of ',
  foranyvalue: 'one value of ',
};

function says({ operator = '', key = '', wanted }: ConditionFacts, mood: Mood): string {
  const { quantifier, base } = parseOperator(operator);
  const subject = `${(quantifier && SUBJECTS[quantifier]) ?? ''}${quoted(key)}`;
  if (base === 'null') {
    const absent = (wanted[0]?.toLowerCase() === 'true') !== (mood === 'undo');
    return `${subject} ${mood === 'fact' ? 'is' : 'were'} ${absent ? 'absent' : 'present'}`;
  }
  const verb = VERBS[base]?.[mood] ?? `${mood === 'undo' ? 'did not meet' : 'met'} ${operator}`;
  return `${subject} ${verb} ${alternatives(wanted)}`;
}

function actualWords({ actual }: ConditionFacts): string {
  if (actual === undefined) return 'the request has none';
  if (typeof actual === 'string') return `it is ${actual === '' ? 'empty' : quoted(actual)}`;
  return actual.length === 0 ? 'it has no values' : `its values are ${actual.map(quoted).join(', ')}`;
}

function parseOperator(operator: string): { readonly quantifier: string | undefined; readonly base: string } {
  const [, quantifier, base = ''] =
    /^(?:(forallvalues|foranyvalue):)?(.*?)(?:ifexists)?$/.exec(operator.toLowerCase()) ?? [];
  return { quantifier, base };
}

/** `a`, `b` or `c` */
export function alternatives(values: readonly string[]): string {
  const all = values.map(quoted);
  const last = all.at(-1) ?? 'nothing';
  return all.length < 2 ? last : `${all.slice(0, -1).join(', ')} or ${last}`;
}

/** Above what is read at one glance. */
const MAX_LENGTH = 200;

/** In backticks, on one line: what clients send must not steer a terminal. */
export function quoted(text: string): string {
  const cut = text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
  return `\`${printable(cut)}\``;
}

/** Control characters, and those that turn the direction of a line, as escapes. */
export function printable(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
