/** What an upstream holds, asked of the upstream itself and not through the gateway. */
import { Agent } from 'node:https';
import { readFileSync } from 'node:fs';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListBucketsCommand,
  ListPartsCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import { REGION } from '../gateway.ts';
import type { Upstream } from '../upstreams/upstream.ts';

/** An object or a part of an upload in progress. */
export interface Stored {
  /** `bucket/key`, for a part `bucket/key?partNumber=N` */
  readonly place: string;
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
}

export interface MultipartUpload {
  readonly bucket: string;
  readonly key: string;
  readonly id: string;
}

export interface StoredView {
  makeBucket(bucket: string): Promise<void>;
  beginUpload(bucket: string, key: string): Promise<MultipartUpload>;
  /** Every object of every bucket, and the parts of these uploads. */
  all(uploads: readonly MultipartUpload[]): Promise<readonly Stored[]>;
  close(): void;
}

export function viewStored({ endpoint, credentials, caFile }: Upstream): StoredView {
  const client = new S3Client({
    endpoint,
    region: REGION,
    forcePathStyle: true,
    credentials,
    requestHandler: caFile === undefined ? {} : { httpsAgent: new Agent({ ca: readFileSync(caFile) }) },
  });
  return {
    async makeBucket(bucket) {
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
    },
    async beginUpload(bucket, key) {
      const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: key }));
      if (UploadId === undefined) throw new Error('no upload id');
      return { bucket, key, id: UploadId };
    },
    async all(uploads) {
      const stored: Stored[] = [];
      const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
      for (const { Name } of Buckets)
        for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: Name }))
          for (const { Key, Size, ETag } of Contents)
            stored.push({ place: `${Name}/${Key}`, size: Size ?? 0, etag: bare(ETag) });
      for (const upload of uploads) stored.push(...(await listParts(client, upload)));
      return stored;
    },
    close() {
      client.destroy();
    },
  };
}

/** By `IsTruncated`: some upstreams name a next part after the last one too, and so the SDK's paginator never ends. */
async function listParts(client: S3Client, { bucket, key, id }: MultipartUpload): Promise<readonly Stored[]> {
  const stored: Stored[] = [];
  let marker: string | undefined;
  for (;;) {
    const page = await client.send(
      new ListPartsCommand({ Bucket: bucket, Key: key, UploadId: id, PartNumberMarker: marker }),
    );
    for (const { PartNumber, Size, ETag } of page.Parts ?? [])
      stored.push({
        place: `${bucket}/${key}?partNumber=${PartNumber}`,
        size: Size ?? 0,
        etag: bare(ETag),
      });
    if (page.IsTruncated !== true || page.NextPartNumberMarker === marker) return stored;
    marker = page.NextPartNumberMarker;
  }
}

function bare(etag = ''): string {
  return etag.replaceAll('"', '');
}
