/** What holds of every decision, whatever the policies and the request. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explain, PolicyError, type Decision } from '../../src/policy/index.ts';
import {
  policyTexts,
  requestCase,
  statementToAdd,
  type PolicyTexts,
  type RequestCase,
  type StatementJson,
} from './reference-arbitraries.ts';
import { compileTexts, decide, nameOf, policiesFor, toEvaluationRequest } from './reference-comparison.ts';

const RUNS = { numRuns: Number(process.env['POLICY_PROPERTY_RUNS'] ?? 200), maxSkipsPerRun: 20 };

type Json = Record<string, unknown>;
interface DocumentJson extends Json {
  readonly Statement: Json | Json[];
}

/** What the engine decides; a case whose policies are refused is no case. */
function decisionOf(policies: PolicyTexts, request: RequestCase): Decision {
  const compiled = compileTexts(policies);
  fc.pre(!(compiled instanceof PolicyError));
  return decide(request, compiled);
}

const outcome = (policies: PolicyTexts, request: RequestCase): string =>
  nameOf(decisionOf(policies, request));

const parse = (text: string): DocumentJson => JSON.parse(text) as DocumentJson;
const statementsOf = (document: DocumentJson): readonly Json[] => [document.Statement].flat();

/** Each document replaced by what `change` makes of it. */
function rewrite(policies: PolicyTexts, change: (document: DocumentJson) => Json): PolicyTexts {
  const write = (text: string): string => JSON.stringify(change(parse(text)));
  return {
    identity: policies.identity.map(write),
    resource: policies.resource === undefined ? undefined : write(policies.resource),
    boundary: policies.boundary === undefined ? undefined : write(policies.boundary),
    session: policies.session?.map(write),
  };
}

interface Added {
  readonly kind: keyof PolicyTexts;
  readonly statement: StatementJson;
}

/** The statement beside those of the first policy of its kind, or as the only one of a new policy. */
function withStatement(policies: PolicyTexts, { kind, statement }: Added): PolicyTexts {
  const [before] = [policies[kind]].flat();
  const document = before === undefined ? { Version: '2012-10-17', Statement: [] } : parse(before);
  const text = JSON.stringify({ ...document, Statement: [...statementsOf(document), statement] });
  if (kind === 'identity') return { ...policies, identity: [text, ...policies.identity.slice(1)] };
  if (kind === 'session') return { ...policies, session: [text, ...(policies.session ?? []).slice(1)] };
  return { ...policies, [kind]: text };
}

/** Is there a boundary or session policy afterwards, and none before? */
function isNewLimit(policies: PolicyTexts, { kind }: Added): boolean {
  return (kind === 'boundary' || kind === 'session') && policies[kind] === undefined;
}

describe('a Deny', () => {
  const everything = { Effect: 'Deny', Action: '*', Resource: '*' };
  const denyAll = JSON.stringify({ Statement: everything });
  const bucketDenyAll = JSON.stringify({
    Statement: { ...everything, Principal: '*', Resource: ['arn:aws:s3:::*'] },
  });

  test('that applies is never overridden, whichever policy it stands in', () => {
    fc.assert(
      fc.property(policyTexts, requestCase, fc.nat(3), (policies, request, place) => {
        const isOwn = !['anonymous', 'root'].includes(request.principal.type);
        fc.pre(place === 0 ? !/BucketPolicy$/i.test(request.action) : isOwn);
        const denied = [
          { ...policies, resource: bucketDenyAll },
          { ...policies, identity: [...policies.identity, denyAll] },
          { ...policies, boundary: denyAll },
          { ...policies, session: [...(policies.session ?? []), denyAll] },
        ];
        expect(outcome(denied[place] ?? policies, request)).toBe('explicit Deny');
      }),
      RUNS,
    );
  });

  test('that is added never allows more', () => {
    fc.assert(
      fc.property(policyTexts, requestCase, statementToAdd, (policies, request, added) => {
        const deny = { ...added, statement: { ...added.statement, Effect: 'Deny' as const } };
        const before = outcome(policies, request);
        const after = outcome(withStatement(policies, deny), request);
        const possible = [before, 'explicit Deny', ...(isNewLimit(policies, added) ? ['implicit Deny'] : [])];
        expect(possible).toContain(after);
        expect(before === 'explicit Deny' ? after : before).toBe(before);
      }),
      RUNS,
    );
  });
});

test('an Allow that is added never denies more', () => {
  fc.assert(
    fc.property(policyTexts, requestCase, statementToAdd, (policies, request, added) => {
      fc.pre(!isNewLimit(policies, added) && !('NotPrincipal' in added.statement));
      const allow = { ...added, statement: { ...added.statement, Effect: 'Allow' as const } };
      const before = outcome(policies, request);
      const after = outcome(withStatement(policies, allow), request);
      expect(['Allow', before]).toContain(after);
      expect(before === 'explicit Deny' ? after : before).toBe(before);
    }),
    RUNS,
  );
});

