import { relative, resolve } from 'node:path';
import { visible } from '@cdc-migrations/generated-file';

// All that the command line prints goes through here. Names in catalogs, files and YAML and messages of servers can hold
// anything: a terminal would obey the control characters in them, and a CI system the commands that a line begins with.

/** Ends the process without a word when whoever reads has read enough (`| head`). */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}

/** Prints lines for people on standard output. */
export function print(lines: readonly string[]): void {
  process.stdout.write(joined(lines));
}

/** Prints lines for people on standard error. */
export function printError(lines: readonly string[]): void {
  process.stderr.write(joined(lines));
}

/** Prints the message of an error, of one or more lines, on standard error. */
export function printMessage(message: string): void {
  printError(message.split('\n'));
}

function joined(lines: readonly string[]): string {
  return lines.map((line) => `${printable(line)}\n`).join('');
}

/**
 * What CI systems take for a command: `::` in front, for GitHub; `##[` and `##vso[` anywhere, for GitHub and Azure.
 *
 * @see https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */
const COMMAND = /^\s*:(?=:)|#(?=#\w*\[)/g;

/** A text as one line that nothing obeys. */
export function printable(line: string): string {
  return visible(line).replace(COMMAND, (start) =>
    start.replace(':', '\\u003a').replace('#', '\\u0023'),
  );
}

/** A problem of a line of a file. */
export interface Annotation {
  /** Relative to the folder that is given with it. */
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** GitHub shows no more of a step. */
const MAX_ANNOTATIONS = 10;

/**
 * Prints problems as commands of GitHub Actions, which shows them beside the lines of a pull request; nothing elsewhere.
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

/** Prints one JSON document on standard output; what does not show is escaped in it. */
export function printJson(document: unknown): void {
  const json = JSON.stringify(document, null, 2);
  process.stdout.write(`${json.replace(NOT_IN_JSON, escapeUnits)}\n`);
}

/** What JSON leaves as it is. */
const NOT_IN_JSON = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]|#(?=#\w*\[)/gu;

function escapeUnits(letter: string): string {
  const units = letter.split('');
  return units.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
}

/** Prints a script for a program on standard output: byte for byte, unless it goes to a terminal. */
export function printScript(script: string): void {
  const lines = script.split('\n').map((line) => line.split('\t').map(printable).join('\t'));
  process.stdout.write(process.stdout.isTTY ? lines.join('\n') : script);
}
