import { didYouMean } from '@cdc-migrations/shape';
import { MAX_NAME_BYTES } from '@cdc-migrations/sql-text';
import { asciiName, MANAGEMENT_SCHEMA, type ExistingTable } from '@cdc-migrations/table-defs';
import type { Insert, Written } from './insert.ts';
import { intendedName, readSqlName, splitSqlName } from './sql-name.ts';
import type { StagingTarget } from './staging-targets.ts';
import { valueProblem } from './value-problem.ts';

/** A mismatch between an INSERT and its staging table. */
export interface Mismatch {
  readonly line: number;
  /** Column as written. */
  readonly table: string;
  /** Column as written. */
  readonly column?: string;
  readonly code: MismatchCode;
  readonly message: string;
}

export type MismatchCode =
  | 'quoting'
  | 'unknown table'
  | 'final table'
  | 'unknown schema'
  | 'no columns'
  | 'computed'
  | 'ignored'
  | 'named otherwise'
  | 'case'
  | 'letters'
  | 'unknown column'
  | 'duplicate'
  | 'missing'
  | 'count'
  | 'form'
  | 'conflict';

/** Part of a name that comes from the pipeline's environment. */
const VARIABLE = /\$\{[^${}]*\}|\{\{[^{}]*\}\}/g;

/** Finds mismatches of an INSERT. Compares it with the most similar staging table of that name. */
export function findMismatches(
  insert: Insert,
  targets: readonly StagingTarget[],
  existing: readonly ExistingTable[],
): readonly Mismatch[] {
  const { line, table } = insert;
  const mismatch = (code: MismatchCode, message: string): Mismatch => ({
    line,
    table,
    code,
    message,
  });
  const parts = splitSqlName(table.replace(VARIABLE, '_'));
  if (!parts) return [mismatch('quoting', quotingProblem(table, 'stg_Actor'))];
  const [name, schema] = parts.map(readSqlName).reverse();
  if (schema === MANAGEMENT_SCHEMA || existing.some((other) => other.name === name)) return [];
  const named = targets.filter((target) => target.table.names.staging === name);
  if (named.length === 0) return [unknownTable(name!, parts, targets, mismatch)];
  const isKnownSchema = schema !== undefined && !VARIABLE.test(table);
  const placed = isKnownSchema ? named.filter(({ schemas }) => schemas.includes(schema)) : named;
  if (placed.length === 0) {
    const message = `expected one of the schemas ${named.flatMap(({ schemas }) => schemas).join(', ')}, found "${schema}"`;
    return [mismatch('unknown schema', message)];
  }
  return placed
    .map((target) => compareColumns(insert, target))
    .reduce((best, other) => (other.length < best.length ? other : best));
}

function unknownTable(
  name: string,
  parts: readonly string[],
  targets: readonly StagingTarget[],
  mismatch: (code: MismatchCode, message: string) => Mismatch,
): Mismatch {
  const final = targets.find(({ table }) => table.name === name);
  if (final) {
    const message = `expected a staging table, found the final table "${name}"; events go to "${final.table.names.staging}"`;
    return mismatch('final table', message);
  }
  const names = targets.map(({ table }) => table.names.staging);
  const meant = intendedName(parts.at(-1)!);
  const cased = names.find((other) => isSameButCase(other, meant));
  if (cased !== undefined) return mismatch('case', caseProblem(parts.at(-1)!, name, cased));
  const way =
    didYouMean(meant, names) ||
    '; add its table to services/<service>.yaml, or name the repo that has it with --root';
  return mismatch('unknown table', `there is no staging table "${meant}"${way}`);
}

function compareColumns(insert: Insert, target: StagingTarget): readonly Mismatch[] {
  const { line, table, columns, values, language } = insert;
  if (!columns) {
    const message = 'expected the columns by name, found none: their order can change';
    return [{ line, table, code: 'no columns', message }];
  }
  const found: Mismatch[] = [];
  const sent = new Map<string, Written>();
  /** Staging columns that a mismatching column probably means. */
  const meant = new Set<string>();
  columns.forEach((column, index) => {
    const read = readColumn(column.text, target);
    const mismatch = (code: MismatchCode, message: string) =>
      found.push({ line: column.line, table, column: column.text, code, message });
    if (read.column !== undefined) meant.add(read.column);
    if ('code' in read) mismatch(read.code, read.message);
    else {
      const type = target.columns.find(({ name }) => name === read.column)!.type;
      const value = values?.[index]?.text;
      const problem = value === undefined ? undefined : valueProblem(value, type, language);
      if (problem !== undefined) mismatch('form', `${type}: ${problem}`);
    }
    const other = sent.get(readSqlName(column.text));
    if (other && !('code' in read))
      mismatch('duplicate', `the same column as in line ${other.line}`);
    sent.set(readSqlName(column.text), column);
  });
  if (values && values.length !== columns.length) {
    const message = `expected ${columns.length} values, one for each column, found ${values.length}`;
    found.push({ line, table, code: 'count', message });
  }
  if (insert.conflict) {
    const message =
      'expected an INSERT without ON CONFLICT, found one: staging tables have no key, and the merge keeps the newest event of each key; remove the clause';
    found.push({ line: insert.conflict.line, table, code: 'conflict', message });
  }
  return [...found, ...listMissing(insert, target, meant)];
}

