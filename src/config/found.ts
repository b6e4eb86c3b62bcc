/** What was found in place of what was expected. */
import type { Path } from './settings-tree.ts';
import { secretSettings } from './variables.ts';

/** What is there, as far as it may be shown: nothing at or above a secret, no address with a password in it. */
export function describeFound(path: Path, value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  const text = JSON.stringify(value);
  const dotted = alike(path).join('.');
  const hidden = secretSettings(0).some((row) =>
    [row.value, row.file].some((secret) =>
      `${secret.join('.')}.`.startsWith(dotted === '' ? '' : `${dotted}.`),
    ),
  );
  const origin = ORIGINS.has(dotted) || dotted.startsWith('upstream.redirects.');
  if (hidden || (origin && text.includes('@'))) return 'a value that is not shown';
  return `\`${text.length > 100 ? `${text.slice(0, 100)}…` : text}\``;
}

/** Where people write `https://user:password@host`. */
const ORIGINS: ReadonlySet<string> = new Set(['upstream.endpoint', 'upstream.proxy', 'upstream.redirects']);

/** An entry of the list of upstreams has the settings of the only one. */
function alike(path: Path): Path {
  return path[0] === 'upstreams' ? ['upstream', ...path.slice(2)] : path;
}
