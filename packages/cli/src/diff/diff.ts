import {
  ConfigError,
  formatProblem,
  readConfig,
  type Config,
  type Problem,
} from '@cdc-migrations/config';
import {
  diffTables,
  inspectDefinitions,
  schemaLabel,
  type TableDefinition,
  type TableChange,
} from '@cdc-migrations/table-defs';
import type { Catalog } from '@cdc-migrations/catalog';
import { planValidationDatabases, readCatalogs } from '@cdc-migrations/introspect';
import { EXIT } from '../exit-code.ts';
import { findRoot } from '../repo/find-root.ts';
import { readCommitted, readSnapshots } from '../repo/read-outputs.ts';
import { selectTables } from '../repo/select-tables.ts';
import { locateError, locateProblemsIn } from '../repo/locate-error.ts';
import { listWarnings, listSuggestions } from './list-warnings.ts';
import { readBase } from './read-base.ts';
import { readInTheWay, renderInTheWay } from './read-in-the-way.ts';
import type { Diff } from './diff-result.ts';
import { renderSql } from './render-sql.ts';
import { renderSum, renderTable } from './render-table.ts';
import { scaffoldManual } from './scaffold-manual.ts';
import { print, printError, printJson, printScript } from '../print.ts';
import { renderMarkdown, type Format } from '../report-lines.ts';
import { changeFacts } from './change-facts.ts';
import { resolveSources, type PlannedSource } from '../source/resolve-sources.ts';
import { runAll, SOURCE_JOBS } from '../source/run-all.ts';
import { showEvent } from '../source/show-event.ts';
import { sourceFailures } from '../source/source-failures.ts';

export interface DiffOptions {
  readonly root?: string;
  readonly env?: string;
  readonly base?: string;
  /** Environment of the targets to search for objects that block changes of type. */
  readonly target?: string;
  readonly table?: readonly string[];
  readonly sql?: boolean;
  readonly json?: boolean;
  readonly format?: Format;
  readonly scaffoldManual?: boolean;
  /** In milliseconds. */
  readonly timeout?: number;
}

/**
 * Compares the definitions that follow from source and configuration with the existing ones and prints the changes.
 * Returns the exit code: 1 if anything changed.
 *
 * @throws ConfigError, FileError, CommandError
 */
export async function diff(options: DiffOptions): Promise<number> {
  const root = findRoot(options.root);
  try {
    const config = readConfig(root);
    const found = await compare(root, config, options);
    const manual = options.scaffoldManual ? scaffoldManual(root, config, found) : [];
    const obstacles =
      options.target === undefined
        ? undefined
        : await readInTheWay(root, options.target, found.changes);
    report({ ...found, obstacles, manual }, options);
    const isSame = found.changes.length === 0 && found.gone.length === 0;
    return isSame ? EXIT.done : EXIT.differences;
  } catch (error) {
    throw locateError(error, root);
  }
}

async function compare(
  root: string,
  config: Config,
  options: DiffOptions,
): Promise<Omit<Diff, 'obstacles' | 'manual'>> {
  const { env, base, table } = options;
  const catalogs =
    env === undefined ? readSnapshots(root) : await readSource(root, config, { ...options, env });
  const { tables, sets, errors } = inspectDefinitions(config, catalogs);
  if (errors.some(({ isGone }) => !isGone)) throw new ConfigError(errors);
  const before = base === undefined ? readCommitted(root) : readBase(root, base);
  const changes = diffTables(before, tables);
  const isWritten = base !== undefined && diffTables(readCommitted(root), tables).length === 0;
  const gone = locateProblemsIn(root, errors);
  const suggest = (found: Diff['changes']) => listSuggestions(found, () => catalogs);
  if (!table) return { changes, isWritten, gone, sets, suggestions: suggest(changes) };
  const removed = changes.flatMap((change) =>
    change.kind === 'table removed' ? change.table : [],
  );
  const selected = new Set(selectTables([...tables, ...removed], { table }));
  const own = changes.filter((change) => selected.has(change.table));
  return {
    ...{ changes: own, suggestions: suggest(own) },
    isWritten,
    gone: gone.filter((problem) => [...selected].some((one) => isAbout(problem, one))),
    sets,
  };
}

