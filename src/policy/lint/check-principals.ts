/** Who is let in, and is it narrowed? */
import type { LocatedCondition, Statement } from '../document.ts';
import { parseIpRange } from '../ip.ts';
import { isPublic } from '../public.ts';
import type { Draft } from './finding.ts';
import type { LintSubject, StatementFacts } from './facts.ts';

export function checkPrincipals({ statement }: StatementFacts, { type }: LintSubject): readonly Draft[] {
  const { principals } = statement;
  if (principals === undefined) return [];
  if (principals.negated) {
    return [
      {
        rule: 'deny-by-principal-exclusion',
        position: principals.position,
        message:
          '`NotPrincipal` also denies sessions whose role and account are not listed, and every caller with a permissions boundary',
        fix: 'write `"Principal": "*"` and `"ArnNotEquals": {"aws:PrincipalArn": [...]}` in the condition',
      },
    ];
  }
  return [
    ...(isPublic({ statements: [statement] }) ? publicAccess(statement, type) : []),
    ...(statement.effect === 'Allow' ? services(statement) : []),
  ];
}

function publicAccess(statement: Statement, type: LintSubject['type']): readonly Draft[] {
  const weak = statement.conditions.flatMap((condition) => {
    const reason = weakness(condition);
    return reason === undefined ? [] : [{ condition, reason }];
  });
  if (weak.length > 0) {
    return weak.map(({ condition, reason }) => ({
      rule: 'weak-narrowing' as const,
      position: condition.position,
      message: `the Allow is for everyone, and \`${condition.name}\` on \`${condition.key}\` does not narrow it: ${reason}`,
      fix: 'name the callers in `Principal`, or require a fixed `aws:PrincipalArn`, `aws:PrincipalAccount` or `aws:SourceIp`',
    }));
  }
  const position = statement.principals?.position ?? statement.position;
  if (type === 'trust') {
    return [
      {
        rule: 'public-access',
        position,
        message: 'every caller of every account may assume the role',
        fix: 'name the accounts, roles or users in `Principal`',
      },
    ];
  }
  return [
    {
      rule: 'public-access',
      position,
      message:
        statement.conditions.length === 0
          ? 'anyone is allowed this, also without a key'
          : 'anyone is allowed this, also without a key: no condition fixes who calls, or from where',
      fix: 'name the callers in `Principal`, or add a condition on a fixed `aws:PrincipalAccount` or `aws:SourceIp`; leave it if the data is for everyone',
    },
  ];
}

/** Why the condition keeps nobody out; undefined for one that is no attempt at it. */
function weakness({ key, use, values }: LocatedCondition): string | undefined {
  const folded = key.toLowerCase();
  const { operator } = use;
  if (folded === 'aws:referer' || folded === 'aws:useragent') return 'the caller chooses this header';
  if (!/^aws:(?:source|principal|userid|vpc)|^s3:dataaccesspoint/.test(folded)) return undefined;
  if (operator.family === 'Null') return undefined;
  if (operator.negated) return 'everyone else is let in';
  if (use.ifExists) return 'it also holds for a request without the key';
  if (use.quantifier === 'all') return '`ForAllValues` also holds for a request without the key';
  if (folded === 'aws:sourceip' && operator.family === 'Ip') {
    const wide = values.find((value) => isWide(value));
    return wide === undefined ? undefined : `\`${wide}\` is wider than /8 (IPv4) or /32 (IPv6)`;
  }
  const wild = values.find((value) => /[*?]/.test(value) && /Like$|^Arn/.test(operator.name));
  return wild === undefined ? undefined : `\`${wild}\` has a wildcard`;
}

function isWide(text: string): boolean {
  const range = parseIpRange(text);
  return range !== undefined && range.prefix < (range.version === 4 ? 8 : 32);
}

function services({ principals }: Statement): readonly Draft[] {
  return (principals?.items ?? []).flatMap(({ pattern, text, position }) =>
    pattern.kind === 'service'
      ? [
          {
            rule: 'service-principal' as const,
            position,
            message: `\`${text}\` is a service of AWS, which never calls this gateway`,
            fix: 'name the user or role that calls, or remove it',
          },
        ]
      : [],
  );
}
