/** What a first start prints: commands to paste as they are. */

export interface QuickStart {
  readonly url: string;
  readonly region: string;
  /** Shell commands that put the administrator's credentials into the environment. */
  readonly become: readonly string[];
  /** About the secret. */
  readonly note: string;
}

export function quickStart({ url, region, become, note }: QuickStart): string {
  // The credentials reach curl through a pipe: on its command line every user of the machine could read them.
  const curl = [
    `s3curl() { printf 'user = "%s:%s"\\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" |`,
    `  curl -sS --config - --aws-sigv4 "aws:amz:${region}:s3" -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "$@"; }`,
  ];
  const administrator = ['# As the administrator:', ...become];
  return [
    `Bucketwarden listens on ${url}`,
    note,
    '',
    'Paste this into another terminal, in this folder.',
    '',
    '### With the AWS CLI',
    ...administrator,
    `export AWS_REGION=${region} AWS_DEFAULT_REGION=${region} AWS_ENDPOINT_URL=${url}`,
    'aws s3 mb s3://demo',
    "echo 'hello from Bucketwarden' > hello.txt",
    'aws s3 cp hello.txt s3://demo/hello.txt',
    '# A key that may only read this bucket:',
    issueReader('reader', 'demo'),
    '# Allowed:',
    'aws s3 cp s3://demo/hello.txt -',
    '# Refused with AccessDenied:',
    'aws s3 cp hello.txt s3://demo/other.txt',
    '',
    '### With curl',
    ...administrator,
    ...curl,
    `s3curl -X PUT ${url}/demo-curl`,
    `s3curl -X PUT --data-binary 'hello from Bucketwarden' ${url}/demo-curl/hello.txt`,
    '# A key that may only read this bucket:',
    issueReader('curl-reader', 'demo-curl'),
    '# Allowed:',
    `s3curl ${url}/demo-curl/hello.txt`,
    '# Refused with AccessDenied:',
    `s3curl -X PUT --data-binary 'not allowed' ${url}/demo-curl/other.txt`,
    '',
    '### End of the commands',
    '',
  ].join('\n');
}

function issueReader(user: string, bucket: string): string {
  return `eval "$(npx bucketwarden keys issue --user ${user} --bucket ${bucket} --read-only)"`;
}
