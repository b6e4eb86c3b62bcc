/** The way of every request, in order. The only file that knows it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { accept } from './accept.ts';
import { withHeaders } from './answer.ts';
import { authenticate, type AuthenticateDependencies } from './authenticate.ts';
import { authorize, requireSameBucket, type AuthorizeDependencies } from './authorize.ts';
import { answerPreflight, crossOriginHeaders, identifyPreflight, isPreflight } from './cors.ts';
import type { BodyContext } from './condition-facts.ts';
import { documentContext, feedsDecision, readDocument, type RequestDocument } from './documents.ts';
import { identify, type IdentifyDependencies } from './identify.ts';
import { incomingBody, type IncomingBody } from './incoming-body.ts';
import { incomingBytes, type IncomingBytes } from './incoming-bytes.ts';
import { perform, type PerformDependencies } from './perform.ts';
import { openForm, type OpenFormDependencies } from './post-form.ts';
import { receive, type Reception } from './receive.ts';
import { RequestTrail, type Recorder } from './record.ts';
import { drain, refusalOf, refuse, respond, type Responder } from './respond.ts';

export interface HandlerDependencies
  extends
    IdentifyDependencies,
    OpenFormDependencies,
    AuthenticateDependencies,
    AuthorizeDependencies,
    PerformDependencies,
    Responder {
  readonly newRequestId: () => string;
  readonly recorder: Recorder;
}

export type Handler = (
  incoming: IncomingMessage,
  response: ServerResponse,
  options: Reception,
) => Promise<void>;

export function createHandler(dependencies: HandlerDependencies): Handler {
  return async (incoming, response, options) => {
    const received = receive(incoming, options, dependencies);
    const trail = new RequestTrail(received, dependencies.recorder);
    const gone = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) gone.abort(new Error('the client went away'));
      trail.close({ completed: response.writableFinished });
    });
    let reading: IncomingBytes | undefined;
    const bytes = (): IncomingBytes =>
      (reading ??= trail.reading(incomingBytes(received, response, dependencies)));
    let opened: IncomingBody | undefined;
    let crossOrigin: readonly string[] = [];
    try {
      const accepted = trail.reached(accept(received, dependencies.limits));
      if (isPreflight(accepted)) {
        const preflight = trail.reached(identifyPreflight(accepted, dependencies));
        const answer = trail.answered(await answerPreflight(preflight, dependencies));
        trail.sent(await respond(answer, received, response, dependencies));
        return;
      }
      if (accepted.wire.headers.has('origin')) crossOrigin = await crossOriginHeaders(accepted, dependencies);
      const identified = trail.reached(identify(accepted, dependencies));
      const known =
        identified.form === 'unread' ? await openForm(identified, bytes(), dependencies) : identified;
      const authenticated = trail.reached(await authenticate(trail.reached(known), dependencies));
      const body = (): IncomingBody =>
        (opened ??= trail.opened(incomingBody(authenticated, bytes(), dependencies)));
      let document: Promise<RequestDocument> | undefined;
      const read = (): Promise<RequestDocument> => (document ??= readDocument(authenticated, body));
      const feed = async (): Promise<BodyContext> =>
        feedsDecision(authenticated) ? documentContext(await read()) : {};
      const authorized = trail.reached(
        await authorize(authenticated, { feed, signal: gone.signal }, dependencies),
      );
      const noteEntries = trail.deciding;
      const request = { request: authorized, document: await read(), body, signal: gone.signal, noteEntries };
      if (request.document.kind !== 'none') await requireSameBucket(authorized, dependencies);
      const answer = withHeaders(trail.answered(await perform(request, dependencies)), crossOrigin);
      trail.sent(await respond(answer, received, response, dependencies));
    } catch (error) {
      // An upstream that still answers, or waits for bytes, does so for nobody.
      gone.abort(error);
      const refusal = trail.refused(refusalOf(error), error);
      if (response.headersSent || response.destroyed) response.destroy();
      else trail.sent(refuse(refusal, received, response, { ...dependencies, more: crossOrigin }));
      await opened?.release();
      await reading?.release();
      if (!incoming.complete && !incoming.destroyed) drain(incoming);
    }
  };
}
