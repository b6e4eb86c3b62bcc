import { createHash, randomBytes } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  type CompletedPart,
  type CompleteMultipartUploadCommandInput,
  type CreateMultipartUploadCommandInput,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { createChecksum } from '../../src/body/index.ts';
import { codeOf, filesOf, startStore, type TestStore } from './support.ts';

const MIB = 1024 * 1024;
const target = { Bucket: 'bucket', Key: 'folder/key' };

interface Upload {
  readonly store: TestStore;
  readonly UploadId: string;
  readonly put: (PartNumber: number, Body: string | Uint8Array) => Promise<CompletedPart>;
  readonly complete: (
    parts: CompletedPart[],
    extra?: Partial<CompleteMultipartUploadCommandInput>,
  ) => Promise<string>;
}

async function startUpload(extra: Partial<CreateMultipartUploadCommandInput> = {}): Promise<Upload> {
  const store = await startStore();
  const { client } = store;
  await client.send(new CreateBucketCommand({ Bucket: target.Bucket }));
  const created = await client.send(new CreateMultipartUploadCommand({ ...target, ...extra }));
  const UploadId = created.UploadId as string;
  return {
    store,
    UploadId,
    async put(PartNumber, Body) {
      const part = await client.send(
        new UploadPartCommand({
          ...target,
          UploadId,
          PartNumber,
          Body,
          ...(extra.ChecksumAlgorithm !== undefined && { ChecksumAlgorithm: extra.ChecksumAlgorithm }),
        }),
      );
      const { ETag, ChecksumCRC32, ChecksumCRC64NVME, ChecksumSHA256 } = part;
      return { PartNumber, ETag, ChecksumCRC32, ChecksumCRC64NVME, ChecksumSHA256 };
    },
    complete: (Parts, more = {}) =>
      codeOf(
        client.send(
          new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts }, ...more }),
        ),
      ),
  };
}

