/** `policy test`: policy cases, run by the engine that enforces. */
import { readFile } from 'node:fs/promises';
import { PolicyCaseError, runPolicyCase, type PolicyCaseResult } from '../../policy/index.ts';
import { defineCommand } from '../command.ts';
import type { CommandIo } from '../command-io.ts';
import { jsonLine } from '../keys/key-metadata.ts';
import { printable } from './condition-words.ts';
import { inShort, reasonOf, statementName, whatDecides } from './decision-words.ts';

export const testCommand = defineCommand({
  name: 'policy test',
  summary: 'Run policy cases with the engine that enforces.',
  positionals: ['FILE...'],
  options: {
    json: { type: 'boolean', help: 'one result a line: id, expected, got, ok, by' },
  },
  notes: `FILE has one case a line, as JSON: docs/policies.md tells its fields. \`-\` is standard input; empty lines are skipped.
Needs no gateway, no configuration and no store. Prints one line for each case that fails, and below it why; the last
line is \`N passed, N failed\`.
Exit code 0: no case failed; 1: at least one did; 2: a file cannot be read, or a line of it is no case.
`,
  async run({ json = false }, files, io) {
    const count = { passed: 0, failed: 0, broken: 0 };
    for (const file of files) await runFile(file, { json, count }, io);
    if (!json) io.stdout.write(`${count.passed} passed, ${count.failed} failed\n`);
    return count.broken > 0 ? 2 : count.failed > 0 ? 1 : 0;
  },
});

interface Run {
  readonly json: boolean;
  readonly count: { passed: number; failed: number; broken: number };
}

async function runFile(file: string, run: Run, io: CommandIo): Promise<void> {
  const { count, json } = run;
  const broken = (message: string): void => {
    count.broken++;
    io.stderr.write(`${message}\n`);
  };
  const text = await readText(file, io).catch((error: unknown) => {
    broken(`\`${file}\` cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  // Line breaks alone end a line: others may stand in a string of JSON.
  for (const [index, line] of (text ?? '').split('\n').entries()) {
    if (line.trim() === '') continue;
    const place = `${file}:${index + 1}`;
    const result = runLine(line);
    if (typeof result === 'string') {
      broken(`${place}: no policy case: ${printable(result)}`);
      continue;
    }
    if (result.ok) count.passed++;
    else count.failed++;
    if (json) io.stdout.write(`${renderJson(result)}\n`);
    else if (!result.ok) io.stdout.write(renderFailure(result, place));
  }
}

async function readText(file: string, { stdin }: CommandIo): Promise<string> {
  if (file !== '-') return readFile(file, 'utf8');
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Uint8Array | string));
  return Buffer.concat(chunks).toString('utf8');
}

/** What is wrong with the line, if it is no case. */
function runLine(line: string): PolicyCaseResult | string {
  try {
    return runPolicyCase(line);
  } catch (error) {
    if (error instanceof PolicyCaseError) return error.message;
    throw error;
  }
}

function renderJson({ id, expected, got, ok, by }: PolicyCaseResult): string {
  return jsonLine({ id, expected, got, ok, by });
}

function renderFailure(result: PolicyCaseResult, place: string): string {
  const { id, expected, got, by, note, explanation } = result;
  const line = [
    `${place}: ${id === '' ? 'a case without an id' : printable(id)}: expected ${expected}, got ${printable(got)}`,
    ...(by === undefined ? [] : [` by ${statementName(by)}`]),
    ...(note === undefined ? [] : [` (${printable(note)})`]),
  ].join('');
  return [line, ...why(explanation).map((text) => `    ${text}`), ''].join('\n');
}

function why(explanation: PolicyCaseResult['explanation']): readonly string[] {
  if (explanation === undefined) return [];
  const reason = reasonOf(explanation);
  return [`${inShort(reason)}.`, ...whatDecides(reason)];
}
