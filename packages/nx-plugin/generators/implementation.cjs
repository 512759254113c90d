'use strict';

const { spawnSync } = require('node:child_process');
const { realpathSync } = require('node:fs');
const { dirname, join } = require('node:path');
const init = require('./init.cjs');

/** @import { Tree } from '@nx/devkit' */

/**
 * @typedef {object} Options
 * @property {string} folder
 * @property {string} pattern
 * @property {string} [type]
 * @property {string} [name]
 * @property {string} [service]
 * @property {string} [ci]
 */

/**
 * @typedef {object} Scaffold output of `cdc init --json`
 * @property {string} workspace
 * @property {readonly { readonly path: string, readonly action: string, readonly text: string }[]} files
 * @property {readonly string[]} next
 */

/**
 * Creates an implementation repo like `cdc init` and adds the plugin to nx.json.
 *
 * @param {Tree} tree
 * @param {Options} options
 * @returns {Promise<() => void>} prints the next steps after the files are written
 * @throws {Error} if options are wrong or files exist already, with all of them
 */
async function implementation(tree, { folder, ...options }) {
  const { files, next } = planScaffold(tree.root, [
    folder,
    ...Object.entries(options).map(([option, value]) => `--${option}=${value}`),
  ]);
  const inTheWay = files.filter(({ path, action }) => action === 'create' && tree.exists(path));
  if (inTheWay.length > 0) {
    throw new Error(inTheWay.map(({ path }) => `${path}: exists already`).join('\n'));
  }
  for (const { path, action, text } of files) if (action !== 'keep') tree.write(path, text);
  await init(tree);
  return () => console.log(['Next:', ...next.map((step, at) => `${at + 1}. ${step}`)].join('\n'));
}

/**
 * @param {string} root of the workspace
 * @param {readonly string[]} args
 * @returns {Scaffold}
 */
function planScaffold(root, args) {
  const cli = dirname(require.resolve('@cdc-migrations/cli/package.json'));
  const command = [join(cli, 'bin/cdc.js'), 'init', ...args, '--nx', '--dry-run', '--json'];
  const { stdout, stderr, status, error } = spawnSync(process.execPath, command, {
    cwd: root,
    encoding: 'utf8',
  });
  if (error) throw error;
  if (status !== 0) throw new Error(stderr.trim());
  /** @type {Scaffold} */
  const scaffold = JSON.parse(stdout);
  if (realpathSync(scaffold.workspace) !== realpathSync(root)) {
    throw new Error(
      `${args[0]}: is in the workspace ${scaffold.workspace}; choose a folder of this one`,
    );
  }
  return scaffold;
}

module.exports = implementation;
