/** Looks into signatures that did not match, after their requests were refused, so that the record says why. */
import type { RecordedCause } from '../audit/index.ts';
import { S3Error, type GatewayNames } from '../s3/index.ts';
import { diagnoseInSteps, explainCause, type Diagnosis, type SignatureCase } from '../sigv4/index.ts';

/** Refusals that wait for their turn; what comes beyond is recorded without a cause. */
const MAX_WAITING = 32;
const MINUTE_MS = 60_000;

/**
 * `SignatureDoesNotMatch`, with what a doctor needs to know. The client is told what the refusal says, and nothing of
 * the case.
 */
export class SignatureMismatch extends S3Error {
  // Private, so that no log of the error prints it.
  readonly #case: SignatureCase;

  constructor(refusal: S3Error, signatureCase: SignatureCase) {
    super(refusal.code, { message: refusal.message, details: refusal.details });
    this.#case = signatureCase;
  }

  get case(): SignatureCase {
    return this.#case;
  }
}

export interface SignatureDoctor {
  /**
   * Calls `told` once: at once with nothing when this one is not to be looked into, else later.
   * INVARIANT: what it tells goes into the record and nowhere else.
   */
  examine(mismatch: SignatureMismatch, told: (cause: RecordedCause | undefined) => void): void;
  /** Answers all that wait, without looking into them. */
  close(): void;
}

interface SignatureDoctorOptions {
  /** Most signatures looked into in one minute; 0: none. */
  readonly perMinute: number;
  readonly names: GatewayNames;
  readonly region: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly onBug: (error: unknown) => void;
}

interface Waiting {
  readonly mismatch: SignatureMismatch;
  readonly told: (cause: RecordedCause | undefined) => void;
}

interface Running extends Waiting {
  readonly steps: Generator<undefined, Diagnosis>;
}

/** One case at a time, some milliseconds at a time, so that requests go on between. */
export function createSignatureDoctor(options: SignatureDoctorOptions): SignatureDoctor {
  const { perMinute, names, region, now, onBug } = options;
  const waiting: Waiting[] = [];
  let running: Running | undefined;
  let timer: NodeJS.Immediate | undefined;
  let minuteStarted = Number.NEGATIVE_INFINITY;
  let examined = 0;

  const isWithinRate = (): boolean => {
    const time = now();
    if (time - minuteStarted >= MINUTE_MS || time < minuteStarted) {
      minuteStarted = time;
      examined = 0;
    }
    return examined < perMinute;
  };

  const begin = (next: Waiting | undefined): Running | undefined =>
    next && { ...next, steps: diagnoseInSteps(next.mismatch.case, { names, region }) };

  const work = (): void => {
    timer = undefined;
    running ??= begin(waiting.shift());
    if (running === undefined) return;
    const { steps, told } = running;
    let step: IteratorResult<undefined, Diagnosis>;
    try {
      step = steps.next();
    } catch (error) {
      onBug(error);
      step = { done: true, value: undefined };
    }
    if (step.done === true) {
      running = undefined;
      told(step.value && recordedCause(step.value));
    }
    if (running !== undefined || waiting.length > 0) timer ??= setImmediate(work);
  };

  return {
    examine(mismatch, told) {
      if (waiting.length >= MAX_WAITING || !isWithinRate()) {
        told(undefined);
        return;
      }
      examined += 1;
      waiting.push({ mismatch, told });
      timer ??= setImmediate(work);
    },
    close() {
      if (timer !== undefined) clearImmediate(timer);
      timer = undefined;
      const left = running === undefined ? waiting.splice(0) : [running, ...waiting.splice(0)];
      running = undefined;
      for (const { told } of left) told(undefined);
    },
  };
}

function recordedCause(causes: NonNullable<Diagnosis>): RecordedCause {
  return {
    kinds: causes.map(({ kind }) => kind),
    explanation: causes.map(explainCause).join(' '),
  };
}
