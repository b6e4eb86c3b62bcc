/** The reference pages that are made from the code: docs/operations.md and docs/errors.md. */
import {
  COMMON_HEADERS,
  COMMON_PARAMETERS,
  ERRORS,
  isAvailable,
  ONLY_VALUES,
  OPERATION_LIST,
  OPERATION_SWITCHES,
  OPERATIONS,
  SWITCHED_HEADERS,
  SWITCHED_RESPONSE_HEADERS,
  WRITE_CONDITIONS,
  type ActionCondition,
  type AvailableOperation,
  type Operation,
  type OperationSpec,
} from '../src/s3/index.ts';
import { escapeCell, GENERATED, list, names, page, table } from './markdown.ts';

export function renderOperationsPage(): string {
  const available = OPERATION_LIST.filter(isAvailable).toSorted(byName);
  const refused = OPERATION_LIST.filter((operation) => !isAvailable(operation));
  return page([
    '# Operations',
    GENERATED,
    `Every operation of S3 is known to Bucketwarden: ${available.length} are done (some of them only where the operator has switched them on), ${refused.length} are refused on purpose: these are answered \`NotImplemented\`, and nothing of them reaches the upstream.`,
    '## How a request is recognised',
    list([
      'By its method, its level (service, bucket, object), and the query parameters and headers of the row. The row with the most of them wins. Two rows with as many, such as `?acl&tagging`, are refused: `NotImplemented`. `x-id` is a hint of the SDKs and decides nothing.',
      'A query parameter that neither the operation nor the list below knows is `NotImplemented`, with the name in the message and in `ParameterName`. S3 itself ignores unknown parameters; here one that is not understood could change what the upstream does. One that comes twice is `InvalidArgument`.',
      'The same holds for an `x-amz-*` header that is not known (`Header` names it), and one that comes twice (`x-amz-meta-*` may). Other headers are never forwarded unless the operation lists them.',
      `Writes also refuse ${names(WRITE_CONDITIONS)} where the operation does not list them: ignoring them would do more than was asked for.`,
      'In a presigned URL, `x-amz-*` parameters that are not part of the signature count as headers, as with S3. One that differs from the header of that name is `InvalidArgument`. The checksum of an empty body is left out: SDKs write it into the URL of an upload whose body they do not know.',
      'A method that S3 does not have is `MethodNotAllowed`; SOAP is `NotImplemented`.',
    ]),
    `Headers that every operation takes: ${names(COMMON_HEADERS)}, and everything that does not start with \`x-amz-\`.`,
    `Query parameters that every operation takes: ${names(COMMON_PARAMETERS)}. (\`AWSAccessKeyId\`, \`Expires\` and \`Signature\` belong to SigV2, which the signature check refuses.)`,
    `Headers of which only these values are implemented: ${[...ONLY_VALUES].map(([name, values]) => `\`${name}: ${values.join('` or `')}\``).join(', ')}.`,
    'ACLs are off, as with `BucketOwnerEnforced`. `x-amz-acl` may say `private` or `bucket-owner-full-control`, which needs no further right and means nothing; any other ACL, and every `x-amz-grant-*` header, is `AccessControlListNotSupported`.',
    'Stores that do not know a sub-resource often answer as if it were not there: a GET with the object or a listing, a DELETE of a setting by deleting the bucket, a PUT by overwriting the object. So a setting is passed on only when it is the document that was asked for, and where a request would do harm the gateway asks the store first: `NotImplemented` when it does not know the sub-resource.',
    '## Available',
    ...available.flatMap(describe),
    '## What the operator can switch on per bucket',
    'Off until the name of the switch stands in the setting `operations` of the bucket: the upstream would act outside of the bucket, or with rights, keys and money of the account that the gateway has there, and no policy decides on that. Until then such a request is `NotImplemented`, decided before anything is forwarded; the audit record names the bucket and the switch. Headers of an answer are left out.',
    table(
      ['Switch', 'What it lets happen', 'Operations and headers'],
      Object.entries(OPERATION_SWITCHES).map(switchRow),
    ),
    'Elements of documents need `kms-keys` too: the algorithm `aws:kms` and the key of PutBucketEncryption and of metadata tables, the key of an inventory, and what a replication says of keys. Without it, GetBucketEncryption does not tell the id of the key.',
    '## Refused on purpose',
    'Recognised, and answered `NotImplemented`.',
    table(['Operation', 'Request', 'Actions', 'Why'], refused.map(summary)),
    'The same holds for parts of operations that are done:',
    list(REFUSED_PARTS),
  ]);
}

export function renderErrorsPage(): string {
  const rows = Object.entries(ERRORS)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { status, message }]) => [`\`${code}\``, String(status), escapeCell(message)]);
  return page([
    '# Errors',
    GENERATED,
    'Every refusal is one of these, as the XML document of the S3 API reference: `Code`, `Message`, elements that belong to the code, `Resource`, `RequestId`, `HostId`. The message given here is the usual one; a refusal that knows more says so. Answers to HEAD have no body.',
    table(['Code', 'Status', 'Message'], rows),
  ]);
}

