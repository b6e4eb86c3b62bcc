/** `bucketwarden policy …`: checks policies before they are in force, and explains those that are. */
import { defineGroup, type ExitCode } from '../command.ts';
import { type CommandIo } from '../command-io.ts';
import { explainCommand } from './explain.ts';
import { generateCommand } from './generate.ts';
import { lintCommand } from './lint.ts';
import { replayCommand } from './replay.ts';
import { simulateCommand } from './simulate.ts';
import { testCommand } from './test.ts';

/** @param args what follows `policy` on the command line. */
export function runPolicyCommand(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  return POLICY.run(args, io);
}

const POLICY = defineGroup(
  'policy',
  'Policies: check them before they are in force, and explain what they decided.',
  [lintCommand, testCommand, simulateCommand, explainCommand, replayCommand, generateCommand],
);