describe('multipart uploads', () => {
  test('become one object of their parts, whatever the order in which these came', async () => {
    const { store, put, complete } = await startUpload({
      ContentType: 'text/plain',
      Metadata: { a: '1' },
      Tagging: 'x=y',
    });
    const bodies = [randomBytes(5 * MIB), randomBytes(5 * MIB + 1), Buffer.from('the end')];
    const parts: CompletedPart[] = [];
    for (const i of [2, 0, 1]) parts[i] = await put(i * 3 + 1, bodies[i] as Buffer);
    expect(await codeOf(store.client.send(new HeadObjectCommand(target)))).toBe('NotFound');
    expect(await complete(parts)).toBe('no error');

    // Source: S3 User Guide: the MD5 of the parts' MD5s in binary, a dash and their number.
    const whole = createHash('md5');
    for (const body of bodies) whole.update(createHash('md5').update(body).digest());
    const got = await store.client.send(new GetObjectCommand(target));
    expect(got).toMatchObject({
      ETag: `"${whole.digest('hex')}-3"`,
      ContentType: 'text/plain',
      Metadata: { a: '1' },
      TagCount: 1,
      ContentLength: 10 * MIB + 8,
    });
    const bytes = Buffer.from((await got.Body?.transformToByteArray()) ?? []);
    expect(bytes.equals(Buffer.concat(bodies))).toBe(true);

    const across = await store.client.send(
      new GetObjectCommand({ ...target, Range: `bytes=${5 * MIB - 2}-${10 * MIB + 2}` }),
    );
    const middle = Buffer.from((await across.Body?.transformToByteArray()) ?? []);
    expect(middle.equals(Buffer.concat(bodies).subarray(5 * MIB - 2, 10 * MIB + 3))).toBe(true);

    const part = await store.client.send(new GetObjectCommand({ ...target, PartNumber: 3 }));
    expect(await part.Body?.transformToString()).toBe('the end');
    expect(part).toMatchObject({
      PartsCount: 3,
      ContentRange: `bytes ${10 * MIB + 1}-${10 * MIB + 7}/${10 * MIB + 8}`,
    });
    expect(await codeOf(store.client.send(new GetObjectCommand({ ...target, PartNumber: 4 })))).toBe(
      'InvalidPartNumber',
    );
    expect(store.failures).toEqual([]);
  });

  test('end only once', async () => {
    const { put, complete } = await startUpload();
    const parts = [await put(1, 'x')];
    expect(await complete(parts)).toBe('no error');
    expect(await complete(parts)).toBe('NoSuchUpload');
  });

  test('leave out parts that are not named, and delete their files', async () => {
    const { store, put, complete } = await startUpload();
    await put(1, 'old');
    const parts = [await put(1, 'new')];
    await put(2, 'unwanted');
    expect(await complete(parts)).toBe('no error');
    const got = await store.client.send(new GetObjectCommand(target));
    expect(await got.Body?.transformToString()).toBe('new');
    await store.close();
    expect((await filesOf(store.directory)).data).toHaveLength(1);
  });

  test('that are aborted leave nothing', async () => {
    const { store, UploadId, put, complete } = await startUpload();
    const parts = [await put(1, 'x')];
    await store.client.send(new AbortMultipartUploadCommand({ ...target, UploadId }));
    expect(await complete(parts)).toBe('NoSuchUpload');
    expect(await codeOf(store.client.send(new AbortMultipartUploadCommand({ ...target, UploadId })))).toBe(
      'NoSuchUpload',
    );
    await store.close();
    expect((await filesOf(store.directory)).data).toEqual([]);
  });

  test('refuse a wrong list of parts, and go on', async () => {
    const { put, complete } = await startUpload();
    const [one, two] = [await put(1, 'small'), await put(2, 'last')];
    expect(await complete([])).toBe('MalformedXML');
    expect(await complete([two, one])).toBe('InvalidPartOrder');
    expect(await complete([one, one])).toBe('InvalidPartOrder');
    expect(await complete([one, { ...two, PartNumber: 3 }])).toBe('InvalidPart');
    expect(await complete([one, { ...two, ETag: one.ETag }])).toBe('InvalidPart');
    expect(await complete([{ ...two, ChecksumCRC32: 'AAAAAA==' }])).toBe('InvalidPart');
    expect(await complete([one, two])).toBe('EntityTooSmall');
    expect(await complete([two], { MpuObjectSize: 5 })).toBe('InvalidRequest');
    expect(await complete([two], { IfMatch: '"other"' })).toBe('NoSuchKey');
    expect(await complete([two], { IfNoneMatch: '*' })).toBe('no error');
  });

  test('refuse part numbers that S3 has not', async () => {
    const { put } = await startUpload();
    expect(await codeOf(put(0, 'x'))).toBe('InvalidArgument');
    expect(await codeOf(put(10_001, 'x'))).toBe('InvalidArgument');
    expect(await codeOf(put(10_000, 'x'))).toBe('no error');
  });

  test('may be declared with a composite checksum without the number of parts, as by the clients of MinIO', async () => {
    const { put, complete } = await startUpload({ ChecksumAlgorithm: 'SHA256' });
    const parts = [await put(1, Buffer.from('end'))];
    const inner = createHash('sha256').update('end').digest();
    const ChecksumSHA256 = createHash('sha256').update(inner).digest('base64');
    expect(await complete(parts, { ChecksumSHA256: inner.toString('base64') })).toBe('BadDigest');
    expect(await complete(parts, { ChecksumSHA256: `${ChecksumSHA256}-2` })).toBe('BadDigest');
    expect(await complete(parts, { ChecksumSHA256 })).toBe('no error');
  });

  test('have a composite checksum of their parts', async () => {
    const { store, put, complete } = await startUpload({ ChecksumAlgorithm: 'SHA256' });
    const bodies = [randomBytes(5 * MIB), Buffer.from('end')];
    const parts = [await put(1, bodies[0] as Buffer), await put(2, bodies[1] as Buffer)];
    const whole = createHash('sha256');
    for (const body of bodies) whole.update(createHash('sha256').update(body).digest());
    const ChecksumSHA256 = `${whole.digest('base64')}-2`;
    expect(await complete(parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag })))).toBe(
      'InvalidRequest',
    );
    expect(await complete(parts, { ChecksumType: 'FULL_OBJECT' })).toBe('InvalidRequest');
    expect(await complete(parts, { ChecksumSHA256: `${'A'.repeat(43)}=-2` })).toBe('BadDigest');
    expect(await complete(parts, { ChecksumSHA256 })).toBe('no error');
    const head = await store.client.send(new HeadObjectCommand({ ...target, ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({ ChecksumSHA256, ChecksumType: 'COMPOSITE' });
    const part = { ...target, ChecksumMode: 'ENABLED', PartNumber: 2 } as const;
    expect((await store.client.send(new HeadObjectCommand(part))).ChecksumSHA256).toBe(
      parts[1]?.ChecksumSHA256,
    );
  });

  test('have a full object checksum that follows from those of their parts', async () => {
    const { store, put, complete } = await startUpload({ ChecksumAlgorithm: 'CRC64NVME' });
    const bodies = [randomBytes(5 * MIB), randomBytes(5 * MIB), Buffer.from('end')];
    const parts: CompletedPart[] = [];
    for (const [i, body] of bodies.entries()) parts.push(await put(i + 1, body));
    const checksum = createChecksum('crc64nvme');
    for (const body of bodies) checksum.update(body);
    const ChecksumCRC64NVME = checksum.digest().toString('base64');
    expect(await complete(parts, { ChecksumCRC64NVME: 'AAAAAAAAAAA=' })).toBe('BadDigest');
    expect(await complete(parts, { ChecksumCRC64NVME, ChecksumType: 'FULL_OBJECT' })).toBe('no error');
    const head = await store.client.send(new HeadObjectCommand({ ...target, ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({ ChecksumCRC64NVME, ChecksumType: 'FULL_OBJECT' });
  });

  test('refuse checksum types that their algorithm has not, and parts of another algorithm', async () => {
    const { store, UploadId } = await startUpload({ ChecksumAlgorithm: 'CRC32' });
    const create = (extra: Partial<CreateMultipartUploadCommandInput>): Promise<string> =>
      codeOf(store.client.send(new CreateMultipartUploadCommand({ ...target, ...extra })));
    // Only CRCs of parts can be made into that of the whole.
    for (const ChecksumAlgorithm of [
      'SHA1',
      'SHA256',
      'SHA512',
      'MD5',
      'XXHASH64',
      'XXHASH3',
      'XXHASH128',
    ] as const) {
      expect(await create({ ChecksumAlgorithm, ChecksumType: 'FULL_OBJECT' })).toBe('InvalidRequest');
      expect(await create({ ChecksumAlgorithm, ChecksumType: 'COMPOSITE' })).toBe('no error');
    }
    expect(await create({ ChecksumAlgorithm: 'CRC64NVME', ChecksumType: 'COMPOSITE' })).toBe(
      'InvalidRequest',
    );
    const part = { ...target, UploadId, PartNumber: 1, Body: 'x', ChecksumAlgorithm: 'SHA1' } as const;
    expect(await codeOf(store.client.send(new UploadPartCommand(part)))).toBe('InvalidRequest');
  });
});

describe('parts that are copied', () => {
  test('come from a whole object or a range of one', async () => {
    const { store, UploadId, complete } = await startUpload({ ChecksumAlgorithm: 'CRC32' });
    const source = randomBytes(6 * MIB);
    await store.client.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'so urce', Body: source }));
    const copy = async (PartNumber: number, CopySourceRange?: string): Promise<CompletedPart> => {
      const { CopyPartResult } = await store.client.send(
        new UploadPartCopyCommand({
          ...target,
          UploadId,
          PartNumber,
          CopySource: 'bucket/so%20urce',
          ...(CopySourceRange !== undefined && { CopySourceRange }),
        }),
      );
      return { PartNumber, ETag: CopyPartResult?.ETag, ChecksumCRC32: CopyPartResult?.ChecksumCRC32 };
    };
    const parts = [await copy(1), await copy(2, 'bytes=10-19')];
    expect(await codeOf(copy(3, `bytes=0-${6 * MIB}`))).toBe('InvalidArgument');
    expect(await codeOf(copy(3, 'bytes=5-'))).toBe('InvalidArgument');
    expect(await complete(parts)).toBe('no error');
    const got = await store.client.send(new GetObjectCommand(target));
    const bytes = Buffer.from((await got.Body?.transformToByteArray()) ?? []);
    expect(bytes.equals(Buffer.concat([source, source.subarray(10, 20)]))).toBe(true);
  });
});