function describe(operation: AvailableOperation): readonly string[] {
  const spec: OperationSpec = OPERATIONS[operation.name];
  if (!('body' in spec)) return [];
  return [
    `### ${operation.name}`,
    list([
      `Request: ${requestLine(operation)}`,
      `State: ${STATES[operation.handling]}`,
      ...(operation.knownBy === undefined
        ? []
        : [
            `Asks first: a GET of the same address${operation.knownWithout.length === 0 ? '' : ` without ${names(operation.knownWithout)}`}, which must answer with ${names(operation.knownBy)} or an error of its own`,
          ]),
      ...(operation.needs === undefined ? [] : [`Switch: \`${operation.needs}\``]),
      `Actions: ${actions(operation)}`,
      ...(spec.query === undefined ? [] : [`Parameters: ${names(spec.query)}`]),
      ...(spec.headers.length === 0 ? [] : [`Headers: ${names(spec.headers)}`]),
      `Body: ${body(operation)}`,
      `Answer: ${ANSWERS[operation.answer]}${spec.responseHeaders.length === 0 ? '' : `, with ${names(spec.responseHeaders)}`}`,
      ...operation.headerActions.map(
        ({ action, headers }) => `${names(headers)} in the answer: only with \`${action}\``,
      ),
    ]),
  ];
}

/** What no switch turns on, beside whole operations. */
const REFUSED_PARTS = [
  'ACLs that grant anything, and ownership controls other than `BucketOwnerEnforced`: an ACL would open a door beside the policies.',
  '`x-amz-mfa` and `MfaDelete: Enabled`: the device belongs to the root user of the account upstream.',
  'A RestoreObject that selects (`Type`, `SelectParameters`, `OutputLocation`): it would write into another bucket. SelectObjectContent answers with its result.',
  'Names of buckets and sources of copies that are ARNs or aliases of access points: they would walk around the policy of the bucket behind them.',
  '`TargetGrants` of PutBucketLogging (ACLs), `AccessPointArn` of PutBucketMetricsConfiguration (access points), event holds of object locks (no policy here could ask for one).',
  'Tags and directory buckets in the body of CreateBucket; `x-amz-write-offset-bytes`, which appends to objects of directory buckets.',
  'An element that the schema of its document does not have is `MalformedXML`: what goes upstream is written anew, never the text of the client.',
  'A key of the client (SSE-C) over a connection that is not encrypted, be it from the client or to the upstream; on the same machine it may be. The key is in no log, record or error.',
];

function switchRow([name, effect]: readonly [string, string]): readonly string[] {
  const operations = OPERATION_LIST.filter(({ needs }) => needs === name).toSorted(byName);
  const headers = [...SWITCHED_HEADERS, ...SWITCHED_RESPONSE_HEADERS]
    .filter(([, needs]) => needs === name)
    .map(([header]) => header);
  const values = name === 'kms-keys' ? ['x-amz-server-side-encryption: aws:kms', 'aws:kms:dsse'] : [];
  const parts = [...operations.map((operation) => operation.name), ...new Set(headers), ...values];
  return [`\`${name}\``, effect, names(parts)];
}

