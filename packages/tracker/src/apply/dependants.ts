import { quoteLiteral } from '@cdc-migrations/sql-text';
import { buildStagingColumns } from '@cdc-migrations/table-defs';
import { NO_SCHEMAS, type Work } from './file-transaction.ts';
import { jsonLiteral } from '../session/json-literal.ts';
import {
  belongsTo,
  isBehindTables,
  isGlobal,
  isWithoutTransaction,
  needs,
  WHOLE_DATABASE,
  type MigrationFile,
  type Migrations,
} from '../migrations/migrations.ts';
import { relationOf } from './narrow-plan.ts';
import type { SchemaRun } from './plan-apply.ts';
import { readIfThere } from '../session/read-if-there.ts';
import type { Session } from '../session/session.ts';

/** A file that changes types of columns that only objects of repeatable files use. */
export interface ObstructedFile {
  readonly path: string;
  /** Current names in the target. */
  readonly columns: readonly (readonly [schema: string, table: string, column: string])[];
  /** Names of the repeatable files. */
  readonly files: readonly string[];
}

interface Row {
  readonly path: string;
  readonly table: string;
  readonly column: string;
  /** Null if one of them was not created by a file. */
  readonly files: readonly (string | null)[] | null;
  /** True if repeatable files created all objects that use the column. */
  readonly isOurs: boolean;
}

/**
 * Reads the files of a schema that would change the type of a column that objects of repeatable files use. Skips files
 * whose columns have other users, because they will be refused.
 */
export async function readObstructed(
  session: Session,
  { files }: Pick<Migrations, 'files'>,
  { schema, files: toDo }: SchemaRun,
): Promise<readonly ObstructedFile[]> {
  const repeatable = files.filter(canRunAgain).map(({ name }) => name);
  const wanted = repeatable.length > 0 ? listWanted(toDo) : [];
  if (wanted.length === 0) return [];
  const rows = await readIfThere(() =>
    session.read<Row>(`WITH wanted AS (
  SELECT entry ->> 'path' AS path, entry ->> 'table' AS name, retyped.name AS column, retyped.type, retyped.earlier
  FROM pg_catalog.jsonb_array_elements(${jsonLiteral(wanted)}) AS entry
  CROSS JOIN LATERAL pg_catalog.jsonb_to_recordset(entry -> 'columns') AS retyped (name text, type text, earlier jsonb)
), present AS (
  SELECT wanted.path, wanted.name, wanted.column, wanted.type, relation.oid, attribute.attname,
    pg_catalog.format_type(attribute.atttypid, attribute.atttypmod) AS found,
    pg_catalog.bool_or(attribute.attname = wanted.column) OVER (PARTITION BY relation.oid, wanted.column) AS is_there
  FROM wanted
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.nspname = ${quoteLiteral(schema)}
  JOIN pg_catalog.pg_class AS relation ON relation.relnamespace = namespace.oid AND relation.relname = wanted.name
    AND relation.relkind IN ('r', 'p')
  JOIN pg_catalog.pg_attribute AS attribute ON attribute.attrelid = relation.oid AND attribute.attnum > 0
    AND NOT attribute.attisdropped
    AND (attribute.attname = wanted.column OR wanted.earlier ? attribute.attname::text)
)
SELECT present.path, present.name AS table, present.attname::text AS column, own.files, own.is_ours AS "isOurs"
FROM present
CROSS JOIN LATERAL (
  SELECT pg_catalog.jsonb_agg(DISTINCT dependant.file_name) FILTER (WHERE NOT dependant.is_part) AS files,
    pg_catalog.bool_and(dependant.is_part OR coalesce(dependant.file_category = 'repeatable'
      AND dependant.file_name IN (SELECT pg_catalog.jsonb_array_elements_text(${jsonLiteral(repeatable)})), false)) AS is_ours
  FROM cdc_management.dependants_of(present.oid, present.attname) AS dependant
) AS own
WHERE present.found <> present.type AND (present.attname = present.column OR NOT present.is_there)
  AND own.is_ours IS NOT NULL`),
  );
  const isRefused = (path: string) => rows?.some((row) => row.path === path && !row.isOurs);
  const paths = [...new Set((rows ?? []).map(({ path }) => path))];
  return paths
    .filter((path) => !isRefused(path))
    .map((path) => {
      const own = rows!.filter((row) => row.path === path);
      return {
        path,
        columns: own.map(({ table, column }) => [schema, table, column] as const),
        files: own.flatMap(({ files: names }) => names ?? []).filter((name) => name !== null),
      };
    });
}

/** Lists columns with their types, of files that change tables. */
function listWanted(files: readonly MigrationFile[]) {
  return files.flatMap((file) => {
    const table = relationOf(file);
    if (!file.table || table === undefined) return [];
    const all = file.category === 'staging' ? buildStagingColumns(file.table) : file.table.columns;
    const columns = all.map(({ name, type, formerly = [] }) => ({ name, type, earlier: formerly }));
    return [{ path: file.path, table, columns }];
  });
}

