import { raise } from '../engine/sql-server-error.ts';
import { sqlType } from '../tsql/parse-data-type.ts';
import { familyOf, type SqlType, type TypeFamily } from '../tds/sql-type.ts';

/** A column of a view of SQL Server. */
export interface SystemColumn {
  readonly name: string;
  readonly type: SqlType;
  /** What a row has that says nothing of the column, as SQLite writes it: `0`, `'USER_TABLE'`, `NULL`. */
  readonly fallback: string;
}

/** A view of SQL Server: rows of its own, or a SELECT over other views. */
export interface SystemView {
  /** With its schema: `sys.tables`; with its database where there is only one: `msdb.dbo.cdc_jobs`. */
  readonly name: string;
  /** Whether each database has its own, or the server has one. */
  readonly scope: 'database' | 'server';
  readonly columns: readonly SystemColumn[];
  /** Columns that SQLite is to index. */
  readonly indexed: readonly string[];
  /** SQLite's SELECT; `of` gives the name of another view of the same database, which has the name `database`. */
  readonly select: ((of: (view: string) => string, database: string) => string) | undefined;
}

/**
 * The columns of a declaration, one a line or between commas: name, type, and the fallback where it is not NULL.
 * `is_identity bit 0, type_desc nvarchar(60) 'USER_TABLE'`
 */
export function parseColumns(declaration: string): readonly SystemColumn[] {
  const parts = declaration.split(/,(?![^(]*\))|\n/).map((part) => part.trim());
  return parts.filter((part) => part !== '').map(parseColumn);
}

function parseColumn(text: string): SystemColumn {
  const match = /^(\S+)\s+(\w+)(?:\(([\w, ]+)\))?(?:\s+(.+))?$/.exec(text);
  const [, name = '', written = '', facets, fallback = 'NULL'] = match ?? [];
  const numbers = (facets ?? '').split(',').filter(Boolean);
  const type = sqlType(
    written,
    numbers.map((facet) => (facet === 'max' ? -1 : Number(facet))),
    'declaration',
  );
  if (!type) throw raise(243, [text]);
  return { name, type, fallback };
}

/** A view with rows of its own in each database. */
export function databaseView(
  name: string,
  declaration: string,
  indexed: readonly string[] = [],
): SystemView {
  const columns = parseColumns(declaration);
  return { name, scope: 'database', columns, indexed, select: undefined };
}

/** A view with rows of its own, once for the server. */
export function serverView(name: string, declaration: string): SystemView {
  return {
    name,
    scope: 'server',
    columns: parseColumns(declaration),
    indexed: [],
    select: undefined,
  };
}

const AFFINITY: { readonly [F in TypeFamily]: string } = {
  number: 'NUMERIC',
  text: 'TEXT COLLATE NOCASE',
  guid: 'TEXT COLLATE NOCASE',
  time: 'TEXT',
  bytes: 'BLOB',
  variant: '',
};

/** A column as CREATE TABLE of SQLite declares it. */
export function renderColumn(column: SystemColumn): string {
  return `"${column.name}" ${AFFINITY[familyOf(column.type)]} DEFAULT ${column.fallback}`;
}
