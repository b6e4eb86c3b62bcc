/** Every rule of lint: its id, which stays as it is, how bad it is, and what it is about. */
import type { Severity } from './finding.ts';

interface Rule {
  /** Where no finding says otherwise. */
  readonly severity: Severity;
  /** One line. */
  readonly title: string;
  /** Why it matters, in a few sentences. */
  readonly why: string;
}

export const RULES = {
  'invalid-json': {
    severity: 'error',
    title: 'The document is not strict JSON.',
    why: 'A document that two readers can read in two ways is refused: comments, trailing commas, text before the first `{`, and a key that occurs twice, be it in another case.',
  },
  malformed: {
    severity: 'error',
    title: 'The document is not a policy.',
    why: 'An element is missing, unknown, or of the wrong form. The message begins with the sentence that `PutBucketPolicy` or IAM answers.',
  },
  'invalid-principal': {
    severity: 'error',
    title: 'A principal cannot be named like this.',
    why: '`Principal` takes `"*"`, account ids, and whole ARNs of users, roles and sessions. A part of a name with a wildcard is none, and a group is never a principal.',
  },
  'invalid-resource': {
    severity: 'error',
    title: 'A resource is not one that the policy can speak of.',
    why: 'A resource is `*` or an ARN. In a bucket policy it is the bucket, or objects of the bucket.',
  },
  'unknown-action': {
    severity: 'warning',
    title: 'No action has this name.',
    why: 'A bucket policy with such an action is refused. An identity policy is taken, and the statement never speaks of what was meant: an `Allow` does not grant it, a `Deny` does not stop it. The names of actions are often not those of the operations: `HeadObject` needs `s3:GetObject`.',
  },
  'other-service': {
    severity: 'note',
    title: 'The action is of another service.',
    why: 'It is taken, so that a policy can be used with AWS as well, and never matches a request to this gateway.',
  },
  'action-without-resource': {
    severity: 'warning',
    title: 'The action never applies to the resources of its statement.',
    why: 'Actions on objects need `arn:aws:s3:::BUCKET/KEY`, actions on buckets need `arn:aws:s3:::BUCKET`, and a few (`s3:ListAllMyBuckets`) need `*`. A bucket policy that mixes them up is refused; an identity policy is taken and the action is not spoken of.',
  },
  'deny-one-level': {
    severity: 'warning',
    title: 'A Deny of actions of all kinds names only the bucket, or only its objects.',
    why: 'With a wildcard in the action and one kind of resource, the other half is not denied: `s3:*` on `BUCKET/*` leaves listings, and the policy itself, alone.',
  },
  'allow-one-level': {
    severity: 'warning',
    title: 'An Allow of all actions names only the bucket.',
    why: '`s3:*` on `BUCKET` allows listings and settings, and no object is read or written: objects are `BUCKET/*`.',
  },
  'unknown-condition-key': {
    severity: 'warning',
    title: 'No condition key has this name.',
    why: 'A bucket policy with such a key is refused. In an identity policy the key is absent from every request: a positive operator never holds, a negated one always does.',
  },
  'condition-key-not-carried': {
    severity: 'warning',
    title: 'No request for the action carries the condition key.',
    why: 'Every action takes only some keys of S3. For the others the key is absent: a positive operator never holds, a negated one always does.',
  },
  'condition-key-absent': {
    severity: 'warning',
    title: 'No request to this gateway has the condition key.',
    why: 'AWS fills such keys in about its own networks, services and organizations (`docs/condition-keys.md`, "Never there"). Here a positive operator never holds: an Allow grants nothing. A negated one always does: `Deny ... StringNotEquals aws:SourceVpce` refuses everybody.',
  },
  'multivalued-key': {
    severity: 'warning',
    title: 'A key with several values is compared without ForAnyValue or ForAllValues.',
    why: 'Without a set operator a list of values matches nothing.',
  },
  'single-valued-key': {
    severity: 'note',
    title: 'A key with one value is compared with a set operator.',
    why: 'The set operator changes only what happens when the key is absent, which reads as something else than it does.',
  },
  'operator-type': {
    severity: 'warning',
    title: 'The operator cannot compare values of this key.',
    why: 'An operator that cannot read the value of the request never matches: the positive form never holds, the negated form always does.',
  },
  'value-case': {
    severity: 'warning',
    title: 'The value is written in another case than requests have it.',
    why: 'Values are compared with their case, unless the operator ends in `IgnoreCase`.',
  },
  'literal-wildcard': {
    severity: 'warning',
    title: 'A wildcard is compared as the character that it is.',
    why: '`*` is a wildcard for `StringLike`, `StringNotLike` and the ARN operators. `StringEquals` compares it with a star, which hardly any value has: the positive form never holds, the negated form always does.',
  },
  'value-unit': {
    severity: 'warning',
    title: 'The number is in the wrong unit.',
    why: '`s3:signatureAge` is in milliseconds; dates are in seconds; `s3:TlsVersion` is `1.2`, not `12`.',
  },
  'impossible-condition': {
    severity: 'warning',
    title: 'The condition never holds.',
    why: 'No request can satisfy it, alone or together with the other conditions of the statement, all of which must hold. The statement does nothing.',
  },
  'public-access': {
    severity: 'warning',
    title: 'Anyone is allowed, also without a key.',
    why: '`"Principal": "*"` includes anonymous callers. The statement makes the bucket policy public by the definition of S3: no condition fixes who calls, or from where.',
  },
  'weak-narrowing': {
    severity: 'warning',
    title: 'A condition on an Allow to everyone keeps nobody out.',
    why: 'Headers such as `Referer` and `User-Agent` say what the caller wants them to; `...IfExists`, `ForAllValues` and negated operators hold without the key; a wildcard matches any value; a network wider than /8 (IPv6: /32) is the Internet.',
  },
  'allow-by-exclusion': {
    severity: 'warning',
    title: 'An Allow grants everything but a list.',
    why: '`NotAction` and `NotResource` with `Allow` also grant what is added later, and what nobody thought of.',
  },
  'deny-by-principal-exclusion': {
    severity: 'warning',
    title: 'NotPrincipal denies more callers than those that are not listed.',
    why: 'A session is exempt only when the session, its role and its account are all listed; a caller with a permissions boundary never is. Source: IAM User Guide, "AWS JSON policy elements: NotPrincipal".',
  },
  'service-principal': {
    severity: 'warning',
    title: 'A service of AWS never calls this gateway.',
    why: 'An `Allow` to a `Service` grants nothing here. Log delivery and replication by AWS do not come through the gateway.',
  },
  'for-all-values-allow': {
    severity: 'warning',
    title: 'An Allow with ForAllValues also holds without the key.',
    why: '`ForAllValues` is true of no values: a request that leaves the key out is allowed.',
  },
  'deny-without-key': {
    severity: 'warning',
    title: 'A request without the key escapes the Deny.',
    why: 'A positive operator does not hold when the key is absent. Requests signed with a long-term key have no `aws:MultiFactorAuthPresent` at all, so that `Bool ... false` does not catch them.',
  },
  'variable-in-2008': {
    severity: 'warning',
    title: 'Policy variables are literal text in this version.',
    why: 'Variables work in `"Version": "2012-10-17"` alone. A document without `Version` is of 2008-10-17, where `${aws:username}` is these 15 characters.',
  },
  'variable-multivalued': {
    severity: 'warning',
    title: 'A key with several values cannot be a variable.',
    why: 'It never has a value there: a resource with it matches nothing.',
  },
  'variable-without-default': {
    severity: 'warning',
    title: 'A variable may be without a value.',
    why: 'A resource with such a variable then matches nothing: a `Deny` is escaped. In a condition a positive operator fails, and a negated one holds.',
  },
  'bucket-wildcard': {
    severity: 'warning',
    title: 'The resource also names other buckets.',
    why: '`arn:aws:s3:::team*` is also `arn:aws:s3:::team-evil` and all that is in it: a bucket that somebody else may have made.',
  },
  'prefix-without-slash': {
    severity: 'warning',
    title: 'The prefix also names its neighbours.',
    why: 'A prefix ends where it says: `team*` is also `team-evil/`. The slash makes it a folder.',
  },
  'folder-without-wildcard': {
    severity: 'warning',
    title: 'A folder is named, and nothing in it.',
    why: '`BUCKET/team/` is one key, that of the folder itself. What is below it is `BUCKET/team/*`.',
  },
  'prefix-leading-slash': {
    severity: 'warning',
    title: 'The prefix begins with a slash.',
    why: 'Keys have no slash at their beginning: `/team/a` is another key than `team/a`.',
  },
  'listing-without-prefix': {
    severity: 'note',
    title: 'A listing without a prefix is not matched.',
    why: 'A client that leaves `prefix` out sends no such key, and no positive operator matches an absent key, `*` and the empty value included.',
  },
  'listing-of-everything': {
    severity: 'warning',
    title: 'The empty prefix lists the whole bucket.',
    why: 'Without a delimiter, the listing of the empty prefix has every key of the bucket in it.',
  },
  'listing-around-deny': {
    severity: 'warning',
    title: 'A shorter prefix goes around the Deny of a listing.',
    why: 'The listing of `sec`, or of everything, also shows what is below `secret/`, and its prefix does not match.',
  },
  'several-buckets': {
    severity: 'warning',
    title: 'A bucket policy names more than one bucket.',
    why: 'A bucket policy speaks of its own bucket; `PutBucketPolicy` refuses every other one.',
  },
  'empty-element': {
    severity: 'warning',
    title: 'An element without values.',
    why: 'An empty list matches nothing, and a negated one everything.',
  },
  'duplicate-statement': {
    severity: 'warning',
    title: 'The statement is there twice.',
    why: 'A copy is what somebody forgets to change.',
  },
  'shadowed-statement': {
    severity: 'warning',
    title: 'Another statement with the same effect covers this one.',
    why: 'The statement changes nothing; often the other one is wider than was meant.',
  },
  'never-grants': {
    severity: 'warning',
    title: 'A Deny covers the whole Allow.',
    why: 'An explicit Deny always wins: the statement grants nothing.',
  },
  'redundant-pattern': {
    severity: 'note',
    title: 'Another pattern of the same list covers this one.',
    why: 'The narrower pattern changes nothing; often the wider one was not meant.',
  },
} as const satisfies Readonly<Record<string, Rule>>;

export type RuleId = keyof typeof RULES;

export const RULE_IDS = Object.keys(RULES) as readonly RuleId[];
