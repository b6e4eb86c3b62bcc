/** Parameters that listings have in common. */
import { encodeUriPath, queryValue, S3Error, type QueryParameter } from '../s3/index.ts';

/**
 * Reads a number such as `max-keys`; what is above the maximum counts as the maximum.
 * @throws S3Error `InvalidArgument`.
 */
export function parseMaximum(query: readonly QueryParameter[], name: string, maximum: number): number {
  return Math.min(parseInteger(query, name) ?? maximum, maximum);
}

/** Undefined when absent or empty. @throws S3Error `InvalidArgument` for what is not a number from 0 to 2³¹-1. */
export function parseInteger(query: readonly QueryParameter[], name: string): number | undefined {
  const text = queryValue(query, name);
  if (text === undefined || text === '') return undefined;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= 0x7fffffff))
    throw new S3Error('InvalidArgument', {
      message: `Provided ${name} not an integer or within integer range`,
      details: { ArgumentName: name, ArgumentValue: text },
    });
  return value;
}

export interface KeyEncoding {
  /** `url` or undefined, as the answer repeats it. */
  readonly type: 'url' | undefined;
  readonly encode: (key: string) => string;
}

/** @throws S3Error `InvalidArgument` for an encoding other than `url`. */
export function parseEncoding(query: readonly QueryParameter[]): KeyEncoding {
  const type = queryValue(query, 'encoding-type');
  if (type === undefined) return { type, encode: (key) => key };
  if (type !== 'url')
    throw new S3Error('InvalidArgument', {
      message: 'Invalid Encoding Method specified in Request',
      details: { ArgumentName: 'encoding-type', ArgumentValue: type },
    });
  return { type, encode: encodeUriPath };
}
