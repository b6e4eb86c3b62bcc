/**
 * What the values of condition keys look like in requests.
 *
 * Source: IAM User Guide, "AWS global condition context keys"; Service Authorization Reference, "Actions, resources,
 * and condition keys for Amazon S3"; S3 API Reference, "Amazon S3 Signature Version 4 authentication-specific policy
 * keys".
 */

export interface KeyType {
  /** `Word`: text of a fixed form that is no number, date, address, ARN or boolean. `Text`: anything. */
  readonly kind: 'Arn' | 'Bool' | 'Numeric' | 'Date' | 'Ip' | 'Word' | 'Text';
  readonly multivalued?: true;
  /** The values that there are, in their case; others may come, so that only the case of these is checked. */
  readonly values?: readonly string[];
  /** Of numbers, inclusive. */
  readonly min?: string;
  readonly max?: string;
}

/** Undefined for a key of which nothing is known. @param key in any case, a tag key included. */
export function keyType(key: string): KeyType | undefined {
  return TYPES.get(key.toLowerCase());
}

const WORD: KeyType = { kind: 'Word' };
const MULTIVALUED_WORD: KeyType = { kind: 'Word', multivalued: true };
const ARN: KeyType = { kind: 'Arn' };
const BOOL: KeyType = { kind: 'Bool' };
const IP: KeyType = { kind: 'Ip' };
const DATE: KeyType = { kind: 'Date' };
const COUNT: KeyType = { kind: 'Numeric', min: '0' };

const TYPES: ReadonlyMap<string, KeyType> = new Map(
  Object.entries({
    'aws:PrincipalArn': ARN,
    'aws:SourceArn': ARN,
    'aws:SourceVpcArn': ARN,
    'ec2:SourceInstanceArn': ARN,
    'ssm:SourceInstanceArn': ARN,
    'lambda:SourceFunctionArn': ARN,
    's3:DataAccessPointArn': ARN,
    's3:AccessGrantsInstanceArn': ARN,
    's3:deliverySourceArn': ARN,

    'aws:MultiFactorAuthPresent': BOOL,
    'aws:SecureTransport': BOOL,
    'aws:PrincipalIsAWSService': BOOL,
    'aws:ViaAWSService': BOOL,
    'aws:ViaAWSMCPService': BOOL,
    's3:ObjectCreationOperation': BOOL,
    's3:isReplicationPauseRequest': BOOL,

    'aws:SourceIp': IP,
    'aws:VpcSourceIp': IP,
    'aws:Ec2InstanceSourcePrivateIPv4': IP,

    'aws:CurrentTime': DATE,
    'aws:TokenIssueTime': DATE,
    'aws:EpochTime': { kind: 'Numeric', min: '0' },
    's3:object-lock-retain-until-date': DATE,

    'aws:MultiFactorAuthAge': COUNT,
    's3:max-keys': COUNT,
    's3:signatureAge': COUNT,
    's3:max-annotation-results': COUNT,
    's3:object-lock-remaining-retention-days': { kind: 'Numeric' },
    's3:TlsVersion': { kind: 'Numeric', min: '1.0', max: '1.3' },

    'aws:PrincipalOrgID': WORD,
    'aws:ResourceOrgID': WORD,
    'aws:SourceOrgID': WORD,
    'aws:VpceOrgID': WORD,
    'aws:SourceVpc': WORD,
    'aws:SourceVpce': WORD,
    'aws:Ec2InstanceSourceVpc': WORD,
    'aws:RequestedRegion': WORD,
    's3:LocationConstraint': WORD,
    's3:x-amz-content-sha256': WORD,
    's3:AccessPointNetworkOrigin': { kind: 'Word', values: ['Internet', 'VPC'] },
    's3:authType': { kind: 'Word', values: ['REST-HEADER', 'REST-QUERY-STRING', 'POST'] },
    's3:signatureversion': { kind: 'Word', values: ['AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256'] },
    'aws:PrincipalType': {
      kind: 'Word',
      values: ['Account', 'User', 'FederatedUser', 'AssumedRole', 'Anonymous'],
    },
    's3:object-lock-mode': { kind: 'Word', values: ['GOVERNANCE', 'COMPLIANCE'] },
    's3:object-lock-legal-hold': { kind: 'Word', values: ['ON', 'OFF'] },
    's3:x-amz-metadata-directive': { kind: 'Word', values: ['COPY', 'REPLACE'] },
    's3:x-amz-server-side-encryption': {
      kind: 'Word',
      values: ['AES256', 'aws:kms', 'aws:kms:dsse', 'aws:fsx'],
    },
    's3:x-amz-server-side-encryption-customer-algorithm': { kind: 'Word', values: ['AES256'] },
    's3:x-amz-object-ownership': {
      kind: 'Word',
      values: ['BucketOwnerEnforced', 'BucketOwnerPreferred', 'ObjectWriter'],
    },
    's3:x-amz-acl': {
      kind: 'Word',
      values: [
        'private',
        'public-read',
        'public-read-write',
        'authenticated-read',
        'aws-exec-read',
        'bucket-owner-read',
        'bucket-owner-full-control',
        'log-delivery-write',
      ],
    },
    's3:x-amz-storage-class': {
      kind: 'Word',
      values: [
        'STANDARD',
        'REDUCED_REDUNDANCY',
        'STANDARD_IA',
        'ONEZONE_IA',
        'INTELLIGENT_TIERING',
        'GLACIER',
        'GLACIER_IR',
        'DEEP_ARCHIVE',
        'OUTPOSTS',
        'SNOW',
        'EXPRESS_ONEZONE',
        'FSX_OPENZFS',
        'FSX_ONTAP',
      ],
    },

    'aws:PrincipalOrgPaths': MULTIVALUED_WORD,
    'aws:ResourceOrgPaths': MULTIVALUED_WORD,
    'aws:SourceOrgPaths': MULTIVALUED_WORD,
    'aws:VpceOrgPaths': MULTIVALUED_WORD,
    'aws:PrincipalServiceNamesList': MULTIVALUED_WORD,
    'aws:CalledVia': MULTIVALUED_WORD,
    'aws:TagKeys': { kind: 'Text', multivalued: true },
    's3:RequestObjectTagKeys': { kind: 'Text', multivalued: true },
    's3:InventoryAccessibleOptionalFields': MULTIVALUED_WORD,

    'aws:username': { kind: 'Text' },
    'aws:userid': { kind: 'Text' },
    'aws:PrincipalAccount': { kind: 'Text' },
    'aws:ResourceAccount': { kind: 'Text' },
    'aws:SourceAccount': { kind: 'Text' },
    'aws:referer': { kind: 'Text' },
    'aws:UserAgent': { kind: 'Text' },
    's3:prefix': { kind: 'Text' },
    's3:delimiter': { kind: 'Text' },
    's3:ResourceAccount': { kind: 'Text' },
    's3:DataAccessPointAccount': { kind: 'Text' },
  } satisfies Readonly<Record<string, KeyType>>).map(([key, type]) => [key.toLowerCase(), type] as const),
);
