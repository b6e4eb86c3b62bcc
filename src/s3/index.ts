export { parseAnnotationListing, renderAnnotationListing, renderPutAnnotation } from './annotations.ts';
export { keyAsPath } from './object-key.ts';
export { grantsOnlyOwner, renderAccessControlPolicy } from './access-control-policy.ts';
export { checkAcl } from './acl.ts';
export {
  addressLevel,
  locate,
  publicUrlOf,
  resolveAddress,
  type Address,
  type GatewayNames,
  type PublicUrl,
} from './address.ts';
export { bucketArn, objectArn } from './arn.ts';
export { matchesBucketPattern } from './bucket-pattern.ts';
export { assertBucketName, isBucketName } from './bucket-name.ts';
export {
  parseCompleteMultipartUpload,
  renderCompleteMultipartUpload,
  type CompletedPart,
} from './complete-multipart-upload.ts';
export { parseCopySource, renderCopySource, type CopySource } from './copy-source.ts';
export { checkCustomerKeys, hasCustomerKey } from './customer-key.ts';
export { corsHeaders } from './cors-match.ts';
export {
  isCorsMethod,
  parseCorsConfiguration,
  renderCorsConfiguration,
  type CorsConfiguration,
} from './cors.ts';
export {
  parseDeleteObjects,
  parseDeleteResult,
  renderDeleteObjects,
  renderDeleteResult,
  type DeletedEntry,
  type DeleteEntry,
  type DeleteErrorEntry,
  type DeleteObjectsRequest,
} from './delete-objects.ts';
export { parseSettings, type SettingsDocument } from './document-schema.ts';
export { renderError, type ErrorContext } from './error-document.ts';
export { ERRORS, S3Error, type ErrorCode } from './error.ts';
export { identifyOperation, matchOperation } from './identify.ts';
export { parseListBuckets, renderListBuckets, type ListedBucket } from './list-buckets.ts';
export {
  BUCKET_FIELDS,
  KEY_FIELDS,
  parseListing,
  renderListing,
  type ListedEntry,
  type Listing,
  type ListingField,
  type ListingKind,
} from './listings.ts';
export {
  parseCreateBucketConfiguration,
  renderCreateBucketConfiguration,
  renderLocation,
} from './location-constraint.ts';
export type { ActionCondition, OperationSpec } from './operation.ts';
export {
  isAvailable,
  OPERATION_LIST,
  OPERATIONS,
  type AvailableOperation,
  type Operation,
  type OperationName,
} from './operation-table.ts';
export {
  conflictingField,
  missingField,
  parsePostFields,
  postKey,
  postSuccess,
  redirectLocation,
  requestOfForm,
  type PostFields,
} from './post-fields.ts';
export { FormFileParser } from './post-file.ts';
export {
  formDelimiter,
  FormHeadParser,
  malformedForm,
  parseFormBoundary,
  type FormHead,
} from './post-form.ts';
export {
  checkFileSize,
  checkPostPolicy,
  largestFile,
  parsePostPolicy,
  type PostPolicy,
} from './post-policy.ts';
export { OPERATION_SWITCHES, type OperationSwitch, type SwitchedPart } from './operation-switch.ts';
export { liftPresignedHeaders } from './presigned-headers.ts';
export {
  parsePublicAccessBlock,
  renderPolicyStatus,
  renderPublicAccessBlock,
  type PublicAccessBlock,
} from './public-access-block.ts';
export {
  COMMON_HEADERS,
  COMMON_PARAMETERS,
  isSecretField,
  ONLY_VALUES,
  SWITCHED_HEADERS,
  SWITCHED_RESPONSE_HEADERS,
  WRITE_CONDITIONS,
} from './request-fields.ts';
export {
  asPathsToo,
  copiedTagActions,
  requiredActions,
  requiredEntryActions,
  type RequiredAction,
} from './required-actions.ts';
export { signedReadings } from './signed-readings.ts';
export { switchedParts } from './switched-parts.ts';
export { parseTagging, parseTaggingHeader, renderTagging, renderTaggingHeader, type Tag } from './tagging.ts';
export { decodeUri, encodeUriComponent, encodeUriPath } from './uri.ts';
export {
  parseWireRequest,
  queryValue,
  WireHeaders,
  type QueryParameter,
  type WireRequest,
} from './wire-request.ts';
export { stripWhiteSpace } from './white-space.ts';
export {
  parseXml,
  renderXml,
  S3_NAMESPACE,
  type ParsedElement,
  type XmlContent,
  type XmlElements,
} from './xml.ts';
