/** Principals: the users and the root of an account, with the names and tags that IAM allows them. */
import { IdentityInputError, newUserId } from './access-key.ts';
import { type StoredPrincipal } from './store.ts';

export interface Principal {
  readonly type: 'user' | 'root';
  readonly arn: string;
  /** 12 digits. */
  readonly accountId: string;
  readonly userName: string;
  readonly userId: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** Stands where a user's name does; no user may have it, so that a log line never takes one for the other. */
const ROOT_NAME = 'root';
const MAX_TAGS = 50;

/**
 * A user as it is stored. Its ARN follows from account and name, its id is new each time.
 *
 * @throws IdentityInputError for a name or tag that IAM's CreateUser would refuse.
 */
export function newUser(options: {
  readonly accountId: string;
  readonly userName: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly now: number;
  readonly randomBytes: (size: number) => Buffer;
}): StoredPrincipal {
  const { accountId, userName, tags } = options;
  assertUserName(userName);
  assertTags(tags);
  return {
    type: 'user',
    arn: userArn(accountId, userName),
    accountId,
    userName,
    userId: newUserId(options.randomBytes),
    tags,
    createdAt: options.now,
  };
}

/** The administrator of the account: no user, full access, subject to the Denies of bucket policies. */
export function rootPrincipal(accountId: string, now: number): StoredPrincipal {
  return {
    type: 'root',
    arn: `arn:aws:iam::${accountId}:root`,
    accountId,
    userName: ROOT_NAME,
    // On AWS, too, the root's unique id is the account's number.
    userId: accountId,
    tags: {},
    createdAt: now,
  };
}

export function userArn(accountId: string, userName: string): string {
  return `arn:aws:iam::${accountId}:user/${userName}`;
}

/** IAM: 1 to 64 of letters, digits and `+=,.@_-`. */
function assertUserName(userName: string): void {
  if (!/^[A-Za-z0-9+=,.@_-]{1,64}$/.test(userName)) {
    throw new IdentityInputError(
      `\`${userName}\` is no user name: 1 to 64 of A-Z a-z 0-9 + = , . @ _ - are expected.`,
    );
  }
  if (userName.toLowerCase() === ROOT_NAME) {
    throw new IdentityInputError(
      `The user name \`${userName}\` is reserved for the administrator. Choose another.`,
    );
  }
}

/** IAM: at most 50 tags; keys of 1 to 128 and values of up to 256 characters; keys are unique ignoring case. */
function assertTags(tags: Readonly<Record<string, string>>): void {
  const entries = Object.entries(tags);
  if (entries.length > MAX_TAGS) {
    throw new IdentityInputError(`${entries.length} tags: a user has ${MAX_TAGS} at most.`);
  }
  const seen = new Set<string>();
  for (const [key, value] of entries) {
    if (!/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u.test(key) || key.toLowerCase().startsWith('aws:')) {
      throw new IdentityInputError(
        `\`${key}\` is no tag key: 1 to 128 letters, digits, spaces or _ . : / = + - @, not starting with aws:, are expected.`,
      );
    }
    if (!/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u.test(value)) {
      throw new IdentityInputError(
        `The value of tag \`${key}\` is not usable: up to 256 letters, digits, spaces or _ . : / = + - @ are expected.`,
      );
    }
    if (seen.has(key.toLowerCase())) {
      throw new IdentityInputError(
        `The tag \`${key}\` is given twice: tag keys differ in more than the case of letters.`,
      );
    }
    seen.add(key.toLowerCase());
  }
}
