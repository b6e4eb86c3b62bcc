/** Nested plain settings, addressed by path. */

export type SettingsTree = Record<string, unknown>;
export type Path = readonly PropertyKey[];

/** Undefined for what is absent or null. */
export function getSetting(settings: unknown, path: Path): unknown {
  let value = settings;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Readonly<Record<PropertyKey, unknown>>)[step];
  }
  return value ?? undefined;
}

/** Undefined removes. False, and nothing set, when something on the way is not a map: the schema reports that. */
export function setSetting(
  settings: SettingsTree,
  path: readonly (string | number)[],
  value: unknown,
): boolean {
  let parent = settings;
  for (const step of path.slice(0, -1)) {
    if (value === undefined && parent[step] === undefined) return true;
    parent[step] ??= {};
    const next = parent[step];
    if (!isTree(next) && !Array.isArray(next)) return false;
    // An entry of a list is reached by its index, as a setting is by its name.
    parent = next as SettingsTree;
  }
  const last = String(path.at(-1));
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return true;
}

export function isTree(value: unknown): value is SettingsTree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function samePath(a: Path, b: Path): boolean {
  return a.length === b.length && a.every((step, i) => step === b[i]);
}
