export { CHECKSUM_ALGORITHMS, checksumOfHeader, createChecksum, type ChecksumAlgorithm } from './checksum.ts';
export { withoutAwsChunked } from './content-encoding.ts';
export {
  parseBodyDeclaration,
  parseSpoolableDeclaration,
  type BodyDeclaration,
  type BodyRules,
  type PayloadDeclaration,
  type UnsizedBodyDeclaration,
} from './declaration.ts';
export { openSpool, type Spool, type SpooledBody } from './spool.ts';
export { openBody, readBuffered, type VerifiedBody } from './verified-body.ts';
