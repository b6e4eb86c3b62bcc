/** How keys are shown: JSON with the names of IAM's API, and text. Never with a stored secret. */
import { type StoredKeyOwner, type StoredPolicy } from '../../identity/index.ts';

/** IAM's AccessKeyMetadata, with what IAM keys do not have behind it. */
export function keyMetadata({ key, principal }: StoredKeyOwner) {
  return {
    UserName: principal.userName,
    AccessKeyId: key.accessKeyId,
    Status: key.status,
    CreateDate: isoTime(key.createdAt),
    ...(key.expiresAt === undefined ? {} : { ExpirationDate: isoTime(key.expiresAt) }),
    ...(key.description === undefined ? {} : { Description: key.description }),
    Arn: principal.arn,
    Origin: key.origin,
  };
}

export function tagList(tags: Readonly<Record<string, string>>) {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** A stored document that is no JSON is shown as the text that it is. */
export function policyList(policies: readonly StoredPolicy[]) {
  return policies.map(({ name, document }) => ({ PolicyName: name, PolicyDocument: parseJson(document) }));
}

export function json(value: object): string {
  return `${jsonLine(value, 2)}\n`;
}

/**
 * JSON in which what came from a client cannot steer a terminal: JSON.stringify escapes control characters up to U+001F
 * alone. The value stays the same.
 */
export function jsonLine(value: object, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replaceAll(
    /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) =>
      Array.from({ length: character.length }, (_, index) => {
        const unit = character.charCodeAt(index).toString(16);
        return `\\u${unit.padStart(4, '0')}`;
      }).join(''),
  );
}

/** ISO 8601 in UTC, in whole seconds. */
export function isoTime(time: number): string {
  return new Date(time).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
