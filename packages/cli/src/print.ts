import { relative, resolve } from 'node:path';
import { visible } from '@cdc-migrations/generated-file';

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

/** Prints text lines on standard output. */
export function print(lines: readonly string[]): void {
  process.stdout.write(joined(lines));
}

/** Prints text lines on standard error. */
export function printError(lines: readonly string[]): void {
  process.stderr.write(joined(lines));
}

/** Prints the message of an error, which may have several lines, on standard error. */
export function printMessage(message: string): void {
  printError(message.split('\n'));
}

function joined(lines: readonly string[]): string {
  return lines.map((line) => `${printable(line)}\n`).join('');
}

/**
 * Matches commands of CI systems: `::` at the start for GitHub, `##[` and `##vso[` anywhere for GitHub and Azure.
 *
 * @see https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */
const COMMAND = /^\s*:(?=:)|#(?=#\w*\[)/g;

/** Escapes a text to one line without control characters and CI commands. */
export function printable(line: string): string {
  return visible(line).replace(COMMAND, (start) =>
    start.replace(':', '\\u003a').replace('#', '\\u0023'),
  );
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
