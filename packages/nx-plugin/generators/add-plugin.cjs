'use strict';

const { applyEdits, modify, parse, printParseErrorCode } = require('jsonc-parser');

const PLUGIN = '@cdc-migrations/nx';

/**
 * Adds the plugin to the text of nx.json and keeps its comments and other entries.
 *
 * @param {string} text
 * @returns {string}
 * @throws {Error} if the text is not JSON, with or without comments
 */
function addPlugin(text) {
  /** @type {import('jsonc-parser').ParseError[]} */
  const errors = [];
  const { plugins = [] } = parse(text, errors, { allowTrailingComma: true }) ?? {};
  if (errors[0]) {
    const line = text.slice(0, errors[0].offset).split('\n').length;
    throw new Error(`nx.json:${line}: ${printParseErrorCode(errors[0].error)}; fix it first`);
  }
  if (!Array.isArray(plugins)) throw new Error('nx.json plugins: expected a list');
  if (plugins.some(isOurs)) return text;
  const formattingOptions = { insertSpaces: true, tabSize: 2, eol: '\n' };
  return applyEdits(
    text,
    modify(text, ['plugins', plugins.length], PLUGIN, {
      formattingOptions,
      isArrayInsertion: true,
    }),
  );
}

/**
 * @param {unknown} entry
 * @returns {boolean} true also for the same plugin by its subpath
 */
function isOurs(entry) {
  const name =
    typeof entry === 'object' && entry !== null && 'plugin' in entry ? entry.plugin : entry;
  return name === PLUGIN || name === `${PLUGIN}/plugin`;
}

module.exports = { addPlugin };
