'use strict';

const { createHash } = require('node:crypto');
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

/**
 * Names in a YAML file that decide the shape of a project.
 *
 * @typedef {object} Outline
 * @property {readonly string[]} keys at the top
 * @property {readonly string[]} sinks keys under `sinks`, at the top or one level below
 */

/**
 * Caches outlines of files in `folder`, by the hash of the text. Parsing them at every start of Nx would take about 20
 * ms for a repo of 39 tables and 100 ms for one of 4,000.
 *
 * @param {string} folder
 */
function openOutlines(folder) {
  const file = join(folder, 'cdc-migrations-outlines.json');
  const kept = readKept(file);
  /** @type {Record<string, Outline>} */
  const used = {};
  let isNew = false;
  return {
    /**
     * @param {string} text
     * @param {string} path for errors
     * @returns {Outline}
     * @throws {Error} `services/adopus.yaml:14: what is wrong`
     */
    read(text, path) {
      const hash = createHash('sha1').update(text).digest('hex');
      isNew ||= !Object.hasOwn(kept, hash);
      return (used[hash] = kept[hash] ?? parseOutline(text, path));
    },
    write() {
      if (!isNew) return;
      mkdirSync(folder, { recursive: true });
      writeFileSync(`${file}.${process.pid}`, JSON.stringify(used));
      renameSync(`${file}.${process.pid}`, file);
    },
  };
}

/**
 * @param {string} file
 * @returns {Record<string, Outline>}
 */
function readKept(file) {
  try {
    const kept = JSON.parse(readFileSync(file, 'utf8'));
    return Object.fromEntries(Object.entries(kept).filter(([, outline]) => isOutline(outline)));
  } catch {
    return {}; // Missing or damaged cache: everything is parsed and cached again.
  }
}

/**
 * @param {unknown} value
 * @returns {value is Outline}
 */
function isOutline(value) {
  return isMapping(value) && [value['keys'], value['sinks']].every(isListOfTexts);
}

/** @param {unknown} value */
function isListOfTexts(value) {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/**
 * @param {string} text
 * @param {string} path
 * @returns {Outline}
 */
function parseOutline(text, path) {
  const document = parseYaml(text, path);
  if (!isMapping(document)) return { keys: [], sinks: [] };
  const sinks = [document, ...Object.values(document)]
    .map((value) => (isMapping(value) ? value['sinks'] : undefined))
    .flatMap((value) => (isMapping(value) ? Object.keys(value) : []));
  return { keys: Object.keys(document), sinks };
}

/** Size limit of a file of users, the same as in the command line. */
const MAX_LETTERS = 5_000_000;

/**
 * Limit of merged keys, the same as in the command line.
 *
 * @type {import('js-yaml').LoadOptions & { readonly maxTotalMergeKeys: number }}
 */
const OPTIONS = { maxTotalMergeKeys: 1_000_000 };

/**
 * @param {string} text
 * @param {string} path
 * @returns {unknown}
 */
function parseYaml(text, path) {
  const { load, YAMLException } = require('js-yaml');
  if (text.length > MAX_LETTERS) {
    throw new Error(`${path}:1: expected at most ${MAX_LETTERS / 1_000_000} MB of YAML`);
  }
  const conflict = /^(?:[<>|]{7}(?: .*)?|={7})\r?$/m.exec(text);
  if (conflict) {
    const line = text.slice(0, conflict.index).split('\n').length;
    const mark = conflict[0].slice(0, 7);
    throw new Error(
      `${path}:${line}: expected no git conflict markers, found "${mark}"; resolve it`,
    );
  }
  try {
    return load(text, OPTIONS);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const line = error.mark ? `:${error.mark.line + 1}` : '';
    throw new Error(`${path}${line}: ${error.reason}`, { cause: error });
  }
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isMapping(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

module.exports = { openOutlines };
