/**
 * Shadow mode: candidate policies decide every request once more, after its answer went out. What they would decide
 * differently is counted, logged and recorded; it changes nothing.
 */
import type { RecordedDecision } from '../audit/index.ts';
import { evaluate, type PolicySet } from '../policy/index.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import { openCandidateFolder, type CandidateFolder } from './candidate-folder.ts';
import { createCandidateLog } from './candidate-log.ts';
import { CandidatePolicies, UndecidableError } from './candidate-policies.ts';
import type { Decided } from './decide.ts';
import { recordReason } from './recorded-decision.ts';

export interface Shadow {
  /** What the candidate would decide; undefined: the same. Counts and logs it. Never throws. */
  readonly compare: (decided: Decided, requestId: string) => RecordedDecision['candidate'];
  /** Reads what has changed. Rejects never. */
  readonly refresh: () => Promise<void>;
  readonly close: () => void;
}

/** Never rejects: a folder that cannot be read leaves everything undecidable until it can be. */
export async function openShadow(options: {
  readonly directory: string;
  readonly metrics: Pick<Metrics, 'candidateDecisions' | 'candidateFiles' | 'candidateSuppressed'>;
  readonly log: Logger;
  /** Milliseconds between two looks at the folder; 0 for none. */
  readonly pollInterval: number;
}): Promise<Shadow> {
  const { metrics, log } = options;
  const folder = await openCandidateFolder({
    ...options,
    onChange({ usable, broken }) {
      metrics.candidateFiles.with('usable').set(usable);
      metrics.candidateFiles.with('broken').set(broken);
    },
  });
  const policies = new CandidatePolicies({ max: MAX_COMPILED });
  const differences = createCandidateLog({
    log,
    perMinute: LINES_PER_MINUTE,
    onSuppressed: () => {
      metrics.candidateSuppressed.add();
    },
  });
  const compare: Shadow['compare'] = (decided, requestId) => {
    const verdict = decideAgain(decided, folder, policies);
    metrics.candidateDecisions.with(verdict.outcome, decided.required.action).add();
    if (verdict.outcome === 'same') return undefined;
    differences.write(() => describe(decided, verdict, requestId));
    return verdict.outcome;
  };
  return {
    compare(decided, requestId) {
      try {
        return compare(decided, requestId);
      } catch (error) {
        // INVARIANT: whatever is wrong with the candidate, the request was answered and its record is written.
        const outcome = 'undecidable';
        differences.write(() => ({ requestId, outcome, problem: String(error) }));
        return outcome;
      }
    },
    refresh: folder.refresh,
    close() {
      folder.close();
      differences.close();
    },
  };
}

/** Keys whose candidate policies stay compiled. */
const MAX_COMPILED = 1_000;
const LINES_PER_MINUTE = 60;

type Verdict =
  | { readonly outcome: 'same' }
  | { readonly outcome: 'would_allow' | 'would_deny'; readonly candidate: Decided }
  | { readonly outcome: 'undecidable'; readonly problem: string };

const SAME: Verdict = { outcome: 'same' };

function decideAgain(
  decided: Decided,
  folder: CandidateFolder,
  candidatePolicies: CandidatePolicies,
): Verdict {
  const candidates = folder.current();
  if (candidates === undefined) return undecidable('the folder of the candidate cannot be read');
  let policies: PolicySet | undefined;
  try {
    policies = candidatePolicies.find(decided, candidates);
  } catch (error) {
    if (!(error instanceof UndecidableError)) throw error;
    return undecidable(error.message);
  }
  if (policies === undefined) return SAME;
  const decision = evaluate(decided.evaluated, policies);
  if (decision.effect === 'Deny' && decision.because.kind === 'error')
    return undecidable(String(decision.because.cause));
  if (decision.effect === decided.decision.effect) return SAME;
  return {
    outcome: decision.effect === 'Allow' ? 'would_allow' : 'would_deny',
    candidate: { ...decided, decision, policies },
  };
}

function undecidable(problem: string): Verdict {
  return { outcome: 'undecidable', problem };
}

function describe(decided: Decided, verdict: Verdict, requestId: string): object {
  const { required, evaluated, key } = decided;
  const { principal } = evaluated;
  return {
    requestId,
    outcome: verdict.outcome,
    principal: principal.type === 'anonymous' ? 'anonymous' : principal.arn,
    accessKeyId: key?.accessKeyId,
    action: required.action,
    resource: required.resource,
    enforced: recordReason(decided),
    ...('candidate' in verdict && { candidate: recordReason(verdict.candidate) }),
    ...('problem' in verdict && { problem: verdict.problem }),
  };
}
