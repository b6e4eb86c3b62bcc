/**
 * Builds and starts the image without a container engine: every instruction of the Dockerfile is carried out in an
 * empty folder that stands for the image, with this process's Node.js, and what comes out must serve and be healthy.
 *
 *   node test/contract/dockerfile.ts
 *
 * It shows that the steps work in this order with these files and nothing else; it does not show the base image.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { freePort, runOrThrow, startServer } from './process.ts';

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** One stage's file system and what it says about running. */
interface Stage {
  readonly root: string;
  workdir: string;
  readonly env: Record<string, string>;
  readonly commands: Map<string, readonly string[]>;
}

const REPOSITORY = join(import.meta.dirname, '../..');

const folder = mkdtempSync(join(tmpdir(), 'bucketwarden-image-'));
try {
  const stage = build(readInstructions(readFileSync(join(REPOSITORY, 'Dockerfile'), 'utf8')));
  await start(stage);
  console.log('The image of the Dockerfile builds, starts and is healthy.');
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function readInstructions(text: string): readonly Instruction[] {
  return text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name = '', ...rest] = line.split(' ');
      return { name, rest: rest.join(' ') };
    });
}

/** The last stage, built. */
function build(instructions: readonly Instruction[]): Stage {
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const { name, rest } of instructions) {
    if (name === 'FROM') {
      const title = /^node:\d+-slim(?: AS (?<title>\w+))?$/.exec(rest);
      if (title === null) throw new Error(`unexpected base image: \`${rest}\``);
      stage = newStage(String(stages.size));
      stages.set(title.groups?.['title'] ?? '', stage);
    } else if (stage === undefined) throw new Error(`\`${name}\` before FROM`);
    else carryOut({ name, rest }, stage, stages);
  }
  if (stage === undefined) throw new Error('the Dockerfile has no FROM');
  return stage;
}

function newStage(name: string): Stage {
  const root = join(folder, name);
  mkdirSync(root);
  return { root, workdir: '/', env: {}, commands: new Map() };
}

function carryOut({ name, rest }: Instruction, stage: Stage, stages: ReadonlyMap<string, Stage>): void {
  console.log(`${name} ${rest}`);
  switch (name) {
    case 'WORKDIR':
      stage.workdir = resolve(stage.workdir, rest);
      mkdirSync(inside(stage, '.'), { recursive: true });
      return;
    case 'ENV': {
      const [key = '', value = ''] = rest.split('=');
      stage.env[key] = value;
      return;
    }
    case 'COPY':
      copy(rest.split(' '), stage, stages);
      return;
    case 'RUN':
      execFileSync('sh', ['-c', inRoot(stage, rest)], {
        cwd: inside(stage, '.'),
        env: environment(stage),
        stdio: ['ignore', 'inherit', 'inherit'],
      });
      return;
    case 'HEALTHCHECK':
      stage.commands.set(name, JSON.parse(rest.slice(rest.indexOf('['))) as string[]);
      return;
    case 'ENTRYPOINT':
    case 'CMD':
      stage.commands.set(name, JSON.parse(rest) as string[]);
      return;
    case 'USER':
    case 'VOLUME':
    case 'EXPOSE':
      return;
    default:
      throw new Error(`unknown instruction \`${name}\``);
  }
}

function copy(words: readonly string[], stage: Stage, stages: ReadonlyMap<string, Stage>): void {
  const from = words[0]?.startsWith('--from=') ? stages.get(words[0].slice('--from='.length)) : undefined;
  const sources = words.slice(words[0]?.startsWith('--') ? 1 : 0, -1);
  const target = words.at(-1) ?? '.';
  for (const source of sources) {
    if (from === undefined) expectInContext(source);
    const path = from === undefined ? join(REPOSITORY, source) : join(from.root, source);
    cpSync(path, target.endsWith('/') ? join(inside(stage, target), source) : inside(stage, target), {
      recursive: true,
    });
  }
}

/** `.dockerignore` excludes everything but what it names with `!`. */
function expectInContext(path: string): void {
  const lines = readFileSync(join(REPOSITORY, '.dockerignore'), 'utf8').split('\n');
  if (lines[0] !== '*' || !lines.includes(`!${path}`)) throw new Error(`.dockerignore keeps \`${path}\` out`);
}

/** Starts the container's command, waits for its health check, and asks for its version. */
async function start(stage: Stage): Promise<void> {
  const command = [...expectCommand(stage, 'ENTRYPOINT'), ...expectCommand(stage, 'CMD')];
  const [program = '', ...args] = command;
  if (program !== 'node') throw new Error(`unexpected entry point: \`${program}\``);
  const ports = { 9000: await freePort(), 9001: await freePort() };
  const withPorts = (text: string): string =>
    text.replaceAll(
      /(?<=127\.0\.0\.1:|0\.0\.0\.0:)900[01]/g,
      (port) => `${ports[Number(port) as 9000 | 9001]}`,
    );
  const env = Object.fromEntries(
    Object.entries(environment(stage)).map(([key, value]) => [key, withPorts(inRoot(stage, value))]),
  );
  // Only to these: the rest of the machine's network is not the test's.
  env['BUCKETWARDEN_LISTEN'] = env['BUCKETWARDEN_LISTEN']?.replace('0.0.0.0', '127.0.0.1') ?? '';
  const container = { file: process.execPath, env, folder: inside(stage, '.') };
  if (existsSync(join(container.folder, 'node_modules/typescript')))
    throw new Error('the image holds development dependencies');
  const version = await runOrThrow({ ...container, args: [args[0] ?? '', '--version'] });
  console.log(`version ${version.toString().trim()}`);
  const server = await startServer({ ...container, args }, `http://127.0.0.1:${ports[9001]}/healthz`);
  try {
    const [, ...check] = expectCommand(stage, 'HEALTHCHECK').map(withPorts);
    await runOrThrow({ ...container, args: check });
  } finally {
    await server.close();
  }
}

function expectCommand(stage: Stage, name: string): readonly string[] {
  const command = stage.commands.get(name);
  if (command === undefined) throw new Error(`the Dockerfile has no ${name}`);
  return command;
}

function inside(stage: Stage, path: string): string {
  return join(stage.root, resolve(stage.workdir, path));
}

/** The image's absolute paths as paths of this machine. */
function inRoot(stage: Stage, text: string): string {
  return text.replaceAll(/(?<=^|[ =])\/(?=app|data)/g, `${stage.root}/`);
}

function environment(stage: Stage): Record<string, string> {
  const path = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
  return { ...(process.env as Record<string, string>), ...stage.env, PATH: path };
}
