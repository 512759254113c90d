/**
 * Runs a short form of the checks on every version of Node and Nx that is supported: the fixtures generate the same
 * bytes, tests that need no database pass, and the tarballs work. The npm package `node` has the binaries of Node.
 *
 *     npm run check:versions -- [node] [nx]
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT } from './packages.mjs';

const NODES = ['20.19', '22', '24'];
/** The other version that users have; the workspace has one itself. */
const NXES = ['24'];
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

/**
 * @param {string} version
 * @returns {string} the folder of the program
 */
function installNode(version) {
  const folder = join(ROOT, 'tmp/versions', `node-${version}`);
  const bin = join(folder, 'node_modules/node/bin');
  if (existsSync(join(bin, 'node'))) return bin;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--no-audit', '--no-fund', '--prefix', folder, `node@${version}`];
  const { status, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm ${args.join(' ')}: exit ${status}\n${stderr}`);
  return bin;
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
