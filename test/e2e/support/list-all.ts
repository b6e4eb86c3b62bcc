/** Whole listings by the AWS SDK, page by page as its paginators and boto3's do it, or as users of the SDK do by hand. */
import {
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectVersionsCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';

export interface Listed {
  /** Of entries, with the id of those that have one; in the order in which they came. */
  readonly keys: readonly string[];
  readonly prefixes: readonly string[];
  /** Where pages began but the first: tokens and markers. */
  readonly positions: readonly string[];
  /** Of each page, keys and prefixes together. */
  readonly sizes: readonly number[];
}

export interface Listing {
  readonly Bucket: string;
  readonly Prefix?: string;
  readonly Delimiter?: string;
  /** `max-keys` or `max-uploads` */
  readonly size?: number | undefined;
}

/** More would be no end. */
const MAX_PAGES = 500;

export const LISTERS: Readonly<Record<string, (client: S3Client, listing: Listing) => Promise<Listed>>> = {
  ListObjectsV2: async (client, { size, ...input }) => {
    const collected = new Collected();
    for await (const page of paginateListObjectsV2({ client }, { ...input, MaxKeys: size })) {
      const { Contents = [], CommonPrefixes = [], NextContinuationToken, KeyCount } = page;
      collected.add(Contents, CommonPrefixes, [NextContinuationToken]);
      if (KeyCount !== Contents.length + CommonPrefixes.length)
        throw new Error(`KeyCount ${String(KeyCount)}`);
    }
    return collected;
  },
  ListObjects: async (client, { size, ...input }) => {
    const collected = new Collected();
    for (let Marker: string | undefined; ;) {
      const page = await client.send(new ListObjectsCommand({ ...input, MaxKeys: size, Marker }));
      const { Contents = [], CommonPrefixes = [], NextMarker, IsTruncated } = page;
      collected.add(Contents, CommonPrefixes, [NextMarker]);
      if (IsTruncated !== true) return collected;
      Marker = NextMarker ?? Contents.at(-1)?.Key;
    }
  },
  ListObjectVersions: async (client, { size, ...input }) => {
    const collected = new Collected();
    let KeyMarker: string | undefined;
    let VersionIdMarker: string | undefined;
    for (;;) {
      const page = await client.send(
        new ListObjectVersionsCommand({ ...input, MaxKeys: size, KeyMarker, VersionIdMarker }),
      );
      const {
        Versions = [],
        DeleteMarkers = [],
        CommonPrefixes = [],
        NextKeyMarker,
        NextVersionIdMarker,
      } = page;
      collected.add([...Versions, ...DeleteMarkers], CommonPrefixes, [NextKeyMarker, NextVersionIdMarker]);
      if (page.IsTruncated !== true) return collected;
      KeyMarker = NextKeyMarker;
      VersionIdMarker = NextVersionIdMarker;
    }
  },
  ListMultipartUploads: async (client, { size, ...input }) => {
    const collected = new Collected();
    let KeyMarker: string | undefined;
    let UploadIdMarker: string | undefined;
    for (;;) {
      const page = await client.send(
        new ListMultipartUploadsCommand({ ...input, MaxUploads: size, KeyMarker, UploadIdMarker }),
      );
      const { Uploads = [], CommonPrefixes = [], NextKeyMarker, NextUploadIdMarker } = page;
      collected.add(Uploads, CommonPrefixes, [NextKeyMarker, NextUploadIdMarker]);
      if (page.IsTruncated !== true) return collected;
      KeyMarker = NextKeyMarker;
      UploadIdMarker = NextUploadIdMarker;
    }
  },
};

interface Entry {
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly UploadId?: string | undefined;
}

class Collected implements Listed {
  readonly keys: string[] = [];
  readonly prefixes: string[] = [];
  readonly positions: string[] = [];
  readonly sizes: number[] = [];

  add(
    entries: readonly Entry[],
    prefixes: readonly { readonly Prefix?: string | undefined }[],
    next: readonly (string | undefined)[],
  ): void {
    for (const { Key = '', VersionId, UploadId } of entries)
      this.keys.push([Key, VersionId ?? UploadId].filter((text) => text !== undefined).join('@'));
    for (const { Prefix = '' } of prefixes) this.prefixes.push(Prefix);
    this.positions.push(...next.filter((text) => text !== undefined));
    if (this.sizes.push(entries.length + prefixes.length) > MAX_PAGES)
      throw new Error('a listing without an end');
  }
}
