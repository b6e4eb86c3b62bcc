/** The ways in which a command ends badly without a bug. */

/** The command line is wrong: exit code 2. The message says what is wrong and what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The command cannot do what was asked: exit code 1. The message says what is wrong, where, and what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** A file that was given to work on cannot be read, or is not what it should be: exit code 2. The message says where. */
export class InputError extends Error {
  override readonly name = 'InputError';
}
