/** From what became known of a request to its one audit record, and to the metrics. */
import type { AccessRecord, AuditSink, RecordedDecision } from '../audit/index.ts';
import { queryValue, S3Error } from '../s3/index.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import type { Answer, AnsweredEntry, DecidedEntry } from './answer.ts';
import { PolicyRefusal, type Authorized } from './authorize.ts';
import type { Shadow } from './candidate-shadow.ts';
import type { Decided } from './decide.ts';
import type { IncomingBody } from './incoming-body.ts';
import type { IncomingBytes } from './incoming-bytes.ts';
import { headerOf } from './raw-headers.ts';
import { recordDecisions, recordEvaluation } from './recorded-decision.ts';
import type { Sent } from './respond.ts';
import { SignatureMismatch, type SignatureDoctor } from './signature-doctor.ts';
import type { MalformedRequest } from './server.ts';
import type { Accepted, Authenticated, Identified, Opened, Received } from './stages.ts';
import { UpstreamRefusal } from './upstream-error.ts';

export interface Recorder {
  started(): void;
  record(record: AccessRecord): void;
  /** As `record`, once it is known why the signature did not match, or that nothing is known. */
  recordMismatch(record: AccessRecord, mismatch: SignatureMismatch): void;
  /** What never became a request. */
  malformed(request: MalformedRequest): void;
  /** A bug, with its stack; what the client saw is in the record. */
  bug(requestId: string, error: unknown): void;
  readonly now: () => number;
  readonly hostId: string;
  /** Undefined when no candidate policies are tried. */
  readonly shadow: Shadow | undefined;
}

export function createRecorder(options: {
  readonly sinks: readonly AuditSink[];
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly now: () => number;
  readonly hostId: string;
  readonly signatureDoctor: SignatureDoctor;
  readonly shadow: Shadow | undefined;
}): Recorder {
  const { sinks, metrics, log, now, hostId, signatureDoctor, shadow } = options;
  const write = (record: AccessRecord): void => {
    for (const sink of sinks) sink.write(record);
    const operation = record.operation ?? 'none';
    metrics.requests.with(operation, String(record.status ?? 0), record.decision?.effect ?? 'none').add();
    if (record.errorCode !== undefined && record.upstream === undefined)
      metrics.refusals.with(record.errorCode).add();
  };
  const finish = (record: AccessRecord): void => {
    write(record);
    metrics.requestsInFlight.add(-1);
    metrics.requestDuration.with(record.operation ?? 'none').observe(record.totalTimeMs / 1000);
    metrics.bytesReceived.add(record.bytesReceived);
    metrics.bytesSent.add(record.bytesSent);
    const { upstream } = record;
    if (upstream === undefined) return;
    metrics.upstreamRequests.with(String(upstream.status ?? 0)).add();
    if (upstream.errorCode !== undefined || upstream.cause !== undefined)
      metrics.upstreamErrors.with(upstream.errorCode ?? 'none').add();
  };
  return {
    now,
    hostId,
    shadow,
    started() {
      metrics.requestsInFlight.add(1);
    },
    record: finish,
    recordMismatch(record, mismatch) {
      signatureDoctor.examine(mismatch, (signatureCause) => {
        finish({ ...record, signatureCause });
      });
    },
    malformed({ requestId, origin, method, target, code, status, reason }) {
      write({
        time: now(),
        requestId,
        hostId,
        remoteAddress: origin.remoteAddress,
        peerAddress: origin.peerAddress,
        method,
        target,
        status,
        errorCode: code,
        errorReason: reason,
        bytesReceived: 0,
        bytesSent: 0,
        totalTimeMs: 0,
        outcome: 'malformed',
      });
    },
    bug(requestId, error) {
      log.error({ err: error, requestId }, 'internal error');
    },
  };
}

type Stage = Received | Accepted | Identified | Opened | Authenticated | Authorized;

/** Follows one request; remembers the last stage that it reached and what came of it. */
export class RequestTrail {
  readonly #recorder: Recorder;
  #stage: Stage;
  #bytes: IncomingBytes | undefined;
  #body: IncomingBody | undefined;
  #refusal: S3Error | UpstreamRefusal | undefined;
  #answer: Answer | undefined;
  #answeredAt: number | undefined;
  #status: number | undefined;
  #sent: Sent | undefined;
  #entries: readonly DecidedEntry[] | undefined;

