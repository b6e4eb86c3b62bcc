/**
 * The AWS SDK through the gateway to an upstream that answers with the examples of the S3 API reference: what is
 * forwarded, and what comes back. The embedded store has none of these operations.
 */
import {
  CreateBucketCommand,
  DeleteBucketOwnershipControlsCommand,
  DeleteObjectCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketReplicationCommand,
  GetBucketVersioningCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectLegalHoldCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketReplicationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
  RestoreObjectCommand,
  SelectObjectContentCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { createHash, randomBytes } from 'node:crypto';
import { writeFile, mkdtemp } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { crc32 } from 'node:zlib';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runGateway, type RunningGateway } from '../support/running-gateway.ts';
import { sendRaw } from './support/signed-request.ts';

interface Forwarded {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
interface Scripted {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

let answer: Scripted = {};
/** Of the GET by which the gateway finds out whether the upstream knows a sub-resource. */
let known: Scripted | undefined;
let forwarded: Forwarded[] = [];
const origin = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { method = '', url = '', headers } = request;
    forwarded.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
    const scripted = method === 'GET' && known !== undefined ? known : answer;
    response.writeHead(scripted.status ?? 200, scripted.headers);
    response.end(scripted.body);
  });
});
let gateway: RunningGateway;
let client: S3Client;

beforeAll(async () => {
  await new Promise<void>((resolve) => {
    origin.listen(0, '127.0.0.1', resolve);
  });
  const file = join(await mkdtemp(join(tmpdir(), 'bucketwarden-settings-')), 'settings.yaml');
  await writeFile(
    file,
    `buckets:
  - name: open
    operations: [renames, replication, kms-keys, request-payment, website]
`,
  );
  gateway = await runGateway({
    file,
    env: {
      UPSTREAM_ENDPOINT: `http://127.0.0.1:${(origin.address() as AddressInfo).port}`,
      UPSTREAM_BUCKETS: 'docs,open',
    },
  });
  client = gateway.client();
});

afterAll(async () => {
  await gateway.stop();
  origin.closeAllConnections();
  origin.close();
});

beforeEach(() => {
  forwarded = [];
  answer = {};
  known = undefined;
});

const XML = { 'content-type': 'application/xml' };
const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000);

const encryptionBy = (SSEAlgorithm: 'AES256' | 'aws:kms') =>
  new PutBucketEncryptionCommand({
    Bucket: 'docs',
    ServerSideEncryptionConfiguration: {
      Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm } }],
    },
  });

const ownershipBy = (ObjectOwnership: 'BucketOwnerEnforced' | 'ObjectWriter') =>
  new PutBucketOwnershipControlsCommand({
    Bucket: 'docs',
    OwnershipControls: { Rules: [{ ObjectOwnership }] },
  });

const replicate = (Bucket: string) =>
  new PutBucketReplicationCommand({
    Bucket,
    ReplicationConfiguration: {
      Role: 'arn:aws:iam::111122223333:role/r',
      Rules: [{ Status: 'Enabled', Prefix: '', Destination: { Bucket: 'arn:aws:s3:::other' } }],
    },
  });

/** The only request that went upstream. */
function only(): Forwarded {
  expect(forwarded).toHaveLength(1);
  return forwarded[0] as Forwarded;
}

/** A body that the gateway has written, with the checksum that S3 asks for. */
function expectDocument(request: Forwarded, method: string, url: string, xml: string): void {
  expect(request).toMatchObject({ method, url, body: HEAD + xml });
  expect(request.headers['content-md5']).toBe(createHash('md5').update(request.body).digest('base64'));
  expect(request.headers['content-type']).toBe('application/xml');
  expect(Object.keys(request.headers).filter((name) => name.startsWith('x-amz-checksum-'))).toEqual([]);
}

