import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  mkdirSync,
  chmodSync,
} from 'node:fs';
import { join } from 'node:path';
import { copyAdopus, runCommand } from '../cli.fixture.ts';
import { isAlive } from './is-alive.ts';

const TENANTS = 26;
const FILES = 78;

let repo: ReturnType<typeof copyAdopus>;

beforeAll(() => {
  repo = copyAdopus();
  chmodSync(repo.root, 0o700); // A folder that only its owner can read.
});

afterAll(() => repo?.remove());

it('starts by itself, applies to all tenants, keeps its data, and is stopped in the end', async () => {
  const first = await runCommand(repo.root, ['apply', '--env', 'embedded', '--jobs', '2']);
  expect(first).toMatchObject({ exitCode: 0 });
  expect(first.stdout).toMatch(/^all +2030$/m);
  expect(first.stdout).toContain(
    `${TENANTS} schemas; files: ${TENANTS * FILES + 2} applied, 0 applied before`,
  );
  const start = performance.now();
  const again = await runCommand(repo.root, ['apply', '--env', 'embedded']);
  expect(performance.now() - start).toBeLessThan(5000);
  expect(again.stdout).toContain(`files: 0 applied, ${TENANTS * FILES + 2} applied before`);
  const status = await runCommand(repo.root, ['status', '--env', 'embedded']);
  expect(status.exitCode).toBe(0);
  expect(status.stdout).toContain('sink_asma.directory in embedded: all applied');
  expect(isServerRunning()).toBe(false);
});

it('two commands at once share one server, beside the lock of a process that is gone', async () => {
  const state = join(repo.root, '.cdc/embedded');
  mkdirSync(join(state, 'users'), { recursive: true });
  writeFileSync(join(state, 'lock'), '999999999');
  writeFileSync(join(state, 'users', '999999999'), '');
  const runs = await Promise.all(
    [1, 2, 3].map(() => runCommand(repo.root, ['status', '--env', 'embedded', '--json'])),
  );
  expect(runs.map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual(
    runs.map(() => ({ exitCode: 0, stderr: '' })),
  );
  expect(readdirSync(join(state, 'users'))).toEqual([]);
  expect(existsSync(join(state, 'lock'))).toBe(false);
  expect(isServerRunning()).toBe(false);
});

it('a process that has the id of a server that was killed is left alone', async () => {
  const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const end = once(stranger, 'exit');
  const lines = [stranger.pid, join(folderOf(), 'data'), 1, 1, '', '127.0.0.1', '', 'ready   ', ''];
  writeFileSync(pidFile(), lines.join('\n'));
  const status = await runCommand(repo.root, ['status', '--env', 'embedded']);
  expect(status).toMatchObject({ exitCode: 0, stderr: '' });
  expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
  expect(isServerRunning()).toBe(false);
  stranger.kill();
  await end;
});

it('a password that was lost is said, and the server is stopped', async () => {
  const file = join(repo.root, '.cdc/embedded/password');
  const password = readFileSync(file, 'utf8');
  rmSync(file);
  const status = await runCommand(repo.root, ['status', '--env', 'embedded']);
  expect(status).toMatchObject({ exitCode: 2, stdout: '' });
  expect(status.stderr).toMatch(
    /^--env embedded: the password in \.cdc\/embedded is not that of .*\n$/,
  );
  writeFileSync(file, password);
  expect((await runCommand(repo.root, ['status', '--env', 'embedded'])).exitCode).toBe(0);
  expect(isServerRunning()).toBe(false);
});

it('what the server refuses is said without a stack', async () => {
  const role = 'pg_reserved';
  expect((await runCommand(repo.root, ['generate'], { CDC_DB_USER: role })).exitCode).toBe(0);
  const status = await runCommand(repo.root, ['status', '--env', 'embedded']);
  expect(status).toMatchObject({ exitCode: 2, stdout: '' });
  expect(status.stderr).toMatch(
    /^sink_asma\.directory in embedded: role name "pg_reserved" is reserved[^\n]*\n$/,
  );
});

/** Where the cluster is, which the server's user has to be able to enter. */
function folderOf(): string {
  const note = join(repo.root, '.cdc/embedded/place');
  return existsSync(note)
    ? readFileSync(note, 'utf8').trim()
    : join(repo.root, '.cdc/embedded/cluster');
}

function pidFile(): string {
  return join(folderOf(), 'data/postmaster.pid');
}

function isServerRunning(): boolean {
  const file = pidFile();
  return existsSync(file) && isAlive(Number(readFileSync(file, 'utf8').split('\n')[0]));
}
