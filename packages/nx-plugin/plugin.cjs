'use strict';

const { resolve } = require('node:path');
const { buildProject, isRepo } = require('./src/build-project.cjs');
const { CLI_PACKAGE, findInstalledCli } = require('./src/find-installed-cli.cjs');
const { parseOptions } = require('./src/options.cjs');
const { readRepo } = require('./src/read-repo.cjs');
const { openOutlines } = require('./src/yaml-outline.cjs');

/** @import { CreateDependencies, CreateNodes, CreateNodesResult, DependencyType } from '@nx/devkit' */
/** @import { PluginOptions } from './src/options.cjs' */

const NO_REPO = /(^|\/)(node_modules|dist|tmp|cases)\//;

/**
 * Creates a project for every implementation repo of the workspace: every folder with a `source-groups.yaml`.
 *
 * @type {CreateNodes<PluginOptions>}
 */
const createNodes = [
  '**/source-groups.yaml',
  (files, options, { workspaceRoot }) => {
    const settings = parseOptions(options);
    const outlines = openOutlines(workspaceData(workspaceRoot));
    const installed = settings.cli ? [] : findInstalledCli(workspaceRoot);
    /** @type {[file: string, result: CreateNodesResult][]} */
    const results = [];
    /** @type {[file: string, error: Error][]} */
    const errors = [];
    for (const file of files.filter((path) => !NO_REPO.test(path))) {
      try {
        const repo = readRepo(workspaceRoot, file, outlines);
        results.push([
          file,
          { projects: { [repo.root]: buildProject(repo, settings, installed) } },
        ]);
      } catch (error) {
        errors.push([file, error instanceof Error ? error : new Error(String(error))]);
      }
    }
    outlines.write();
    if (errors.length > 0) throw new AggregateCreateNodesError(errors, results);
    return results;
  },
];

/**
 * Adds a dependency of every implementation repo on the npm package of the command line. Another version of that
 * package then affects the repos, and the graph shows the link.
 *
 * @type {CreateDependencies<PluginOptions>}
 */
function createDependencies(_, { projects, externalNodes = {} }) {
  const target = `npm:${CLI_PACKAGE}`;
  if (!Object.hasOwn(externalNodes, target)) return [];
  const type = /** @type {DependencyType.implicit} */ ('implicit');
  return Object.entries(projects)
    .filter(([, project]) => isRepo(project))
    .map(([source]) => ({ source, target, type }));
}

/**
 * Copy of the error class of `@nx/devkit`, which Nx recognizes by name. Loading `@nx/devkit` would take a quarter of a
 * run.
 */
class AggregateCreateNodesError extends Error {
  /**
   * @param {[file: string, error: Error][]} errors
   * @param {[file: string, result: CreateNodesResult][]} partialResults of the files without errors
   */
  constructor(errors, partialResults) {
    super('Failed to create nodes');
    this.name = 'AggregateCreateNodesError';
    this.errors = errors;
    this.partialResults = partialResults;
  }
}

/**
 * Returns the folder where Nx keeps its cached facts about the workspace.
 *
 * @param {string} workspaceRoot
 */
function workspaceData(workspaceRoot) {
  return resolve(workspaceRoot, process.env['NX_WORKSPACE_DATA_DIRECTORY'] ?? '.nx/workspace-data');
}

module.exports = { createNodes, createNodesV2: createNodes, createDependencies };
