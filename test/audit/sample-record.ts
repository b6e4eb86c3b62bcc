import type { AccessRecord } from '../../src/audit/index.ts';

/** The canonical user id of AWS's examples. */
export const CANONICAL_ID = '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be';

/** The last record of the example in "Amazon S3 server access log format". */
export const SAMPLE: AccessRecord = {
  time: Date.UTC(2019, 1, 6, 0, 1, 57),
  requestId: 'DD6CC733AEXAMPLE',
  hostId: '10S62Zv81kBW7BB6SX4XJ48o6kpcl6LPwEoizZQQxJd5qDSCTLX0TgS37kYUBKQW3+bPdrg1234=',
  remoteAddress: '192.0.2.3',
  method: 'PUT',
  target: '/amzn-s3-demo-bucket1/s3-dg.pdf',
  httpVersion: '1.1',
  host: 'amzn-s3-demo-bucket1.s3.us-west-1.amazonaws.com',
  userAgent: 'S3Console/0.4',
  tls: { protocol: 'TLSv1.2', cipher: 'ECDHE-RSA-AES128-SHA' },
  operation: 'PutObject',
  bucket: 'amzn-s3-demo-bucket1',
  bucketOwner: '123456789012',
  key: 's3-dg.pdf',
  principal: 'arn:aws:iam::123456789012:root',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  authType: 'AuthHeader',
  signatureVersion: 'SigV4',
  decision: {
    effect: 'Allow',
    action: 's3:GetObject',
    resource: 'arn:aws:s3:::amzn-s3-demo-bucket1/photos/puppy.jpg',
    resourceAccount: '111122223333',
    by: { policy: 'root user', index: 0 },
  },
  status: 200,
  bytesReceived: 4406583,
  bytesSent: 0,
  objectSize: 4406583,
  totalTimeMs: 41754,
  turnAroundTimeMs: 28,
  outcome: 'completed',
};
