/** From the command line to a command. Needs the Node.js version that `main.ts` has checked. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { startGateway } from './app.ts';
import {
  runDoctorCommand,
  runKeysCommand,
  runPolicyCommand,
  serveCommand,
  type CommandIo,
} from './cli/index.ts';

const HELP = `Usage: bucketwarden COMMAND [options]

  bucketwarden serve [-c FILE]   run the gateway
  bucketwarden keys COMMAND      issue, import, list, show, disable, enable and delete access keys
  bucketwarden policy COMMAND    check, test and simulate policies, and explain what they decided
  bucketwarden doctor COMMAND    find out why something does not work
  bucketwarden --version

Each has --help.
`;

/** Resolves to the exit code; never rejects for what a user can cause. */
export async function run(args: readonly string[]): Promise<number> {
  const io: CommandIo = {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    env: process.env,
    now: Date.now,
    randomBytes,
  };
  const [command, ...rest] = args;
  if (command !== 'serve') outliveReader();
  switch (command) {
    case 'serve':
      return serveCommand({ start: startGateway, untilStopped }).run(rest, io);
    case 'keys':
      return runKeysCommand(rest, io);
    case 'policy':
      return runPolicyCommand(rest, io);
    case 'doctor':
      return runDoctorCommand(rest, io);
    case '--version':
      io.stdout.write(`${version()}\n`);
      return 0;
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      (command === undefined ? io.stderr : io.stdout).write(HELP);
      return command === undefined ? 2 : 0;
    default:
      io.stderr.write(`bucketwarden: \`${command}\` is no command.\n\n${HELP}`);
      return 2;
  }
}

/** `… | head` closes the pipe early: what a command has found is still its exit code. */
function outliveReader(): void {
  for (const output of [process.stdout, process.stderr])
    output.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
}

/** The first signal asks; a second one does not wait. */
function untilStopped(onReload: () => void): Promise<string> {
  process.on('SIGHUP', onReload);
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => {
        resolve(signal);
        process.once(signal, () => process.exit(1));
      });
  });
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  return manifest.version;
}
