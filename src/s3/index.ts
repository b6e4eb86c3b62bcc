export { ERRORS, S3Error, type ErrorCode, type S3ErrorOptions } from './error.ts';
export { decodeUri, encodeUriComponent, encodeUriPath } from './uri.ts';
export {
  parseWireRequest,
  queryValue,
  WireHeaders,
  type QueryParameter,
  type WireRequest,
} from './wire-request.ts';
export {
  parseXml,
  renderXml,
  S3_NAMESPACE,
  type ParsedElement,
  type XmlContent,
  type XmlElements,
} from './xml.ts';