describe('versioning', () => {
  test('is switched on, and read', async () => {
    await client.send(
      new PutBucketVersioningCommand({ Bucket: 'docs', VersioningConfiguration: { Status: 'Enabled' } }),
    );
    expectDocument(
      only(),
      'PUT',
      '/docs?versioning=',
      `<VersioningConfiguration ${NS}><Status>Enabled</Status></VersioningConfiguration>`,
    );
    answer = {
      headers: XML,
      body: `<VersioningConfiguration ${NS}><Status>Enabled</Status></VersioningConfiguration>`,
    };
    expect(await client.send(new GetBucketVersioningCommand({ Bucket: 'docs' }))).toMatchObject({
      Status: 'Enabled',
    });
  });

  test('versions and delete markers are listed, with the owner of the bucket', async () => {
    answer = {
      headers: XML,
      body: `<ListVersionsResult ${NS}><Name>docs</Name><Prefix>my</Prefix><KeyMarker/><VersionIdMarker/>
        <MaxKeys>5</MaxKeys><Delimiter>/</Delimiter><IsTruncated>false</IsTruncated>
        <DeleteMarker><Key>my-second-image.jpg</Key><VersionId>03jpff543dhffds434rfdsFDN943fdsFkdmqnh892</VersionId>
          <IsLatest>true</IsLatest><LastModified>2009-11-12T17:50:30.000Z</LastModified>
          <Owner><ID>75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a</ID>
            <DisplayName>mtd@amazon.com</DisplayName></Owner></DeleteMarker>
        <Version><Key>my-second-image.jpg</Key><VersionId>QUpfdndhfd8438MNFDN93jdnJFkdmqnh893</VersionId>
          <IsLatest>false</IsLatest><LastModified>2009-10-10T17:50:30.000Z</LastModified>
          <ETag>"9b2cf535f27731c974343645a3985328"</ETag><Size>166434</Size><StorageClass>STANDARD</StorageClass>
          <Owner><ID>75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a</ID></Owner></Version>
      </ListVersionsResult>`,
    };
    const listed = await client.send(
      new ListObjectVersionsCommand({ Bucket: 'docs', Prefix: 'my', Delimiter: '/', MaxKeys: 5 }),
    );
    expect(only().url).toBe('/docs?delimiter=%2F&max-keys=5&prefix=my&versions=');
    expect(listed.Versions).toMatchObject([
      { VersionId: 'QUpfdndhfd8438MNFDN93jdnJFkdmqnh893', Size: 166_434, IsLatest: false },
    ]);
    expect(listed.DeleteMarkers).toMatchObject([
      { VersionId: '03jpff543dhffds434rfdsFDN943fdsFkdmqnh892', IsLatest: true },
    ]);
    const owners = [...(listed.Versions ?? []), ...(listed.DeleteMarkers ?? [])].map(
      ({ Owner }) => Owner?.ID,
    );
    expect(new Set(owners).size).toBe(1);
    expect(owners[0]).not.toMatch(/^75aa57f0/);
  });

  test('one version is read and deleted, and its id comes back', async () => {
    const VersionId = '3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY+MTRCxf3vjVBH40Nr8X8gdRQBpUMLUo';
    answer = { headers: { 'x-amz-version-id': VersionId, 'content-length': '1' }, body: 'v' };
    const read = await client.send(new GetObjectCommand({ Bucket: 'docs', Key: 'k', VersionId }));
    expect(read.VersionId).toBe(VersionId);
    expect(await read.Body?.transformToString()).toBe('v');
    expect(only().url).toBe(`/docs/k?versionId=${encodeURIComponent(VersionId)}`);
    forwarded = [];
    answer = { status: 204, headers: { 'x-amz-version-id': VersionId, 'x-amz-delete-marker': 'true' } };
    const deleted = await client.send(new DeleteObjectCommand({ Bucket: 'docs', Key: 'k', VersionId }));
    expect(deleted).toMatchObject({ VersionId, DeleteMarker: true });
    expect(only()).toMatchObject({
      method: 'DELETE',
      url: `/docs/k?versionId=${encodeURIComponent(VersionId)}`,
    });
  });
});

