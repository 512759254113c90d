import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  COMMAND_ERRORS,
  CONNECTIONS,
  DEAD_LETTERS,
  FINDINGS,
  MESSAGES,
  MISMATCHES,
  SQLSTATES,
} from './error-table.ts';
import { code, markdownTable } from './markdown-table.ts';
import { readMessages, type Message } from './read-messages.ts';

const EXPLAINED = ['cause', 'what to do'];

/**
 * Renders the messages of commands or of SQL. Advice in code is a part of the message. If a message has several advices
 * and a solution in the table of messages, the solution replaces them.
 */
export function renderMessages(root: string, kind: string): string {
  const rows = new Map<string, { cause: string; solution: string; advices: readonly string[] }>();
  for (const message of readMessages(root).filter(({ isSql }) => isSql === (kind === 'sql'))) {
    const { text, advice } = message;
    const [cause = '', solution = ''] = MESSAGES[findEntry(message) ?? ''] ?? [];
    const row = rows.get(text) ?? { cause, solution, advices: [] };
    const advices = advice === undefined ? row.advices : [...row.advices, code(advice)];
    rows.set(text, { ...row, solution: row.solution || solution, advices });
  }
  return markdownTable(
    ['message', ...EXPLAINED],
    [...rows].map(([text, { cause, solution, advices }]) => [
      code(text),
      cause,
      solution || advices.join(', or '),
    ]),
  );
}

/** Finds the entry of a message: one with a way out if the message has none. */
export function findEntry({ text, advice }: Message): keyof typeof MESSAGES | undefined {
  return Object.keys(MESSAGES).find((part) => {
    const [, solution] = MESSAGES[part]!;
    return text.includes(part) && (solution === undefined) === (advice !== undefined);
  });
}

/** Renders a table of errors: `command`, `connection`, `sqlstate`, `finding`, `mismatch` or `dead-letter`. */
export function renderErrors(kind: string): string {
  const render = TABLES[kind];
  if (!render) throw new Error(`errors ${kind}: expected ${Object.keys(TABLES).join(', ')}`);
  return render();
}

const TABLES: Readonly<Record<string, () => string>> = {
  command: () =>
    markdownTable(
      ['error', 'exit code', ...EXPLAINED],
      Object.entries(COMMAND_ERRORS).map(([name, [exitCode, cause, solution]]) => [
        code(name),
        String(exitCode),
        cause,
        solution,
      ]),
    ),
  connection: () =>
    markdownTable(
      ['codes', ...EXPLAINED],
      Object.values(CONNECTIONS).map(([codes, cause, solution]) => [
        codes.map(code).join(', '),
        cause,
        solution,
      ]),
    ),
  sqlstate: () => rowsOf('SQLSTATE', Object.entries(SQLSTATES)),
  finding: () => rowsOf('code', Object.entries(FINDINGS)),
  mismatch: () => rowsOf('code', Object.entries(MISMATCHES)),
  'dead-letter': () =>
    rowsOf(
      'reason contains',
      DEAD_LETTERS.map(([name, ...row]) => [name, row]),
    ),
};

function rowsOf(
  head: string,
  entries: readonly (readonly [name: string, row: readonly [cause: string, solution: string]])[],
): string {
  const rows = entries.map(([name, [cause, solution]]) => [code(name), cause, solution]);
  return markdownTable([head, ...EXPLAINED], rows);
}

/** Packages whose cases have expected messages about files of users. */
const PACKAGES = ['config', 'table-defs'];
/** A problem of a file: `services/adopus.yaml:7 adopus.source: message`. */
const PROBLEM = /^(?:services|source-groups|sink-groups)[^\s:]*(?::\d+)?(?: \S.*?)?: (?=\S)/;
const SHOWN = 3;

/** Renders the messages about the configuration: the rule of each case, and different messages of it. */
export function renderConfigurationErrors(root: string): string {
  const rules = PACKAGES.flatMap((name) => {
    const folder = join(root, 'packages', name, 'cases');
    return readdirSync(folder)
      .sort()
      .map((rule) => ({ rule, messages: readProblems(join(folder, rule)) }));
  });
  return rules
    .filter(({ messages }) => messages.length > 0)
    .map(
      ({ rule, messages }) =>
        `- **${sentenceOf(rule)}**\n${messages.map((text) => `  - ${code(text)}`).join('\n')}`,
    )
    .join('\n');
}

/** Converts the name of a case to a sentence. */
function sentenceOf(rule: string): string {
  const text = rule
    .replaceAll('-', ' ')
    .replaceAll(/\b(yaml|sql|ascii|lsn)\b/g, (word) => word.toUpperCase())
    .replaceAll(/\bpostgresql\b/g, 'PostgreSQL')
    .replace(/^[a-z]+(?= )/, (word) => word[0]!.toUpperCase() + word.slice(1));
  return `${text}.`;
}

function readProblems(folder: string): readonly string[] {
  if (!readdirSync(folder).includes('expected.txt')) return [];
  const lines = readFileSync(join(folder, 'expected.txt'), 'utf8').split('\n');
  const byShape = new Map<string, string>();
  for (const line of lines.filter((text) => PROBLEM.test(text))) {
    const message = line.replace(PROBLEM, '');
    const shape = message.replaceAll(/"[^"]*"|\d+/g, '').replace(/(expected|known:).*/, '$1');
    if (!byShape.has(shape)) byShape.set(shape, message);
  }
  return [...byShape.values()].slice(0, SHOWN);
}
