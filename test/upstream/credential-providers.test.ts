/** The AWS SDK's providers against servers, files and scripts that stand for the real ones. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { UpstreamOptions } from '../../src/upstream/index.ts';
import { serve, upstreamAt, upstreamRequest } from './origin.ts';

const EXPIRES = '2099-01-01T00:00:00Z';
const KEY = 'ASIAIOSFODNN7EXAMPLE';
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

type Provider = Extract<UpstreamOptions['credentials'], { kind: 'provider' }>['provider'];

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'bucketwarden-aws-'));
  onTestFinished(() => {
    rmSync(home, { recursive: true, force: true });
  });
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
  vi.stubEnv('HOME', home);
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
});

afterEach(() => {
  vi.unstubAllEnvs();
});

function file(path: string, text: string, mode = 0o600): string {
  const full = join(home, path);
  mkdirSync(join(full, '..'), { recursive: true });
  writeFileSync(full, text, { mode });
  chmodSync(full, mode);
  return full;
}

/** What an upstream sees of the credentials: key id and session token. */
async function signedWith(provider: Provider, profile?: string) {
  const seen: { key: string | undefined; token: unknown; signed: boolean }[] = [];
  const url = await serve((request, response) => {
    const { authorization = '', 'x-amz-security-token': token } = request.headers;
    seen.push({
      key: /Credential=([^/]+)\//.exec(authorization)?.[1],
      token,
      signed: /SignedHeaders=[^,]*x-amz-security-token/.test(authorization),
    });
    response.end();
  });
  const upstream = await upstreamAt(url, { credentials: { kind: 'provider', provider, profile } });
  await (await upstream.send(upstreamRequest())).body.read(0);
  return { ...seen[0], expiresAt: upstream.health().credentialsExpireAt };
}

const TEMPORARY = { key: KEY, token: 'the token', signed: true, expiresAt: Date.parse(EXPIRES) };
const LASTING = { key: KEY, token: undefined, signed: false, expiresAt: undefined };

/** Serves JSON by path, and remembers who asked. */
async function json(pages: Readonly<Record<string, unknown>>) {
  const asked: IncomingMessage[] = [];
  const url = await serve((request: IncomingMessage, response: ServerResponse) => {
    asked.push(request);
    const page = pages[(request.url ?? '').split('?', 1)[0] ?? ''];
    if (page === undefined) response.writeHead(404).end();
    else response.end(typeof page === 'string' ? page : JSON.stringify(page));
  });
  return { url, asked };
}

const ROLE = {
  Code: 'Success',
  AccessKeyId: KEY,
  SecretAccessKey: SECRET,
  Token: 'the token',
  Expiration: EXPIRES,
};

