/** Requests at each stage of their way, made without a connection. */
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { accept } from '../../src/gateway/accept.ts';
import { authenticate, type AuthenticateDependencies } from '../../src/gateway/authenticate.ts';
import { BodyFraming } from '../../src/gateway/body-framing.ts';
import { identify } from '../../src/gateway/identify.ts';
import type { Authenticated, Identified, Received } from '../../src/gateway/stages.ts';
import type { KeyDirectory, ResolvedKey } from '../../src/identity/index.ts';
import { compilePolicies } from '../../src/policy/index.ts';
import { S3Error } from '../../src/s3/index.ts';
import { createSigningKeys, Secret } from '../../src/sigv4/index.ts';
import {
  ACCESS_KEY_ID,
  NOW,
  REGION,
  SECRET_ACCESS_KEY,
  type WireParts,
} from '../sigv4/independent-signer.ts';

const NAMES = { baseDomains: [], publicUrls: [] };

export const LIMITS = { headerBytes: 8192, userMetadataBytes: 2048 };

export const KEY: ResolvedKey = {
  accessKeyId: ACCESS_KEY_ID,
  secretAccessKey: new Secret(SECRET_ACCESS_KEY),
  secretVersion: '1',
  principal: {
    type: 'user',
    arn: 'arn:aws:iam::111122223333:user/alice',
    accountId: '111122223333',
    userName: 'alice',
    userId: 'AIDAEXAMPLE',
    tags: { Team: 'Red', __proto__x: 'y' },
  },
  policies: compilePolicies([]),
  attached: [],
  expiresAt: undefined,
  status: 'Active',
};

/** Knows `keys` and no others. */
export function keyDirectory(...keys: readonly ResolvedKey[]): KeyDirectory {
  return {
    find: (accessKeyId) => Promise.resolve(keys.find((key) => key.accessKeyId === accessKeyId)),
    refresh: () => Promise.resolve(),
    close: () => undefined,
  };
}

function dependencies(changes: Partial<AuthenticateDependencies> = {}): AuthenticateDependencies {
  return {
    keys: keyDirectory(KEY),
    signingKeys: createSigningKeys({ max: 10 }),
    region: REGION,
    headersToSign: new Set(),
    spool: undefined,
    now: () => NOW,
    ...NAMES,
    ...changes,
  };
}

export function receivedFrom(
  { method, target, headers }: WireParts,
  changes: Partial<Received> & { readonly httpVersion?: string } = {},
): Received {
  const { httpVersion = '1.1', ...more } = changes;
  const incoming = new IncomingMessage(new Socket());
  incoming.rawHeaders = headers.flat();
  incoming.httpVersion = httpVersion;
  return {
    requestId: '0123456789ABCDEF',
    receivedAt: NOW,
    method,
    target,
    remoteAddress: '192.0.2.7',
    peerAddress: '192.0.2.7',
    secure: false,
    originProblem: undefined,
    tls: undefined,
    incoming,
    expectsContinue: false,
    framing: new BodyFraming(),
    ...more,
  };
}

function identified(parts: WireParts, changes: Partial<Received> = {}): Identified {
  return identify(accept(receivedFrom(parts, changes), LIMITS), { ...NAMES, limits: LIMITS });
}

export async function authenticated(
  parts: WireParts,
  options: {
    readonly received?: Partial<Received>;
    readonly dependencies?: Partial<AuthenticateDependencies>;
  } = {},
): Promise<Authenticated> {
  const request = identified(parts, options.received);
  if (request.form === 'unread') throw new Error('a form has to be opened first');
  return authenticate(request, dependencies(options.dependencies));
}

/** The refusal with which a promise rejects; anything else fails. */
export async function refusalOf(result: Promise<unknown>): Promise<S3Error> {
  try {
    await result;
  } catch (error) {
    if (error instanceof S3Error) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
