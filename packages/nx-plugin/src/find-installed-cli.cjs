'use strict';

const { existsSync, readFileSync } = require('node:fs');
const { join, sep } = require('node:path');

const CLI_PACKAGE = '@cdc-migrations/cli';
const LOCKFILES = ['package-lock.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock'];

/**
 * Returns the npm package of the command line if Nx knows it. Nx rejects an external dependency unless it is installed
 * and in the lockfile.
 *
 * @param {string} workspaceRoot
 * @returns {readonly string[]}
 */
function findInstalledCli(workspaceRoot) {
  const lockfile = LOCKFILES.map((name) => join(workspaceRoot, name)).find(existsSync);
  const known = lockfile !== undefined && readFileSync(lockfile).includes(CLI_PACKAGE);
  return known && isInstalled(workspaceRoot) ? [CLI_PACKAGE] : [];
}

/**
 * @param {string} workspaceRoot
 * @returns {boolean} false also for a package of the workspace itself, which is only linked
 */
function isInstalled(workspaceRoot) {
  try {
    return require
      .resolve('@cdc-migrations/cli/package.json', { paths: [workspaceRoot, __dirname] })
      .includes(`${sep}node_modules${sep}`);
  } catch {
    return false; // `require.resolve` throws only if the package is not installed.
  }
}

module.exports = { CLI_PACKAGE, findInstalledCli };
