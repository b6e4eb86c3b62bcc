/**
 * Operations that are recognised and refused on purpose: `NotImplemented`. They would make the upstream act elsewhere
 * with the gateway's own rights, or belong to kinds of buckets that the gateway does not serve.
 */
import type { OperationSpec } from '../operation.ts';

const REPLICATION =
  'the upstream would copy objects to other buckets with the rights of a role that no policy here decides on';
const INVENTORY = 'the upstream would write lists of keys into another bucket';
const ANALYTICS = 'the upstream would write access patterns into another bucket';
const METRICS = "metrics belong to the upstream's account; the gateway has its own";
const METADATA = 'the upstream would keep tables about the objects outside of the bucket, in its own account';
const LOGGING =
  'the upstream would write logs into another bucket, and would see the gateway as the only client; the gateway has its own access log';
const NOTIFICATION = 'the upstream would send events to queues, topics and functions outside of the gateway';
const WEBSITE = 'website hosting and its redirects would serve objects past the gateway';
const ACCELERATE = 'it opens another endpoint to the bucket, past the gateway';
const PAYMENT = 'the upstream sees the gateway as the only requester';
const ABAC = 'the upstream would decide by tags, beside the policies of the gateway';
const KMS = "it names a key of the upstream's account";
const DIRECTORY = 'directory buckets have an authentication of their own';
const LAMBDA = 'object lambda access points lie outside of the gateway';
const TORRENT = 'the torrent would spread the object past the gateway';

