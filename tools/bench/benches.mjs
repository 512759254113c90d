import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchIntrospection } from './introspect-bench.mjs';
import { measureInTurn } from './measure.mjs';
import { writeSyntheticRepo } from './synthetic-repo.mjs';

/** @import { Command } from './measure.mjs' */
/** @import { Line } from './report.mjs' */

const ROOT = join(import.meta.dirname, '../..');
/** Folder of all that the benches write; made and removed by the command that runs them. */
export const TMP = join(ROOT, 'tmp/bench');
const CDC = [process.execPath, join(ROOT, 'packages/cli/bin/cdc.js')];
const NX = [process.execPath, join(ROOT, 'node_modules/nx/dist/bin/nx.js')];

/** @type {Command} */
const NODE = { name: 'node -e 0', argv: [process.execPath, '-e', '0'], cwd: ROOT };

/**
 * What is measured, by the name that selects it on the command line.
 *
 * @type {Readonly<Record<string, { readonly title: string, readonly run: (rounds: number) => Line[] }>>}
 */
export const BENCHES = {
  start: {
    title: 'Start of the command line',
    run: (rounds) =>
      compare(
        NODE,
        [{ name: 'cdc --help', argv: [...CDC, '--help'], cwd: ROOT, aim: 'ratio at most 2' }],
        rounds,
      ),
  },
  generate: {
    title: '`cdc manage-migrations generate`, tables of 25 columns, 26 tenants',
    run: (rounds) => [
      ...compare(NODE, generate(39, 'ratio at most 4'), rounds),
      ...compare(NODE, generate(400, ''), rounds),
      ...compare(NODE, generate(4000, 'at most 3 s, linear'), Math.min(rounds, 5)),
    ],
  },
  nx: {
    title:
      '`nx run adopus:migrations` with every task a cache hit, against as many empty cached tasks',
    run: (rounds) => {
      const argv = [...NX, 'run', 'adopus:migrations'];
      /** @type {Command} */
      const all = { name: 'nx run adopus:migrations', argv, cwd: ROOT };
      measureInTurn([all], 1);
      const tasks = countTasks();
      const empty = writeEmptyWorkspace(tasks);
      const baseline = {
        name: `${tasks} empty tasks`,
        argv: [...NX, 'run', 'empty:all'],
        cwd: empty,
      };
      return compare(
        baseline,
        [{ ...all, name: `${all.name}, ${tasks} tasks`, aim: 'ratio at most 1.3' }],
        rounds,
      );
    },
  },
  introspect: {
    title:
      'Reading a catalog of SQL Server, 25 columns a table, with one query for each table and together',
    run: (rounds) => benchIntrospection(rounds, join(TMP, 'introspect')),
  },
};

/**
 * @param {Command} baseline
 * @param {readonly (Command & { readonly aim?: string, readonly tables?: number })[]} commands
 * @param {number} rounds
 * @returns {Line[]} the baseline's line first
 */
function compare(baseline, commands, rounds) {
  const [baselineRuns = [], ...runs] = measureInTurn([baseline, ...commands], rounds);
  return [
    { name: baseline.name, runs: baselineRuns },
    ...commands.map(({ name, aim, tables }, i) => ({
      name,
      runs: runs[i] ?? [],
      baseline: baselineRuns,
      ...(aim && { aim }),
      ...(tables && { tables }),
    })),
  ];
}

/**
 * A first generation, and one that finds nothing to do. Every first one has a folder of its own: some file systems
 * take several times longer to create files just after as many were deleted.
 *
 * @param {number} tables
 * @param {string} aim of both
 */
function generate(tables, aim) {
  const parent = mkdtempSync(join(TMP, `repo-${tables}-`));
  let made = 0;
  const makeRepo = () => {
    const folder = join(parent, String(made++));
    writeSyntheticRepo(folder, tables);
    return folder;
  };
  const argv = [...CDC, 'manage-migrations', 'generate'];
  return [
    { name: `${tables} tables, first`, argv, cwd: makeRepo, aim, tables },
    { name: `${tables} tables, again`, argv, cwd: makeRepo(), aim, tables },
  ];
}

/** Tasks of the last run of Nx in this workspace; every one must have been a hit. */
function countTasks() {
  const run = /** @type {{ tasks: { taskId: string, cacheStatus: string }[] }} */ (
    JSON.parse(readFileSync(join(ROOT, '.nx/cache/run.json'), 'utf8'))
  );
  const misses = run.tasks.filter(({ cacheStatus }) => cacheStatus !== 'local-cache-hit');
  if (misses.length > 0)
    throw new Error(`not all hits: ${misses.map(({ taskId }) => taskId).join(', ')}`);
  return run.tasks.length;
}

/**
 * A workspace of the same version of Nx, without plugins, with one project whose targets do nothing.
 *
 * @param {number} tasks
 * @returns {string} its folder
 */
function writeEmptyWorkspace(tasks) {
  const folder = join(TMP, 'empty');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'empty'), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const names = Array.from({ length: tasks - 1 }, (_, i) => `task-${i}`);
  const target = { command: 'true', cache: true, inputs: [], outputs: [] };
  const targets = Object.fromEntries(names.map((name) => [name, target]));
  const files = {
    '.env': 'NX_ISOLATE_PLUGINS=false\nNX_DAEMON=false\n',
    '.gitignore': 'node_modules\n.nx\n',
    'package.json': JSON.stringify({ name: 'empty-workspace', private: true }),
    'nx.json': JSON.stringify({ cacheDirectory: '.nx/cache', analytics: false }),
    'empty/project.json': JSON.stringify({
      name: 'empty',
      targets: { ...targets, all: { ...target, dependsOn: names } },
    }),
  };
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
  return folder;
}
