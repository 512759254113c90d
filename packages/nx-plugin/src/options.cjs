'use strict';

/**
 * Options of the plugin in nx.json: `<stage>TargetName` renames a target (`tableDefsTargetName: 'defs'`).
 *
 * @typedef {{ readonly [option: `${string}TargetName`]: string | undefined } & { readonly cli?: LocalCli }} PluginOptions
 */

/**
 * A command line that is built in the same workspace, instead of one from npm.
 *
 * @typedef {object} LocalCli
 * @property {string} project its Nx project, with a target `build`
 * @property {readonly string[]} [externalDependencies] npm packages whose version can change what it writes
 */

/**
 * @param {string} stage
 * @param {PluginOptions} options
 * @returns {string}
 */
function targetName(stage, options) {
  const camelCase = stage.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
  return options[`${camelCase}TargetName`] ?? stage;
}

module.exports = { targetName };
