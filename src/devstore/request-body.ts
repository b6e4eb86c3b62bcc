/** Bodies, verified against everything that the request declares about them. */
import { createHash } from 'node:crypto';
import { CHECKSUM_ALGORITHMS, createChecksum, type ChecksumAlgorithm } from '../body/index.ts';
import { S3Error, type WireHeaders } from '../s3/index.ts';
import { UNSIGNED_PAYLOAD } from '../sigv4/index.ts';
import type { Call } from './call.ts';
import { declaredChecksum, isBase64Of, type BodyChecksum } from './checksums.ts';

export interface VerifiedBody {
  /** Hex. */
  readonly md5: string;
  /** The declared checksum, in a header or behind the body or, without one, that of the wanted algorithm. */
  readonly checksum: BodyChecksum | undefined;
}

interface BodyVerifier {
  update(chunk: Uint8Array): void;
  /** @throws S3Error `XAmzContentSHA256Mismatch`, `BadDigest` or `IncompleteBody`. */
  finish(size: number): VerifiedBody;
}

/**
 * Starts the verification of a request's body.
 * @param wanted an algorithm to compute when the request declares no checksum.
 * @throws S3Error `InvalidDigest` or `InvalidRequest` for declarations that are malformed.
 */
export function createBodyVerifier(call: Call, wanted?: ChecksumAlgorithm): BodyVerifier {
  const expectedMd5 = declaredMd5(call.wire.headers);
  const declared = declaredChecksum(call.wire.headers);
  const algorithm = declared?.algorithm ?? call.trailer ?? wanted;
  const sha256 = call.payloadHash === UNSIGNED_PAYLOAD ? undefined : createHash('sha256');
  const digester = createDigester(algorithm);
  return {
    update(chunk) {
      sha256?.update(chunk);
      digester.update(chunk);
    },
    finish(size) {
      if (size !== call.contentLength)
        throw new S3Error('IncompleteBody', {
          message: 'You did not provide the number of bytes specified by the Content-Length HTTP header',
        });
      const computed = sha256?.digest('hex');
      if (computed !== undefined && computed !== call.payloadHash)
        throw new S3Error('XAmzContentSHA256Mismatch', {
          details: { ClientComputedContentSHA256: call.payloadHash, S3ComputedContentSHA256: computed },
        });
      const body = digester.finish();
      if (expectedMd5 !== undefined && body.md5 !== expectedMd5) throw new S3Error('BadDigest');
      if (declared !== undefined && declared.value !== body.checksum?.value)
        throw new S3Error('BadDigest', {
          message: `The ${CHECKSUM_ALGORITHMS[declared.algorithm].label} you specified did not match the calculated checksum.`,
        });
      return body;
    },
  };
}

/** MD5 and one more checksum of bytes that nothing is declared about. */
export function createDigester(algorithm: ChecksumAlgorithm | undefined): {
  update(chunk: Uint8Array): void;
  finish(): VerifiedBody;
} {
  const md5 = createHash('md5');
  const checksum = algorithm === undefined ? undefined : createChecksum(algorithm);
  return {
    update(chunk) {
      md5.update(chunk);
      checksum?.update(chunk);
    },
    finish: () => ({
      md5: md5.digest('hex'),
      checksum:
        algorithm === undefined || checksum === undefined
          ? undefined
          : { algorithm, value: checksum.digest().toString('base64') },
    }),
  };
}

/**
 * Reads a document of at most `limit` bytes and verifies it.
 * @throws S3Error `MaxMessageLengthExceeded`, `MalformedXML` for bytes that are not UTF-8, and as the verifier does.
 */
export async function readDocument(call: Call, limit: number): Promise<string> {
  if (call.contentLength > limit) throw new S3Error('MaxMessageLengthExceeded');
  const verifier = createBodyVerifier(call);
  const chunks: Uint8Array[] = [];
  for await (const chunk of call.body()) {
    verifier.update(chunk);
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  verifier.finish(bytes.length);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new S3Error('MalformedXML', { cause });
  }
}

function declaredMd5(headers: WireHeaders): string | undefined {
  const value = headers.get('content-md5');
  if (value === undefined) return undefined;
  if (!isBase64Of(value, 16)) throw new S3Error('InvalidDigest');
  return Buffer.from(value, 'base64').toString('hex');
}
