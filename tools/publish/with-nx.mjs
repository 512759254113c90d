import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  compareRepo,
  copyRepo,
  installIn,
  makeFolder,
  succeedIn,
  writeFiles,
} from './foreign-folder.mjs';
import { expectEqual } from './expect-equal.mjs';
import { EXAMPLES, ROOT } from './packages.mjs';

/** @import { Step } from './check-tarballs.mjs' */

const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** Nx version of the other workspace. The default is ours. */
const NX_VERSION = process.env['CDC_NX_VERSION'] ?? devDependencies.nx;

const FIXTURES = ['adopus', 'asma'];
/** Prevents a daemon that would continue to run. */
const NX = { NX_DAEMON: 'false' };

/**
 * Tests an Nx workspace from `npm install` to applied migrations.
 *
 * @param {ReadonlyMap<string, string>} tarballs by package
 * @param {Step} step
 */
export async function tryWithNx(tarballs, step) {
  const folder = makeFolder('with-nx', {
    'package.json': { name: 'foreign', private: true, devDependencies: { nx: NX_VERSION } },
    'nx.json': { defaultBase: 'main' },
    '.gitignore': 'node_modules\n.nx\n.cdc\n',
  });
  succeedIn(folder, 'git', ['init', '--quiet', '--initial-branch=main']);
  // Nx confuses the caches of repositories without a commit, so there is a first commit.
  commitAll(folder);
  await step('npm install', () => install(folder, tarballs));
  await step('examples/nx.sh: init, a new repo, its migrations', () => {
    succeedIn(folder, 'sh', [join(EXAMPLES, 'nx.sh')], NX);
    const { plugins } = JSON.parse(readFileSync(join(folder, 'nx.json'), 'utf8'));
    expectEqual(plugins, ['@cdc-migrations/nx']);
  });
  await step('a new repo of the other pattern and copied ones are projects, too', () => {
    const args = ['repos/shop', '--pattern=db-shared', '--no-interactive'];
    nx(folder, ['generate', '@cdc-migrations/nx:implementation', ...args]);
    for (const name of FIXTURES) copyRepo(name, join(folder, 'repos', name));
    const projects = JSON.parse(nx(folder, ['show', 'projects', '--json']));
    expectEqual(projects.sort(), ['acme', ...FIXTURES, 'shop']);
  });
  await step('the first run makes all, and of the fixtures the same bytes', () => {
    expectEqual(runTasks(folder, ['run-many', '-t', 'migrations']).hits, 6); // acme
    runTasks(folder, ['run-many', '-t', 'pipelines']);
    for (const name of FIXTURES) expectEqual(compareRepo(name, join(folder, 'repos', name)), []);
  });
  await step('the second run is all hits', () => {
    expectEqual(runTasks(folder, ['run-many', '-t', 'migrations']), { run: [], hits: 24 });
  });
  await step(
    'affected builds the repo that a commit touches, and of it what depends on the change',
    () => {
      commitAll(folder);
      changeOneTable(folder);
      commitAll(folder);
      expectEqual(runTasks(folder, ['affected', '-t', 'migrations', '--base=HEAD~1']), {
        run: ['migrations', 'staging', 'table-defs', 'tables'].map((name) => `adopus:${name}`),
        hits: 2,
      });
    },
  );
  await step('apply on the embedded target, and nothing is to be done afterwards', () => {
    for (const project of ['acme', 'shop']) {
      nx(folder, ['run', `${project}:apply`]);
      nx(folder, ['run', `${project}:status`]);
      nx(folder, ['run', `${project}:check`]);
    }
  });
}

/**
 * @param {string} folder
 * @param {ReadonlyMap<string, string>} tarballs
 */
function install(folder, tarballs) {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  // Overrides the command line, the plugin's dependency, in place of a registry.
  const overrides = { '@cdc-migrations/cli': `file:${tarballs.get('@cdc-migrations/cli')}` };
  writeFiles(folder, { 'package.json': { ...manifest, overrides } });
  installIn(folder, ['--save-dev', `file:${tarballs.get('@cdc-migrations/nx')}`]);
}

/**
 * @param {string} folder
 * @param {readonly string[]} args
 * @returns {string} what it prints
 */
function nx(folder, args) {
  return succeedIn(folder, 'npx', ['--no-install', 'nx', ...args], NX);
}

/**
 * Runs tasks. Returns the tasks that ran, and the number of cache hits.
 *
 * @param {string} folder
 * @param {readonly string[]} args
 * @returns {{ readonly run: readonly string[], readonly hits: number }}
 */
function runTasks(folder, args) {
  const lines = [...nx(folder, args).matchAll(/^> nx run (\S+)( +\[.*\])?$/gm)];
  const run = lines.filter(([, , hit]) => hit === undefined).map(([, task = '']) => task);
  return { run: run.sort(), hits: lines.length - run.length };
}

/** @param {string} folder */
function commitAll(folder) {
  const git = (/** @type {string[]} */ ...args) => succeedIn(folder, 'git', args);
  const who = ['-c', 'user.name=A', '-c', 'user.email=a@example.com'];
  git('add', '--all');
  git(...who, 'commit', '--quiet', '--message=A change');
}

/**
 * Ignores one more column of adopus.
 *
 * @param {string} folder
 */
function changeOneTable(folder) {
  const path = 'repos/adopus/services/adopus.yaml';
  const text = readFileSync(join(folder, path), 'utf8');
  const changed = text.replace('dbo.Distrikt: {}', 'dbo.Distrikt: { ignore_columns: [Enhet] }');
  if (changed === text) throw new Error(`${path}: no dbo.Distrikt: {}`);
  writeFiles(folder, { [path]: changed });
}