describe('listings', () => {
  test('of parts come in pages', async () => {
    const { store, UploadId, put } = await startUpload({ ChecksumAlgorithm: 'SHA256' });
    for (const number of [7, 1, 3]) await put(number, `part ${number}`);
    const list = { ...target, UploadId, MaxParts: 2 };
    const first = await store.client.send(new ListPartsCommand(list));
    expect(first).toMatchObject({ ...target, UploadId, IsTruncated: true, MaxParts: 2 });
    expect(first).toMatchObject({ NextPartNumberMarker: '3', ChecksumAlgorithm: 'SHA256' });
    expect(first.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, 6],
      [3, 6],
    ]);
    expect(first.Parts?.[0]?.ChecksumSHA256).toBe(createHash('sha256').update('part 1').digest('base64'));
    const { NextPartNumberMarker: PartNumberMarker } = first;
    const second = await store.client.send(new ListPartsCommand({ ...list, PartNumberMarker }));
    expect(second.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([7]);
    expect(second.IsTruncated).toBe(false);
  });

  test('of uploads come by key and start, rolled up and in pages', async () => {
    const store = await startStore();
    const { client } = store;
    const Bucket = 'bucket';
    await client.send(new CreateBucketCommand({ Bucket }));
    const keys = ['a', 'a', 'b/1', 'b/2', 'c'];
    const ids: (string | undefined)[] = [];
    for (const Key of keys)
      ids.push((await client.send(new CreateMultipartUploadCommand({ Bucket, Key }))).UploadId);

    const found: string[] = [];
    let markers: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
    while (markers !== undefined) {
      const page: Awaited<ReturnType<typeof list>> = await list(markers);
      found.push(...(page.Uploads ?? []).map(({ Key, UploadId }) => `${Key} ${UploadId}`));
      found.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => `${Prefix}`));
      const { NextKeyMarker, NextUploadIdMarker } = page;
      markers =
        page.IsTruncated === true
          ? {
              ...(NextKeyMarker !== undefined && { KeyMarker: NextKeyMarker }),
              ...(NextUploadIdMarker !== undefined && { UploadIdMarker: NextUploadIdMarker }),
            }
          : undefined;
    }
    function list(extra: object) {
      return client.send(
        new ListMultipartUploadsCommand({ Bucket, Delimiter: '/', MaxUploads: 1, ...extra }),
      );
    }
    const ofA = [`a ${ids[0]}`, `a ${ids[1]}`].sort();
    expect(found).toEqual([...ofA, 'b/', `c ${ids[4]}`]);

    const inside = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'b/' }));
    expect(inside.Uploads?.map(({ Key }) => Key)).toEqual(['b/1', 'b/2']);
  });
});
