'use strict';

/** @import { ProjectConfiguration, TargetConfiguration } from '@nx/devkit' */
/** @import { PluginOptions } from './options.cjs' */
/** @import { Repo } from './read-repo.cjs' */
/** @import { Stage } from './stages.cjs' */

const { STAGES } = require('./stages.cjs');
const { targetName } = require('./options.cjs');

const TARGET_GROUP = 'CDC migrations';
const TECHNOLOGIES = ['cdc', 'postgresql'];

/**
 * The Nx project of an implementation repo.
 *
 * @param {Repo} repo
 * @param {PluginOptions} options
 * @param {readonly string[]} installed the command line's npm package, where Nx knows it
 * @returns {Omit<ProjectConfiguration, 'root'>}
 */
function buildProject(repo, options, installed) {
  const targets = Object.fromEntries(
    STAGES.map((stage) => [
      targetName(stage.name, options),
      buildTarget(stage, repo, options, installed),
    ]),
  );
  return {
    name: repo.name,
    targets,
    ...(options.cli && { implicitDependencies: [options.cli.project] }),
    metadata: {
      technologies: TECHNOLOGIES,
      description: `Implementation repo ${repo.name}: migrations of its change data capture`,
      targetGroups: { [TARGET_GROUP]: Object.keys(targets) },
    },
  };
}

/**
 * @param {Stage} stage
 * @param {Repo} repo
 * @param {PluginOptions} options
 * @param {readonly string[]} installed
 * @returns {TargetConfiguration}
 */
function buildTarget(stage, repo, options, installed) {
  const { cli } = options;
  return {
    command: stage.command,
    options: { cwd: repo.root },
    dependsOn: [
      ...stage.after.map((name) => targetName(name, options)),
      ...(cli ? [{ projects: [cli.project], target: 'build' }] : []),
    ],
    cache: stage.cache,
    ...(stage.cache && cachedBy(stage, repo, options, installed)),
    metadata: {
      technologies: TECHNOLOGIES,
      description: stage.description,
      help: { command: `npx ${stage.command.split(' --')[0]} --help`, example: {} },
    },
  };
}

/**
 * What a cached target reads and writes.
 *
 * @param {Stage} stage
 * @param {Repo} repo
 * @param {PluginOptions} options
 * @param {readonly string[]} installed
 * @returns {Pick<TargetConfiguration, 'inputs' | 'outputs'>}
 */
function cachedBy(stage, repo, { cli }, installed) {
  return {
    inputs: [
      ...stage.files(repo).map((glob) => `{projectRoot}/${glob}`),
      ...stage.takes.map((glob) => ({ dependentTasksOutputFiles: inWorkspace(repo, glob) })),
      ...stage.env.map((env) => ({ env })),
      ...(cli ? [{ input: 'production', projects: stage.packages.map(packageName) }] : []),
      { externalDependencies: [...(cli ? (cli.externalDependencies ?? []) : installed)] },
    ],
    outputs: stage.writes(repo).map((path) => `{projectRoot}/${path}`),
  };
}

/**
 * @param {Repo} repo
 * @param {string} glob
 */
const inWorkspace = (repo, glob) => (repo.root === '.' ? glob : `${repo.root}/${glob}`);

/** @param {string} folder */
const packageName = (folder) => `@cdc-migrations/${folder}`;

module.exports = { buildProject };
