import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { cdcHere } from '../cdc.fixture.ts';

const WORKSPACE = join(__dirname, '../../../..');
const ADOPUS = join(WORKSPACE, 'fixtures/adopus');

/** Result of a command. */
export interface CommandRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const BIN = join(WORKSPACE, 'packages/cli/bin/cdc.js');

/** Starts the bundled command line as a process. `finish` waits for its end. */
export function startCommand(
  root: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): ChildProcess {
  return spawn(process.execPath, [BIN, 'manage-migrations', '--root', root, ...args], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs a command to its end in this process, with `cdcHere`. */
export async function runCommand(
  root: string,
  args: readonly string[],
  env?: NodeJS.ProcessEnv,
): Promise<CommandRun> {
  const words = ['manage-migrations', '--root', root, ...args];
  const { code, ...printed } = await cdcHere(words, env);
  return { exitCode: code, ...printed };
}

/** Runs a command to its end as a process, as it is installed. */
export function runInstalled(
  root: string,
  args: readonly string[],
  env?: NodeJS.ProcessEnv,
): Promise<CommandRun> {
  return finish(startCommand(root, args, env));
}

/** Waits for the end of a command. */
export async function finish(child: ChildProcess): Promise<CommandRun> {
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr?.on('data', (data: Buffer) => (stderr += data.toString()));
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { exitCode, stdout, stderr };
}

/** Waits until a command has printed this on standard error; `finish` must have been called before. */
export async function untilSays(child: ChildProcess, pattern: RegExp): Promise<void> {
  let text = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr!.on('data', (data: Buffer) => {
      text += data.toString();
      if (pattern.test(text)) resolve();
    });
    child.once('close', () => reject(new Error(`expected ${String(pattern)}, found ${text}`)));
  });
}

/** Copies the implementation repo `adopus` and makes this database its sink in every environment. */
export function copyAdopus(database = 'directory'): {
  readonly root: string;
  readonly remove: () => void;
} {
  const root = mkdtempSync(join(tmpdir(), 'cdc-adopus-'));
  for (const entry of ['services', 'generated', 'migrations', 'existing', 'source-groups.yaml']) {
    cpSync(join(ADOPUS, entry), join(root, entry), { recursive: true });
  }
  const sinks = readFileSync(join(ADOPUS, 'sink-groups.yaml'), 'utf8');
  writeFileSync(
    join(root, 'sink-groups.yaml'),
    sinks
      .replace(/database: \w+/g, `database: ${database}`)
      .replace(/^( +)password: .*$/gm, '$&\n$1sslmode: disable'),
  );
  return { root, remove: () => removeRepo(root) };
}

/** Removes a copy of a repo, and the data of its embedded server if they are elsewhere. */
export function removeRepo(root: string): void {
  const place = join(root, '.cdc/embedded/place');
  if (existsSync(place)) {
    rmSync(readFileSync(place, 'utf8').trim(), { recursive: true, force: true });
  }
  rmSync(root, { recursive: true, force: true });
}

/** Returns the variables of the sink's servers for a server of the fixture. */
export function sinkEnv({
  host,
  port,
  password,
}: Pick<PostgresServer, 'host' | 'port' | 'password'>): NodeJS.ProcessEnv {
  const values = { HOST: host, PORT: String(port), USER: 'postgres', PASSWORD: password };
  return Object.fromEntries(
    ['LOCAL', 'NONPROD', 'PROD'].flatMap((env) =>
      Object.entries(values).map(([name, value]) => [`POSTGRES_${env}_${name}`, value]),
    ),
  );
}

/** Options that select one schema of `adopus`. */
export const BLUE = ['--env', 'prod', '--schema', 'blue'];

/** Starts a server with the database `directory`, and applies a copy of `adopus` to its schema `blue`. */
export async function startBlue(): Promise<{
  readonly server: PostgresServer;
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stop: () => Promise<void>;
}> {
  const server = await startPostgres({ major: 15 });
  await server.createDatabase({ name: 'directory' });
  const { root, remove } = copyAdopus('directory');
  const env = sinkEnv(server);
  expect((await runCommand(root, ['apply', ...BLUE], env)).exitCode).toBe(0);
  const stop = async () => {
    await server.stop();
    remove();
  };
  return { server, root, env, stop };
}
