/** Why a signature does not match, as data and in a sentence. */

/**
 * What the client signed, where it differs from the request as it came. Values are the request's own, the
 * configuration's or well-known ones; nothing of a secret is in them.
 */
export type SignatureCause =
  | { readonly kind: 'host'; readonly signed: string }
  /** Bucket in the Host for one in the path, or the other way round, or below a public URL. */
  | { readonly kind: 'address'; readonly signed: string }
  | { readonly kind: 'path'; readonly how: PathFault; readonly signed: string }
  | { readonly kind: 'query'; readonly how: QueryFault }
  | { readonly kind: 'parameter'; readonly name: string }
  /** `signed` is undefined where the value is a secret. */
  | {
      readonly kind: 'header';
      readonly name: string;
      readonly how: HeaderFault;
      readonly signed: string | undefined;
    }
  | { readonly kind: 'method'; readonly signed: string }
  | { readonly kind: 'payload'; readonly signed: string }
  | { readonly kind: 'date'; readonly signed: string }
  | { readonly kind: 'region'; readonly signed: string }
  | { readonly kind: 'service'; readonly signed: string }
  | { readonly kind: 'secret'; readonly how: SecretFault }
  | { readonly kind: 'key'; readonly how: 'not-derived' | 'without-prefix' }
  | { readonly kind: 'form'; readonly how: 'upper-case' | 'base64' | 'white-space' };

export type PathFault =
  'encoded-twice' | 'not-encoded' | 'encoded-otherwise' | 'normalised' | 'slash' | 'prefix';
type QueryFault =
  'plus-for-space' | 'not-encoded' | 'encoded-otherwise' | 'unsorted' | 'no-equals' | 'dropped';
export type HeaderFault =
  'changed' | 'missing' | 'not-folded' | 'joined-otherwise' | 'encoded-otherwise' | 'left-out';
export type SecretFault =
  | 'line-break-at-end'
  | 'space-at-end'
  | 'space-at-start'
  | 'quotes'
  | 'url-encoded'
  | 'url-decoded'
  | 'plus-to-space'
  | 'escaped'
  | 'truncated'
  | 'first-character-missing'
  | 'cut-at-special-character'
  | 'special-characters-missing'
  | 'base64'
  | 'byte-order-mark'
  | 'letter-case'
  | 'twice'
  | 'access-key-id'
  | 'empty';

/** What it was, and what to do. */
export function explainCause(cause: SignatureCause): string {
  switch (cause.kind) {
    case 'host':
      return `The client signed for the host ${quoted(cause.signed)}, but another Host came: a proxy changed it, or its port. Let the proxy pass Host on as it is, or list the URL that clients use in \`publicUrls\`.`;
    case 'address':
      return `The client signed for ${quoted(cause.signed)}, but the request came for another host and path: a proxy rewrote them. Let it pass both on as they are, or list the URL that clients use in \`publicUrls\`.`;
    case 'path':
      return PATHS[cause.how](quoted(cause.signed));
    case 'query':
      return QUERIES[cause.how];
    case 'parameter':
      return `The query parameter ${quoted(cause.name)} is not part of what the client signed: it was added on the way, or after signing.`;
    case 'header':
      return HEADERS[cause.how](
        quoted(cause.name),
        cause.signed === undefined ? 'another value' : quoted(cause.signed),
      );
    case 'method':
      return `The client signed the method ${quoted(cause.signed)}, and another one came. Presigned URLs hold for the method they were made for; proxies must not change it.`;
    case 'payload':
      return `The client signed ${quoted(cause.signed)} as the payload's hash, and \`x-amz-content-sha256\` says something else: it was replaced on the way, or is sent without being what was signed.`;
    case 'date':
      return `The client signed the date ${quoted(cause.signed)}, and \`x-amz-date\` says another: both must come from one reading of the clock, in UTC.`;
    case 'region':
      return `The client's signing key is for the region ${quoted(cause.signed)}, while its credential names another. Set the client's region to the gateway's.`;
    case 'service':
      return `The client's signing key is for the service ${quoted(cause.signed)}, while its credential says \`s3\`. Sign for the service \`s3\`.`;
    case 'secret':
      return `The client's secret access key differs from the stored one: ${SECRETS[cause.how]}. Configure it again, without quotes or white space.`;
    case 'key':
      return cause.how === 'not-derived'
        ? 'The client signed with the secret access key itself. The signing key has to be derived from it, by date, region and service.'
        : 'The client derived the signing key without putting `AWS4` before the secret access key.';
    case 'form':
      return FORMS[cause.how];
  }
}

