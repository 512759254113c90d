import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { readConfig } from '@cdc-migrations/config';
import { buildDefinitions, type ExistingTable } from '@cdc-migrations/table-defs';
import { countOf } from '../count-of.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { findRoot } from '../repo/find-root.ts';
import { readSnapshots } from '../repo/read-outputs.ts';
import { reasonOf } from '../repo/repo-files.ts';
import { locateError } from '../repo/locate-error.ts';
import { print, printError, printJson } from '../print.ts';
import { findMismatches, type Mismatch } from './find-mismatches.ts';
import { linesOf, type Insert } from './insert.ts';
import { parseSqlInserts } from './parse-sql-inserts.ts';
import { parseYamlInserts } from './parse-yaml-inserts.ts';
import { buildTargets, type StagingTarget } from './staging-targets.ts';

export interface CheckPipelinesOptions {
  readonly root?: string;
  readonly sink?: string;
  readonly json?: boolean;
}

/**
 * Prints the INSERTs of the files that do not match the staging tables of the configuration and the snapshots, and the
 * reasons.
 *
 * @throws ConfigError, CommandError
 */
export function checkPipelines(
  files: readonly string[],
  { root: start, sink, json }: CheckPipelinesOptions,
): number {
  const { targets, existing } = readTargets(findRoot(start), sink);
  const texts = files.map((file) => ({ file, text: readText(file) }));
  const inserts = texts.flatMap(({ file, text }) =>
    parseInserts(file, text).map((insert) => ({
      mismatches: findMismatches(insert, targets, existing).map((mismatch) => ({
        file,
        ...mismatch,
      })),
    })),
  );
  const warnings = texts.flatMap(({ file, text }) => listWarnings(file, text));
  const mismatches = inserts.flatMap((insert) => insert.mismatches);
  const exitCode = mismatches.length > 0 ? EXIT.differences : EXIT.done;
  const mismatched = inserts.filter((insert) => insert.mismatches.length > 0).length;
  printError(warnings.map((warning) => `warning: ${warning}`));
  if (json) printJson({ exitCode, inserts: inserts.length, mismatched, mismatches, warnings });
  else print([...mismatches.map(renderMismatch), renderSum(inserts.length, mismatched)]);
  return exitCode;
}

function renderMismatch({
  file,
  line,
  table,
  column,
  message,
}: Mismatch & { readonly file: string }) {
  return `${file}:${line} ${[table, column].filter(Boolean).join(' ')}: ${message}`;
}

function renderSum(all: number, mismatched: number): string {
  const fit = all - mismatched;
  return `${countOf(all, 'INSERT')}: ${fit} ${fit === 1 ? 'fits' : 'fit'}, ${mismatched} ${mismatched === 1 ? 'does' : 'do'} not`;
}

function readTargets(
  root: string,
  sink: string | undefined,
): { readonly targets: readonly StagingTarget[]; readonly existing: readonly ExistingTable[] } {
  try {
    const [config, catalogs] = [readConfig(root), readSnapshots(root)];
    const definitions = buildDefinitions(config, catalogs);
    const names = definitions.sets.map(({ name }) => name);
    if (sink !== undefined && !names.includes(sink)) {
      const message = `--sink ${sink}: unknown sink; known: ${names.join(', ')}`;
      throw new CommandError(message);
    }
    const isAsked = ({ set }: { readonly set: string }) => set === (sink ?? set);
    const targets = buildTargets(config, catalogs, definitions);
    return {
      targets: targets.filter(({ table }) => isAsked(table)),
      existing: definitions.tables.filter((table) => table.kind === 'existing').filter(isAsked),
    };
  } catch (error) {
    throw locateError(error, root);
  }
}

/** Parses the INSERTs of a file. A file without any is an error. */
function parseInserts(file: string, text: string): readonly Insert[] {
  const parse = PARSERS[extname(file).toLowerCase()];
  if (!parse) {
    throw new CommandError(
      `${file}: expected a .yaml, .yml, .json or .sql file; write the INSERT of a program to a .sql file, with $1 for its values`,
    );
  }
  const inserts = parse(file, text);
  if (inserts.length > 0) return inserts;
  throw new CommandError(
    `${file}: expected INSERT statements, sql_insert with table and columns, or a list such as [{"table": …, "columns": […]}], found none`,
  );
}

const PARSERS: Readonly<Record<string, (file: string, text: string) => readonly Insert[]>> = {
  '.yaml': parseYamlInserts,
  '.yml': parseYamlInserts,
  '.json': parseYamlInserts,
  '.sql': (_file, text) => parseSqlInserts(text, linesOf(text)),
};

/** Warns about numbers that Bloblang converts to floating point. Two keys over 2^53 can become equal. */
function listWarnings(file: string, text: string): readonly string[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      /\bparse_json\(\s*\)/.test(line)
        ? `${file}:${index + 1}: parse_json() rounds integers over 2^53; write parse_json(use_number: true)`
        : [],
    );
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CommandError(`${file}: cannot be read: ${reasonOf(cause)}`, undefined, { cause });
  }
}