/** Returns true if a problem is about a table, as a source table or as a sink table. */
function isAbout({ at }: Problem, table: TableDefinition): boolean {
  const { source, name } = table;
  return (
    at.keys.includes(`${source.schema}.${source.table}`) ||
    at.keys.includes(`${schemaLabel(table)}.${name}`)
  );
}

const NOTHING_TO_SCAFFOLD =
  'no unsafe change, so no manual file is needed; after generate, compare with --base <commit>';

function report(
  found: Diff,
  { env, sql, json, format, scaffoldManual: wanted }: DiffOptions,
): void {
  printError([
    ...found.gone.map(formatProblem),
    ...[...listWarnings(found.changes), ...found.suggestions].map(
      (warning) => `warning: ${warning}`,
    ),
    ...found.manual.map(({ path, state }) => {
      const what = state === 'created' ? 'created; review and edit it, then generate' : state;
      return `${path}: ${what}`;
    }),
    ...(wanted && found.manual.length === 0 ? [NOTHING_TO_SCAFFOLD] : []),
  ]);
  if (json) printJson(documentOf(found));
  else if (sql) printScript(renderSql(found));
  else {
    const sum = renderSum(found, { isOfSource: env !== undefined });
    const table = [...renderTable(found), ...renderInTheWay(found.obstacles ?? [])];
    print(format === 'markdown' ? renderMarkdown([`diff: ${sum}`, ...table]) : [...table, sum]);
  }
}

/** Builds one document with every change, both sides of it, and the statements that would run. */
function documentOf({ changes, gone, suggestions, obstacles, manual }: Diff): object {
  return {
    exitCode: changes.length + gone.length > 0 ? EXIT.differences : EXIT.done,
    changes: changes.map(describe),
    gone: gone.map(formatProblem),
    warnings: [...listWarnings(changes), ...suggestions],
    ...(obstacles && { obstacles }),
    manual,
  };
}

function describe(change: TableChange): object {
  const { table, what, lock, final, staging } = changeFacts(change);
  const { kind, class: changeClass, before, after } = change;
  const { set, service } = change.table;
  return {
    kind,
    class: changeClass,
    set,
    service,
    table,
    what,
    lock,
    before,
    after,
    sql: { final, staging },
  };
}

interface ReadSourceOptions {
  /** Environment of the source. */
  readonly env: string;
  /** In milliseconds. */
  readonly timeout?: number;
}

/**
 * Reads the catalogs of the validation databases from another environment, under the names that definitions use.
 * Missing tables are skipped.
 *
 * @throws CommandError if a database cannot be read
 */
async function readSource(
  root: string,
  config: Config,
  { env, timeout }: ReadSourceOptions,
): Promise<readonly Catalog[]> {
  const sources = resolveSources(root, planValidationDatabases(config, { env }));
  const outcomes = await runAll(sources, SOURCE_JOBS, ({ plan, source }) =>
    readCatalogs(source, plan.selections, {
      onEvent: showEvent,
      missing: 'leave out',
      ...(timeout !== undefined && { timeoutMs: timeout }),
    }),
  );
  const errors = outcomes.flatMap((outcome) => (outcome.kind === 'failed' ? [outcome.error] : []));
  if (errors.length > 0) throw sourceFailures(errors);
  return outcomes.flatMap((outcome) =>
    outcome.kind === 'done' ? asValidationDatabases(outcome.item, outcome.value ?? []) : [],
  );
}

/** Returns the catalogs once for each validation database that the database represents. */
function asValidationDatabases(
  { plan: { services } }: PlannedSource,
  catalogs: readonly Catalog[],
): readonly Catalog[] {
  const names = new Set(services.map(({ validationDatabase }) => validationDatabase));
  return [...names].flatMap((database) => catalogs.map((catalog) => ({ ...catalog, database })));
}
