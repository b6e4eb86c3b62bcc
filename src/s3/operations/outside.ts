/**
 * Operations that make the upstream act outside of the bucket, or with rights and keys of the gateway's own account:
 * each is refused until the operator has switched it on for the bucket.
 */
import {
  ACCELERATE,
  ANALYTICS,
  INTELLIGENT_TIERING,
  INVENTORY,
  LOGGING,
  METADATA,
  METADATA_ANNOTATION_TABLE,
  METADATA_INVENTORY_TABLE,
  METADATA_JOURNAL_TABLE,
  METADATA_TABLE,
  METRICS,
  NOTIFICATION,
  REPLICATION,
  REQUEST_PAYMENT,
  WEBSITE,
} from '../documents/outside-documents.ts';
import type { OperationSpec } from '../operation.ts';
import { CHARGED_RESPONSE, REQUEST_PAYER } from './fields.ts';
import { readSetting, removeSetting, writeSetting } from './settings.ts';

/** Of a listing of settings: where the page before it ended. */
const PAGES = ['continuation-token'];

const ACCELERATION = { match: { query: ['accelerate'] }, needs: 'accelerate' } as const;
const ONE_ANALYSIS = { match: { query: ['analytics', 'id'] }, needs: 'analytics' } as const;
const ONE_TIERING = {
  match: { query: ['id', 'intelligent-tiering'] },
  needs: 'intelligent-tiering',
} as const;
const ONE_INVENTORY = { match: { query: ['id', 'inventory'] }, needs: 'inventory' } as const;
const ONE_METRIC = { match: { query: ['id', 'metrics'] }, needs: 'metrics' } as const;
const LOGS = { match: { query: ['logging'] }, needs: 'logging' } as const;
const EVENTS = { match: { query: ['notification'] }, needs: 'notifications' } as const;
const COPIES = { match: { query: ['replication'] }, needs: 'replication' } as const;
const PAYER = { match: { query: ['requestPayment'] }, needs: 'request-payment' } as const;
const SITE = { match: { query: ['website'] }, needs: 'website' } as const;
const TABLES = { match: { query: ['metadataConfiguration'] }, needs: 'metadata-tables' } as const;
const OLD_TABLE = { match: { query: ['metadataTable'] }, needs: 'metadata-tables' } as const;

