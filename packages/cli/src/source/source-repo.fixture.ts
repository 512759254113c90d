import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const ROOT = join(__dirname, '../../../..');
const CDC = join(ROOT, 'packages/cli/bin/cdc.js');

/** Result of a run of the command line. */
export interface Run {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Lines of standard error without progress. */
  readonly complaints: readonly string[];
}

/** A copy of an implementation repo of the workspace with the command line in it. */
export interface SourceRepo {
  readonly root: string;
  read(path: string): string;
  /** Replaces a text in a file. Fails if it does not exist. */
  edit(path: string, from: string | RegExp, to: string): void;
  write(path: string, text: string): void;
  cdc(...args: readonly string[]): Promise<Run>;
  /** Adds variables to the environment of the next runs. */
  setEnv(env: Readonly<Record<string, string | undefined>>): void;
  remove(): void;
}

/** Copies `fixtures/<name>`. */
export function copyRepo(name: 'adopus' | 'asma'): SourceRepo {
  const root = mkdtempSync(join(tmpdir(), `cdc-${name}-`));
  cpSync(join(ROOT, 'fixtures', name), root, {
    recursive: true,
    filter: (path) => basename(path) !== '.cdc', // Data of an embedded server.
  });
  let env: NodeJS.ProcessEnv = { PATH: process.env['PATH'] };
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  return {
    root,
    read,
    edit: (path, from, to) => {
      const before = read(path);
      const after = before.replaceAll(
        typeof from === 'string' ? from : new RegExp(from.source, 'gm'),
        () => to,
      );
      if (after === before) throw new Error(`${path} has no ${String(from)}`);
      writeFileSync(join(root, path), after);
    },
    write: (path, text) => writeFileSync(join(root, path), text),
    setEnv: (more) => {
      env = { ...env, ...more };
    },
    cdc: (...args) => run(root, ['manage-migrations', ...args], env),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

function run(root: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CDC, ...args], { cwd: root, env });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', reject);
    child.once('close', (exitCode) => {
      const complaints = stderr.split('\n').filter((line) => line !== '' && !PROGRESS.test(line));
      resolve({ exitCode, stdout, stderr, complaints });
    });
  });
}

const PROGRESS =
  /^[\w-]+: (connecting to|reading|enabling|rotating|cleaning|\d+ tables? read|nothing changed)|\(retrying\)$/;

/** Returns the variables of the server `default` of `fixtures/adopus`. */
export function mssqlEnv(server: {
  readonly host: string;
  readonly port: number;
  readonly login: { readonly userName: string; readonly password: string };
}): Readonly<Record<string, string>> {
  return {
    MSSQL_NONPROD_HOST: server.host,
    MSSQL_NONPROD_PORT: String(server.port),
    MSSQL_NONPROD_USER: server.login.userName,
    MSSQL_NONPROD_PASSWORD: server.login.password,
  };
}
