import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { measureInTurn } from './measure.mjs';
import { writeSyntheticRepo } from './synthetic-repo.mjs';

/** @import { Command } from './measure.mjs' */

const ROOT = join(import.meta.dirname, '../..');
const NX = [process.execPath, join(ROOT, 'node_modules/nx/dist/bin/nx.js')];

/**
 * A run of Nx with only cache hits, and its floor: the same number of empty cached tasks in a workspace without
 * plugins.
 *
 * @typedef {{ readonly floor: Command, readonly run: Command }} HitRun
 */

/**
 * @param {string} folder
 * @returns {HitRun} of both fixtures
 */
export function hitFixtures(folder) {
  const workspace = join(folder, 'fixtures');
  writeWorkspace(workspace, { 'nx.json': { ...NX_JSON, plugins: ['@cdc-migrations/nx'] } });
  for (const name of ['adopus', 'asma'])
    cpSync(join(ROOT, 'fixtures', name), join(workspace, name), { recursive: true });
  return hitRun(workspace, 'adopus and asma');
}

/**
 * @param {string} folder
 * @param {number} tables
 * @returns {HitRun} of a repo with this number of tables
 */
export function hitSynthetic(folder, tables) {
  const workspace = join(folder, `tables-${tables}`);
  writeWorkspace(workspace, { 'nx.json': { ...NX_JSON, plugins: ['@cdc-migrations/nx'] } });
  writeSyntheticRepo(join(workspace, 'bench'), tables);
  return hitRun(workspace, `${tables} tables`);
}

/**
 * @param {string} workspace
 * @param {string} name
 * @returns {HitRun}
 */
function hitRun(workspace, name) {
  const argv = [...NX, 'run-many', '-t', 'migrations'];
  const run = { name: `migrations of ${name}`, argv, cwd: workspace };
  measureInTurn([run], 1);
  const tasks = countTasks(workspace);
  const floor = join(workspace, '../empty', String(tasks));
  writeEmptyWorkspace(floor, tasks);
  return {
    run: { ...run, name: `${run.name}, ${tasks} tasks` },
    floor: { name: `${tasks} empty tasks`, argv: [...NX, 'run', 'empty:all'], cwd: floor },
  };
}

/**
 * Counts the tasks of the last Nx run in a workspace. All must have been cache hits.
 *
 * @param {string} workspace
 */
function countTasks(workspace) {
  const run = /** @type {{ tasks: { taskId: string, cacheStatus: string }[] }} */ (
    JSON.parse(readFileSync(join(workspace, '.nx/cache/run.json'), 'utf8'))
  );
  const misses = run.tasks.filter(({ cacheStatus }) => !cacheStatus.startsWith('local-cache'));
  if (misses.length > 0)
    throw new Error(`not all hits: ${misses.map(({ taskId }) => taskId).join(', ')}`);
  return run.tasks.length;
}

const NX_JSON = { cacheDirectory: '.nx/cache', analytics: false };

/**
 * Writes a workspace with the same version of Nx, without plugins, and with one project of empty targets.
 *
 * @param {string} folder
 * @param {number} tasks
 */
function writeEmptyWorkspace(folder, tasks) {
  const names = Array.from({ length: tasks - 1 }, (_, i) => `task-${i}`);
  const target = { command: 'true', cache: true, inputs: [], outputs: [] };
  const targets = Object.fromEntries(names.map((name) => [name, target]));
  writeWorkspace(folder, {
    'nx.json': NX_JSON,
    'empty/project.json': {
      name: 'empty',
      targets: { ...targets, all: { ...target, dependsOn: names } },
    },
  });
}

/**
 * @param {string} folder
 * @param {Readonly<Record<string, object>>} files by path, as JSON
 */
function writeWorkspace(folder, files) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const texts = {
    '.env': 'NX_ISOLATE_PLUGINS=false\nNX_DAEMON=false\n',
    '.gitignore': 'node_modules\n.nx\n',
    'package.json': JSON.stringify({ name: 'bench-workspace', private: true }),
    ...Object.fromEntries(
      Object.entries(files).map(([path, content]) => [path, JSON.stringify(content)]),
    ),
  };
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}