export const OUTSIDE_OPERATIONS = {
  GetBucketAccelerateConfiguration: readSetting({
    ...ACCELERATION,
    root: ACCELERATE.root,
    action: 's3:GetAccelerateConfiguration',
    headers: [REQUEST_PAYER],
    responseHeaders: CHARGED_RESPONSE,
  }),
  PutBucketAccelerateConfiguration: writeSetting(ACCELERATE, {
    ...ACCELERATION,
    action: 's3:PutAccelerateConfiguration',
  }),

  GetBucketAnalyticsConfiguration: readSetting({
    ...ONE_ANALYSIS,
    root: ANALYTICS.root,
    action: 's3:GetAnalyticsConfiguration',
  }),
  ListBucketAnalyticsConfigurations: readSetting({
    match: { query: ['analytics'] },
    root: 'ListBucketAnalyticsConfigurationResult',
    needs: 'analytics',
    action: 's3:GetAnalyticsConfiguration',
    query: PAGES,
  }),
  PutBucketAnalyticsConfiguration: writeSetting(ANALYTICS, {
    ...ONE_ANALYSIS,
    action: 's3:PutAnalyticsConfiguration',
  }),
  DeleteBucketAnalyticsConfiguration: removeSetting({
    ...ONE_ANALYSIS,
    root: ANALYTICS.root,
    action: 's3:PutAnalyticsConfiguration',
  }),

  GetBucketIntelligentTieringConfiguration: readSetting({
    ...ONE_TIERING,
    root: INTELLIGENT_TIERING.root,
    action: 's3:GetIntelligentTieringConfiguration',
  }),
  ListBucketIntelligentTieringConfigurations: readSetting({
    match: { query: ['intelligent-tiering'] },
    root: 'ListBucketIntelligentTieringConfigurationsOutput',
    needs: 'intelligent-tiering',
    action: 's3:GetIntelligentTieringConfiguration',
    query: PAGES,
  }),
  PutBucketIntelligentTieringConfiguration: writeSetting(INTELLIGENT_TIERING, {
    ...ONE_TIERING,
    action: 's3:PutIntelligentTieringConfiguration',
  }),
  DeleteBucketIntelligentTieringConfiguration: removeSetting({
    ...ONE_TIERING,
    root: INTELLIGENT_TIERING.root,
    action: 's3:PutIntelligentTieringConfiguration',
  }),

  GetBucketInventoryConfiguration: readSetting({
    ...ONE_INVENTORY,
    root: INVENTORY.root,
    action: 's3:GetInventoryConfiguration',
  }),
  ListBucketInventoryConfigurations: readSetting({
    match: { query: ['inventory'] },
    root: 'ListInventoryConfigurationsResult',
    needs: 'inventory',
    action: 's3:GetInventoryConfiguration',
    query: PAGES,
  }),
  PutBucketInventoryConfiguration: writeSetting(INVENTORY, {
    ...ONE_INVENTORY,
    action: 's3:PutInventoryConfiguration',
  }),
  DeleteBucketInventoryConfiguration: removeSetting({
    ...ONE_INVENTORY,
    root: INVENTORY.root,
    action: 's3:PutInventoryConfiguration',
  }),

  GetBucketMetricsConfiguration: readSetting({
    ...ONE_METRIC,
    root: METRICS.root,
    action: 's3:GetMetricsConfiguration',
  }),
  ListBucketMetricsConfigurations: readSetting({
    match: { query: ['metrics'] },
    root: 'ListMetricsConfigurationsResult',
    needs: 'metrics',
    action: 's3:GetMetricsConfiguration',
    query: PAGES,
  }),
  PutBucketMetricsConfiguration: writeSetting(METRICS, {
    ...ONE_METRIC,
    action: 's3:PutMetricsConfiguration',
  }),
  DeleteBucketMetricsConfiguration: removeSetting({
    ...ONE_METRIC,
    root: METRICS.root,
    action: 's3:PutMetricsConfiguration',
  }),

  GetBucketLogging: readSetting({ ...LOGS, root: LOGGING.root, action: 's3:GetBucketLogging' }),
  PutBucketLogging: writeSetting(LOGGING, { ...LOGS, action: 's3:PutBucketLogging', integrity: 'required' }),

  GetBucketNotificationConfiguration: readSetting({
    ...EVENTS,
    root: NOTIFICATION.root,
    action: 's3:GetBucketNotification',
    alsoKnownAs: ['GetBucketNotification'],
  }),
  PutBucketNotificationConfiguration: writeSetting(NOTIFICATION, {
    ...EVENTS,
    action: 's3:PutBucketNotification',
    headers: ['x-amz-skip-destination-validation'],
    alsoKnownAs: ['PutBucketNotification'],
  }),

  GetBucketReplication: readSetting({
    ...COPIES,
    root: REPLICATION.root,
    action: 's3:GetReplicationConfiguration',
  }),
  PutBucketReplication: writeSetting(REPLICATION, {
    ...COPIES,
    action: 's3:PutReplicationConfiguration',
    integrity: 'required',
    headers: ['x-amz-bucket-object-lock-token'],
  }),
  DeleteBucketReplication: removeSetting({
    ...COPIES,
    root: REPLICATION.root,
    action: 's3:PutReplicationConfiguration',
  }),

  GetBucketRequestPayment: readSetting({
    ...PAYER,
    root: REQUEST_PAYMENT.root,
    action: 's3:GetBucketRequestPayment',
  }),
  PutBucketRequestPayment: writeSetting(REQUEST_PAYMENT, {
    ...PAYER,
    action: 's3:PutBucketRequestPayment',
    integrity: 'required',
  }),

  GetBucketWebsite: readSetting({ ...SITE, root: WEBSITE.root, action: 's3:GetBucketWebsite' }),
  PutBucketWebsite: writeSetting(WEBSITE, { ...SITE, action: 's3:PutBucketWebsite', integrity: 'required' }),
  DeleteBucketWebsite: removeSetting({ ...SITE, root: WEBSITE.root, action: 's3:DeleteBucketWebsite' }),

  CreateBucketMetadataConfiguration: writeSetting(METADATA, {
    ...TABLES,
    method: 'POST',
    action: 's3:CreateBucketMetadataTableConfiguration',
    integrity: 'required',
  }),
  GetBucketMetadataConfiguration: readSetting({
    ...TABLES,
    root: 'GetBucketMetadataConfigurationResult',
    action: 's3:GetBucketMetadataTableConfiguration',
  }),
  DeleteBucketMetadataConfiguration: removeSetting({
    ...TABLES,
    root: 'GetBucketMetadataConfigurationResult',
    action: 's3:DeleteBucketMetadataTableConfiguration',
  }),
  CreateBucketMetadataTableConfiguration: writeSetting(METADATA_TABLE, {
    ...OLD_TABLE,
    method: 'POST',
    action: 's3:CreateBucketMetadataTableConfiguration',
    integrity: 'required',
  }),
  GetBucketMetadataTableConfiguration: readSetting({
    ...OLD_TABLE,
    root: 'GetBucketMetadataTableConfigurationResult',
    action: 's3:GetBucketMetadataTableConfiguration',
  }),
  DeleteBucketMetadataTableConfiguration: removeSetting({
    ...OLD_TABLE,
    root: 'GetBucketMetadataTableConfigurationResult',
    action: 's3:DeleteBucketMetadataTableConfiguration',
  }),
  UpdateBucketMetadataInventoryTableConfiguration: writeSetting(METADATA_INVENTORY_TABLE, {
    match: { query: ['metadataInventoryTable'] },
    needs: 'metadata-tables',
    action: 's3:UpdateBucketMetadataInventoryTableConfiguration',
    integrity: 'required',
  }),
  UpdateBucketMetadataJournalTableConfiguration: writeSetting(METADATA_JOURNAL_TABLE, {
    match: { query: ['metadataJournalTable'] },
    needs: 'metadata-tables',
    action: 's3:UpdateBucketMetadataJournalTableConfiguration',
    integrity: 'required',
  }),
  UpdateBucketMetadataAnnotationTableConfiguration: writeSetting(METADATA_ANNOTATION_TABLE, {
    match: { query: ['metadataAnnotationTable'] },
    needs: 'metadata-tables',
    action: 's3:UpdateBucketMetadataAnnotationTableConfiguration',
    integrity: 'required',
  }),
} as const satisfies Record<string, OperationSpec>;
