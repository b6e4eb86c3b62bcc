/** CORS configurations of buckets. Source: S3 API reference, PutBucketCors and CORSRule. */
import { S3Error } from './error.ts';
import { optionalText, requireKnown } from './xml-elements.ts';
import { parseXml, renderXml, S3_NAMESPACE, type ParsedElement } from './xml.ts';

export interface CorsRule {
  readonly id: string | undefined;
  /** At least one. */
  readonly allowedOrigins: readonly string[];
  /** At least one. */
  readonly allowedMethods: readonly CorsMethod[];
  readonly allowedHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly maxAgeSeconds: number | undefined;
}

/** The first rule that matches holds. */
export type CorsConfiguration = readonly CorsRule[];

export type CorsMethod = (typeof CORS_METHODS)[number];

const CORS_METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'HEAD'] as const;
const MAX_RULES = 100;
const MAX_ID_LENGTH = 255;
const RULE_ELEMENTS = [
  'ID',
  'AllowedHeader',
  'AllowedMethod',
  'AllowedOrigin',
  'ExposeHeader',
  'MaxAgeSeconds',
] as const;

/**
 * @throws S3Error `MalformedXML`, also for no rules or more than 100; `InvalidRequest` for a method that CORS does not
 * have, for a second wildcard, and for one in a header to expose.
 */
export function parseCorsConfiguration(text: string): CorsConfiguration {
  const root = parseXml(text, 'CORSConfiguration');
  requireKnown(root, ['CORSRule']);
  const rules = root.children('CORSRule');
  if (rules.length === 0 || rules.length > MAX_RULES)
    throw new S3Error('MalformedXML', { reason: `${rules.length} rules; there may be 1 to ${MAX_RULES}` });
  return rules.map(parseRule);
}

export function renderCorsConfiguration(rules: CorsConfiguration): string {
  const elements = rules.map((rule) => ({
    ID: rule.id,
    AllowedHeader: rule.allowedHeaders,
    AllowedMethod: rule.allowedMethods,
    AllowedOrigin: rule.allowedOrigins,
    ExposeHeader: rule.exposeHeaders,
    MaxAgeSeconds: rule.maxAgeSeconds,
  }));
  return renderXml('CORSConfiguration', { CORSRule: elements }, { namespace: S3_NAMESPACE });
}

export function isCorsMethod(method: string): method is CorsMethod {
  return (CORS_METHODS as readonly string[]).includes(method);
}

function parseRule(element: ParsedElement): CorsRule {
  requireKnown(element, RULE_ELEMENTS);
  const rule = {
    id: optionalText('id', element, 'ID').id,
    allowedOrigins: texts(element, 'AllowedOrigin'),
    allowedMethods: texts(element, 'AllowedMethod').map(parseMethod),
    allowedHeaders: texts(element, 'AllowedHeader'),
    exposeHeaders: texts(element, 'ExposeHeader'),
    maxAgeSeconds: parseMaxAge(optionalText('age', element, 'MaxAgeSeconds').age),
  };
  if (rule.allowedMethods.length === 0 || rule.allowedOrigins.length === 0) throw new S3Error('MalformedXML');
  if (rule.id !== undefined && Array.from(rule.id).length > MAX_ID_LENGTH) throw new S3Error('MalformedXML');
  for (const origin of rule.allowedOrigins) refuseWildcards('AllowedOrigin', origin);
  for (const header of rule.allowedHeaders) refuseWildcards('AllowedHeader', header);
  for (const header of rule.exposeHeaders) checkExposed(header);
  return rule;
}

/** An empty one counts: it matches nothing, and some clients send it. */
function texts(element: ParsedElement, name: string): readonly string[] {
  return element.children(name).map((child) => {
    if (child.childNames.length > 0) throw new S3Error('MalformedXML');
    return child.text;
  });
}

function parseMethod(method: string): CorsMethod {
  if (isCorsMethod(method)) return method;
  throw invalid(`Found unsupported HTTP method in CORS config. Unsupported method is ${method}`);
}

function parseMaxAge(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,10}$/.test(text) || Number(text) > 2 ** 31 - 1) throw new S3Error('MalformedXML');
  return Number(text);
}

function refuseWildcards(element: string, text: string): void {
  if (text.indexOf('*') !== text.lastIndexOf('*'))
    throw invalid(`${element} "${text}" can not have more than one wildcard.`);
}

/** What is no header's name could not be written into an answer. */
function checkExposed(header: string): void {
  if (header.includes('*'))
    throw invalid(
      `ExposeHeader "${header}" contains wildcard. We currently do not support wildcard for ExposeHeader.`,
    );
  if (!/^[!#$%&'+.^_`|~0-9A-Za-z-]+$/.test(header))
    throw invalid(`ExposeHeader "${header}" is not the name of a header.`);
}

function invalid(message: string): S3Error {
  return new S3Error('InvalidRequest', { message });
}