type ReadColumn =
  | { readonly column: string }
  | { readonly column?: string; readonly code: MismatchCode; readonly message: string };

/** Returns the staging column that a name means, and the problem of the name. */
function readColumn(text: string, target: StagingTarget): ReadColumn {
  const names = target.columns.map(({ name }) => name);
  const parts = splitSqlName(text);
  const meant = intendedName(text);
  if (parts?.length !== 1) {
    const column = names.find((name) => isSameButCase(name, meant));
    return {
      ...(column !== undefined && { column }),
      code: 'quoting',
      message: quotingProblem(text, meant),
    };
  }
  const name = readSqlName(text);
  if (names.includes(name)) return { column: name };
  const column = target.table.columns.find(
    ({ name: staged, source }) => source?.name === meant && staged !== meant,
  );
  if (column)
    return {
      column: column.name,
      code: 'named otherwise',
      message: nameProblem(meant, column.name),
    };
  const absence = target.absent.get(meant);
  if (absence) {
    const { code, reason } = absence;
    return { code, message: `no such column: ${reason}; remove it from the INSERT` };
  }
  return findNear(text, name, target);
}

/** Finds a column of the table or of the source with almost the same name. */
function findNear(text: string, name: string, { columns, absent }: StagingTarget): ReadColumn {
  const names = columns.map((column) => column.name);
  const meant = intendedName(text);
  const cased = names.find((other) => isSameButCase(other, meant));
  if (cased !== undefined) {
    return { column: cased, code: 'case', message: caseProblem(text, name, cased) };
  }
  const spelled = names.find((other) => asciiName(other) === meant);
  if (spelled !== undefined) {
    const message = `the column is "${spelled}"; write it so, or set column_names: ascii`;
    return { column: spelled, code: 'letters', message };
  }
  const gone = [...absent].find(
    ([other]) => isSameButCase(other, meant) || asciiName(other) === meant,
  );
  if (gone) {
    const [other, { code, reason }] = gone;
    return {
      code,
      message: `no such column: "${other}" of the source is not staged: ${reason}; remove it from the INSERT`,
    };
  }
  return {
    code: 'unknown column',
    message: `no such column${didYouMean(meant, [...names, ...absent.keys()]) || solution(meant, names)}`,
  };
}

/** Returns the solution for a column with an unknown name. */
function solution(meant: string, names: readonly string[]): string {
  return meant.startsWith('__')
    ? `; metadata columns are ${names.filter((name) => name.startsWith('__')).join(', ')}`
    : '; run generate --refresh if the source has it, or remove it from the INSERT';
}

/** Lists missing columns that would send events to the dead letters or lose values. */
function listMissing(
  { line, table }: Insert,
  target: StagingTarget,
  meant: ReadonlySet<string>,
): readonly Mismatch[] {
  const { key, columns } = target.table;
  return target.columns
    .filter(({ name }) => !meant.has(name))
    .flatMap(({ name }): readonly Mismatch[] => {
      const column = columns.find((other) => other.name === name);
      const why = key?.columns.includes(name)
        ? 'it is part of the key: every event would be a dead letter'
        : (NEEDED.get(name) ?? whyNeeded(column));
      const message = `not in the INSERT: ${why}`;
      return why === undefined
        ? []
        : [{ line, table, column: `"${name}"`, code: 'missing', message }];
    });
}

const STREAM =
  'it identifies the stream of an event, and without it positions of different streams would be compared';
const POSITION = 'it is part of the position: every event would be a dead letter';
const NEEDED = new Map(
  Object.entries<string>({
    __cdc_operation: 'every event would be a dead letter',
    __kafka_partition: POSITION,
    __kafka_offset: POSITION,
    __source_db: STREAM,
    __source_table: STREAM,
  }),
);

function whyNeeded(
  column: StagingTarget['table']['columns'][number] | undefined,
): string | undefined {
  if (!column || column.role === 'metadata') return undefined;
  return column.nullable
    ? 'it would be NULL in every row; insert it, or add it to ignore_columns of its source table'
    : 'it is NOT NULL: every event would be a dead letter';
}

function quotingProblem(text: string, meant: string): string {
  return `expected a name with each quote in it doubled, found ${text}; write "${meant.replaceAll('"', '""')}"`;
}

function nameProblem(source: string, name: string): string {
  const bytes = Buffer.byteLength(source);
  return bytes > MAX_NAME_BYTES
    ? `it has ${bytes} bytes, and PostgreSQL cuts it at ${MAX_NAME_BYTES}; the column is "${name}"`
    : `the column is "${name}"`;
}

function caseProblem(text: string, name: string, right: string): string {
  return text.startsWith('"')
    ? `the name is "${right}", and case counts`
    : `without quotes PostgreSQL reads it as "${name}"; write "${right}" with the quotes`;
}

function isSameButCase(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
