import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Major, type PostgresServer, startPostgres } from './index.ts';

describe.each<Major>([15, 18])('PostgreSQL %i', (major) => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ major });
  });
  afterAll(() => server.stop());

  it('has the requested version', async () => {
    const [row] = await server.connect({ max: 1 })`SHOW server_version_num`;
    expect(Math.floor(Number(row?.['server_version_num']) / 10_000)).toBe(major);
  });

  it('accepts the password of a role, and refuses another password', async () => {
    await server.createRole('app', { password: "it's" });
    const database = await server.createDatabase({ owner: 'app' });
    const app = server.connect({ database, user: 'app', password: "it's", max: 1 });
    expect(await app`SELECT current_user::text AS "user"`).toEqual([{ user: 'app' }]);
    const wrong = server.connect({ database, user: 'app', password: 'other', max: 1 });
    await expect(wrong`SELECT 1`).rejects.toMatchObject({ code: '28P01' });
  });

  it('copies a database from a template', async () => {
    const template = await server.createDatabase();
    const filled = server.connect({ database: template, max: 1 });
    await filled`CREATE TABLE t AS SELECT 1 AS n`;
    await filled.end();
    const copy = server.connect({ database: await server.createDatabase({ template }), max: 1 });
    expect(await copy`SELECT n FROM t`).toEqual([{ n: 1 }]);
  });

  it('keeps logged tables and empties unlogged tables after a crash and a restart', async () => {
    const database = await server.createDatabase();
    const before = server.connect({ database, max: 1, onnotice: () => {} });
    await before`CREATE TABLE kept AS SELECT 1 AS n`;
    await before`CREATE UNLOGGED TABLE emptied AS SELECT 1 AS n`;
    const { pid, port } = server;
    await server.kill('SIGKILL');
    await server.restart();
    expect(server.pid).not.toBe(pid);
    expect(server.port).toBe(port);
    const after = server.connect({ database, max: 1 });
    expect(await after`SELECT n FROM kept`).toEqual([{ n: 1 }]);
    expect(await after`SELECT n FROM emptied`).toEqual([]);
  });
});

it('a server stops and removes its files when the process that started it is killed', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PARENT, buildPackage()], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const { pid, folder } = JSON.parse(line.toString()) as { pid: number; folder: string };
  expect(isRunning(pid)).toBe(true);
  child.kill('SIGKILL');
  for (let waits = 0; waits < 100 && (isRunning(pid) || existsSync(folder)); waits++) {
    await sleep(50);
  }
  expect({ running: isRunning(pid), folder: existsSync(folder) }).toEqual({
    running: false,
    folder: false,
  });
});

const PARENT = `
const { startPostgres } = await import(process.argv[1]);
const server = await startPostgres({ major: 15 });
const [row] = await server.connect({ max: 1 })\`SHOW data_directory\`;
console.log(JSON.stringify({ pid: server.pid, folder: row.data_directory + '/..' }));
setInterval(() => {}, 1000);
`;

/** Compiles the package to JavaScript for a process without TypeScript support. */
function buildPackage(): string {
  const require = createRequire(import.meta.url);
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  const project = fileURLToPath(new URL('..', import.meta.url));
  const build = spawnSync(process.execPath, [tsc, '-b', project], { encoding: 'utf8' });
  expect(build.stdout).toBe('');
  return join(project, 'dist', 'index.js');
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
