import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { ROOT } from './packages.mjs';

/** @typedef {{ readonly status: number | null, readonly stdout: string, readonly stderr: string }} Ended */

/** Variables that npm sets for scripts of a package. */
const OF_THIS_PACKAGE = /^(npm_(package|lifecycle)_|npm_config_local_prefix$|NODE_ENV$|NX_)/;
const ENV = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !OF_THIS_PACKAGE.test(name)),
);

/** @type {string[]} */
const made = [];

/**
 * Creates a folder outside of this workspace, with files. Other users have access, because servers do not run as root.
 *
 * @param {string} name
 * @param {Readonly<Record<string, string | object>>} files by path; an object is JSON
 * @returns {string}
 */
export function makeFolder(name, files) {
  const folder = mkdtempSync(join(tmpdir(), `cdc-${name}-`));
  chmodSync(folder, 0o755);
  made.push(folder);
  writeFiles(folder, files);
  return folder;
}

/**
 * @param {string} folder
 * @param {Readonly<Record<string, string | object>>} files by path; an object is JSON
 */
export function writeFiles(folder, files) {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    const text = typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`;
    writeFileSync(join(folder, path), text);
  }
}

/**
 * Removes all folders, and the embedded PostgreSQL of each implementation repo in them, which may be elsewhere.
 */
export function removeFolders() {
  for (const folder of made.splice(0)) {
    for (const path of listFiles(folder).filter((file) => file.endsWith('.cdc/embedded/place')))
      rmSync(readFileSync(join(folder, path), 'utf8').trim(), { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Runs a command and waits for its end.
 *
 * @param {string} folder
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string>>} [env] besides that of this process
 * @returns {Ended}
 */
export function runIn(folder, command, args, env = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
    env: { ...ENV, CI: 'true', NO_COLOR: '1', NX_DEFAULT_OUTPUT_STYLE: 'static', ...env },
    maxBuffer: 1 << 26,
  });
  if (error) throw error;
  return { status, stdout, stderr };
}

/**
 * Runs a command that must succeed.
 *
 * @param {Parameters<typeof runIn>} args
 * @returns {string} its standard output
 */
export function succeedIn(...args) {
  const { status, stdout, stderr } = runIn(...args);
  const [, command, words] = args;
  if (status === 0) return stdout;
  throw new Error(`${command} ${words.join(' ')}: exit ${status}\n${stdout}\n${stderr}`);
}

/**
 * @param {string} folder with a `package.json`
 * @param {readonly string[]} [args]
 */
export function installIn(folder, args = []) {
  succeedIn(folder, 'npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...args]);
}

/**
 * Copies an implementation repo of `fixtures/` without generated files, except for the snapshots.
 *
 * @param {string} name
 * @param {string} folder
 */
export function copyRepo(name, folder) {
  cpSync(join(ROOT, 'fixtures', name), folder, {
    recursive: true,
    filter: (path) => !/[\\/](\.cdc|table-definitions)([\\/]|$)/.test(path),
  });
  for (const path of listFiles(folder)) {
    const isOurs = /^(--|#) DO NOT EDIT/.test(readFileSync(join(folder, path), 'utf8'));
    if (isOurs && !path.startsWith('generated/schemas/')) rmSync(join(folder, path));
  }
}

/**
 * Compares an implementation repo with the one of `fixtures/`, including all generated files.
 *
 * @param {string} name
 * @param {string} folder
 * @returns {string[]} paths of files that are not the same, byte for byte, or on one side only
 */
export function compareRepo(name, folder) {
  const expected = join(ROOT, 'fixtures', name);
  const paths = new Set([...listFiles(expected), ...listFiles(folder)]);
  /** @type {(root: string, path: string) => Buffer} */
  const read = (root, path) =>
    existsSync(join(root, path)) ? readFileSync(join(root, path)) : Buffer.from('none');
  return [...paths]
    .filter((path) => !path.startsWith('.cdc/'))
    .filter((path) => !read(expected, path).equals(read(folder, path)));
}

/**
 * @param {string} folder
 * @returns {string[]} relative, with `/`, in order; nothing of `node_modules`
 */
function listFiles(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (!entry.isDirectory()) return [path];
      return entry.name === 'node_modules' ? [] : listFiles(path).map((child) => join(path, child));
    })
    .map((path) => relative(folder, path).replaceAll('\\', '/'))
    .sort();
}