export const REFUSED_OPERATIONS = {
  GetBucketAbac: {
    method: 'GET',
    level: 'bucket',
    match: { query: ['abac'] },
    actions: [{ action: 's3:GetBucketAbac', resource: 'bucket' }],
    handling: { refused: ABAC },
  },
  PutBucketAbac: {
    method: 'PUT',
    level: 'bucket',
    match: { query: ['abac'] },
    actions: [{ action: 's3:PutBucketAbac', resource: 'bucket' }],
    handling: { refused: ABAC },
  },
  GetBucketAccelerateConfiguration: {
    method: 'GET',
    level: 'bucket',
    match: { query: ['accelerate'] },
    actions: [{ action: 's3:GetAccelerateConfiguration', resource: 'bucket' }],
    handling: { refused: ACCELERATE },
  },
  PutBucketAccelerateConfiguration: {
    method: 'PUT',
    level: 'bucket',
    match: { query: ['accelerate'] },
    actions: [{ action: 's3:PutAccelerateConfiguration', resource: 'bucket' }],
    handling: { refused: ACCELERATE },
  },
  DeleteBucketAnalyticsConfiguration: {
    method: 'DELETE',
    level: 'bucket',
    match: { query: ['analytics', 'id'] },
    actions: [{ action: 's3:PutAnalyticsConfiguration', resource: 'bucket' }],
    handling: { refused: ANALYTICS },
  },
  GetBucketAnalyticsConfiguration: {
    method: 'GET',
    level: 'bucket',
    match: { query: ['analytics', 'id'] },
    actions: [{ action: 's3:GetAnalyticsConfiguration', resource: 'bucket' }],
    handling: { refused: ANALYTICS },
  },
  ListBucketAnalyticsConfigurations: {
    method: 'GET',
    level: 'bucket',
    match: { query: ['analytics'] },
    actions: [{ action: 's3:GetAnalyticsConfiguration', resource: 'bucket' }],
    handling: { refused: ANALYTICS },
  },
  PutBucketAnalyticsConfiguration: {
    method: 'PUT',
    level: 'bucket',
    match: { query: ['analytics', 'id'] },
    actions: [{ action: 's3:PutAnalyticsConfiguration', resource: 'bucket' }],
    handling: { refused: ANALYTICS },
  },
  CreateSession: {
    method: 'GET',
    level: 'bucket',
    match: { query: ['session'] },
    actions: [{ action: 's3express:CreateSession', resource: 'bucket' }],
    handling: { refused: DIRECTORY },
  },
  // The same request line as ListBuckets at another endpoint; here its own parameter tells them apart.
  ListDirectoryBuckets: {
    method: 'GET',
    level: 'service',
    match: { query: ['max-directory-buckets'] },
    actions: [{ action: 's3express:ListAllMyDirectoryBuckets', resource: '*' }],
    handling: { refused: DIRECTORY },
  },
  DeleteBucketInventoryConfiguration: {
    method: 'DELETE',
    level: 'bucket',
    match: { query: ['id', 'inventory'] },
    actions: [{ action: 's3:PutInventoryConfiguration', resource: 'bucket' }],
    handling: { refused: INVENTORY },
  },
  GetBucketInventoryConfiguration: {
    method: 'GET',
    level: 'bucket',
    match: { query: ['id', 'inventory'] },
    actions: [{ action: 's3:GetInventoryConfiguration', resource: 'bucket' }],
    handling: { refused: INVENTORY },
  },
  ListBucketInventoryConfigurations: {
    method: 'GET',
    level: 'bucket',
    match: { query: ['inventory'] },
    actions: [{ action: 's3:GetInventoryConfiguration', resource: 'bucket' }],
    handling: { refused: INVENTORY },
  },
  PutBucketInventoryConfiguration: {
    method: 'PUT',
    level: 'bucket',
    match: { query: ['id', 'inventory'] },
    actions: [{ action: 's3:PutInventoryConfiguration', resource: 'bucket' }],
    handling: { refused: INVENTORY },
  },
  UpdateObjectEncryption: {
    method: 'PUT',
    level: 'object',
    match: { query: ['encryption'] },
    actions: [
      { action: 's3:UpdateObjectEncryption', resource: 'object' },
      { action: 's3:PutObject', resource: 'object' },
    ],
    handling: { refused: KMS },
  },
  // `POST /WriteGetObjectResponse`, which reads as a bucket.
  WriteGetObjectResponse: {
    method: 'POST',
    level: 'bucket',
    match: { headers: ['x-amz-request-route', 'x-amz-request-token'] },
    actions: [{ action: 's3-object-lambda:WriteGetObjectResponse', resource: '*' }],
    handling: { refused: LAMBDA },
  },
  GetBucketLogging: {
    method: 'GET',
    level: 'bucket',
    match: { query: ['logging'] },
    actions: [{ action: 's3:GetBucketLogging', resource: 'bucket' }],
    handling: { refused: LOGGING },
  },
  PutBucketLogging: {
    method: 'PUT',
    level: 'bucket',
    match: { query: ['logging'] },
    actions: [{ action: 's3:PutBucketLogging', resource: 'bucket' }],
    handling: { refused: LOGGING },
  },
  CreateBucketMetadataConfiguration: {
    method: 'POST',
    level: 'bucket',
    match: { query: ['metadataConfiguration'] },
    actions: [{ action: 's3:CreateBucketMetadataTableConfiguration', resource: 'bucket' }],
    handling: { refused: METADATA },
  },
  CreateBucketMetadataTableConfiguration: {
    method: 'POST',
    level: 'bucket',
    match: { query: ['metadataTable'] },
    actions: [{ action: 's3:CreateBucketMetadataTableConfiguration', resource: 'bucket' }],
    handling: { refused: METADATA },
  },
  DeleteBucketMetadataConfiguration: {
    method: 'DELETE',
    level: 'bucket',
    match: { query: ['metadataConfiguration'] },
    actions: [{ action: 's3:DeleteBucketMetadataTableConfiguration', resource: 'bucket' }],
    handling: { refused: METADATA },
  },
  DeleteBucketMetadataTableConfiguration: {
    method: 'DELETE',
    level: 'bucket',
    match: { query: ['metadataTable'] },
    actions: [{ action: 's3:DeleteBucketMetadataTableConfiguration', resource: 'bucket' }],
    handling: { refused: METADATA },
  },
  GetBucketMetadataConfiguration: {
    method: 'GET',
    level: 'bucket',
    match: { query: ['metadataConfiguration'] },
    actions: [{ action: 's3:GetBucketMetadataTableConfiguration', resource: 'bucket' }],
    handling: { refused: METADATA },
  },
  GetBucketMetadataTableConfiguration: {
    method: 'GET',
    level: 'bucket',
    match: { query: ['metadataTable'] },
    actions: [{ action: 's3:GetBucketMetadataTableConfiguration', resource: 'bucket' }],
    handling: { refused: METADATA },
  },
  UpdateBucketMetadataInventoryTableConfiguration: {
    method: 'PUT',
    level: 'bucket',
    match: { query: ['metadataInventoryTable'] },
    actions: [{ action: 's3:UpdateBucketMetadataInventoryTableConfiguration', resource: 'bucket' }],
    handling: { refused: METADATA },
  },
  UpdateBucketMetadataJournalTableConfiguration: {
    method: 'PUT',
    level: 'bucket',
    match: { query: ['metadataJournalTable'] },
    actions: [{ action: 's3:UpdateBucketMetadataJournalTableConfiguration', resource: 'bucket' }],
    handling: { refused: METADATA },
  },
  UpdateBucketMetadataAnnotationTableConfiguration: {
    method: 'PUT',
    level: 'bucket',
    match: { query: ['metadataAnnotationTable'] },
    actions: [{ action: 's3:UpdateBucketMetadataAnnotationTableConfiguration', resource: 'bucket' }],
    handling: { refused: METADATA },
  },
  DeleteBucketMetricsConfiguration: {
    method: 'DELETE',
    level: 'bucket',
    match: { query: ['id', 'metrics'] },
    actions: [{ action: 's3:PutMetricsConfiguration', resource: 'bucket' }],
    handling: { refused: METRICS },
  },
  GetBucketMetricsConfiguration: {
    method: 'GET',
    level: 'bucket',
    match: { query: ['id', 'metrics'] },
    actions: [{ action: 's3:GetMetricsConfiguration', resource: 'bucket' }],
    handling: { refused: METRICS },
  },
  ListBucketMetricsConfigurations: {
    method: 'GET',
    level: 'bucket',
    match: { query: ['metrics'] },
    actions: [{ action: 's3:GetMetricsConfiguration', resource: 'bucket' }],
    handling: { refused: METRICS },
  },
  PutBucketMetricsConfiguration: {
    method: 'PUT',
    level: 'bucket',
    match: { query: ['id', 'metrics'] },
    actions: [{ action: 's3:PutMetricsConfiguration', resource: 'bucket' }],
    handling: { refused: METRICS },
  },
  GetBucketNotificationConfiguration: {
    method: 'GET',
    level: 'bucket',
    match: { query: ['notification'] },
    actions: [{ action: 's3:GetBucketNotification', resource: 'bucket' }],
    handling: { refused: NOTIFICATION },
    alsoKnownAs: ['GetBucketNotification'],
  },
  PutBucketNotificationConfiguration: {
    method: 'PUT',
    level: 'bucket',
    match: { query: ['notification'] },
    actions: [{ action: 's3:PutBucketNotification', resource: 'bucket' }],
    handling: { refused: NOTIFICATION },
    alsoKnownAs: ['PutBucketNotification'],
  },
  GetBucketRequestPayment: {
    method: 'GET',
    level: 'bucket',
    match: { query: ['requestPayment'] },
    actions: [{ action: 's3:GetBucketRequestPayment', resource: 'bucket' }],
    handling: { refused: PAYMENT },
  },
  PutBucketRequestPayment: {
    method: 'PUT',
    level: 'bucket',
    match: { query: ['requestPayment'] },
    actions: [{ action: 's3:PutBucketRequestPayment', resource: 'bucket' }],
    handling: { refused: PAYMENT },
  },
  DeleteBucketReplication: {
    method: 'DELETE',
    level: 'bucket',
    match: { query: ['replication'] },
    actions: [{ action: 's3:PutReplicationConfiguration', resource: 'bucket' }],
    handling: { refused: REPLICATION },
  },
  GetBucketReplication: {
    method: 'GET',
    level: 'bucket',
    match: { query: ['replication'] },
    actions: [{ action: 's3:GetReplicationConfiguration', resource: 'bucket' }],
    handling: { refused: REPLICATION },
  },
  PutBucketReplication: {
    method: 'PUT',
    level: 'bucket',
    match: { query: ['replication'] },
    actions: [{ action: 's3:PutReplicationConfiguration', resource: 'bucket' }],
    handling: { refused: REPLICATION },
  },
  GetObjectTorrent: {
    method: 'GET',
    level: 'object',
    match: { query: ['torrent'] },
    actions: [
      { action: 's3:GetObject', resource: 'object' },
      { action: 's3:GetObjectTorrent', resource: 'object' },
    ],
    handling: { refused: TORRENT },
  },
  DeleteBucketWebsite: {
    method: 'DELETE',
    level: 'bucket',
    match: { query: ['website'] },
    actions: [{ action: 's3:DeleteBucketWebsite', resource: 'bucket' }],
    handling: { refused: WEBSITE },
  },
  GetBucketWebsite: {
    method: 'GET',
    level: 'bucket',
    match: { query: ['website'] },
    actions: [{ action: 's3:GetBucketWebsite', resource: 'bucket' }],
    handling: { refused: WEBSITE },
  },
  PutBucketWebsite: {
    method: 'PUT',
    level: 'bucket',
    match: { query: ['website'] },
    actions: [{ action: 's3:PutBucketWebsite', resource: 'bucket' }],
    handling: { refused: WEBSITE },
  },
} as const satisfies Record<string, OperationSpec>;
