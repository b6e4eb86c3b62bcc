/** Reading the elements of a body strictly: what is not understood is refused. */
import { S3Error } from './error.ts';
import type { ParsedElement } from './xml.ts';

/** @throws S3Error `MalformedXML` when the element has a child of another name. */
export function requireKnown(element: ParsedElement, names: readonly string[]): void {
  if (element.childNames.some((name) => !names.includes(name))) throw new S3Error('MalformedXML');
}

/** The text of the only child of that name. @throws S3Error `MalformedXML` when it is absent or holds elements. */
export function requiredText(element: ParsedElement, name: string): string {
  const child = element.child(name);
  if (child === undefined || child.childNames.length > 0) throw new S3Error('MalformedXML');
  return child.text;
}

/**
 * The text of a child as a property to spread, no property when it is absent. An empty element counts as absent:
 * some clients send one for every field that they have.
 */
export function optionalText<Property extends string>(
  property: Property,
  element: ParsedElement,
  name: string,
): { readonly [P in Property]?: string } {
  const text = element.child(name) === undefined ? '' : requiredText(element, name);
  return text === '' ? {} : ({ [property]: text } as { [P in Property]: string });
}
