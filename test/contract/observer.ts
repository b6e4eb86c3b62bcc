/** Looks at the target with other eyes than the client's: the AWS SDK for JavaScript, and bare HTTP. */
import { readFileSync } from 'node:fs';
import { Agent as HttpsAgent } from 'node:https';
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Agent, type Dispatcher, request } from 'undici';
import { REGION } from './gateway.ts';
import type { Story } from './story.ts';

/** Throws unless the object was uploaded in three parts and has this size. */
export async function expectThreeParts(story: Story, key: string, size: number): Promise<void> {
  const ca = authority(story);
  const client = new S3Client({
    endpoint: story.target.endpoint,
    region: REGION,
    forcePathStyle: true,
    credentials: story.target.admin,
    requestHandler: ca === undefined ? {} : { httpsAgent: new HttpsAgent({ ca }) },
  });
  try {
    const head = await client.send(new HeadObjectCommand({ Bucket: story.bucket, Key: key }));
    if (head.ContentLength !== size || !head.ETag?.endsWith('-3"'))
      throw new Error(`expected 3 parts of ${size} bytes, found ${head.ETag} of ${head.ContentLength}`);
  } finally {
    client.destroy();
  }
}

/** Uses a presigned URL as anyone could who has nothing but the URL. Returns the body; throws unless it is 200. */
export async function usePresigned(story: Story, url: string, body?: Buffer): Promise<Buffer> {
  const ca = authority(story);
  const dispatcher: Dispatcher = new Agent(ca === undefined ? {} : { connect: { ca } });
  try {
    const response = await request(url, {
      dispatcher,
      ...(body === undefined ? { method: 'GET' } : { method: 'PUT', body }),
    });
    const bytes = Buffer.from(await response.body.arrayBuffer());
    if (response.statusCode !== 200)
      throw new Error(`the presigned URL answered ${response.statusCode}: ${bytes.toString()}`);
    return bytes;
  } finally {
    await dispatcher.close();
  }
}

function authority({ target }: Story): Buffer | undefined {
  return target.caFile === undefined ? undefined : readFileSync(target.caFile);
}
