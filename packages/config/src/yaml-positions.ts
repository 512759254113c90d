import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';

/** A YAML text with the line, counted from 1, of every node. */
export interface YamlPositions {
  readonly root: unknown;
  readonly yaml: typeof Yaml;
  readonly resolve: (node: unknown) => unknown;
  readonly lineOf: (node: unknown) => number | undefined;
}

/** Reads a text with positions; this is slow, so its parser is loaded only when there is something to report. */
export function readPositions(text: string): YamlPositions {
  const yaml = loadYaml();
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, {
    lineCounter: lines,
    schema: 'failsafe',
    uniqueKeys: false,
    logLevel: 'silent',
  });
  return {
    root: document.contents,
    yaml,
    resolve: (node) => (yaml.isAlias(node) ? node.resolve(document) : node),
    lineOf: (node) => {
      const start = yaml.isNode(node) ? node.range?.[0] : undefined;
      return start === undefined ? undefined : lines.linePos(start).line;
    },
  };
}

/** A bundle takes in what `require` names; modules of Node have no `require` unless they make one. */
function loadYaml(): typeof Yaml {
  return typeof require === 'function'
    ? // eslint-disable-next-line @typescript-eslint/no-require-imports
      require('yaml')
    : createRequire(import.meta.url)('yaml');
}
