'use strict';

const { existsSync, lstatSync, readdirSync, readFileSync } = require('node:fs');
const { join, posix } = require('node:path');

/** @import { openOutlines } from './yaml-outline.cjs' */

/**
 * Facts of an implementation repo that its targets depend on.
 *
 * @typedef {object} Repo
 * @property {string} root relative to the workspace, `.` for the workspace itself
 * @property {string} name of the project
 * @property {readonly string[]} setFolders folders of the migration sets, relative to the repo
 */

/**
 * Reads the implementation repo around a `source-groups.yaml`.
 *
 * @param {string} workspaceRoot
 * @param {string} sourceGroups path of the file, relative to the workspace
 * @param {ReturnType<typeof openOutlines>} outlines
 * @returns {Repo}
 * @throws {Error} if a YAML file cannot be read, with file and line
 */
function readRepo(workspaceRoot, sourceGroups, outlines) {
  const root = posix.dirname(sourceGroups);
  /** @param {string} path relative to the repo */
  const outlineOf = (path) => {
    const file = posix.join(root, path);
    refuseLinks(join(workspaceRoot, root), path, file);
    return outlines.read(readFileSync(join(workspaceRoot, file), 'utf8'), file);
  };
  const [firstGroup] = outlineOf('source-groups.yaml').keys;
  const name = readOwnName(workspaceRoot, root) ?? firstGroup;
  if (name === undefined) {
    throw new Error(`${sourceGroups}: no source group; the first one names the project`);
  }
  const sinks = new Set(
    listServices(join(workspaceRoot, root)).flatMap((path) => outlineOf(path).sinks),
  );
  const outside = [...sinks].find((sink) => /[\\/]|^\.{0,2}$/.test(sink));
  if (outside !== undefined) {
    throw new Error(
      `${posix.join(root, 'services')}: expected a sink that can name a folder, found "${outside}"`,
    );
  }
  return {
    root,
    name,
    setFolders:
      sinks.size > 1 ? [...sinks].sort().map((sink) => `migrations/${sink}`) : ['migrations'],
  };
}

/**
 * Throws if a path contains a symbolic link. The command line rejects links too, because they could lead out of the
 * repo.
 *
 * @param {string} folder
 * @param {string} path
 * @param {string} file for errors
 * @throws {Error}
 */
function refuseLinks(folder, path, file) {
  let at = folder;
  for (const part of path.split('/')) {
    at = join(at, part);
    if (lstatSync(at).isSymbolicLink()) {
      throw new Error(`${file}: expected a file or folder in the repo itself, found a link`);
    }
  }
}

/**
 * Lists files `services/<service>.yaml`. A name that begins with `_` is not a service.
 *
 * @param {string} folder
 * @returns {string[]}
 */
function listServices(folder) {
  if (!existsSync(join(folder, 'services'))) return [];
  return readdirSync(join(folder, 'services'))
    .filter((file) => file.endsWith('.yaml') && !file.startsWith('_'))
    .map((file) => `services/${file}`);
}

/**
 * Returns the name that other plugins of Nx give to a project in this folder.
 *
 * @param {string} workspaceRoot
 * @param {string} folder
 * @returns {string | undefined}
 * @throws {Error} if a file is not JSON or its name is not a text
 */
function readOwnName(workspaceRoot, folder) {
  const [project, npm] = ['project.json', 'package.json'].map((name) => {
    const file = posix.join(folder, name);
    const path = join(workspaceRoot, file);
    return { file, json: existsSync(path) ? parseJson(readFileSync(path, 'utf8'), file) : {} };
  });
  return nameIn(project, 'name') ?? nameIn(npm, 'nx', 'name') ?? nameIn(npm, 'name');
}

/**
 * @param {{ readonly file: string, readonly json: unknown } | undefined} document
 * @param {readonly string[]} keys
 * @returns {string | undefined}
 */
function nameIn(document, ...keys) {
  const name = keys.reduce(
    (value, key) => /** @type {Record<string, unknown> | undefined} */ (value)?.[key],
    document?.json,
  );
  if (name === undefined || name === null || (typeof name === 'string' && name !== '')) {
    return name ?? undefined;
  }
  throw new Error(`${document?.file} ${keys.join('.')}: expected the name of a project`);
}

/**
 * Parses JSON like Nx, with comments.
 *
 * @param {string} text
 * @param {string} file for errors
 * @returns {unknown}
 */
function parseJson(text, file) {
  try {
    return JSON.parse(text);
  } catch {
    return parseWithComments(text, file);
  }
}

/**
 * @param {string} text
 * @param {string} file for errors
 * @returns {unknown}
 */
function parseWithComments(text, file) {
  const { parse, printParseErrorCode } = require('jsonc-parser');
  /** @type {import('jsonc-parser').ParseError[]} */
  const errors = [];
  let json;
  try {
    json = parse(text, errors, { allowTrailingComma: true, disallowComments: false });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // The parser calls itself for each level and runs out of stack.
    throw new Error(`${file}: invalid JSON: nested too deeply`);
  }
  if (!errors[0]) return json;
  const line = text.slice(0, errors[0].offset).split('\n').length;
  throw new Error(`${file}:${line}: invalid JSON: ${printParseErrorCode(errors[0].error)}`);
}

module.exports = { readRepo };
