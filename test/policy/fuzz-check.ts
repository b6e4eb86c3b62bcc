/** What holds of any text that is given to the parser, and of what the engine then makes of it. */
import {
  compilePolicy,
  evaluate,
  explain,
  isPublic,
  parsePolicy,
  PolicyError,
  type EvaluationRequest,
  type PolicyType,
} from '../../src/policy/index.ts';
import { structuralObjection } from './reference-acceptance.ts';

export interface FuzzResult {
  /** What should not be. */
  readonly problem: string | undefined;
  readonly accepted: boolean;
  /** What kind of outcome it is; an input with a new one is worth keeping. */
  readonly feature: string;
}

export function checkDocument(text: string, type: PolicyType): FuzzResult {
  try {
    const document = parsePolicy(text, { type });
    const objection = structuralObjection(text, type);
    const problem = objection === undefined ? undefined : `accepted, but: ${objection}`;
    const compiled = compilePolicy(document, { name: 'fuzzed' });
    const role = type === 'trust' ? 'resource' : type;
    const effects = REQUESTS.map((request) => {
      const decision = evaluate(request, { [role]: compiled });
      if (explain(request, { [role]: compiled }).decision.effect !== decision.effect) {
        throw new Error('explain decides otherwise');
      }
      if (decision.effect === 'Allow') return 'A';
      if (decision.because.kind === 'error') throw decision.because.cause;
      return decision.because.kind === 'explicit' ? 'D' : 'i';
    });
    if (type === 'resource') isPublic(document);
    const operators = document.statements.flatMap(({ conditions }) =>
      conditions.map(({ use }) => use.operator.name + String(use.quantifier) + String(use.ifExists)),
    );
    const feature = [type, effects.join(''), ...new Set(operators)].join(' ');
    return { problem, accepted: true, feature };
  } catch (error) {
    if (!(error instanceof PolicyError)) {
      return { problem: `threw ${String(error)}`, accepted: false, feature: 'thrown' };
    }
    const feature = [type, error.message, error.detail.replaceAll(/`[^]*`|"[^]*"|[0-9]+/g, '')].join(' ');
    return { problem: errorProblem(error, text, type), accepted: false, feature };
  }
}

/** An error points into the document, and says what is wrong. */
function errorProblem(error: PolicyError, text: string, type: PolicyType): string | undefined {
  const lines = text.split('\n');
  const line = lines[error.line - 1];
  if (line === undefined || error.column < 1 || error.column > line.length + 1) {
    return `points at ${error.line}:${error.column}, where nothing is`;
  }
  if (error.detail === '' || error.message === '') return 'does not say what is wrong';
  const code = type === 'resource' ? 'MalformedPolicy' : 'MalformedPolicyDocument';
  return error.code === code ? undefined : `has the code ${error.code}`;
}

const ACCOUNT = '111122223333';
const CONTEXT: ReadonlyMap<string, string | readonly string[]> = new Map<string, string | readonly string[]>([
  ['aws:username', 'alice'],
  ['aws:principalarn', `arn:aws:iam::${ACCOUNT}:user/alice`],
  ['aws:sourceip', '203.0.113.7'],
  ['aws:securetransport', 'true'],
  ['aws:currenttime', '2026-07-01T00:00:00Z'],
  ['aws:tagkeys', ['a', '']],
  ['s3:prefix', ''],
  ['s3:max-keys', '10'],
]);

const REQUESTS: readonly EvaluationRequest[] = [
  ['s3:GetObject', 'arn:aws:s3:::amzn-s3-demo-bucket/a/b'],
  ['s3:PutObject', 'arn:aws:s3:::logs/2026/a.gz'],
  ['s3:ListBucket', 'arn:aws:s3:::logs'],
  ['s3:ListAllMyBuckets', 'arn:aws:s3:::*'],
].flatMap(([action = '', resource = '']): EvaluationRequest[] => {
  const asked = { action, resource, resourceAccount: ACCOUNT, context: (key: string) => CONTEXT.get(key) };
  const arn = `arn:aws:iam::${ACCOUNT}:user/alice`;
  return [
    { ...asked, principal: { type: 'user', arn, accountId: ACCOUNT, userName: 'alice' } },
    { ...asked, principal: { type: 'anonymous' } },
  ];
});
