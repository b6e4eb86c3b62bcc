/** The circuit breaker: an upstream that does not answer is left alone for a while, and nobody waits for it. */
import { S3Error } from '../s3/index.ts';
import type { BreakerState } from './options.ts';

export interface Breaker {
  /**
   * Lets a request pass, or not; each that passed calls one of the others in the end.
   * @throws S3Error `SlowDown` with Retry-After while it is open, and while another one is the trial.
   */
  admit(): void;
  /** There was an answer, whichever. */
  succeeded(): void;
  /** The upstream gave none. */
  failed(cause: string): void;
  /** It ended for another reason, or may take any time: another one may be the trial. */
  undecided(): void;
  readonly state: BreakerState;
  readonly cause: string | undefined;
  close(): void;
}

export function createBreaker(options: {
  /** In a row, until it opens. */
  readonly failures: number;
  /** From opening to the first probe, and between probes. */
  readonly cooldownMs: number;
  /** Asks the upstream something cheap; rejects when there is no answer. */
  readonly probe: (signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
  readonly now: () => number;
  readonly onChange: (state: BreakerState, cause: string | undefined) => void;
}): Breaker {
  const closing = new AbortController();
  let state: BreakerState = 'closed';
  let failuresInRow = 0;
  let cause: string | undefined;
  let trialRuns = false;
  let probeAt = 0;
  let timer: NodeJS.Timeout | undefined;

  const become = (next: BreakerState): void => {
    state = next;
    trialRuns = false;
    options.onChange(next, cause);
  };
  const open = (because: string): void => {
    cause = because;
    scheduleProbe();
    become('open');
  };
  /** Up to a quarter later than asked, so that many gateways do not probe as one. */
  const scheduleProbe = (): void => {
    clearTimeout(timer);
    const wait = options.cooldownMs * (1 + options.random() / 4);
    probeAt = options.now() + wait;
    timer = setTimeout(() => void probe(), wait);
    timer.unref();
  };
  const probe = async (): Promise<void> => {
    try {
      await options.probe(closing.signal);
    } catch {
      if (state === 'open' && !closing.signal.aborted) scheduleProbe();
      return;
    }
    if (state === 'open') become('half-open');
  };

  return {
    admit() {
      if (state === 'closed') return;
      if (state === 'open')
        throw refuse(`the upstream is left alone: ${cause ?? ''}`, probeAt - options.now());
      if (trialRuns) throw refuse(`the upstream is being tried again: ${cause ?? ''}`, 1000);
      trialRuns = true;
    },
    succeeded() {
      failuresInRow = 0;
      if (state === 'closed') return;
      clearTimeout(timer);
      cause = undefined;
      become('closed');
    },
    failed(because) {
      failuresInRow += 1;
      if (state === 'half-open' || (state === 'closed' && failuresInRow >= options.failures)) open(because);
    },
    undecided() {
      trialRuns = false;
    },
    get state() {
      return state;
    },
    get cause() {
      return cause;
    },
    close() {
      clearTimeout(timer);
      closing.abort(new Error('the upstream is closed'));
    },
  };
}

function refuse(reason: string, waitMs: number): S3Error {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new S3Error('SlowDown', { reason, headers: { 'retry-after': String(seconds) } });
}