describe('object lock', () => {
  test('the default of a bucket', async () => {
    await client.send(
      new PutObjectLockConfigurationCommand({
        Bucket: 'docs',
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 30 } },
        },
      }),
    );
    expectDocument(
      only(),
      'PUT',
      '/docs?object-lock=',
      `<ObjectLockConfiguration ${NS}><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Days>30</Days></DefaultRetention></Rule></ObjectLockConfiguration>`,
    );
    answer = { headers: XML, body: only().body };
    const read = await client.send(new GetObjectLockConfigurationCommand({ Bucket: 'docs' }));
    expect(read.ObjectLockConfiguration?.Rule?.DefaultRetention).toEqual({ Mode: 'COMPLIANCE', Days: 30 });
  });

  test('retention and legal hold of a version, and the bypass of governance', async () => {
    known = { headers: XML, body: '<Retention/>' };
    await client.send(
      new PutObjectRetentionCommand({
        Bucket: 'docs',
        Key: 'k',
        VersionId: 'v1',
        BypassGovernanceRetention: true,
        Retention: { Mode: 'GOVERNANCE', RetainUntilDate: new Date('2030-01-02T03:04:05Z') },
      }),
    );
    const [asked, put] = forwarded as [Forwarded, Forwarded];
    expect(asked).toMatchObject({ method: 'GET', url: '/docs/k?retention=&versionId=v1' });
    expect(put.headers['x-amz-bypass-governance-retention']).toBe('true');
    expectDocument(
      put,
      'PUT',
      '/docs/k?retention=&versionId=v1',
      `<Retention ${NS}><Mode>GOVERNANCE</Mode><RetainUntilDate>2030-01-02T03:04:05Z</RetainUntilDate></Retention>`,
    );
    // No hold so far: an error that only a store with object lock has.
    known = { status: 404, headers: XML, body: '<Error><Code>NoSuchObjectLockConfiguration</Code></Error>' };
    await client.send(
      new PutObjectLegalHoldCommand({ Bucket: 'docs', Key: 'k', LegalHold: { Status: 'ON' } }),
    );
    expectDocument(
      forwarded.at(-1) as Forwarded,
      'PUT',
      '/docs/k?legal-hold=',
      `<LegalHold ${NS}><Status>ON</Status></LegalHold>`,
    );
    known = undefined;
    answer = {
      headers: XML,
      body: `<Retention ${NS}><Mode>COMPLIANCE</Mode><RetainUntilDate>2030-01-01T00:00:00.000Z</RetainUntilDate></Retention>`,
    };
    const retention = await client.send(new GetObjectRetentionCommand({ Bucket: 'docs', Key: 'k' }));
    expect(retention.Retention?.Mode).toBe('COMPLIANCE');
    answer = { headers: XML, body: `<LegalHold ${NS}><Status>OFF</Status></LegalHold>` };
    const hold = await client.send(new GetObjectLegalHoldCommand({ Bucket: 'docs', Key: 'k' }));
    expect(hold.LegalHold).toEqual({ Status: 'OFF' });
  });

  test('the lock of a new object', async () => {
    await client.send(
      new PutObjectCommand({
        Bucket: 'docs',
        Key: 'k',
        Body: 'x',
        ObjectLockMode: 'GOVERNANCE',
        ObjectLockRetainUntilDate: new Date('2030-01-02T03:04:05Z'),
        ObjectLockLegalHoldStatus: 'ON',
      }),
    );
    expect(only().headers).toMatchObject({
      'x-amz-object-lock-mode': 'GOVERNANCE',
      'x-amz-object-lock-retain-until-date': '2030-01-02T03:04:05Z',
      'x-amz-object-lock-legal-hold': 'ON',
    });
  });

  test('a policy may limit the days that are asked for, in headers and in documents', async () => {
    const limited = gateway.client(
      await gateway.keyWithPolicy('limited', {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: 's3:*', Resource: '*' },
          {
            Effect: 'Deny',
            Action: 's3:PutObjectRetention',
            Resource: '*',
            Condition: { NumericGreaterThan: { 's3:object-lock-remaining-retention-days': '10' } },
          },
        ],
      }),
    );
    known = { headers: XML, body: '<Retention/>' };
    const retain = (days: number) =>
      limited.send(
        new PutObjectRetentionCommand({
          Bucket: 'docs',
          Key: 'k',
          Retention: { Mode: 'GOVERNANCE', RetainUntilDate: inDays(days) },
        }),
      );
    const put = (days: number) =>
      limited.send(
        new PutObjectCommand({
          Bucket: 'docs',
          Key: 'k',
          Body: 'x',
          ObjectLockMode: 'GOVERNANCE',
          ObjectLockRetainUntilDate: inDays(days),
        }),
      );
    await retain(10);
    await put(10);
    expect(forwarded).toHaveLength(3);
    await expect(retain(11)).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(put(11)).rejects.toMatchObject({ name: 'AccessDenied' });
    expect(forwarded).toHaveLength(3);
  });
});

