'use strict';

const { addPlugin } = require('./add-plugin.cjs');

/** @import { Tree } from '@nx/devkit' */

const ISOLATION = 'NX_ISOLATE_PLUGINS';

/**
 * Adds the plugin to nx.json and the variable that speeds up the start of Nx to .env. Changes nothing if nx.json has
 * the plugin already, because the user chose `isolatePlugins` then.
 *
 * @param {Tree} tree
 * @param {{ readonly isolatePlugins?: boolean }} [options]
 * @returns {Promise<void>}
 */
async function init(tree, { isolatePlugins = false } = {}) {
  const nxJson = tree.read('nx.json', 'utf8');
  if (nxJson === null) {
    throw new Error(
      'nx.json: not found; run `npx nx init` first, or use `npx --no-install cdc init`',
    );
  }
  const added = addPlugin(nxJson);
  if (added === nxJson) return;
  tree.write('nx.json', added);
  if (!isolatePlugins) addToEnv(tree);
}

/** @param {Tree} tree */
function addToEnv(tree) {
  const before = tree.read('.env', 'utf8') ?? '';
  if (new RegExp(`^\\s*(export\\s+)?${ISOLATION}\\s*=`, 'm').test(before)) return;
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  tree.write('.env', `${before}${gap}${ISOLATION}=false\n`);
}

module.exports = init;
