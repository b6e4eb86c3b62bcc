/** Writes the reference pages that are made from the code. Run by `npm run docs`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { renderConditionKeysPage } from './condition-keys-page.ts';
import { renderLintPage } from './lint-page.ts';
import { renderErrorsPage, renderOperationsPage } from './reference-pages.ts';

const docs = new URL('../docs/', import.meta.url);
mkdirSync(docs, { recursive: true });
writeFileSync(new URL('operations.md', docs), renderOperationsPage());
writeFileSync(new URL('errors.md', docs), renderErrorsPage());
writeFileSync(new URL('policy-lint.md', docs), renderLintPage());
writeFileSync(new URL('condition-keys.md', docs), renderConditionKeysPage());