describe('rules, keys and owners', () => {
  test('lifecycle rules go upstream as they were understood, and come back', async () => {
    await client.send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket: 'docs',
        TransitionDefaultMinimumObjectSize: 'all_storage_classes_128K',
        LifecycleConfiguration: {
          Rules: [
            {
              ID: 'id1',
              Status: 'Enabled',
              Filter: { Prefix: 'documents/' },
              Transitions: [{ Days: 30, StorageClass: 'GLACIER' }],
            },
          ],
        },
      }),
    );
    const put = only();
    expect(put.headers['x-amz-transition-default-minimum-object-size']).toBe('all_storage_classes_128K');
    expect(put.body).toContain('<Filter><Prefix>documents/</Prefix></Filter>');
    answer = {
      headers: { ...XML, 'x-amz-transition-default-minimum-object-size': 'varies_by_storage_class' },
      body: put.body,
    };
    const read = await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: 'docs' }));
    expect(read).toMatchObject({
      TransitionDefaultMinimumObjectSize: 'varies_by_storage_class',
      Rules: [{ ID: 'id1', Transitions: [{ Days: 30, StorageClass: 'GLACIER' }] }],
    });
  });

  test('the default encryption is written; which KMS key it is stays untold', async () => {
    await client.send(encryptionBy('AES256'));
    expect(only().body).toContain('<SSEAlgorithm>AES256</SSEAlgorithm>');
    forwarded = [];
    await expect(client.send(encryptionBy('aws:kms'))).rejects.toMatchObject({ name: 'NotImplemented' });
    expect(forwarded).toEqual([]);
    answer = {
      headers: XML,
      body: `<ServerSideEncryptionConfiguration ${NS}><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>arn:aws:kms:us-east-1:1234/5678example</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`,
    };
    const key = async (Bucket: string) => {
      const { ServerSideEncryptionConfiguration } = await client.send(
        new GetBucketEncryptionCommand({ Bucket }),
      );
      return ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
    };
    expect(await key('docs')).toEqual({ SSEAlgorithm: 'aws:kms' });
    expect(await key('open')).toEqual({
      SSEAlgorithm: 'aws:kms',
      KMSMasterKeyID: 'arn:aws:kms:us-east-1:1234/5678example',
    });
  });

  test('ownership controls say that ACLs are off, and nothing else', async () => {
    await client.send(ownershipBy('BucketOwnerEnforced'));
    answer = { headers: XML, body: only().body };
    const read = await client.send(new GetBucketOwnershipControlsCommand({ Bucket: 'docs' }));
    expect(read.OwnershipControls?.Rules).toEqual([{ ObjectOwnership: 'BucketOwnerEnforced' }]);
    forwarded = [];
    await expect(client.send(ownershipBy('ObjectWriter'))).rejects.toMatchObject({ name: 'NotImplemented' });
    await expect(
      client.send(new CreateBucketCommand({ Bucket: 'fresh', ObjectOwnership: 'ObjectWriter' })),
    ).rejects.toMatchObject({ name: 'NotImplemented' });
    expect(forwarded).toEqual([]);
  });
});

