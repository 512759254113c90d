import { spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

export const ROOT = join(__dirname, '../../..');

/** A temporary Nx workspace with our packages, and without our plugin in nx.json. */
export interface EmptyWorkspace {
  readonly root: string;
  /** Runs Nx with these arguments and returns its output. Throws if it fails. */
  nx(...args: readonly string[]): string;
  /** Returns the targets of the last run that did not come from the cache, sorted by name. */
  misses(): string[];
  remove(): void;
}

export function createEmptyWorkspace(nxJson: string): EmptyWorkspace {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'cdc-nx-')));
  install(root, nxJson);
  return {
    root,
    nx: (...args) => runNx(root, args),
    misses: () => readMisses(root),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** A temporary Nx workspace with one implementation repo of four tables, before the first generate. */
export interface Workspace {
  readonly repo: string;
  /** Runs `adopus:migrations` and returns the targets that did not come from the cache, sorted by name. */
  run(env?: NodeJS.ProcessEnv): string[];
  /** Returns the content of every file below `generated`, `migrations` and `pipelines`, by path in the repo. */
  outputs(): ReadonlyMap<string, string>;
  /** Returns the inputs that Nx hashes for a target. */
  inputs(target: string): TargetInputs;
  /** Returns the outputs of each target, relative to the repo. */
  declaredOutputs(): ReadonlyMap<string, readonly string[]>;
  /** Runs `adopus:migrations` asynchronously, because a server in this process has to answer it. */
  runConcurrently(env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<ConcurrentRun>;
  remove(): void;
}

interface ConcurrentRun {
  readonly code: number;
  readonly printed: string;
  /** Result of each target, sorted by name: `cache-miss`, `local-cache-hit`, `remote-cache-hit`. */
  readonly statuses: readonly string[];
}

interface TargetInputs {
  readonly files: readonly string[];
  /** Outputs of other targets. */
  readonly depOutputs: readonly string[];
  readonly env: readonly string[];
}

const NX = join(ROOT, 'node_modules/nx/dist/bin/nx.js');

/** Creates a workspace with the repo in this folder. The project is always called adopus. */
export function createWorkspace(folder = 'adopus'): Workspace {
  const root = mkdtempSync(join(tmpdir(), 'cdc-nx-'));
  const repo = join(root, folder);
  cpSync(join(ROOT, 'packages/cli/cases/_base'), repo, { recursive: true });
  install(root, NX_JSON);
  return {
    repo,
    run(env) {
      runNx(root, ['run-many', '-t', 'migrations', 'pipelines', '-p', 'adopus'], env);
      return readMisses(root);
    },
    outputs: () => readOutputs(repo),
    inputs: (target) => readInputs(root, target),
    declaredOutputs: () => readDeclaredOutputs(root),
    runConcurrently: (env, ...args) => runConcurrently(root, env, args),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

const NX_JSON = JSON.stringify({
  analytics: false,
  cacheDirectory: '.nx/cache',
  plugins: ['@cdc-migrations/nx/plugin'],
});

/** Lockfile with any version, because Nx only checks that one exists. */
const LOCKFILE = JSON.stringify({
  name: 'workspace',
  lockfileVersion: 3,
  packages: {
    '': { devDependencies: { '@cdc-migrations/cli': '*', other: '*' } },
    'node_modules/@cdc-migrations/cli': { version: '1.0.0' },
    'node_modules/other': { version: '2.0.0' },
  },
});

function install(root: string, nxJson: string): void {
  const modules = join(root, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  mkdirSync(join(modules, '@cdc-migrations'));
  symlinkSync(join(ROOT, 'node_modules/nx'), join(modules, 'nx'));
  symlinkSync(join(ROOT, 'packages/nx-plugin'), join(modules, '@cdc-migrations/nx'));
  symlinkSync(join(ROOT, 'packages/cli/bin/cdc.js'), join(modules, '.bin/cdc'));
  mkdirSync(join(modules, '@cdc-migrations/cli'));
  writeFileSync(join(modules, '@cdc-migrations/cli/package.json'), '{ "version": "1.0.0" }');
  writeFileSync(join(root, 'package-lock.json'), LOCKFILE);
  writeFileSync(join(root, '.gitignore'), 'node_modules\n.nx\n');
  writeFileSync(join(root, 'package.json'), '{ "name": "workspace", "private": true }\n');
  writeFileSync(join(root, 'nx.json'), nxJson);
}

function runNx(root: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [NX, ...args], {
    cwd: root,
    encoding: 'utf8',
    env: environment(env),
  });
  if (status !== 0) throw new Error(`nx ${args.join(' ')}: ${status}\n${stdout}\n${stderr}`);
  return stdout;
}

function environment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...process.env,
    NX_DAEMON: 'false',
    NX_ISOLATE_PLUGINS: 'false',
    NX_TUI: 'false',
    CDC_DB_USER: undefined,
    ...env,
  };
}

async function runConcurrently(
  root: string,
  env: NodeJS.ProcessEnv,
  args: readonly string[],
): Promise<ConcurrentRun> {
  const runJson = join(root, '.nx/cache/run.json');
  rmSync(runJson, { force: true });
  const child = spawn(process.execPath, [NX, 'run', 'adopus:migrations', ...args], {
    cwd: root,
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  child.stdout.on('data', (text) => (printed += text));
  child.stderr.on('data', (text) => (printed += text));
  const code = await new Promise<number>((resolve) => child.on('close', resolve));
  const statuses = existsSync(runJson) ? readTasks(root).map((task) => task.cacheStatus) : [];
  return { code, printed, statuses };
}

interface TaskRun {
  readonly target: string;
  readonly cacheStatus: string;
}

function readTasks(root: string): readonly TaskRun[] {
  const text = readFileSync(join(root, '.nx/cache/run.json'), 'utf8');
  const { tasks } = JSON.parse(text) as { tasks: readonly TaskRun[] };
  return tasks.toSorted((a, b) => (a.target < b.target ? -1 : 1));
}

/** Returns the projects with a target that a change of a file affects. */
export function readAffected(root: string, file: string, target: string): readonly string[] {
  const args = ['--affected', `--files=${file}`, `--withTarget=${target}`, '--json'];
  return JSON.parse(runNx(root, ['show', 'projects', ...args])) as string[];
}

/** Returns the projects whose tests run together with those of a project of this workspace. */
export function readTestsOf(project: string): readonly string[] {
  const { tasks } = JSON.parse(runNx(ROOT, ['run', `${project}:test`, '--graph=stdout'])) as {
    readonly tasks: { readonly tasks: Readonly<Record<string, object>> };
  };
  return Object.keys(tasks.tasks).flatMap((task) => /^(.+):test$/.exec(task)?.[1] ?? []);
}

/** Returns the targets of the last run that did not come from the cache. */
function readMisses(root: string): string[] {
  return readTasks(root)
    .filter(({ cacheStatus }) => cacheStatus === 'cache-miss')
    .map(({ target }) => target);
}

/** Returns the inputs that Nx hashes for a target of a repo, without those of every target. */
export function readInputs(root: string, target: string, repo = 'adopus'): TargetInputs {
  const json = runNx(root, ['show', 'target', 'inputs', `${repo}:${target}`, '--json']);
  const {
    files = [],
    depOutputs = [],
    environment = [],
  } = JSON.parse(json) as {
    files?: string[];
    depOutputs?: string[];
    environment?: string[];
  };
  const everywhere = ['.gitignore', 'nx.json', 'NX_CLOUD_ENCRYPTION_KEY'];
  const withoutThose = (names: readonly string[]) =>
    names.filter((name) => !everywhere.includes(name)).sort();
  return {
    files: withoutThose(files),
    depOutputs: [...depOutputs].sort(),
    env: withoutThose(environment),
  };
}

function readDeclaredOutputs(root: string): ReadonlyMap<string, readonly string[]> {
  const { targets } = JSON.parse(runNx(root, ['show', 'project', 'adopus', '--json'])) as {
    targets: Record<string, { cache?: boolean; outputs?: string[] }>;
  };
  return new Map(
    Object.entries(targets)
      .filter(([, { cache }]) => cache)
      .map(([name, { outputs = [] }]) => [
        name,
        outputs.map((path) => path.replace('{projectRoot}/', '')),
      ]),
  );
}

function readOutputs(repo: string): ReadonlyMap<string, string> {
  const files = ['generated', 'migrations', 'pipelines']
    .filter((folder) => existsSync(join(repo, folder)))
    .flatMap((folder) => readdirSync(join(repo, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(files.sort().map((file) => [relative(repo, file), readFileSync(file, 'utf8')]));
}
