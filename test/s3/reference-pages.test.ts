import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderErrorsPage, renderOperationsPage } from '../../scripts/reference-pages.ts';
import { OPERATIONS } from '../../src/s3/index.ts';

const written = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

test.each([
  ['operations.md', renderOperationsPage],
  ['errors.md', renderErrorsPage],
])('docs/%s is what `npm run docs` makes', (name, render) => {
  expect(written(name)).toBe(render());
});

test('every operation is in the page', () => {
  const page = renderOperationsPage();
  for (const name of Object.keys(OPERATIONS)) expect(page).toMatch(new RegExp(`(### |\\| \`)${name}\\b`));
});
