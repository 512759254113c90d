'use strict';

/** @import { ProjectConfiguration, TargetConfiguration } from '@nx/devkit' */
/** @import { Settings } from './options.cjs' */
/** @import { Repo } from './read-repo.cjs' */
/** @import { Stage } from './stages.cjs' */

const { STAGES } = require('./stages.cjs');

const TECHNOLOGIES = ['cdc', 'postgresql'];

/** Characters that Nx reads as part of a glob in every path. Outputs have no way to escape them. */
const GLOB = /[[\]{}()!*?\\]/;
const NOT_CACHEABLE =
  'not cached, because Nx takes [ ] { } ( ) ! * ? \\ in the name of a folder for a glob';

/**
 * Builds the Nx project of an implementation repo.
 *
 * @param {Repo} repo
 * @param {Settings} settings
 * @param {readonly string[]} installed npm package of the command line, if Nx knows it
 * @returns {Omit<ProjectConfiguration, 'root'>}
 */
function buildProject(repo, settings, installed) {
  const { stages, targetName, cli } = settings;
  return {
    name: repo.name,
    targets: Object.fromEntries(
      stages.map((stage) => [
        targetName(stage.name),
        buildTarget(stage, repo, settings, installed),
      ]),
    ),
    ...(cli && { implicitDependencies: [cli.project] }),
    metadata: {
      technologies: TECHNOLOGIES,
      description:
        `Implementation repo ${repo.name}: migrations of its change data capture` +
        (isCacheable(repo) ? '' : `; ${NOT_CACHEABLE}`),
      targetGroups: groupTargets(settings),
    },
  };
}

/**
 * @param {Settings} settings
 * @returns {Record<string, string[]>}
 */
function groupTargets({ stages, targetName }) {
  /** @type {Record<string, string[]>} */
  const groups = {};
  for (const { name, group } of stages) (groups[group] ??= []).push(targetName(name));
  return groups;
}

/**
 * @param {Stage} stage
 * @param {Repo} repo
 * @param {Settings} settings
 * @param {readonly string[]} installed
 * @returns {TargetConfiguration}
 */
function buildTarget(stage, repo, settings, installed) {
  const { cli, targetName, defaultEnv } = settings;
  const command = stage.asks === 'sinks' ? `${stage.command} --env ${defaultEnv}` : stage.command;
  return {
    command,
    options: { cwd: repo.root },
    dependsOn: [
      ...stage.after.map(targetName),
      ...(cli ? [{ projects: [cli.project], target: 'build' }] : []),
    ],
    cache: stage.cache && isCacheable(repo),
    ...(isCacheable(repo)
      ? stage.cache && cachedBy(stage, repo, settings, installed)
      : { inputs: [{ externalDependencies: [] }] }), // without the usual inputs, which are globs
    metadata: {
      technologies: TECHNOLOGIES,
      description: stage.description,
      help: {
        command: `npx --no-install ${stage.command.split(' --')[0]} --help`,
        example: stage.asks === 'sinks' ? { options: { args: '--env=prod' } } : {},
      },
    },
  };
}

/**
 * Returns true if Nx finds all files that the targets of a repo read and write. Otherwise Nx would hash none of them,
 * restore nothing, or use another folder.
 *
 * @param {Repo} repo
 */
function isCacheable({ root, setFolders }) {
  return ![root, ...setFolders].some((path) => GLOB.test(path));
}

/**
 * Builds the inputs and outputs of a cached target.
 *
 * @param {Stage} stage
 * @param {Repo} repo
 * @param {Settings} settings
 * @param {readonly string[]} installed
 * @returns {Pick<TargetConfiguration, 'inputs' | 'outputs'>}
 */
function cachedBy(stage, repo, { cli }, installed) {
  return {
    inputs: [
      ...stage.files(repo).map(inProject),
      ...stage.takes.map((glob) => ({ dependentTasksOutputFiles: inWorkspace(repo, glob) })),
      ...stage.env.map((env) => ({ env })),
      ...(cli ? [{ input: 'production', projects: stage.packages.map(packageName) }] : []),
      { externalDependencies: [...(cli ? (cli.externalDependencies ?? []) : installed)] },
    ],
    outputs: stage.writes(repo).map((path) => `{projectRoot}/${path}`),
  };
}

/** @param {string} glob may begin with `!` */
const inProject = (glob) =>
  glob.startsWith('!') ? `!{projectRoot}/${glob.slice(1)}` : `{projectRoot}/${glob}`;

/**
 * @param {Repo} repo
 * @param {string} glob
 */
const inWorkspace = (repo, glob) => (repo.root === '.' ? glob : `${repo.root}/${glob}`);

/** @param {string} folder */
const packageName = (folder) => `@cdc-migrations/${folder}`;

/**
 * @param {ProjectConfiguration} project
 * @returns {boolean} true if the plugin created the project
 */
function isRepo({ metadata }) {
  return STAGES.some(({ group }) => Object.hasOwn(metadata?.targetGroups ?? {}, group));
}

module.exports = { buildProject, isRepo };
