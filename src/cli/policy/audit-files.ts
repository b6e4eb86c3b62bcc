/** The audit files that a command reads: what the gateway wrote to its standard output. */
import {
  fileSource,
  LogSourceError,
  readRecords,
  type FoundRecord,
  type LogSource,
} from '../../audit/index.ts';
import { InputError, UsageError } from '../command-error.ts';
import { warn, type CommandIo } from '../command-io.ts';

export const AUDIT_OPTION = {
  type: 'string',
  multiple: true,
  value: 'FILE',
  help: 'what the gateway logged, plain or gzip; `-` is standard input; may be repeated',
} as const;

/** @throws UsageError for no file, and for standard input twice. */
export function auditSources(files: readonly string[] = [], io: CommandIo): readonly LogSource[] {
  if (files.length === 0)
    throw new UsageError('--audit FILE is missing: what the gateway wrote to its standard output.');
  if (files.filter((file) => file === '-').length > 1) throw new UsageError('`--audit -` can be read once.');
  return files.map((file) =>
    file === '-' ? { name: 'standard input', open: () => io.stdin } : fileSource(file),
  );
}

/**
 * The records of all files; a damaged one is told of, and passed over.
 * @param containing texts that must stand in the line: see `readRecords`.
 * @throws InputError for a file that cannot be read.
 */
export async function* auditRecords(
  sources: readonly LogSource[],
  io: CommandIo,
  containing: readonly string[] = [],
): AsyncGenerator<FoundRecord, void, undefined> {
  try {
    yield* readRecords(sources, {
      containing,
      onDamaged: ({ source, line, problem }) => {
        warn(io, `${source}:${line}: a damaged record is left out: ${problem}.`);
      },
    });
  } catch (error) {
    if (!(error instanceof LogSourceError)) throw error;
    throw new InputError(error.message, { cause: error.cause });
  }
}
