/**
 * The condition keys of every service. Source: IAM User Guide, "AWS global condition context keys" and "Information
 * available in all requests".
 */
import { absent, type ConditionKey } from './condition-key.ts';
import type { Facts } from './condition-facts.ts';

export const GLOBAL_CONDITION_KEYS: readonly ConditionKey[] = [
  {
    name: 'aws:CurrentTime',
    from: 'the clock of the gateway, when it decides; ISO 8601',
    value: ({ now }) => new Date(now).toISOString(),
  },
  {
    name: 'aws:EpochTime',
    from: 'the same, in seconds',
    value: ({ now }) => String(Math.floor(now / 1000)),
  },
  {
    name: 'aws:SourceIp',
    from: 'the address of the connection, or what trusted proxies say (`trustedProxies`, `proxyProtocol`)',
    value: ({ request }) => request.remoteAddress,
  },
  {
    name: 'aws:SecureTransport',
    from: '`true` for TLS all the way from the client, as far as the connection and trusted proxies show; never a header of an untrusted client',
    value: ({ request }) => String(request.secure),
  },
  {
    name: 'aws:UserAgent',
    from: 'header `User-Agent`, which a client can set to anything',
    when: 'the header is there',
    value: ({ request }) => request.effective.headers.get('user-agent'),
  },
  {
    name: 'aws:Referer',
    from: 'header `Referer`, which a client can set to anything',
    when: 'the header is there',
    value: ({ request }) => request.effective.headers.get('referer'),
  },
  {
    name: 'aws:PrincipalArn',
    from: 'the ARN of the user or the root user whose key signed',
    when: 'somebody signed',
    value: (facts) => principalOf(facts)?.arn,
  },
  {
    name: 'aws:PrincipalAccount',
    from: "the caller's account, 12 digits",
    when: 'somebody signed',
    value: (facts) => principalOf(facts)?.accountId,
  },
  {
    name: 'aws:PrincipalType',
    from: '`User`, `Account` (the root user) or `Anonymous`',
    value: (facts) => {
      const principal = principalOf(facts);
      if (principal === undefined) return 'Anonymous';
      return principal.type === 'root' ? 'Account' : 'User';
    },
  },
  {
    name: 'aws:PrincipalTag/',
    from: "the caller's tag of that key (`keys issue --tag`)",
    when: 'the caller has it',
    tags: (facts) => {
      const tags = principalOf(facts)?.tags;
      return tags && Object.entries(tags).map(([key, value]) => ({ key, value }));
    },
  },
  {
    name: 'aws:PrincipalIsAWSService',
    from: '`false`: no service of AWS calls',
    when: 'somebody signed',
    value: ({ request }) => (request.caller.type === 'key' ? 'false' : undefined),
  },
  {
    name: 'aws:userid',
    from: "the user's unique id, of the root user the account; `anonymous`",
    value: (facts) => principalOf(facts)?.userId ?? 'anonymous',
  },
  {
    name: 'aws:username',
    from: 'the name of the user',
    when: 'a user signed, not the root user',
    value: (facts) => {
      const principal = principalOf(facts);
      return principal?.type === 'user' ? principal.userName : undefined;
    },
  },
  {
    name: 'aws:RequestedRegion',
    from: 'the region of the gateway',
    value: ({ resource }) => resource.region,
  },
  {
    name: 'aws:ResourceAccount',
    from: 'the account that owns the bucket, 12 digits; of one that is not there (yet), the account of the gateway',
    value: ({ resource }) => resource.account,
  },
  {
    name: 'aws:RequestTag/',
    from: "a bucket's new tag of that key, out of the body of PutBucketTagging; those of objects are `s3:RequestObjectTag/`",
    when: 'the body has it (CreateBucket with tags is refused)',
    tags: bucketTags,
  },
  {
    name: 'aws:TagKeys',
    from: 'the keys of these tags',
    when: 'the body has tags',
    multivalued: true,
    value: (facts) => bucketTags(facts)?.map(({ key }) => key),
  },
  {
    name: 'aws:ViaAWSService',
    from: '`false`: no service of AWS calls for somebody',
    value: () => 'false',
  },
  ...absent(
    ['aws:CalledVia', 'aws:CalledViaFirst', 'aws:CalledViaLast', 'aws:CalledViaAWSMCP'],
    'no service of AWS calls for somebody',
  ),
  ...absent(['aws:ViaAWSMCPService', 'aws:IsMcpServiceAction'], 'no MCP server of AWS calls'),
  ...absent(
    [
      'aws:MultiFactorAuthPresent',
      'aws:MultiFactorAuthAge',
      'aws:TokenIssueTime',
      'aws:SourceIdentity',
      'aws:FederatedProvider',
      'aws:AssumedRoot',
      'identitystore:UserId',
    ],
    'only sessions have it, and every key here is long-term: such keys do not have it on AWS either',
  ),
  ...absent(
    ['aws:PrincipalOrgID', 'aws:PrincipalOrgPaths', 'aws:ResourceOrgID', 'aws:ResourceOrgPaths'],
    'accounts here belong to no organization',
  ),
  ...absent(
    ['aws:PrincipalServiceName', 'aws:PrincipalServiceNamesList'],
    'no service of AWS calls for itself',
  ),
  ...absent(
    ['aws:SourceArn', 'aws:SourceAccount', 'aws:SourceOwner', 'aws:SourceOrgID', 'aws:SourceOrgPaths'],
    'no service of AWS calls for a resource',
  ),
  ...absent(
    [
      'aws:SourceVpc',
      'aws:SourceVpcArn',
      'aws:SourceVpce',
      'aws:VpcSourceIp',
      'aws:VpceAccount',
      'aws:VpceOrgID',
      'aws:VpceOrgPaths',
    ],
    'requests come through no VPC endpoint',
  ),
  ...absent(
    [
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
    'only credentials that AWS gave to its own services have it',
  ),
  ...absent(
    ['aws:ResourceTag/'],
    'the tags of buckets are kept upstream and are for cost allocation, as on AWS for a bucket without ABAC; those of objects are `s3:ExistingObjectTag/`',
  ),
];

function principalOf({ request: { caller } }: Facts) {
  return caller.type === 'key' ? caller.key.principal : undefined;
}

function bucketTags({ request, body }: Facts): Facts['body']['tags'] {
  return request.operation.level === 'bucket' && body.tags?.length !== 0 ? body.tags : undefined;
}
