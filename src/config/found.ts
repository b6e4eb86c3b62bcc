/** What was found in place of what was expected. */
import type { Path } from './settings-tree.ts';
import { SECRET_SETTINGS } from './variables.ts';

/** What is there, as far as it may be shown: nothing at or above a secret, no address with a password in it. */
export function describeFound(path: Path, value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  const text = JSON.stringify(value);
  const dotted = path.join('.');
  const hidden = SECRET_SETTINGS.some((row) =>
    [row.value, row.file].some((secret) =>
      `${secret.join('.')}.`.startsWith(dotted === '' ? '' : `${dotted}.`),
    ),
  );
  if (hidden || (dotted === 'upstream.endpoint' && text.includes('@'))) return 'a value that is not shown';
  return `\`${text.length > 100 ? `${text.slice(0, 100)}…` : text}\``;
}