describe('objects', () => {
  test('attributes', async () => {
    answer = {
      headers: { ...XML, 'last-modified': 'Wed, 12 Oct 2009 17:50:00 GMT', 'x-amz-version-id': 'v1' },
      body: `<GetObjectAttributesResponse ${NS}><ETag>e</ETag><Checksum><ChecksumSHA256>c</ChecksumSHA256></Checksum><ObjectParts><PartsCount>2</PartsCount></ObjectParts><StorageClass>STANDARD</StorageClass><ObjectSize>7</ObjectSize></GetObjectAttributesResponse>`,
    };
    const read = await client.send(
      new GetObjectAttributesCommand({
        Bucket: 'docs',
        Key: 'k',
        VersionId: 'v1',
        MaxParts: 2,
        ObjectAttributes: ['ETag', 'Checksum', 'ObjectParts', 'ObjectSize'],
      }),
    );
    expect(read).toMatchObject({
      ETag: 'e',
      ObjectSize: 7,
      VersionId: 'v1',
      ObjectParts: { TotalPartsCount: 2 },
    });
    expect(only()).toMatchObject({
      url: '/docs/k?attributes=&versionId=v1',
      headers: {
        'x-amz-object-attributes': 'ETag, Checksum, ObjectParts, ObjectSize',
        'x-amz-max-parts': '2',
      },
    });
  });

  test('restoring answers 202, and never selects into another bucket', async () => {
    answer = { status: 202 };
    const restored = await client.send(
      new RestoreObjectCommand({
        Bucket: 'docs',
        Key: 'k',
        RestoreRequest: { Days: 2, GlacierJobParameters: { Tier: 'Bulk' } },
      }),
    );
    expect(restored.$metadata.httpStatusCode).toBe(202);
    expectDocumentBody(
      only(),
      `<RestoreRequest ${NS}><Days>2</Days><GlacierJobParameters><Tier>Bulk</Tier></GlacierJobParameters></RestoreRequest>`,
    );
    forwarded = [];
    const selecting = new RestoreObjectCommand({
      Bucket: 'docs',
      Key: 'k',
      RestoreRequest: { OutputLocation: { S3: { BucketName: 'other', Prefix: 'p' } } },
    });
    await expect(client.send(selecting)).rejects.toMatchObject({ name: 'NotImplemented' });
    expect(forwarded).toEqual([]);
  });

  test('the event stream of a select passes byte for byte', async () => {
    // S3 API reference, SelectObjectContent, "Appendix": prelude, checksums and headers of each message.
    const frames = Buffer.concat([
      message(
        { ':message-type': 'event', ':event-type': 'Records', ':content-type': 'application/octet-stream' },
        Buffer.from('1,a\n2,b\n'),
      ),
      message({ ':message-type': 'event', ':event-type': 'End' }, Buffer.alloc(0)),
    ]);
    answer = { headers: { 'content-type': 'application/vnd.amazon.eventstream' }, body: frames };
    const command = new SelectObjectContentCommand({
      Bucket: 'docs',
      Key: 'k.csv',
      ExpressionType: 'SQL',
      Expression: "SELECT * FROM S3Object s WHERE s._1 < '3' AND s._2 <> '&'",
      InputSerialization: { CSV: { FieldDelimiter: ',' } },
      OutputSerialization: { CSV: {} },
    });
    const selected = await client.send(command);
    const records: Buffer[] = [];
    let ended = false;
    for await (const event of selected.Payload ?? []) {
      if (event.Records?.Payload !== undefined) records.push(Buffer.from(event.Records.Payload));
      if (event.End !== undefined) ended = true;
    }
    expect(Buffer.concat(records).toString()).toBe('1,a\n2,b\n');
    expect(ended).toBe(true);
    const { url, body } = only();
    expect(url).toBe('/docs/k.csv?select=&select-type=2');
    expect(body).toContain("s._1 &lt; '3' AND s._2 &lt;&gt; '&amp;'</Expression>");
    const raw = await sendRaw(gateway, {
      method: 'POST',
      path: '/docs/k.csv',
      query: { select: '', 'select-type': '2' },
      body,
      credentials: gateway.root,
    });
    expect(Buffer.from(raw.body, 'utf8').equals(Buffer.from(frames.toString('utf8'), 'utf8'))).toBe(true);
  });
});

