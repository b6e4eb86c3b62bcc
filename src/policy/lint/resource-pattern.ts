/** A pattern of a Resource element, taken apart. */
import { arnParts } from '../arn.ts';
import type { LocatedText } from '../document.ts';
import { ANY_ONE, ANY_RUN, matchGlob } from '../glob.ts';
import type { ActionLevel } from '../actions.ts';
import { parseTemplate } from '../template.ts';
import { globCovers } from './glob-cover.ts';

export interface ResourcePattern {
  readonly item: LocatedText;
  readonly hasVariables: boolean;
  /** The five parts of the ARN and the rest; a variable, which can be any text, as `*`. */
  readonly parts: readonly (readonly number[])[];
  /** Kinds of resource of S3 that it can stand for. */
  readonly levels: Readonly<Record<ActionLevel, boolean>>;
  /** Of an ARN of S3: the text behind `arn:aws:s3:::`, up to the first slash, and behind that slash. */
  readonly bucket: string | undefined;
  readonly key: string | undefined;
}

export function parseResource(item: LocatedText, options: { readonly variables: boolean }): ResourcePattern {
  const parsed = parseTemplate(item.text, { variables: options.variables, wildcards: true });
  const tokens = 'tokens' in parsed ? parsed.tokens : [];
  const parts = arnParts(tokens).map((part) =>
    part.map((token) => (typeof token === 'number' ? token : ANY_RUN)),
  );
  const [, bucket, key] = /^arn:[^:]*:s3:::([^/]*)(?:\/([^]*))?$/.exec(item.text) ?? [];
  return {
    item,
    hasVariables: tokens.some((token) => typeof token !== 'number'),
    parts,
    levels: levelsOf(parts),
    bucket,
    key,
  };
}

/** Is every resource that `narrow` stands for one of `wide`, whatever the request? Never true where it is not so. */
export function resourceCovers(wide: ResourcePattern, narrow: ResourcePattern): boolean {
  if (wide.item.text === narrow.item.text || wide.item.text === '*') return true;
  return (
    !wide.hasVariables &&
    wide.parts.every((part, index) => globCovers(part, narrow.parts[index] ?? [ANY_RUN]))
  );
}

const SLASH = 0x2f;

function levelsOf(parts: readonly (readonly number[])[]): Readonly<Record<ActionLevel, boolean>> {
  const matches = (index: number, text: string): boolean => matchGlob(parts[index] ?? [], text);
  const rest = parts[5] ?? [];
  if (!['arn', 'aws', 's3'].every((text, index) => matches(index, text))) {
    return { bucket: false, object: false, other: false };
  }
  const isGlobal = matches(3, '') && matches(4, '');
  const hasSlash = rest.includes(SLASH);
  return {
    bucket: isGlobal && rest.length > 0 && !hasSlash,
    object: isGlobal && (hasSlash || rest.includes(ANY_RUN) || rest.includes(ANY_ONE)),
    // Either of an account, such as a job or an access point, or the `*` that ListAllMyBuckets is decided on.
    other: parts[3]?.length !== 0 || parts[4]?.length !== 0 || matchGlob(rest, '*'),
  };
}