test('a boundary or session policy that is added never allows more', () => {
  fc.assert(
    fc.property(policyTexts, requestCase, policyTexts, (policies, request, limits) => {
      const free = { ...policies, boundary: undefined, session: undefined };
      const limited = { ...free, boundary: limits.boundary, session: limits.session };
      const before = outcome(free, request);
      const after = outcome(limited, request);
      expect(before === 'Allow' || after !== 'Allow').toBe(true);
      expect(before === 'explicit Deny' ? after : before).toBe(before);
    }),
    RUNS,
  );
});

/** The same document with its lists and the members of its objects the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.toReversed().map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

test('no order matters: of statements, members, values, policies', () => {
  fc.assert(
    fc.property(policyTexts, requestCase, (policies, request) => {
      const turned = rewrite(policies, (document) => reversed(document) as Json);
      const other = {
        ...turned,
        identity: turned.identity.toReversed(),
        session: turned.session?.toReversed(),
      };
      expect(outcome(other, request)).toBe(outcome(policies, request));
    }),
    RUNS,
  );
});

const swapCase = (text: string): string =>
  Array.from(text, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  ).join('');

function swapStatementCase(statement: Json): Json {
  const swapped = { ...statement };
  for (const element of ['Action', 'NotAction']) {
    if (element in statement) swapped[element] = ([statement[element]].flat() as string[]).map(swapCase);
  }
  const condition = (statement['Condition'] ?? {}) as Record<string, Json>;
  const operators = Object.entries(condition).map(([operator, keys]) => [
    operator,
    Object.fromEntries(Object.entries(keys).map(([key, values]) => [swapCase(key), values])),
  ]);
  if ('Condition' in statement) swapped['Condition'] = Object.fromEntries(operators);
  return swapped;
}

test('the case of actions and of condition keys does not matter, tag keys included', () => {
  fc.assert(
    fc.property(policyTexts, requestCase, (policies, request) => {
      const swapped = rewrite(policies, (document) => ({
        ...document,
        Statement: statementsOf(document).map(swapStatementCase),
      }));
      const expected = outcome(policies, request);
      expect(outcome(swapped, request)).toBe(expected);
      expect(outcome(policies, { ...request, action: swapCase(request.action) })).toBe(expected);
    }),
    RUNS,
  );
});

/** One policy for each statement. */
function split(text: string): string[] {
  const document = parse(text);
  return statementsOf(document).map((statement) => JSON.stringify({ ...document, Statement: statement }));
}

test('identity and session policies may be split into one for each statement', () => {
  fc.assert(
    fc.property(policyTexts, requestCase, (policies, request) => {
      const apart = {
        ...policies,
        identity: policies.identity.flatMap(split),
        session: policies.session?.flatMap(split),
      };
      expect(outcome(apart, request)).toBe(outcome(policies, request));
    }),
    RUNS,
  );
});

/** A statement for each pair of an action and a resource. NotAction and NotResource stay lists: they exclude all. */
function unfold(statement: Json): Json[] {
  const actions = [statement['Action']].flat();
  const resources = [statement['Resource']].flat();
  const unfolded: Json[] = [];
  for (const Action of actions) {
    for (const Resource of resources) {
      const element = Action === undefined ? {} : { Action };
      unfolded.push({ ...statement, ...element, ...(Resource === undefined ? {} : { Resource }) });
    }
  }
  return unfolded;
}

test('a statement with several actions and resources is as good as one for each pair of them', () => {
  fc.assert(
    fc.property(policyTexts, requestCase, (policies, request) => {
      // An action of a bucket policy must apply to some resource of its statement, so that one stays whole.
      const whole = { ...policies, resource: undefined };
      const unfolded = rewrite(whole, (document) => ({
        ...document,
        Statement: statementsOf(document).flatMap(unfold),
      }));
      const expected = outcome(policies, request);
      expect(outcome({ ...unfolded, resource: policies.resource }, request)).toBe(expected);
    }),
    RUNS,
  );
});

test('an explanation has the decision, and the statements that it rests on apply', () => {
  fc.assert(
    fc.property(policyTexts, requestCase, (policies, request) => {
      const compiled = compileTexts(policies);
      fc.pre(!(compiled instanceof PolicyError));
      const decision = decide(request, compiled);
      const explanation = explain(toEvaluationRequest(request), policiesFor(request, compiled));
      expect(explanation.decision).toEqual(decision);
      const applying = explanation.statements.filter(({ mismatches }) => mismatches.length === 0);
      const effects = new Set(applying.map(({ effect }) => effect));
      const isRoot = request.principal.type === 'root';
      expect(effects.has('Deny')).toBe(
        nameOf(decision) === 'explicit Deny' || (isRoot && effects.has('Deny')),
      );
      expect(effects.has('Allow') || isRoot || decision.effect === 'Deny').toBe(true);
      expect(explanation.nearest.length).toBeLessThanOrEqual(3);
      const by = decision.effect === 'Allow' ? decision.by : undefined;
      const refs = applying.map((report) => report.by);
      expect(by === undefined || by.policy === 'root user' || refs.includes(by)).toBe(true);
    }),
    RUNS,
  );
});
