export { CHECKSUM_ALGORITHMS, checksumOfHeader, createChecksum, type ChecksumAlgorithm } from './checksum.ts';
export { withoutAwsChunked } from './content-encoding.ts';
export {
  parseBodyDeclaration,
  parseSpoolableDeclaration,
  tooLarge,
  type BodyDeclaration,
  type BodyRules,
  type PayloadDeclaration,
  type UnsizedBodyDeclaration,
} from './declaration.ts';
export { openBody, readBuffered, trailerOf, type VerifiedBody } from './verified-body.ts';
export { VerifyingReader } from './verifying-reader.ts';
