/**
 * Settings that make the upstream act outside of the bucket: each belongs to an operation that is switched on as a
 * whole. Keys of a KMS in them need their own switch. Source: S3 API reference, the operation of each.
 */
import {
  any,
  boolean,
  document,
  elements,
  integer,
  oneOf,
  optional,
  refused,
  required,
  some,
  switchedValues,
  text,
  word,
} from '../document-schema.ts';
import { STATUS, TAG_FILTER } from './bucket-documents.ts';

export const ACCELERATE = document('AccelerateConfiguration', {
  Status: optional(oneOf('Enabled', 'Suspended')),
});

export const ANALYTICS = document('AnalyticsConfiguration', {
  Id: required(text),
  Filter: optional(TAG_FILTER),
  StorageClassAnalysis: required(
    elements({
      DataExport: optional(
        elements({
          OutputSchemaVersion: required(oneOf('V_1')),
          Destination: required(
            elements({
              S3BucketDestination: required(
                elements({
                  Format: required(oneOf('CSV')),
                  BucketAccountId: optional(text),
                  Bucket: required(text),
                  Prefix: optional(text),
                }),
              ),
            }),
          ),
        }),
      ),
    }),
  ),
});

export const INVENTORY = document('InventoryConfiguration', {
  Id: required(text),
  IsEnabled: required(boolean),
  IncludedObjectVersions: required(oneOf('All', 'Current')),
  Filter: optional(elements({ Prefix: optional(text) })),
  OptionalFields: optional(elements({ Field: any(word) })),
  Schedule: required(elements({ Frequency: required(oneOf('Daily', 'Weekly')) })),
  Destination: required(
    elements({
      S3BucketDestination: required(
        elements({
          AccountId: optional(text),
          Bucket: required(text),
          Format: required(oneOf('CSV', 'ORC', 'Parquet')),
          Prefix: optional(text),
          Encryption: optional(
            elements({
              'SSE-S3': optional(elements({})),
              'SSE-KMS': optional(elements({ KeyId: required(text) }), 'kms-keys'),
            }),
          ),
        }),
      ),
    }),
  ),
});

export const METRICS = document('MetricsConfiguration', {
  Id: required(text),
  Filter: optional({
    ...TAG_FILTER,
    children: {
      ...TAG_FILTER.children,
      AccessPointArn: refused('access points lie outside of the gateway'),
    },
  }),
});

export const INTELLIGENT_TIERING = document('IntelligentTieringConfiguration', {
  Id: required(text),
  Filter: optional(TAG_FILTER),
  Status: required(STATUS),
  Tiering: some(
    elements({
      Days: required(integer),
      AccessTier: required(oneOf('ARCHIVE_ACCESS', 'DEEP_ARCHIVE_ACCESS')),
    }),
  ),
});

export const LOGGING = document('BucketLoggingStatus', {
  LoggingEnabled: optional(
    elements({
      TargetBucket: required(text),
      TargetPrefix: required(text),
      TargetGrants: refused('ACLs are off'),
      TargetObjectKeyFormat: optional(
        elements({
          SimplePrefix: optional(elements({})),
          PartitionedPrefix: optional(
            elements({ PartitionDateSource: optional(oneOf('EventTime', 'DeliveryTime')) }),
          ),
        }),
      ),
    }),
  ),
});

const PROTOCOL = oneOf('http', 'https');

export const WEBSITE = document('WebsiteConfiguration', {
  ErrorDocument: optional(elements({ Key: required(text) })),
  IndexDocument: optional(elements({ Suffix: required(text) })),
  RedirectAllRequestsTo: optional(elements({ HostName: required(text), Protocol: optional(PROTOCOL) })),
  RoutingRules: optional(
    elements({
      RoutingRule: some(
        elements({
          Condition: optional(
            elements({ HttpErrorCodeReturnedEquals: optional(integer), KeyPrefixEquals: optional(text) }),
          ),
          Redirect: required(
            elements({
              HostName: optional(text),
              HttpRedirectCode: optional(integer),
              Protocol: optional(PROTOCOL),
              ReplaceKeyPrefixWith: optional(text),
              ReplaceKeyWith: optional(text),
            }),
          ),
        }),
      ),
    }),
  ),
});

