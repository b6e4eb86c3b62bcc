/** What of an upstream's refusal a client may see. */
import { isSecretField, parseXml, S3Error, type ParsedElement } from '../s3/index.ts';
import type { UpstreamResponse } from '../upstream/index.ts';
import type { UpstreamOutcome } from './answer.ts';
import { headerOf } from './raw-headers.ts';

/** Most bytes of an error document that are read. */
const MAX_ERROR_BYTES = 65_536;

/**
 * The upstream's refusal of the gateway's own credentials or clock: as they are they would leak the upstream's key id,
 * and make SDKs correct their clock by the wrong server.
 */
const ABOUT_THE_GATEWAY: ReadonlySet<string> = new Set([
  'AccountProblem',
  'AllAccessDisabled',
  'AuthorizationHeaderMalformed',
  'AuthorizationQueryParametersError',
  'CredentialsNotSupported',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSecurity',
  'InvalidToken',
  'NotSignedUp',
  'RequestExpired',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'TokenRefreshRequired',
  'XAmzContentSHA256Mismatch',
]);

/** Extra elements that tell the client about its own request, and nothing about the upstream. */
const HARMLESS_DETAILS = [
  'ActualObjectSize',
  'ArgumentName',
  'ArgumentValue',
  'BucketName',
  'Condition',
  'Header',
  'Key',
  'MaxSizeAllowed',
  'MinSizeAllowed',
  'PartNumber',
  'ProposedSize',
  'RangeRequested',
  'UploadId',
  'VersionId',
] as const;

/** A refusal that came from the upstream, made fit for the client. */
export class UpstreamRefusal extends Error {
  override readonly name = 'UpstreamRefusal';
  readonly code: string;
  readonly status: number;
  readonly details: Readonly<Record<string, string>>;
  readonly upstream: UpstreamOutcome;

  constructor(
    error: {
      readonly code: string;
      readonly status: number;
      readonly message: string;
      readonly details?: Readonly<Record<string, string>>;
    },
    upstream: UpstreamOutcome,
  ) {
    super(error.message);
    this.code = error.code;
    this.status = error.status;
    this.details = error.details ?? {};
    this.upstream = upstream;
  }
}

export function upstreamOutcome(response: UpstreamResponse): UpstreamOutcome {
  return {
    status: response.status,
    requestId: headerOf(response.headers, 'x-amz-request-id'),
    id2: headerOf(response.headers, 'x-amz-id-2'),
    errorCode: undefined,
    cause: undefined,
  };
}

/** Reads an answer of 300 and above (304 is none) and makes the refusal of it; never rejects. */
export async function readRefusal(
  response: UpstreamResponse,
  { method, about }: { readonly method: string; readonly about: 'bucket' | 'object' },
): Promise<UpstreamRefusal> {
  const outcome = upstreamOutcome(response);
  if (response.status < 400) {
    response.body.discard();
    return unavailable(outcome, redirectCause(response));
  }
  if (method === 'HEAD') {
    response.body.discard();
    const region = headerOf(response.headers, 'x-amz-bucket-region');
    return response.status === 400 && region !== undefined
      ? unavailable(
          outcome,
          `the upstream refuses the gateway's own request: it wants region ${quoted(region)}`,
        )
      : headRefusal(response.status, about, outcome);
  }
  try {
    const text = (await response.body.read(MAX_ERROR_BYTES)).toString('utf8');
    return refusalOf(parseXml(text, 'Error'), response.status, outcome);
  } catch (error) {
    return unavailable(
      outcome,
      `the upstream's error (${response.status}) is not S3's XML: ${String(error)}`,
    );
  }
}

/** The refusal that an `<Error>` element means; also of one that came after a 200, as status 500 or what its code says. */
export function refusalOf(error: ParsedElement, status: number, outcome: UpstreamOutcome): UpstreamRefusal {
  const code = error.child('Code')?.text ?? '';
  const upstream = { ...outcome, errorCode: code };
  if (!/^[A-Za-z0-9.]{1,64}$/.test(code))
    return unavailable(upstream, 'the upstream sent an error without a code');
  if (ABOUT_THE_GATEWAY.has(code)) {
    const region = error.child('Region')?.text;
    const expected = region === undefined ? '' : `: it wants region ${quoted(region)}`;
    return unavailable(upstream, `the upstream refuses the gateway's own request: ${code}${expected}`);
  }
  if (code === 'AccessDenied')
    return new UpstreamRefusal(
      { code, status: 403, message: new S3Error('AccessDenied').message },
      { ...upstream, cause: "the upstream's own credentials lack this right" },
    );
  const details: Record<string, string> = {};
  for (const name of HARMLESS_DETAILS) {
    const text = error.child(name)?.text;
    if (text !== undefined) details[name] = text;
  }
  // Some repeat what they did not like, also where it is the client's own encryption key.
  if (isSecretField(details['ArgumentName'] ?? '')) delete details['ArgumentValue'];
  return new UpstreamRefusal(
    { code, status, message: error.child('Message')?.text ?? code, details },
    upstream,
  );
}

/** What could be followed, `upstream/` has followed. */
function redirectCause(response: UpstreamResponse): string {
  const location = headerOf(response.headers, 'location');
  const region = headerOf(response.headers, 'x-amz-bucket-region');
  const to = location === undefined ? '' : ` to ${quoted(location)}`;
  const wanted = region === undefined ? '' : `, region ${quoted(region)}`;
  return `the upstream redirects (${response.status})${to}${wanted}, which is none of its configured endpoints: check its endpoint, region and redirects`;
}

/** Foreign text in a record: short, and of one line. */
function quoted(text: string): string {
  return `\`${text.slice(0, 200).replaceAll(/[^ -~]/g, '?')}\``;
}

/** 503: something between gateway and upstream is wrong, and it is not the client's request. */
export function unavailable(outcome: UpstreamOutcome, cause: string): UpstreamRefusal {
  const { code, status, message } = new S3Error('ServiceUnavailable');
  return new UpstreamRefusal({ code, status, message }, { ...outcome, cause });
}

/** A HEAD has no document: only the status tells. */
function headRefusal(status: number, about: 'bucket' | 'object', outcome: UpstreamOutcome): UpstreamRefusal {
  switch (status) {
    case 403:
      return new UpstreamRefusal(
        { code: 'AccessDenied', status, message: new S3Error('AccessDenied').message },
        { ...outcome, cause: "the upstream's own credentials lack this right, or are refused" },
      );
    case 404: {
      const { code, message } = new S3Error(about === 'bucket' ? 'NoSuchBucket' : 'NoSuchKey');
      return new UpstreamRefusal({ code, status, message }, outcome);
    }
    case 400:
    case 405:
    case 409:
    case 412:
    case 416:
      return new UpstreamRefusal({ code: HEAD_CODES[status], status, message: HEAD_CODES[status] }, outcome);
    default:
      return unavailable(outcome, `the upstream answers a HEAD with ${status}`);
  }
}

const HEAD_CODES = {
  400: 'BadRequest',
  405: 'MethodNotAllowed',
  409: 'OperationAborted',
  412: 'PreconditionFailed',
  416: 'InvalidRange',
} as const;
