import { relative, resolve } from 'node:path';
import { visible } from '@cdc-migrations/generated-file';
import { alignColumns } from './align-columns.ts';
import { layOutTable, wrap, type TextTable } from './lay-out-table.ts';
import { paintLine, terminalOf, type Terminal } from './terminal.ts';

// All output of the command line goes through this file. Names in catalogs, files and YAML, and messages of servers can
// contain anything. A terminal would execute control characters in them, and a CI system the commands at the start of a
// line.

/** Ends the process without a message when the reader closes the pipe (`| head`). */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}

/** Prints text lines and tables on standard output. A terminal shows them in its width, and in colours. */
export function print(lines: readonly (string | TextTable)[]): void {
  process.stdout.write(joined(lines, terminalOf(process.stdout, process.env)));
}

/** Prints text lines on standard error. */
export function printError(lines: readonly string[]): void {
  process.stderr.write(joined(lines, terminalOf(process.stderr, process.env)));
}

/** Prints the message of an error, which may have several lines, on standard error. */
export function printMessage(message: string): void {
  printError(message.split('\n'));
}

function joined(lines: readonly (string | TextTable)[], terminal: Terminal): string {
  const paint = terminal.hasColor ? paintLine : (line: string) => line;
  return lines
    .flatMap((line) =>
      typeof line === 'string' ? paint(printable(line)) : tableLines(line, terminal),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** Renders a table as wide as its cells, or as a terminal. */
function tableLines(table: TextTable, terminal: Terminal): readonly string[] {
  const { indent = '', below = [] } = table;
  const width = terminal.width === undefined ? undefined : terminal.width - indent.length;
  const rows =
    width === undefined
      ? plainRows(table)
      : layOutTable(escapeCells(table), { ...terminal, width });
  return rows.flatMap((lines, index) => {
    const note = below[index - (table.head === undefined ? 0 : 1)] ?? [];
    const notes = note.map(printable);
    const shown = width === undefined ? notes : notes.flatMap((text) => wrap(text, width));
    return [...lines, ...shown].map((line) => escapeCommands(indent + line)); // A cell can be split anywhere.
  });
}

function plainRows({ head, rows, isNumber }: TextTable): readonly (readonly string[])[] {
  const all = head === undefined ? rows : [head, ...rows];
  return alignColumns(all, isNumber).map((line) => [printable(line)]);
}

function escapeCells(table: TextTable): TextTable {
  const { head, rows } = table;
  return {
    ...table,
    ...(head !== undefined && { head: head.map(printable) }),
    rows: rows.map((row) => row.map(printable)),
  };
}

/**
 * Matches commands of CI systems: `::` at the start for GitHub, `##[` and `##vso[` anywhere for GitHub and Azure.
 *
 * @see https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */
const COMMAND = /^\s*:(?=:)|#(?=#\w*\[)/g;

/** Escapes a text to one line without control characters and CI commands. */
export function printable(line: string): string {
  return escapeCommands(visible(line));
}

function escapeCommands(line: string): string {
  return line.replace(COMMAND, (start) => start.replace(':', '\\u003a').replace('#', '\\u0023'));
}

/** A problem in a line of a file. */
export interface Annotation {
  /** Path relative to the given folder. */
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** Maximum that GitHub shows for a step. */
const MAX_ANNOTATIONS = 10;

/**
 * Prints problems as GitHub Actions commands, which appear next to the lines of a pull request. Prints nothing
 * elsewhere.
 *
 * @see https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */
export function printAnnotations(
  folder: string,
  annotations: readonly Annotation[],
  env: NodeJS.ProcessEnv = process.env,
): void {
  if (env['GITHUB_ACTIONS'] !== 'true') return;
  const workspace = env['GITHUB_WORKSPACE'] ?? process.cwd();
  const lines = annotations.map(({ file, line, message }) => {
    const path = relative(workspace, resolve(folder, file)).replaceAll('\\', '/');
    return `::error file=${escapeProperty(path)},line=${line}::${escapeData(message)}\n`;
  });
  process.stderr.write([...new Set(lines)].slice(0, MAX_ANNOTATIONS).join(''));
}

function escapeData(text: string): string {
  return printable(text).replaceAll('%', '%25');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/** Prints one JSON document on standard output. Invisible characters are escaped. */
export function printJson(document: unknown): void {
  const json = JSON.stringify(document, null, 2);
  process.stdout.write(`${json.replace(NOT_IN_JSON, escapeUnits)}\n`);
}

/** Invisible characters that JSON.stringify does not escape. */
const NOT_IN_JSON = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]|#(?=#\w*\[)/gu;

function escapeUnits(letter: string): string {
  const units = letter.split('');
  return units.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
}

/** Prints a script for a program on standard output, unchanged unless it goes to a terminal. */
export function printScript(script: string): void {
  const lines = script.split('\n').map((line) => line.split('\t').map(printable).join('\t'));
  process.stdout.write(process.stdout.isTTY ? lines.join('\n') : script);
}
