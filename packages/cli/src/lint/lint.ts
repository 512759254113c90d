import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ConfigError, readServiceConfig, type SinkTable } from '@cdc-migrations/config';
import { FileError } from '@cdc-migrations/shape';
import {
  USER_CATEGORIES,
  type MigrationSet,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';
import { countOf } from '../count-of.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { findRoot } from '../repo/find-root.ts';
import { readDefinitions, readSets } from '../repo/read-outputs.ts';
import { listFiles, readIfThere } from '../repo/repo-files.ts';
import { locateError, locateProblemsIn } from '../repo/locate-error.ts';
import { print, printError, printJson } from '../print.ts';
import { renderSarif } from './render-sarif.ts';
import { findInSql, type LintFinding } from './find-in-sql.ts';

export interface LintOptions {
  readonly root?: string;
  readonly json?: boolean;
  readonly format?: 'text' | 'sarif';
}

/** Findings in the SQL of users. */
interface LintResult {
  readonly findings: readonly LintFinding[];
  readonly files: number;
  readonly hasSquawk: boolean;
}

/** Checks the SQL of users. Returns the exit code: 1 if there are findings. */
export async function lint({ root: folder, json, format }: LintOptions): Promise<number> {
  const root = findRoot(folder);
  try {
    const result = await lintRepo(root);
    if (format === 'sarif') printJson(renderSarif(root, result.findings));
    else report(result, json === true);
    return result.findings.length > 0 ? EXIT.differences : EXIT.done;
  } catch (error) {
    throw locateError(error, root);
  }
}

/**
 * Summarizes the findings of `lint` in a line, for `generate --check`. Returns undefined if there are none or the repo
 * cannot be read.
 */
export async function summarizeLint(folder: string | undefined): Promise<string | undefined> {
  try {
    const { findings } = await lintRepo(findRoot(folder));
    if (findings.length === 0) return undefined;
    return `lint: ${countOf(findings.length, 'finding')} in hand-written SQL; cdc manage-migrations lint lists them`;
  } catch (error) {
    const isOfUser =
      error instanceof ConfigError || error instanceof CommandError || error instanceof FileError;
    if (isOfUser) return undefined; // generate reports this error.
    throw error;
  }
}

async function lintRepo(root: string): Promise<LintResult> {
  const sets = readSets(root);
  const tables = readDefinitions(root, sets).filter((table) => table.kind === 'replicated');
  const files = sets.flatMap((set) => userFiles(root, set));
  const own = await Promise.all([
    ...files.map(({ path, set }) =>
      findInSql(path, readIfThere(root, path) ?? '', tablesOf(tables, set)),
    ),
    ...findHints(root).map(({ place, sql }) => findInHint(place, sql, tables)),
  ]);
  const squawk = await runSquawk(
    root,
    files.map(({ path }) => path),
  );
  const findings = [...own.flat(), ...(squawk ?? [])].sort(
    (a, b) => a.file.localeCompare(b.file) || a.line - b.line,
  );
  return { findings, files: files.length, hasSquawk: squawk !== undefined };
}

/** SQL in the YAML of a service. */
interface Hint {
  readonly place: { readonly file: string; readonly line: number };
  readonly sql: string;
}

/** Finds SQL hints. `pre_sql` is a statement, and `using` is an expression that gets a SELECT. */
function findHints(root: string): readonly Hint[] {
  const at = (sink: SinkTable, list: string, index: number, key: string): Hint['place'] => {
    const location = {
      file: sink.at.file,
      keys: [...sink.at.keys, 'manual_migration_hints', list, index, key],
    };
    const [located] = locateProblemsIn(root, [{ at: location, message: '' }]);
    return { file: location.file, line: located?.line ?? 1 };
  };
  return readServiceConfig(root)
    .services.flatMap(({ sinks }) => sinks.flatMap(({ tables }) => tables))
    .flatMap((sink) => [
      ...[...sink.hints.using.values()].map((using, index) => ({
        place: at(sink, 'type_changes', index, 'using'),
        sql: `SELECT ${using}`,
      })),
      ...[...sink.hints.beforeNotNull.values()].map((sql, index) => ({
        place: at(sink, 'set_not_null', index, 'pre_sql'),
        sql,
      })),
    ]);
}

async function findInHint(
  { file, line }: Hint['place'],
  sql: string,
  tables: readonly ReplicatedTable[],
): Promise<readonly LintFinding[]> {
  const findings = await findInSql(file, sql, tables);
  return findings.map((finding) => ({ ...finding, line }));
}

interface UserSql {
  readonly path: string;
  readonly set: MigrationSet;
}

function userFiles(root: string, set: MigrationSet): readonly UserSql[] {
  return USER_CATEGORIES.flatMap((category) => listFiles(root, `${set.folder}/${category}`))
    .filter((path) => path.endsWith('.sql'))
    .map((path) => ({ path, set }));
}

function tablesOf(
  tables: readonly ReplicatedTable[],
  { name }: MigrationSet,
): readonly ReplicatedTable[] {
  return tables.filter(({ set }) => set === name);
}

/** Rules of squawk about timeouts and transactions, which apply takes care of. */
const DONE_BY_APPLY =
  'require-lock-timeout,require-statement-timeout,prefer-robust-stmts,require-timeout-settings';

interface SquawkFinding {
  readonly file: string;
  /** Line, counted from 0. */
  readonly line: number;
  readonly message: string;
  readonly help: string | null;
  readonly rule_name: string;
}

/** Runs the squawk-cli of the implementation repo with its `.squawk.toml`. Returns undefined if it is not installed. */
async function runSquawk(
  root: string,
  files: readonly string[],
): Promise<readonly LintFinding[] | undefined> {
  const program = findSquawk(root);
  if (program === undefined) return undefined;
  if (files.length === 0) return [];
  const args = [program, '--reporter', 'json', '--exclude', DONE_BY_APPLY, ...files];
  const output = await new Promise<string>((resolve, reject) => {
    execFile(
      process.execPath,
      args,
      { cwd: root, maxBuffer: MAX_OUTPUT_BYTES },
      (error, stdout, stderr) => {
        if (stdout.trim().startsWith('[')) resolve(stdout);
        else
          reject(
            new CommandError(
              `squawk-cli failed: ${stderr.trim() || error?.message || 'no output'}`,
            ),
          );
      },
    );
  });
  return (JSON.parse(output) as readonly SquawkFinding[]).map(
    ({ file, line, message, help, rule_name }) => ({
      ...{ file, line: line + 1, rule: rule_name },
      message: [message, help].filter(Boolean).join(' '),
    }),
  );
}

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

function findSquawk(root: string): string | undefined {
  try {
    const manifest = createRequire(join(root, 'package.json')).resolve('squawk-cli/package.json');
    return join(dirname(manifest), 'js/bin/squawk');
  } catch {
    return undefined;
  }
}

function report({ findings, files, hasSquawk }: LintResult, json: boolean): void {
  if (!hasSquawk)
    printError(['squawk-cli is not installed; npm install -D squawk-cli adds its rules']);
  if (json) {
    printJson({ files, squawk: hasSquawk, findings });
    return;
  }
  print([
    ...findings.map(({ file, line, rule, message }) => `${file}:${line} ${rule}: ${message}`),
    `${countOf(files, 'file')}, ${countOf(findings.length, 'finding')}`,
  ]);
}