  constructor(received: Received, recorder: Recorder) {
    this.#stage = received;
    this.#recorder = recorder;
    recorder.started();
  }

  reached<T extends Stage>(stage: T): T {
    this.#stage = stage;
    return stage;
  }

  reading(bytes: IncomingBytes): IncomingBytes {
    this.#bytes = bytes;
    return bytes;
  }

  opened(body: IncomingBody): IncomingBody {
    this.#body = body;
    return body;
  }

  /** @param entries may grow until the request is done. */
  readonly deciding = (entries: readonly DecidedEntry[]): void => {
    this.#entries = entries;
  };

  answered(answer: Answer): Answer {
    this.#answer = answer;
    this.#status = answer.status;
    this.#answeredAt = this.#recorder.now();
    return answer;
  }

  /** @param error what was thrown; a bug is logged with its stack. */
  refused<T extends S3Error | UpstreamRefusal>(refusal: T, error: unknown): T {
    this.#refusal = refusal;
    this.#answeredAt ??= this.#recorder.now();
    this.#status ??= refusal.status;
    if (refusal.code === 'InternalError' && refusal !== error && !this.#stage.incoming.destroyed)
      this.#recorder.bug(this.#stage.requestId, error);
    return refusal;
  }

  sent(sent: Sent): void {
    this.#sent = sent;
  }

  /** The connection is done with this request: writes the record. */
  close({ completed }: { readonly completed: boolean }): void {
    const now = this.#recorder.now();
    const stage = this.#stage;
    const { incoming } = stage;
    const refusal = this.#refusal;
    const upstream = refusal instanceof UpstreamRefusal ? refusal.upstream : this.#answer?.upstream;
    const record: AccessRecord = {
      time: stage.receivedAt,
      requestId: stage.requestId,
      hostId: this.#recorder.hostId,
      remoteAddress: stage.remoteAddress,
      peerAddress: stage.peerAddress,
      method: stage.method,
      target: stage.target,
      httpVersion: incoming.httpVersion,
      host: incoming.headers.host,
      referer: incoming.headers.referer,
      userAgent: incoming.headers['user-agent'],
      tls: stage.tls,
      ...identifiedFields(stage, refusal),
      ...callerFields(stage, refusal),
      ...decisionFields(
        stage,
        refusal,
        this.#answer?.entries ?? unanswered(this.#entries, refusal),
        this.#recorder.shadow,
      ),
      status: this.#status,
      errorCode: refusal?.code ?? this.#sent?.lateErrorCode,
      errorReason: refusal instanceof S3Error ? (refusal.reason ?? refusal.message) : undefined,
      bytesReceived: this.#bytes?.received ?? 0,
      bytesSent: this.#sent?.bytes ?? bytesOnTheWay(this.#answer),
      objectSize: objectSize(this.#answer, stage, this.#body),
      totalTimeMs: now - stage.receivedAt,
      turnAroundTimeMs:
        this.#answeredAt === undefined
          ? undefined
          : this.#answeredAt - (this.#bytes?.endedAt ?? stage.receivedAt),
      outcome: completed ? 'completed' : 'aborted-by-client',
      upstream,
    };
    if (refusal instanceof SignatureMismatch) this.#recorder.recordMismatch(record, refusal);
    else this.#recorder.record(record);
  }
}

/** What was decided for each key before the request as a whole was refused, or broken off. */
function unanswered(
  entries: readonly DecidedEntry[] | undefined,
  refusal: S3Error | UpstreamRefusal | undefined,
): readonly AnsweredEntry[] | undefined {
  return entries?.map(({ key, versionId, decided }) => {
    const isDenied = decided.at(-1)?.decision.effect === 'Deny';
    return { key, versionId, decided, errorCode: isDenied ? 'AccessDenied' : refusal?.code };
  });
}

function decidedIn(stage: Stage, refusal: S3Error | UpstreamRefusal | undefined): readonly Decided[] {
  if (refusal instanceof PolicyRefusal) return refusal.decided;
  return 'decided' in stage ? stage.decided : [];
}

/** Of the refused keys of one request: the next ones are refused for the like, and a thousand would make a flood of it. */
const MAX_EXPLAINED = 20;

/** The decisions of a request: its own, or those of each key of a DeleteObjects. */
function decisionFields(
  stage: Stage,
  refusal: S3Error | UpstreamRefusal | undefined,
  entries: readonly AnsweredEntry[] | undefined,
  shadow: Shadow | undefined,
): Pick<AccessRecord, 'decision' | 'entries' | 'evaluation' | 'otherDecisions'> {
  const compare = (decided: Decided): RecordedDecision['candidate'] =>
    shadow?.compare(decided, stage.requestId);
  if (entries === undefined) {
    const decided = decidedIn(stage, refusal);
    const evaluation = recordEvaluation(decided[0]);
    if (evaluation === undefined) return {};
    const shared = { of: decided[0], context: evaluation.context };
    const { decision, others } = recordDecisions(decided, shared, compare);
    return { decision, otherDecisions: others, evaluation };
  }
  const of = entries[0]?.decided[0];
  const evaluation = recordEvaluation(of);
  if (evaluation === undefined) return {};
  const shared = { of, context: evaluation.context };
  let refused = 0;
  return {
    evaluation,
    entries: entries.map(({ key, versionId, decided, errorCode }) => {
      if (decided.at(-1)?.decision.effect === 'Deny') refused += 1;
      const explained = refused <= MAX_EXPLAINED;
      const { decision, others } = recordDecisions(decided, shared, compare, { explained });
      const status = errorCode === undefined ? 204 : errorCode === 'AccessDenied' ? 403 : 500;
      return { key, versionId, status, errorCode, decision, otherDecisions: others };
    }),
  };
}

function identifiedFields(
  stage: Stage,
  refusal: S3Error | UpstreamRefusal | undefined,
): Partial<AccessRecord> {
  if (!('operation' in stage)) return {};
  const authorized = 'decided' in stage ? stage : undefined;
  return {
    operation: stage.operation.name,
    bucket: stage.address.bucket,
    bucketOwner: refusal instanceof PolicyRefusal ? refusal.bucketOwner : authorized?.bucket?.ownerAccount,
    key: stage.address.key,
    versionId: queryValue(stage.effective.query, 'versionId'),
    copySource: authorized?.copySource,
  };
}

/** Of the access log; the documented value of `s3:authType` for a form. */
const AUTH_TYPES = { header: 'AuthHeader', presigned: 'QueryString', post: 'POST' } as const;

function callerFields(stage: Stage, refusal: S3Error | UpstreamRefusal | undefined): Partial<AccessRecord> {
  if ('caller' in stage) {
    const { caller } = stage;
    if (caller.type === 'anonymous') return { principal: 'anonymous' };
    return {
      principal: caller.key.principal.arn,
      accessKeyId: caller.key.accessKeyId,
      authType: AUTH_TYPES[caller.claim.form],
      signatureVersion: caller.claim.algorithm === 'AWS4-HMAC-SHA256' ? 'SigV4' : 'SigV4A',
    };
  }
  // A claim that was not believed still says whose key to look at.
  const claimed = refusal instanceof S3Error ? refusal.details['AWSAccessKeyId'] : undefined;
  return { accessKeyId: claimed };
}

/** Of an answer that was broken off: what went out is told, though the client may not have read the last of it. */
function bytesOnTheWay(answer: Answer | undefined): number {
  return answer !== undefined && 'stream' in answer.body ? answer.body.stream.piped : 0;
}

function objectSize(
  answer: Answer | undefined,
  stage: Stage,
  body: IncomingBody | undefined,
): number | undefined {
  if (!('body' in stage) || answer === undefined) return undefined;
  if (stage.operation.body === 'stream') return stage.body?.length ?? body?.settledLength;
  if (stage.operation.answer !== 'object') return undefined;
  const { headers } = answer;
  // Of a range, the whole object's size is what counts.
  const range = headerOf(headers, 'content-range');
  if (range !== undefined) return Number(/\/(\d+)$/.exec(range)?.[1]);
  const length = headerOf(headers, 'content-length');
  return length === undefined ? undefined : Number(length);
}