const STATES = {
  forward: 'forwarded',
  gateway: 'answered by the gateway',
  rewrite: 'forwarded, its body or its answer made anew by the gateway',
} as const;

const ANSWERS = {
  empty: 'no body',
  object: 'the content',
  xml: 'XML',
  'xml-late-error': 'XML, which may turn out to be an error after a status of 200',
  'event-stream': 'event stream',
} as const;

function body({ body: mode, streamingPayload, checksums, needsIntegrity }: Operation): string {
  const of = checksums === 'object' ? '; checksum headers describe the object, not the body' : '';
  if (mode === 'none') return 'none';
  if (mode === 'stream')
    return `verified while it streams${streamingPayload ? ', also in the `STREAMING-…` forms' : ''}`;
  const proof = needsIntegrity ? '; needs Content-MD5, a checksum, or a signed sha256' : '';
  return `at most ${mode.buffered / 1024} KiB, verified before anything is decided${of}${proof}`;
}

function summary(operation: Operation): readonly string[] {
  const spec: OperationSpec = OPERATIONS[operation.name];
  const older = spec.alsoKnownAs === undefined ? '' : ` (also ${names(spec.alsoKnownAs)})`;
  return [`\`${operation.name}\`${older}`, requestLine(operation), actions(operation), reasonOf(operation)];
}

function reasonOf({ handling }: Operation): string {
  if (typeof handling === 'string') return '';
  return handling.refused;
}

const PATHS = { service: '/', bucket: '/{bucket}', object: '/{bucket}/{key}' } as const;

function requestLine({ method, level, match }: Operation): string {
  const query = [
    ...(match.query ?? []),
    ...Object.entries(match.queryEquals ?? {}).map(([name, value]) => `${name}=${value}`),
  ];
  const target = `${PATHS[level]}${query.length === 0 ? '' : `?${query.join('&')}`}`;
  const fields = (match.headers ?? []).map((name) => `\`${name}\``);
  return `\`${method} ${target}\`${fields.length === 0 ? '' : ` with ${fields.join(', ')}`}`;
}

function actions(operation: Operation): string {
  if (operation.actions.length === 0) return 'none';
  const each = operation.actions.map(({ action, resource, when }) => {
    const on = resource === 'copy-source' ? ' on the source' : '';
    return `\`${action}\`${on}${when === undefined ? '' : ` ${condition(when)}`}`;
  });
  return `${each.join(', ')}${operation.perEntry ? '; for each entry of the body' : ''}`;
}

function condition(when: ActionCondition): string {
  if ('noQuery' in when) return `without \`${when.noQuery}\``;
  if ('query' in when) return `with \`${when.query}\``;
  if ('anyHeader' in when) return `with ${when.anyHeader.map((name) => `\`${name}\``).join(' or ')}`;
  if ('nonEmptyHeader' in when) return `with a non-empty \`${when.nonEmptyHeader}\``;
  if ('headerTrue' in when) return `with \`${when.headerTrue}: true\``;
  if ('headerEquals' in when) {
    const { headerEquals, copySourceVersion: version } = when;
    const of = version === undefined ? '' : ` and ${version ? 'a' : 'no'} version of the source`;
    return `with \`${headerEquals.join(': ')}\`${of}`;
  }
  if ('copiesTags' in when) {
    const { copySourceVersion: version } = when;
    const of = version === undefined ? '' : ` and is ${version ? 'a' : 'no'} version`;
    return `when the source has tags${of}, unless \`x-amz-tagging-directive: REPLACE\``;
  }
  if ('entityTag' in when) return `with \`${when.entityTag}\` other than \`*\``;
  if ('grantingAcl' in when) return 'with an ACL that grants something (refused today)';
  if ('copySourceVersion' in when)
    return when.copySourceVersion ? 'when it names a version' : 'when it names no version';
  if ('entryVersion' in when) return when.entryVersion ? 'with `VersionId`' : 'without `VersionId`';
  if ('entryEntityTag' in when) return 'with `ETag` other than `*`';
  return `(not asked for today: ${when.notEvaluated})`;
}

function byName(a: Operation, b: Operation): number {
  return a.name < b.name ? -1 : 1;
}
