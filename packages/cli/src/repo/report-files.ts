import { groupBy } from '@cdc-migrations/sql-text';
import { dirname } from 'node:path';
import type { FileAction, FileStep } from './plan-files.ts';
import { countOf } from '../count-of.ts';
import { EXIT } from '../exit-code.ts';
import { print, printError, printJson } from '../print.ts';

/** Result of a run of `generate`. */
export interface Outcome {
  readonly mode: 'write' | 'dry-run' | 'check';
  readonly steps: readonly FileStep[];
  /** Files in the way. Nothing is written because of them. */
  readonly refused: readonly FileStep[];
  readonly written: boolean;
  readonly warnings: readonly string[];
  readonly exitCode: number;
}

/** Prints the result for files as text or as one JSON document. */
export function reportFiles(outcome: Outcome, json: boolean): void {
  const errors = outcome.refused.map(refusalOf);
  printError([...outcome.warnings.map((warning) => `warning: ${warning}`), ...errors]);
  if (json) printJson(documentOf(outcome, errors));
  else print(renderText(outcome));
}

/**
 * Nx sets this variable, and shows the text of a cached run again later: then it is to say what is there, and not what
 * happened.
 */
const NX_TASK = 'NX_TASK_TARGET_PROJECT';

function refusalOf({ path, action, conflict }: FileStep): string {
  if (conflict) return `${path}:${conflict.line}: ${conflict.message}; --force overwrites it`;
  return action === 'edited'
    ? `${path}: this generated file was edited; move the edit to the configuration, or overwrite it with --force`
    : `${path}: a file that is not generated is at the path of a generated one; move it, or overwrite it with --force`;
}

function documentOf(
  { exitCode, written, steps, warnings }: Outcome,
  errors: readonly string[],
): object {
  const files = steps.map(({ path, action }) => ({ path, action }));
  return { exitCode, written, files, warnings, errors };
}

/** Actions that are printed, with their words in lines and totals before and after the run. */
const WORDS: { readonly [A in FileAction]?: Readonly<Record<'done' | 'ahead' | 'line', string>> } =
  {
    create: { done: 'created', ahead: 'to create', line: 'would create' },
    change: { done: 'changed', ahead: 'to change', line: 'would change' },
    remove: { done: 'removed', ahead: 'to remove', line: 'would remove' },
  };

const COUNTED: { readonly [A in FileAction]?: string } = {
  edited: 'edited by hand',
  foreign: 'in the way',
  keep: 'unchanged',
};

/** Maximum of single lines for one folder. A preview names every file. */
const MANY_FILES = 5;

function renderText(outcome: Outcome): readonly string[] {
  if (outcome.written && process.env[NX_TASK] !== undefined) return renderResult(outcome);
  const nothingDone = outcome.mode === 'write' && !outcome.written;
  const lines = nothingDone ? [] : renderSteps(outcome);
  return [...lines, renderSum(outcome)];
}

function renderResult({ steps }: Outcome): readonly string[] {
  const left = steps.filter(({ action }) => action !== 'remove' && action !== 'extra');
  const folders = [...groupBy(left, ({ path }) => dirname(path)).values()];
  return folders.map((files) =>
    files.length === 1
      ? files[0]!.path
      : `${dirname(files[0]!.path)}/: ${countOf(files.length, 'file')}`,
  );
}

function renderSteps({ steps, written }: Outcome): readonly string[] {
  const groups = [...groupBy(steps, ({ action, path }) => `${action} ${dirname(path)}`).values()];
  return groups.flatMap((group) => {
    const words = WORDS[group[0]!.action];
    if (!words) return [];
    const verb = written ? words.done : words.line;
    return written && group.length > MANY_FILES
      ? [`${verb} ${dirname(group[0]!.path)}/ (${countOf(group.length, 'file')})`]
      : group.map(({ path }) => `${verb} ${path}`);
  });
}

function renderSum({ mode, steps, written, exitCode }: Outcome): string {
  const names = Object.entries({
    ...mapWords(written ? 'done' : 'ahead'),
    ...COUNTED,
  });
  const counts = names
    .map(([action, word]) => ({ word, count: steps.filter((s) => s.action === action).length }))
    .filter(({ count }) => count > 0)
    .map(({ word, count }) => `${count} ${word}`);
  const end =
    mode === 'write' && !written
      ? '; nothing was written'
      : mode === 'check' && exitCode !== 0
        ? (CHECK_ENDS[exitCode] ?? '')
        : '';
  const total = steps.filter(({ action }) => action !== 'extra').length;
  return `${countOf(total, 'file')}: ${counts.join(', ')}${end}`;
}

/** What to do about the result of --check, by exit code. */
const CHECK_ENDS: Readonly<Record<number, string>> = {
  [EXIT.differences]: '; cdc manage-migrations generate updates them',
  [EXIT.edited]:
    '; move the edits to the configuration, then run cdc manage-migrations generate --force',
};

function mapWords(form: 'done' | 'ahead'): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(WORDS).map(([action, words]) => [action, words[form]]));
}
