/** What JSON that comes from outside must look like. */

/** Undefined for a value of that shape, else where it differs: `.decision.effect`, or empty for the value itself. */
export type Shape = (value: unknown) => string | undefined;

export const text: Shape = (value) => (typeof value === 'string' ? undefined : '');
export const number: Shape = (value) => (typeof value === 'number' ? undefined : '');

export function oneOf(...values: readonly unknown[]): Shape {
  return (value) => (values.includes(value) ? undefined : '');
}

/** The first shape that fits will do. */
export function either(...shapes: readonly Shape[]): Shape {
  return (value) => (shapes.some((shape) => shape(value) === undefined) ? undefined : '');
}

export function optional(shape: Shape): Shape {
  return (value) => (value === undefined ? undefined : shape(value));
}

export function listOf(shape: Shape): Shape {
  return (value) => {
    if (!Array.isArray(value)) return '';
    for (const [index, item] of value.entries()) {
      const where = shape(item);
      if (where !== undefined) return `[${index}]${where}`;
    }
    return undefined;
  };
}

/** An object with whatever names. */
export function valuesOf(shape: Shape): Shape {
  return (value) => {
    if (!isObject(value)) return '';
    for (const [name, item] of Object.entries(value)) {
      const where = shape(item);
      if (where !== undefined) return `.${name}${where}`;
    }
    return undefined;
  };
}

/** An object with at least these fields; others are not looked at. */
export function object(fields: Readonly<Record<string, Shape>>): Shape {
  const entries = Object.entries(fields);
  return (value) => {
    if (!isObject(value)) return '';
    for (const [name, shape] of entries) {
      const where = shape(value[name]);
      if (where !== undefined) return `.${name}${where}`;
    }
    return undefined;
  };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
