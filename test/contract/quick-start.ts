/**
 * The quick start as a new user tries it: a clone in an empty folder, `npm ci`, `npm start`, and the commands that it
 * prints pasted as they are. Needs git, curl, the AWS CLI, and ports 9000 and 9001.
 *
 *   node test/contract/quick-start.ts
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { run, type Server, startServer } from './process.ts';
import { findTool } from './tools.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const HEALTH = 'http://127.0.0.1:9001/healthz';

const aws = findTool('aws-cli');
if (aws === undefined) throw new Error('the AWS CLI is not on this machine: run test/contract/install.sh');
/** The machine's own programs: a new user has none of this clone's. */
const path = [
  dirname(aws),
  ...(process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.endsWith('node_modules/.bin')),
].join(delimiter);

const folder = mkdtempSync(join(tmpdir(), 'bucketwarden-quick-start-'));
try {
  const clone = join(folder, 'bucketwarden');
  const home = join(folder, 'home');
  mkdirSync(home);
  execFileSync('git', ['clone', '--quiet', REPOSITORY, clone], { stdio: 'inherit' });
  install(clone);
  await withServer(clone, (server) => tryOut(server, clone, home));
  await withServer(clone, (server) => expectSecondStart(server, clone));
  console.log('The quick start works as printed, and a second start shows no secret.');
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function install(clone: string): void {
  const output = execFileSync('npm', ['ci'], {
    cwd: clone,
    env: { ...process.env, PATH: path },
    encoding: 'utf8',
  });
  if (/install.script/i.test(output)) throw new Error(`\`npm ci\` warned about install scripts:\n${output}`);
}

async function withServer(clone: string, work: (server: Server) => Promise<void> | void): Promise<void> {
  const server = await startServer(
    { file: 'npm', args: ['start'], env: { PATH: path }, folder: clone },
    HEALTH,
  );
  try {
    await work(server);
  } finally {
    await server.close();
  }
}

async function tryOut(server: Server, clone: string, home: string): Promise<void> {
  const output = server.output();
  const file = join(clone, 'data/administrator.env');
  if (output.includes(secretIn(file))) throw new Error('the secret is in the output');
  if ((statSync(file).mode & 0o777) !== 0o600) throw new Error(`\`${file}\` can be read by others`);
  for (const title of ['With the AWS CLI', 'With curl']) {
    const commands = section(output, title);
    console.log(`\n### ${title}\n${commands}`);
    const { stdout, stderr } = await run({
      file: 'bash',
      args: [],
      env: { PATH: path, HOME: home },
      folder: clone,
      input: commands,
    });
    const answer = `${stdout.toString()}\n${stderr}`;
    console.log(answer);
    if (!stdout.toString().includes('hello from Bucketwarden')) throw new Error('the allowed read failed');
    if (answer.match(/\bAccessDenied\b/g)?.length !== 1)
      throw new Error('exactly the write was to be refused with AccessDenied');
    if (/<Code>(?!AccessDenied)|\b(?:usage|not found|fatal error)\b/.test(answer))
      throw new Error('a command failed that was not meant to');
  }
}

/** The same data, and nothing that a log must not keep. */
function expectSecondStart(server: Server, clone: string): void {
  const output = server.output();
  if (!output.includes('listens on')) throw new Error(`unexpected output: ${output}`);
  const secret = secretIn(join(clone, 'data/administrator.env'));
  if (output.includes(secret) || output.includes('SECRET_ACCESS_KEY'))
    throw new Error('the second start shows a secret');
}

/** The commands below a heading, up to the next heading. */
function section(output: string, title: string): string {
  const [, rest] = output.split(`### ${title}\n`);
  const commands = rest?.split('\n### ')[0];
  if (commands === undefined || commands.trim() === '') throw new Error(`no \`${title}\` in:\n${output}`);
  return `${commands}\n`;
}

function secretIn(file: string): string {
  const secret = /AWS_SECRET_ACCESS_KEY=(?<secret>\S+)/.exec(readFileSync(file, 'utf8'))?.groups?.['secret'];
  if (secret === undefined) throw new Error(`no secret in \`${file}\``);
  return secret;
}