describe('credentials come from', () => {
  test('the environment', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', KEY);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', SECRET);
    expect(await signedWith('environment')).toEqual(LASTING);
    vi.stubEnv('AWS_SESSION_TOKEN', 'the token');
    expect(await signedWith('environment')).toEqual({ ...TEMPORARY, expiresAt: undefined });
  });

  test.each([undefined, 'storage'])('the profile %s of the credentials file', async (profile) => {
    file(
      '.aws/credentials',
      `[${profile ?? 'default'}]\naws_access_key_id = ${KEY}\naws_secret_access_key = ${SECRET}\n[other]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = x\n`,
    );
    expect(await signedWith('profile', profile)).toEqual(LASTING);
    vi.stubEnv('AWS_PROFILE', profile ?? 'default');
    expect(await signedWith('default')).toEqual(LASTING);
  });

  test('a process', async () => {
    const answer = JSON.stringify({
      Version: 1,
      AccessKeyId: KEY,
      SecretAccessKey: SECRET,
      SessionToken: 'the token',
      Expiration: EXPIRES,
    });
    const script = file('give', `#!/bin/sh\necho '${answer}'\n`, 0o700);
    file('.aws/config', `[profile storage]\ncredential_process = ${script}\n`);
    expect(await signedWith('process', 'storage')).toEqual(TEMPORARY);
    expect(await signedWith('profile', 'storage')).toEqual(TEMPORARY);
  });

  test('single sign-on, with the token that `aws sso login` left', async () => {
    const { url, asked } = await json({
      '/federation/credentials': {
        roleCredentials: {
          accessKeyId: KEY,
          secretAccessKey: SECRET,
          sessionToken: 'the token',
          expiration: Date.parse(EXPIRES),
        },
      },
    });
    vi.stubEnv('AWS_ENDPOINT_URL_SSO', url);
    const session = createHash('sha1').update('corp').digest('hex');
    file(
      `.aws/sso/cache/${session}.json`,
      JSON.stringify({
        accessToken: 'sso token',
        expiresAt: EXPIRES,
        region: 'eu-west-1',
        startUrl: 'https://corp.example/start',
      }),
    );
    file(
      '.aws/config',
      '[profile storage]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Reader\n[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.example/start\n',
    );
    expect(await signedWith('sso', 'storage')).toEqual(TEMPORARY);
    expect(asked[0]?.headers['x-amz-sso_bearer_token']).toBe('sso token');
    expect(asked[0]?.url).toContain('role_name=Reader');
  });

  test('a web identity token, exchanged at STS', async () => {
    const { url, asked } = await json({
      '/': `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>${KEY}</AccessKeyId><SecretAccessKey>${SECRET}</SecretAccessKey><SessionToken>the token</SessionToken><Expiration>${EXPIRES}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
    });
    vi.stubEnv('AWS_ENDPOINT_URL_STS', url);
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', file('token', 'a.jwt.token'));
    vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::111122223333:role/gateway');
    expect(await signedWith('web-identity')).toEqual(TEMPORARY);
    expect(asked).toHaveLength(1);
    expect(await signedWith('default')).toEqual(TEMPORARY);
  });

  test('a container, which shows its token', async () => {
    const { url, asked } = await json({ '/role': ROLE });
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${url}/role`);
    vi.stubEnv('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', file('token', 'container token'));
    expect(await signedWith('container')).toEqual(TEMPORARY);
    expect(asked[0]?.headers.authorization).toBe('container token');
  });

  test('the role of the instance, over IMDSv2', async () => {
    const base = '/latest/meta-data/iam/security-credentials/';
    const { url, asked } = await json({
      '/latest/api/token': 'imds token',
      [base]: 'gateway-role',
      [`${base}gateway-role`]: { ...ROLE, Type: 'AWS-HMAC', LastUpdated: '2026-01-01T00:00:00Z' },
    });
    vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', url);
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', undefined);
    expect(await signedWith('instance')).toEqual(TEMPORARY);
    expect(asked.map(({ method }) => method)).toContain('PUT');
    expect(asked.at(-1)?.headers['x-aws-ec2-metadata-token']).toBe('imds token');
    expect(await signedWith('default')).toEqual(TEMPORARY);
  });
});

describe('the start fails with the reason', () => {
  test.each([
    ['environment', 'Unable to find environment variable credentials.'],
    ['profile', 'Could not resolve credentials'],
    ['default', 'Could not load credentials from any providers'],
    ['web-identity', 'Web identity configuration not specified'],
    ['container', 'HTTP credential provider host'],
  ] as const)('without credentials from %s', async (provider, reason) => {
    const starting = upstreamAt('http://127.0.0.1:9', {
      credentials: { kind: 'provider', provider, profile: undefined },
    });
    await expect(starting).rejects.toMatchObject({ name: 'UpstreamUnusable', code: 'UPSTREAM_UNUSABLE' });
    await expect(starting).rejects.toThrow('The upstream `test` cannot be used: there are no credentials: ');
    await expect(starting).rejects.toThrow(reason);
  });

  test('and without what a process says on its standard error', async () => {
    const script = file('give', '#!/bin/sh\necho "key hunter2 refused" >&2\nexit 1\n', 0o700);
    file('.aws/config', `[profile storage]\ncredential_process = ${script}\n`);
    const starting = upstreamAt('http://127.0.0.1:9', {
      credentials: { kind: 'provider', provider: 'process', profile: 'storage' },
    });
    const error: unknown = await starting.catch((failure: unknown) => failure);
    expect(String(error)).toContain('Command failed');
    expect(String(error)).not.toContain('hunter2');
  });
});
