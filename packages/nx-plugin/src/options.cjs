'use strict';

const { STAGES } = require('./stages.cjs');

/** @import { Stage } from './stages.cjs' */

/**
 * Options of the plugin in nx.json. `<stage>TargetName` renames a target (`tableDefsTargetName: 'defs'`).
 *
 * @typedef {{ readonly [option: `${string}TargetName`]: string | undefined } & OtherOptions} PluginOptions
 */

/**
 * @typedef {object} OtherOptions
 * @property {string} [defaultEnv] default environment of the targets that work on sinks
 * @property {readonly string[]} [leaveOut] stages without a target
 * @property {LocalCli} [cli]
 */

/**
 * A command line that is built in the same workspace instead of one from npm.
 *
 * @typedef {object} LocalCli
 * @property {string} project its Nx project, with a target `build`
 * @property {readonly string[]} [externalDependencies] npm packages whose version can change its output
 */

/**
 * Options with all defaults filled in.
 *
 * @typedef {object} Settings
 * @property {readonly Stage[]} stages those with a target
 * @property {(stage: string) => string} targetName
 * @property {string} defaultEnv
 * @property {LocalCli | undefined} cli
 */

const PLACE = 'nx.json, options of @cdc-migrations/nx';

/**
 * @param {unknown} [options]
 * @returns {Settings}
 * @throws {Error} with every wrong option
 */
function parseOptions(options = {}) {
  if (!isMapping(options)) throw new Error(`${PLACE}: expected a mapping`);
  const problems = [
    ...unknownOptions(options),
    ...wrongNames(options),
    ...wrongStages(options['leaveOut']),
    ...wrongEnv(options['defaultEnv']),
    ...wrongCli(options['cli']),
  ];
  if (problems.length > 0) {
    throw new Error(problems.map((problem) => `${PLACE}: ${problem}`).join('\n'));
  }
  const { leaveOut = [], defaultEnv = 'embedded', cli } = /** @type {PluginOptions} */ (options);
  return {
    stages: STAGES.filter(({ name }) => !leaveOut.includes(name)),
    targetName: (stage) => nameOf(stage, options),
    defaultEnv,
    cli,
  };
}

/** @param {Record<string, unknown>} options */
function unknownOptions(options) {
  const known = ['defaultEnv', 'leaveOut', 'cli', ...STAGES.map(({ name }) => optionOf(name))];
  return Object.keys(options)
    .filter((option) => !known.includes(option))
    .map((option) => `unknown option "${option}"; known: ${known.join(', ')}`);
}

/** @param {Record<string, unknown>} options */
function wrongNames(options) {
  const wrong = STAGES.map(({ name }) => optionOf(name)).filter((option) => {
    const name = options[option];
    return name !== undefined && !(typeof name === 'string' && /^[^\s:]+$/.test(name));
  });
  if (wrong.length > 0) {
    return wrong.map((option) => `${option}: expected a name without blanks and colons`);
  }
  const names = STAGES.map(({ name }) => nameOf(name, options));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice === undefined ? [] : [`two targets would be called "${twice}"; rename one of them`];
}

/** @param {unknown} leaveOut */
function wrongStages(leaveOut) {
  if (leaveOut === undefined) return [];
  const names = STAGES.map(({ name }) => name);
  if (!Array.isArray(leaveOut)) return [`leaveOut: expected a list of ${names.join(', ')}`];
  const unknown = leaveOut.filter((name) => !names.includes(name));
  const needed = STAGES.filter(({ name }) => !leaveOut.includes(name)).flatMap(({ name, after }) =>
    after.filter((before) => leaveOut.includes(before)).map((before) => ({ name, before })),
  );
  return [
    ...unknown.map((name) => `leaveOut: no stage "${name}"; known: ${names.join(', ')}`),
    ...needed.map(
      ({ name, before }) => `leaveOut: "${name}" needs "${before}"; exclude both, or none`,
    ),
  ];
}

/** @param {unknown} env */
function wrongEnv(env) {
  if (env === undefined || (typeof env === 'string' && /^[\w.-]+$/.test(env))) return [];
  return ['defaultEnv: expected the name of an environment of the sinks, or embedded'];
}

/** @param {unknown} cli */
function wrongCli(cli) {
  if (cli === undefined) return [];
  const { project, externalDependencies = [] } = isMapping(cli) ? cli : {};
  return typeof project === 'string' && Array.isArray(externalDependencies)
    ? []
    : ['cli: expected { project: "<Nx project>", externalDependencies: ["<npm package>"] }'];
}

/**
 * @param {string} stage
 * @param {Record<string, unknown>} options
 * @returns {string}
 */
function nameOf(stage, options) {
  return /** @type {string | undefined} */ (options[optionOf(stage)]) ?? stage;
}

/** @param {string} stage `table-defs` gives `tableDefsTargetName` */
function optionOf(stage) {
  return `${stage.replace(/-(\w)/g, (_, letter) => letter.toUpperCase())}TargetName`;
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isMapping(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

module.exports = { parseOptions };
