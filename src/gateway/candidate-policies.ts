/** From a decision to the policies by which the candidate would decide it. */
import { LRUCache } from 'lru-cache';
import { replacePolicies, type PolicyReplacements, type ResolvedKey } from '../identity/index.ts';
import { compilePolicies, type CompiledPolicy, type PolicySet, type PolicySource } from '../policy/index.ts';
import type { Candidate, Candidates } from './candidate-folder.ts';
import type { Decided } from './decide.ts';
import { isBroken } from './watched-folder.ts';

/** The candidate says nothing that can be evaluated; the message says why. */
export class UndecidableError extends Error {
  override readonly name = 'UndecidableError';
}

/** What was compiled for a key, and of what. */
interface Compiled {
  readonly attached: ResolvedKey['attached'];
  readonly candidates: Candidates;
  readonly policies: CompiledPolicy;
}

export class CandidatePolicies {
  readonly #compiled: LRUCache<string, Compiled>;

  /** @param options.max most keys whose compiled policies are kept. */
  constructor(options: { readonly max: number }) {
    this.#compiled = new LRUCache({ max: options.max });
  }

  /**
   * Undefined where the candidate leaves everything as it is enforced.
   * @throws UndecidableError
   */
  find(decided: Decided, candidates: Candidates): PolicySet | undefined {
    const { key, bucket, policies } = decided;
    const ofBucket = bucket && candidates.buckets.get(bucket.name);
    const identity = key === undefined ? undefined : this.#identityPolicies(key, candidates);
    if (ofBucket === undefined) {
      // A broken policy denies whatever the caller's own policies say.
      if (identity === undefined || bucket?.policy.kind === 'broken') return undefined;
      return { ...policies, identity };
    }
    return { ...policies, identity: identity ?? policies.identity, resource: usable(ofBucket) };
  }

  /** Undefined where no candidate is about the key. */
  #identityPolicies(key: ResolvedKey, candidates: Candidates): CompiledPolicy | undefined {
    const { accessKeyId, attached, principal } = key;
    const user = candidates.users.get(principal.userName);
    const own = candidates.keys.get(accessKeyId);
    if (user === undefined && own === undefined) return undefined;
    const known = this.#compiled.get(accessKeyId);
    if (known?.attached === attached && known.candidates === candidates) return known.policies;
    const replacements = { user: replacementsOf(user), key: replacementsOf(own) };
    const policies = compilePolicies(replacePolicies(attached, replacements));
    this.#compiled.set(accessKeyId, { attached, candidates, policies });
    return policies;
  }
}

function replacementsOf(
  candidates: ReadonlyMap<string, Candidate<PolicySource>> = new Map(),
): PolicyReplacements {
  return new Map([...candidates].map(([name, candidate]) => [name, usable(candidate)]));
}

function usable<Policy>(candidate: Candidate<Policy>): Policy | undefined {
  if (isBroken(candidate)) throw new UndecidableError(candidate.broken);
  return candidate.policy;
}
