/** Conditions on keys that no request here can have: what AWS fills in about its own networks, services and organizations. */
import type { LocatedCondition, Statement } from '../document.ts';
import type { LintSubject, StatementFacts } from './facts.ts';
import type { Draft } from './finding.ts';

/**
 * Why each is never there; one that ends in `/` is followed by the key of a tag. Keys of sessions are left out: a policy
 * that asks for MFA asks for something that its callers lack, and `deny-without-key` says what that means.
 */
export const ABSENT_KEYS: Readonly<Record<string, readonly string[]>> = {
  'no service of AWS calls here': [
    'aws:CalledVia',
    'aws:CalledViaFirst',
    'aws:CalledViaLast',
    'aws:CalledViaAWSMCP',
    'aws:ViaAWSMCPService',
    'aws:IsMcpServiceAction',
    'aws:PrincipalServiceName',
    'aws:PrincipalServiceNamesList',
    'aws:SourceArn',
    'aws:SourceAccount',
    'aws:SourceOwner',
    'aws:SourceOrgID',
    'aws:SourceOrgPaths',
    'aws:ChatbotSourceArn',
    'aws:Ec2InstanceSourcePrivateIPv4',
    'aws:Ec2InstanceSourceVpc',
    'ec2:RoleDelivery',
    'ec2:SourceInstanceArn',
    'glue:CredentialIssuingService',
    'glue:RoleAssumedBy',
    'lambda:SourceFunctionArn',
    'ssm:SourceInstanceArn',
  ],
  'accounts here belong to no organization': [
    'aws:PrincipalOrgID',
    'aws:PrincipalOrgPaths',
    'aws:ResourceOrgID',
    'aws:ResourceOrgPaths',
  ],
  'requests here come through no VPC endpoint': [
    'aws:SourceVpc',
    'aws:SourceVpcArn',
    'aws:SourceVpce',
    'aws:VpcSourceIp',
    'aws:VpceAccount',
    'aws:VpceOrgID',
    'aws:VpceOrgPaths',
  ],
  'there are no access points here': [
    's3:AccessPointNetworkOrigin',
    's3:AccessPointTag/',
    's3:DataAccessPointAccount',
    's3:DataAccessPointArn',
    's3:AccessGrantsInstanceArn',
  ],
  'the tags of buckets are not looked at here': ['aws:ResourceTag/', 's3:BucketTag/'],
};

const REASONS: ReadonlyMap<string, string> = new Map(
  Object.entries(ABSENT_KEYS).flatMap(([reason, keys]) =>
    keys.map((key) => [key.toLowerCase(), reason] as const),
  ),
);

/** Undefined for a key that a request may have. */
function reasonOf(key: string): string | undefined {
  const folded = key.toLowerCase();
  return REASONS.get(folded) ?? REASONS.get(folded.slice(0, folded.indexOf('/') + 1));
}

export function checkAbsentKeys({ statement }: StatementFacts, { type }: LintSubject): readonly Draft[] {
  // Who may assume a role is for the identity provider to say.
  if (type === 'trust') return [];
  // `service-principal` has said already that nobody calls.
  const { principals } = statement;
  if (principals?.items.every(({ pattern }) => pattern.kind === 'service') === true) return [];
  return statement.conditions.flatMap((condition) => {
    const reason = reasonOf(condition.key);
    return reason === undefined ? [] : [absentKey(condition, statement, reason)];
  });
}

function absentKey(condition: LocatedCondition, { effect }: Statement, reason: string): Draft {
  const { key, name, position } = condition;
  const holds = holdsWithout(condition);
  const follows = {
    Allow: holds ? 'the Allow is not narrowed by it' : 'the Allow never applies',
    Deny: holds ? 'the Deny refuses all that the rest of it is about' : 'the Deny never applies',
  };
  return {
    rule: 'condition-key-absent',
    position,
    message: `no request has \`${key}\`, since ${reason}: \`${name}\` ${holds ? 'always' : 'never'} holds, and ${follows[effect]}`,
    fix: 'ask for something that requests have, such as `aws:SourceIp`, `aws:PrincipalArn` or `aws:PrincipalAccount`',
  };
}

function holdsWithout({ use, values }: LocatedCondition): boolean {
  const { operator, quantifier, ifExists } = use;
  if (operator.family === 'Null')
    return quantifier === 'all' || values.some((value) => value.toLowerCase() === 'true');
  return ifExists || quantifier === 'all' || (operator.negated && quantifier === undefined);
}