function canRunAgain(file: MigrationFile): boolean {
  return file.category === 'repeatable' && !isWithoutTransaction(file);
}

/** Files of a schema, split around those that are applied together with blocking objects. */
export interface SplitFiles {
  readonly before: readonly MigrationFile[];
  readonly together: readonly MigrationFile[];
  readonly after: readonly MigrationFile[];
}

/** Moves the files of obstructed tables after those of all other tables, because recreated objects may use these. */
export function splitFiles(
  files: readonly MigrationFile[],
  obstructed: readonly ObstructedFile[],
): SplitFiles {
  const paths = new Set(obstructed.map(({ path }) => path));
  const together = files.filter(({ path }) => paths.has(path));
  const waits = (file: MigrationFile) =>
    isBehindTables(file) || together.some(({ table }) => table && table === file.table);
  const others = files.filter((file) => !together.includes(file));
  return {
    before: others.filter((file) => !waits(file)),
    together,
    after: others.filter(waits),
  };
}

/**
 * Builds one transaction that drops blocking objects, applies the files, and runs the repeatable files that create the
 * objects again. Pending repeatable files that these need run before. None of them is recorded, and they run later as
 * always.
 */
export function buildRecreation(
  { set, files }: Migrations,
  { schema, files: toDo }: SchemaRun,
  obstructed: readonly [ObstructedFile, ...ObstructedFile[]],
): Work {
  const names = [...new Set(obstructed.flatMap((file) => file.files))];
  const repeatable = files.filter(canRunAgain);
  const inTheWay = repeatable.filter(({ name }) => names.includes(name));
  const rerun = repeatable.filter(
    (file, at) =>
      inTheWay.includes(file) ||
      (toDo.includes(file) &&
        inTheWay.some((later) => repeatable.indexOf(later) > at && needs(later, file.name))),
  );
  const tenants = new Set([schema]);
  const located = rerun
    .filter((file) => isGlobal(file) || belongsTo(file, schema, { set, tenants }))
    .map((file) => ({ file, schema: isGlobal(file) ? WHOLE_DATABASE : schema }));
  const [first, ...others] = toDo
    .filter(({ path }) => obstructed.some((file) => file.path === path))
    .map((file) => ({ file, schema }));
  const columns = obstructed.flatMap((file) => file.columns);
  const list = names.map(quoteLiteral).join(', ');
  return {
    schemas: NO_SCHEMAS,
    before: `CALL cdc_management.drop_dependants(${jsonLiteral(columns)}, ARRAY[${list}]::text[])`,
    files: [first!, ...others],
    recreate: { files: located, check: 'CALL cdc_management.check_recreated()' },
  };
}

/** A column whose type changes. */
export interface RetypedColumn {
  readonly schema: string;
  /** Name of the table. */
  readonly name: string;
  readonly column: string;
}

/** Objects that block a change of a column's type. */
export interface InTheWay {
  /** Names with owners, or with the files that created them. */
  readonly users: string;
  /** True if repeatable files of the repo created all of them. They are dropped and created again around the change. */
  readonly isRecreated: boolean;
}

/** Returns the objects that block a change of a column's type, such as views and policies, or undefined. */
export type Dependants = (schema: string, name: string, column: string) => InTheWay | undefined;

/** Reads the objects that block type changes. Returns none if the bookkeeping is missing or older. */
export async function readDependants(
  session: Session,
  { files }: Pick<Migrations, 'files'>,
  columns: readonly RetypedColumn[],
): Promise<Dependants> {
  if (columns.length === 0) return () => undefined;
  const names = files.filter(({ category }) => category === 'repeatable').map(({ name }) => name);
  const rows = await readIfThere(() =>
    session.read<
      RetypedColumn & InTheWay
    >(`SELECT retyped.*, own.users, own.is_recreated AS "isRecreated"
FROM pg_catalog.jsonb_to_recordset(${jsonLiteral(columns)}) AS retyped (schema text, name text, "column" text)
CROSS JOIN LATERAL (
  SELECT pg_catalog.string_agg(DISTINCT description, ', ') AS users,
    pg_catalog.bool_and(coalesce(file_category = 'repeatable'
      AND file_name IN (SELECT pg_catalog.jsonb_array_elements_text(${jsonLiteral(names)})), false)) AS is_recreated
  FROM cdc_management.dependants_of(
    pg_catalog.to_regclass(pg_catalog.format('%I.%I', retyped.schema, retyped.name)), retyped."column")
  WHERE NOT is_part
) AS own
WHERE own.users IS NOT NULL`),
  );
  const found = new Map(
    (rows ?? []).map(({ schema, name, column, users, isRecreated }) => [
      `${schema}\0${name}\0${column}`,
      { users, isRecreated },
    ]),
  );
  return (schema, name, column) => found.get(`${schema}\0${name}\0${column}`);
}