describe('what is switched on for one bucket', () => {
  test('a rename goes upstream as it was understood, and only within the bucket', async () => {
    const rename = (bucket: string, source: string) =>
      sendRaw(gateway, {
        method: 'PUT',
        path: `/${bucket}/new`,
        query: { renameObject: '' },
        headers: { 'x-amz-rename-source': source, 'x-amz-rename-source-if-match': '"e"' },
        credentials: gateway.root,
      });
    expect((await rename('open', 'open/old%20name')).status).toBe(200);
    expect(only()).toMatchObject({
      method: 'PUT',
      url: '/open/new?renameObject=',
      headers: { 'x-amz-rename-source': '/open/old%20name', 'x-amz-rename-source-if-match': '"e"' },
    });
    forwarded = [];
    expect(await rename('open', 'docs/old')).toMatchObject({ status: 400, code: 'InvalidArgument' });
    // Without the switch a store that does not know renames would overwrite the object.
    expect(await rename('docs', 'docs/old')).toMatchObject({ status: 501, code: 'NotImplemented' });
    const policy = {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: ['s3:GetObject', 's3:PutObject', 's3express:CreateSession'],
          Resource: '*',
        },
      ],
    };
    const credentials = await gateway.keyWithPolicy('mover', policy);
    const refused = await sendRaw(gateway, {
      method: 'PUT',
      path: '/open/new',
      query: { renameObject: '' },
      headers: { 'x-amz-rename-source': 'open/old' },
      credentials,
    });
    expect(refused).toMatchObject({ status: 403, code: 'AccessDenied' });
    expect(refused.message).toContain('s3:DeleteObject');
    expect(forwarded).toEqual([]);
  });

  test('is done there, and nowhere else', async () => {
    await client.send(replicate('open'));
    expect(only()).toMatchObject({ method: 'PUT', url: '/open?replication=' });
    answer = { headers: XML, body: only().body };
    const read = await client.send(new GetBucketReplicationCommand({ Bucket: 'open' }));
    expect(read.ReplicationConfiguration?.Rules?.[0]?.Destination?.Bucket).toBe('arn:aws:s3:::other');
    forwarded = [];
    await expect(client.send(replicate('docs'))).rejects.toMatchObject({ name: 'NotImplemented' });
    expect(forwarded).toEqual([]);
  });

  test('headers of requests and answers', async () => {
    const KeyId = 'arn:aws:kms:us-east-1:111122223333:key/k';
    const command = (Bucket: string) =>
      new PutObjectCommand({
        Bucket,
        Key: 'k',
        Body: 'x',
        ServerSideEncryption: 'aws:kms',
        SSEKMSKeyId: KeyId,
        RequestPayer: 'requester',
        WebsiteRedirectLocation: '/elsewhere',
      });
    answer = {
      headers: {
        'x-amz-server-side-encryption': 'aws:kms',
        'x-amz-server-side-encryption-aws-kms-key-id': KeyId,
        'x-amz-request-charged': 'requester',
        'x-amz-replication-status': 'PENDING',
      },
    };
    const stored = await client.send(command('open'));
    expect(stored).toMatchObject({ SSEKMSKeyId: KeyId, RequestCharged: 'requester' });
    expect(only().headers).toMatchObject({
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': KeyId,
      'x-amz-request-payer': 'requester',
      'x-amz-website-redirect-location': '/elsewhere',
    });
    expect((await client.send(new HeadObjectCommand({ Bucket: 'open', Key: 'k' }))).ReplicationStatus).toBe(
      'PENDING',
    );
    forwarded = [];
    await expect(client.send(command('docs'))).rejects.toMatchObject({ name: 'NotImplemented' });
    expect(forwarded).toEqual([]);
    const head = await client.send(new HeadObjectCommand({ Bucket: 'docs', Key: 'k' }));
    expect(head.ServerSideEncryption).toBe('aws:kms');
    expect([head.SSEKMSKeyId, head.RequestCharged, head.ReplicationStatus]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('the key of a client (SSE-C)', () => {
  const key = randomBytes(32);
  const encoded = key.toString('base64');
  const customer = {
    'x-amz-server-side-encryption-customer-algorithm': 'AES256',
    'x-amz-server-side-encryption-customer-key': encoded,
    'x-amz-server-side-encryption-customer-key-md5': createHash('md5').update(key).digest('base64'),
  };

  test('reaches the upstream, and no log, record or error', async () => {
    answer = { headers: { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' } };
    const stored = await sendRaw(gateway, {
      method: 'PUT',
      path: '/docs/k',
      headers: customer,
      body: 'x',
      credentials: gateway.root,
    });
    expect(stored.status).toBe(200);
    expect(only().headers).toMatchObject(customer);
    expect(stored.headers['x-amz-server-side-encryption-customer-algorithm']).toBe('AES256');

    answer = {
      status: 400,
      headers: XML,
      body: `<Error><Code>InvalidArgument</Code><Message>m</Message><ArgumentName>x-amz-server-side-encryption-customer-key</ArgumentName><ArgumentValue>${encoded}</ArgumentValue></Error>`,
    };
    const wrongSecret = { ...gateway.root, secretAccessKey: 'x'.repeat(40) };
    const answers = [
      await sendRaw(gateway, { path: '/docs/k', headers: customer, credentials: gateway.root }),
      await sendRaw(gateway, { path: '/docs/k', headers: customer, credentials: wrongSecret }),
      await sendRaw(gateway, { path: '/docs/k', query: customer, credentials: wrongSecret }),
      await sendRaw(gateway, { path: '/docs/k', query: customer, credentials: gateway.root }),
    ];
    for (const { status, body, headers } of answers) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(body).not.toContain(encoded);
      expect(body).not.toContain(encodeURIComponent(encoded));
      await gateway.record(headers['x-amz-request-id'] as string);
    }
    const log = JSON.stringify(gateway.lines);
    expect(log).not.toContain(encoded);
    expect(log).not.toContain(encodeURIComponent(encoded));
    const hex = Buffer.from(encoded)
      .toString('hex')
      .replaceAll(/(..)(?=.)/g, '$1 ');
    for (const { body } of answers) expect(body).not.toContain(hex);
  });

  test.each([
    ['PUT', '/docs/k', {}],
    ['GET', '/docs/k', {}],
    ['HEAD', '/docs/k', {}],
    ['PUT', '/docs/k', { partNumber: '1', uploadId: 'u' }],
    ['POST', '/docs/k', { uploads: '' }],
  ])('that the upstream overlooks is no success: %s %s %j', async (method, path, query) => {
    // versitygw stores the object as if no key had come.
    answer = { headers: { etag: '"e"', 'content-length': '0' } };
    const told = await sendRaw(gateway, {
      method,
      path,
      query,
      headers: customer,
      ...(method === 'PUT' && { body: 'x' }),
      credentials: gateway.root,
    });
    expect(told.status).toBe(501);
    expect(await gateway.record(told.headers['x-amz-request-id'] as string)).toMatchObject({
      upstream: { status: 200, cause: 'the upstream took no notice of an SSE-C key' },
    });
  });

  test.each([
    [
      'without its algorithm',
      { 'x-amz-server-side-encryption-customer-algorithm': '' },
      'InvalidEncryptionAlgorithmError',
    ],
    [
      'of another algorithm',
      { 'x-amz-server-side-encryption-customer-algorithm': 'AES128' },
      'InvalidEncryptionAlgorithmError',
    ],
    ['that is too short', { 'x-amz-server-side-encryption-customer-key': 'c2hvcnQ=' }, 'InvalidArgument'],
    [
      'with the hash of another',
      { 'x-amz-server-side-encryption-customer-key-md5': '1B2M2Y8AsgTpgAmY7PhCfg==' },
      'InvalidArgument',
    ],
  ])('%s is refused before anything is forwarded', async (_, headers, code) => {
    const refused = await sendRaw(gateway, {
      path: '/docs/k',
      headers: { ...customer, ...headers },
      credentials: gateway.root,
    });
    expect(refused).toMatchObject({ status: 400, code });
    expect(forwarded).toEqual([]);
  });

  test.each(Object.keys(customer))('half of it is refused: without %s', async (missing) => {
    const headers = Object.fromEntries(Object.entries(customer).filter(([name]) => name !== missing));
    const refused = await sendRaw(gateway, { path: '/docs/k', headers, credentials: gateway.root });
    expect(refused).toMatchObject({ status: 400, code: 'InvalidArgument' });
    expect(forwarded).toEqual([]);
  });
});

/** As MinIO and versitygw do with what they do not know: they answer as if no sub-resource were there. */
describe('a store that does not know a sub-resource', () => {
  const LISTING = `<ListBucketResult ${NS}><Name>docs</Name></ListBucketResult>`;

  test('keeps its bucket: no DELETE is sent that it would take for one of the bucket', async () => {
    known = { headers: XML, body: LISTING };
    answer = { status: 204 };
    await expect(
      client.send(new DeleteBucketOwnershipControlsCommand({ Bucket: 'docs' })),
    ).rejects.toMatchObject({ name: 'NotImplemented' });
    expect(forwarded.map(({ method }) => method)).toEqual(['GET']);
    known = { status: 404, headers: XML, body: '<Error><Code>OwnershipControlsNotFoundError</Code></Error>' };
    await client.send(new DeleteBucketOwnershipControlsCommand({ Bucket: 'docs' }));
    expect(forwarded.map(({ method }) => method)).toEqual(['GET', 'GET', 'DELETE']);
  });

  test.each([
    ['the object itself', { body: 'content' }],
    ['a refusal', { status: 501, headers: XML, body: '<Error><Code>NotImplemented</Code></Error>' }],
  ])('keeps its objects: no PUT is sent when a GET brings %s', async (_, got) => {
    known = got;
    const hold = new PutObjectLegalHoldCommand({ Bucket: 'docs', Key: 'k', LegalHold: { Status: 'ON' } });
    await expect(client.send(hold)).rejects.toMatchObject({ name: 'NotImplemented' });
    expect(forwarded.map(({ method }) => method)).toEqual(['GET']);
  });

  test('shows nothing else in place of a setting', async () => {
    answer = { headers: { 'content-type': 'text/plain' }, body: 'content' };
    for (const path of ['/docs/k?retention', '/docs/k?legal-hold', '/docs/k?tagging'])
      expect(
        await sendRaw(gateway, {
          path: path.split('?')[0] ?? '',
          query: { [path.split('?')[1] ?? '']: '' },
          credentials: gateway.root,
        }),
      ).toMatchObject({ status: 501, code: 'NotImplemented', body: expect.not.stringContaining('content') });
    answer = { headers: XML, body: LISTING };
    for (const setting of ['versioning', 'lifecycle', 'ownershipControls', 'object-lock'])
      expect(
        await sendRaw(gateway, { path: '/docs', query: { [setting]: '' }, credentials: gateway.root }),
      ).toMatchObject({ status: 501, code: 'NotImplemented' });
  });
});

function expectDocumentBody(request: Forwarded, xml: string): void {
  expect(request.body).toBe(HEAD + xml);
}

/** One message of an event stream, by the layout of the API reference: lengths, headers and CRC-32 of prelude and all. */
function message(headers: Readonly<Record<string, string>>, payload: Buffer): Buffer {
  const encoded = Buffer.concat(
    Object.entries(headers).map(([name, value]) =>
      Buffer.concat([
        Buffer.from([name.length]),
        Buffer.from(name),
        Buffer.from([7, value.length >> 8, value.length & 0xff]),
        Buffer.from(value),
      ]),
    ),
  );
  const prelude = Buffer.alloc(8);
  prelude.writeUInt32BE(16 + encoded.length + payload.length, 0);
  prelude.writeUInt32BE(encoded.length, 4);
  const head = Buffer.concat([prelude, crc(prelude), encoded, payload]);
  return Buffer.concat([head, crc(head)]);
}

function crc(data: Buffer): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(crc32(data));
  return out;
}
