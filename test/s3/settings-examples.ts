/** Documents of settings, of the S3 API reference. */
import type { OperationName } from '../../src/s3/index.ts';

/** One for each row that has a schema: the example of its page, or all elements of its request syntax. */
export const SETTINGS_EXAMPLES: Partial<Record<OperationName, string>> = {
  PutBucketVersioning: '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>',
  PutBucketLifecycleConfiguration: `<LifecycleConfiguration>
    <Rule><ID>id1</ID><Filter><Prefix>documents/</Prefix></Filter><Status>Enabled</Status>
      <Transition><Days>30</Days><StorageClass>GLACIER</StorageClass></Transition></Rule>
    <Rule><ID>id2</ID><Filter><And><Prefix>logs/</Prefix><Tag><Key>a</Key><Value>b</Value></Tag>
        <ObjectSizeGreaterThan>500</ObjectSizeGreaterThan></And></Filter><Status>Enabled</Status>
      <Expiration><Days>365</Days></Expiration>
      <NoncurrentVersionExpiration><NoncurrentDays>90</NoncurrentDays></NoncurrentVersionExpiration>
      <NoncurrentVersionTransition><NoncurrentDays>30</NoncurrentDays>
        <StorageClass>STANDARD_IA</StorageClass></NoncurrentVersionTransition>
      <AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>
    </Rule></LifecycleConfiguration>`,
  PutBucketEncryption: `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>
    <SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`,
  PutBucketOwnershipControls:
    '<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>',
  PutObjectLockConfiguration: `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule>
    <DefaultRetention><Mode>COMPLIANCE</Mode><Days>30</Days></DefaultRetention></Rule></ObjectLockConfiguration>`,
  PutObjectRetention:
    '<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2030-01-02T03:04:05.000Z</RetainUntilDate></Retention>',
  PutObjectLegalHold: '<LegalHold><Status>ON</Status></LegalHold>',
  RestoreObject: `<RestoreRequest><Days>2</Days><GlacierJobParameters><Tier>Bulk</Tier></GlacierJobParameters>
    </RestoreRequest>`,
  SelectObjectContent: `<SelectObjectContentRequest><Expression>Select * from S3Object</Expression>
    <ExpressionType>SQL</ExpressionType>
    <InputSerialization><CompressionType>GZIP</CompressionType><CSV><FileHeaderInfo>IGNORE</FileHeaderInfo>
      <RecordDelimiter>\\n</RecordDelimiter><FieldDelimiter>,</FieldDelimiter><QuoteCharacter>"</QuoteCharacter>
      <QuoteEscapeCharacter>"</QuoteEscapeCharacter><Comments>#</Comments></CSV></InputSerialization>
    <OutputSerialization><CSV><QuoteFields>ASNEEDED</QuoteFields><RecordDelimiter>\\n</RecordDelimiter></CSV>
    </OutputSerialization><ScanRange><Start>50</Start><End>100</End></ScanRange></SelectObjectContentRequest>`,
  PutBucketAccelerateConfiguration:
    '<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>',
  PutBucketAnalyticsConfiguration: `<AnalyticsConfiguration><Id>report1</Id>
    <Filter><And><Prefix>images/</Prefix><Tag><Key>dog</Key><Value>corgi</Value></Tag></And></Filter>
    <StorageClassAnalysis><DataExport><OutputSchemaVersion>V_1</OutputSchemaVersion><Destination>
      <S3BucketDestination><Format>CSV</Format><BucketAccountId>123456789012</BucketAccountId>
        <Bucket>arn:aws:s3:::destination-bucket</Bucket><Prefix>destination-prefix</Prefix></S3BucketDestination>
    </Destination></DataExport></StorageClassAnalysis></AnalyticsConfiguration>`,
  PutBucketInventoryConfiguration: `<InventoryConfiguration><Id>report1</Id><IsEnabled>true</IsEnabled>
    <Filter><Prefix>filterPrefix</Prefix></Filter><Destination><S3BucketDestination><Format>CSV</Format>
      <AccountId>123456789012</AccountId><Bucket>arn:aws:s3:::destination-bucket</Bucket><Prefix>prefix1</Prefix>
      <Encryption><SSE-S3/></Encryption></S3BucketDestination></Destination>
    <Schedule><Frequency>Daily</Frequency></Schedule><IncludedObjectVersions>All</IncludedObjectVersions>
    <OptionalFields><Field>Size</Field><Field>LastModifiedDate</Field></OptionalFields></InventoryConfiguration>`,
  PutBucketMetricsConfiguration: `<MetricsConfiguration><Id>ImportantBlueDocuments</Id><Filter><And>
    <Prefix>documents/</Prefix><Tag><Key>priority</Key><Value>high</Value></Tag></And></Filter></MetricsConfiguration>`,
  PutBucketIntelligentTieringConfiguration: `<IntelligentTieringConfiguration><Id>id1</Id><Status>Enabled</Status>
    <Tiering><AccessTier>ARCHIVE_ACCESS</AccessTier><Days>90</Days></Tiering></IntelligentTieringConfiguration>`,
  PutBucketLogging: `<BucketLoggingStatus><LoggingEnabled><TargetBucket>mybucketlogs</TargetBucket>
    <TargetPrefix>mybucket-access_log-/</TargetPrefix><TargetObjectKeyFormat><PartitionedPrefix>
    <PartitionDateSource>EventTime</PartitionDateSource></PartitionedPrefix></TargetObjectKeyFormat></LoggingEnabled>
    </BucketLoggingStatus>`,
  PutBucketNotificationConfiguration: `<NotificationConfiguration><QueueConfiguration><Id>q</Id>
    <Filter><S3Key><FilterRule><Name>prefix</Name><Value>images/</Value></FilterRule></S3Key></Filter>
    <Queue>arn:aws:sqs:us-west-2:444455556666:s3notificationqueue</Queue><Event>s3:ObjectCreated:Put</Event>
    </QueueConfiguration><TopicConfiguration><Topic>arn:aws:sns:us-east-1:356671443308:s3notificationtopic2</Topic>
    <Event>s3:ReducedRedundancyLostObject</Event></TopicConfiguration></NotificationConfiguration>`,
  PutBucketReplication: `<ReplicationConfiguration><Role>arn:aws:iam::35667example:role/CrossRegionRole</Role><Rule>
    <ID>rule1</ID><Priority>1</Priority><Filter><Prefix>TaxDocs</Prefix></Filter><Status>Enabled</Status>
    <DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>
    <Destination><Bucket>arn:aws:s3:::exampletargetbucket</Bucket></Destination></Rule></ReplicationConfiguration>`,
  PutBucketRequestPayment:
    '<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>',
  PutBucketWebsite: `<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument>
    <ErrorDocument><Key>Error.html</Key></ErrorDocument><RoutingRules><RoutingRule>
    <Condition><KeyPrefixEquals>docs/</KeyPrefixEquals></Condition>
    <Redirect><ReplaceKeyPrefixWith>documents/</ReplaceKeyPrefixWith></Redirect></RoutingRule></RoutingRules>
    </WebsiteConfiguration>`,
  CreateBucketMetadataConfiguration: `<MetadataConfiguration><JournalTableConfiguration><RecordExpiration>
    <Expiration>ENABLED</Expiration><Days>10</Days></RecordExpiration></JournalTableConfiguration>
    <InventoryTableConfiguration><ConfigurationState>DISABLED</ConfigurationState></InventoryTableConfiguration>
    </MetadataConfiguration>`,
  CreateBucketMetadataTableConfiguration: `<MetadataTableConfiguration><S3TablesDestination>
    <TableBucketArn>arn:aws:s3tables:us-east-1:111122223333:bucket/b</TableBucketArn><TableName>t</TableName>
    </S3TablesDestination></MetadataTableConfiguration>`,
  UpdateBucketMetadataInventoryTableConfiguration:
    '<InventoryTableConfiguration><ConfigurationState>ENABLED</ConfigurationState></InventoryTableConfiguration>',
  UpdateBucketMetadataJournalTableConfiguration:
    '<JournalTableConfiguration><RecordExpiration><Expiration>DISABLED</Expiration></RecordExpiration></JournalTableConfiguration>',
  UpdateBucketMetadataAnnotationTableConfiguration:
    '<AnnotationTableConfiguration><ConfigurationState>ENABLED</ConfigurationState><Role>arn:aws:iam::111122223333:role/r</Role></AnnotationTableConfiguration>',
};