const PATHS: Readonly<Record<PathFault, (signed: string) => string>> = {
  'encoded-twice': (signed) =>
    `The client signed the path ${signed}: it encodes the path twice, as other services than S3 have it, or a proxy decoded it once. For S3 the path is encoded once (SDKs: \`uriEscapePath: false\`); proxies must pass it on as it is.`,
  'not-encoded': (signed) =>
    `The client signed the path ${signed}, without the percent-encoding that S3 asks for: everything but letters, digits and \`-._~/\`.`,
  'encoded-otherwise': (signed) =>
    `The client signed the path ${signed}. S3 percent-encodes everything but letters, digits and \`-._~/\`, with upper-case digits.`,
  normalised: (signed) =>
    `The client signed the path ${signed}, with dot segments or double slashes resolved. For S3 they are part of the key and stay.`,
  slash: (signed) => `The client signed the path ${signed}: a slash was added, merged or removed on the way.`,
  prefix: (signed) =>
    `The client signed the path ${signed}: a proxy took a prefix off or put one on. List the URL that clients use, with its prefix, in \`publicUrls\`.`,
};

const QUERIES: Readonly<Record<QueryFault, string>> = {
  'plus-for-space':
    'A space in the query was signed as `%20` and sent as `+`, or signed as `+`. S3 knows only `%20` for a space.',
  'not-encoded': 'The client signed the query without the percent-encoding that S3 asks for.',
  'encoded-otherwise':
    'The client signed the query in another percent-encoding. S3 encodes everything but letters, digits and `-._~`, with upper-case digits.',
  unsorted:
    'The client signed the query in the order in which it sent it. It has to be sorted by name for signing.',
  'no-equals': 'The client signed a parameter without a value as `name`. It has to be `name=`.',
  dropped:
    'The client signed an empty query, and parameters came: they were added on the way, or left out when signing.',
};

const HEADERS: Readonly<Record<HeaderFault, (name: string, signed: string) => string>> = {
  changed: (name, signed) =>
    `The header ${name} was signed as ${signed} and changed on the way. Let the proxy pass it on as it is, or the client not sign it.`,
  missing: (name, signed) =>
    `The header ${name} was signed as ${signed} and did not come: a proxy took it away. Let it pass, or the client not sign it.`,
  'not-folded': (name) =>
    `The client signed the header ${name} with all its spaces. For signing, runs of spaces become one, and those at the ends go.`,
  'joined-otherwise': (name, signed) =>
    `The header ${name} came more than once, and the client signed ${signed}. For signing, values are joined with a comma alone.`,
  'encoded-otherwise': (name) =>
    `The client signed the header ${name} in another character encoding than it was sent in. Use ASCII, or UTF-8 in both.`,
  'left-out': (name) => `The client lists the header ${name} as signed, but did not sign it.`,
};

const SECRETS: Readonly<Record<SecretFault, string>> = {
  'line-break-at-end': 'it has a line break at its end',
  'space-at-end': 'it has white space at its end',
  'space-at-start': 'it has white space at its start',
  quotes: 'it stands in quotes',
  'url-encoded': 'it is percent-encoded',
  'url-decoded': 'it was percent-decoded',
  'plus-to-space': 'its `+` became a space',
  escaped: 'backslashes were put before or into it',
  truncated: 'its end is missing',
  'first-character-missing': 'its first character is missing',
  'cut-at-special-character': 'it ends before a special character',
  'special-characters-missing': 'its special characters are missing',
  base64: 'it is base64-encoded',
  'byte-order-mark': 'it starts with a byte order mark',
  'letter-case': 'it is in one letter case',
  twice: 'it stands there twice',
  'access-key-id': 'it is the access key id',
  empty: 'it is empty',
};

const FORMS: Readonly<Record<'upper-case' | 'base64' | 'white-space', string>> = {
  'upper-case': 'The signature is right, but in upper case. It has to be lower-case hex digits.',
  base64: 'The signature is right, but in base64. It has to be lower-case hex digits.',
  'white-space': 'The signature is right, but has white space around it.',
};

/** One short line, whatever a client sent. */
function quoted(text: string): string {
  const line = text.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll('`', "'");
  return `\`${line.length > 300 ? `${line.slice(0, 300)}…` : line}\``;
}
