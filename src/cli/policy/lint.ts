/** `policy lint`: what is wrong with a policy, before it is stored. */
import { readFileSync } from 'node:fs';
import { lintPolicy, type PolicyType } from '../../policy/index.ts';
import { InputError, UsageError } from '../command-error.ts';
import { type CommandInput } from '../command-io.ts';
import { defineCommand } from '../command.ts';
import { renderLintJson, renderLintSarif, renderLintText, type LintedFile } from './lint-output.ts';

export const lintCommand = defineCommand({
  name: 'policy lint',
  summary: 'Say what is wrong with policies, and what in them is most likely not meant.',
  positionals: ['FILE...'],
  options: {
    type: {
      type: 'string',
      value: 'auto|bucket|identity|session|boundary|trust',
      help: 'what the documents are (default: auto, told from each document)',
    },
    bucket: { type: 'string', value: 'NAME', help: 'the bucket that a bucket policy is for' },
    'bucket-from-name': {
      type: 'boolean',
      help: 'a bucket policy is for the bucket that its file is named after (BUCKET.json)',
    },
    format: { type: 'string', value: 'text|json|sarif', help: 'how to print the result (default: text)' },
    strict: { type: 'boolean', help: 'fail on warnings too' },
  },
  notes: `FILE is a policy document; \`-\` is standard input. Needs no gateway, no configuration and no store.
Exit code 0: no errors; 1: a document would be refused, or has warnings with --strict; 2: the command line is wrong, or a
file cannot be read. The rules are in docs/policy-lint.md.
`,
  async run(values, files, io) {
    const type = parseType(values.type);
    const render = parseFormat(values.format);
    if (values.bucket !== undefined && values['bucket-from-name'] === true) {
      throw new UsageError('--bucket and --bucket-from-name say the same thing twice. Give one of them.');
    }
    const linted: LintedFile[] = [];
    for (const file of files) {
      const bytes = await readDocument(file, io.stdin);
      const bucket = values['bucket-from-name'] === true ? bucketOf(file) : values.bucket;
      const report = lintPolicy(bytes, {
        ...(type === undefined ? {} : { type }),
        ...(bucket === undefined ? {} : { bucket }),
      });
      linted.push({ file, ...report });
    }
    io.stdout.write(render(linted));
    return isRefused(linted, { strict: values.strict === true }) ? 1 : 0;
  },
});

const TYPES: Readonly<Record<string, PolicyType>> = {
  bucket: 'resource',
  identity: 'identity',
  session: 'session',
  boundary: 'boundary',
  trust: 'trust',
};

function parseType(text: string | undefined): PolicyType | undefined {
  if (text === undefined || text === 'auto') return undefined;
  const type = Object.hasOwn(TYPES, text) ? TYPES[text] : undefined;
  if (type !== undefined) return type;
  throw new UsageError(`--type is \`auto\`, \`${Object.keys(TYPES).join('`, `')}\`, not \`${text}\`.`);
}

function parseFormat(text: string | undefined): (files: readonly LintedFile[]) => string {
  if (text === undefined || text === 'text') return renderLintText;
  if (text === 'json') return renderLintJson;
  if (text === 'sarif') return renderLintSarif;
  throw new UsageError(`--format is \`text\`, \`json\` or \`sarif\`, not \`${text}\`.`);
}

async function readDocument(file: string, stdin: CommandInput): Promise<Uint8Array> {
  if (file === '-') return readAll(stdin);
  try {
    return readFileSync(file);
  } catch (error) {
    throw new InputError(`The file \`${file}\` cannot be read.`, { cause: error });
  }
}

/** Above any policy, which are 1 MB at most. */
const MAX_STDIN_BYTES = 16 * 1024 * 1024;

async function readAll(stdin: CommandInput): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk as Uint8Array | string);
    size += bytes.length;
    if (size > MAX_STDIN_BYTES) throw new InputError('Standard input is larger than any policy.');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function bucketOf(file: string): string | undefined {
  return /([^/\\]+)\.json$/.exec(file)?.[1];
}

/** The report says why. */
function isRefused(files: readonly LintedFile[], { strict }: { readonly strict: boolean }): boolean {
  return files.some(({ findings }) =>
    findings.some(({ severity }) => severity === 'error' || (strict && severity === 'warning')),
  );
}
