export { CHECKSUM_ALGORITHMS, checksumOfHeader, createChecksum, type ChecksumAlgorithm } from './checksum.ts';
export { withoutAwsChunked } from './content-encoding.ts';
export {
  parseBodyDeclaration,
  type BodyDeclaration,
  type BodyRules,
  type PayloadDeclaration,
} from './declaration.ts';
export { openBody, readBuffered, type VerifiedBody } from './verified-body.ts';