const EVENTS = {
  Id: optional(text),
  Event: some(word),
  Filter: optional(
    elements({
      S3Key: optional(
        elements({
          FilterRule: any(
            elements({
              Name: required(oneOf('prefix', 'suffix', 'Prefix', 'Suffix')),
              Value: required(text),
            }),
          ),
        }),
      ),
    }),
  ),
};

export const NOTIFICATION = document('NotificationConfiguration', {
  TopicConfiguration: any(elements({ ...EVENTS, Topic: required(text) })),
  QueueConfiguration: any(elements({ ...EVENTS, Queue: required(text) })),
  CloudFunctionConfiguration: any(elements({ ...EVENTS, CloudFunction: required(text) })),
  EventBridgeConfiguration: optional(elements({})),
});

const ENABLED = elements({ Status: required(STATUS) });
const MINUTES = elements({ Minutes: optional(integer) });

export const REPLICATION = document('ReplicationConfiguration', {
  Role: required(text),
  Rule: some(
    elements({
      ID: optional(text),
      Priority: optional(integer),
      Prefix: optional(text),
      Filter: optional(TAG_FILTER),
      Status: required(STATUS),
      SourceSelectionCriteria: optional(
        elements({
          SseKmsEncryptedObjects: optional(ENABLED, 'kms-keys'),
          ReplicaModifications: optional(ENABLED),
        }),
      ),
      ExistingObjectReplication: optional(ENABLED),
      DeleteMarkerReplication: optional(elements({ Status: optional(STATUS) })),
      Destination: required(
        elements({
          Bucket: required(text),
          Account: optional(text),
          StorageClass: optional(word),
          AccessControlTranslation: optional(elements({ Owner: required(oneOf('Destination')) })),
          EncryptionConfiguration: optional(elements({ ReplicaKmsKeyID: optional(text) }), 'kms-keys'),
          ReplicationTime: optional(elements({ Status: required(STATUS), Time: required(MINUTES) })),
          Metrics: optional(elements({ Status: required(STATUS), EventThreshold: optional(MINUTES) })),
        }),
      ),
    }),
  ),
});

export const REQUEST_PAYMENT = document('RequestPaymentConfiguration', {
  Payer: required(oneOf('Requester', 'BucketOwner')),
});

const TABLE_ENCRYPTION = optional(
  elements({
    SseAlgorithm: required(switchedValues(['AES256'], { 'aws:kms': 'kms-keys' })),
    KmsKeyArn: optional(text, 'kms-keys'),
  }),
);
const TABLE_STATE = oneOf('ENABLED', 'DISABLED');
const RECORD_EXPIRATION = required(elements({ Expiration: required(TABLE_STATE), Days: optional(integer) }));
const INVENTORY_TABLE = {
  ConfigurationState: required(TABLE_STATE),
  EncryptionConfiguration: TABLE_ENCRYPTION,
};
const ANNOTATION_TABLE = { ...INVENTORY_TABLE, Role: optional(text) };

export const METADATA = document('MetadataConfiguration', {
  JournalTableConfiguration: required(
    elements({ RecordExpiration: RECORD_EXPIRATION, EncryptionConfiguration: TABLE_ENCRYPTION }),
  ),
  InventoryTableConfiguration: optional(elements(INVENTORY_TABLE)),
  AnnotationTableConfiguration: optional(elements(ANNOTATION_TABLE)),
});

export const METADATA_TABLE = document('MetadataTableConfiguration', {
  S3TablesDestination: required(elements({ TableBucketArn: required(text), TableName: required(text) })),
});

export const METADATA_INVENTORY_TABLE = document('InventoryTableConfiguration', INVENTORY_TABLE);
export const METADATA_JOURNAL_TABLE = document('JournalTableConfiguration', {
  RecordExpiration: RECORD_EXPIRATION,
});
export const METADATA_ANNOTATION_TABLE = document('AnnotationTableConfiguration', ANNOTATION_TABLE);
