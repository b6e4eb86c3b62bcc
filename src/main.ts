#!/usr/bin/env node
/** The bin. Imports nothing that an old Node.js could not load, so that it can say what is needed. */
import process from 'node:process';

const OLDEST = 24;
const { version } = process;

if (Number(version.slice(1).split('.')[0]) < OLDEST) {
  process.stderr.write(
    `bucketwarden needs Node.js ${OLDEST} or newer, and this is ${version}. In a clone, npm scripts and \`npx bucketwarden\` bring their own.\n`,
  );
  process.exitCode = 1;
} else {
  const { run } = await import('./commands.ts');
  process.exitCode = await run(process.argv.slice(2));
}
