export {
  CHECKSUM_ALGORITHMS,
  checksumOfHeader,
  createChecksum,
  type Checksum,
  type ChecksumAlgorithm,
} from './checksum.ts';
