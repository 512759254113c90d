import type { SqlValue } from '../tds/sql-type.ts';
import type { Relation, Row } from './relation.ts';
import { systemTypes } from './system-types.ts';
import { storedUnder, VIEWS, type CatalogRow, type MssqlCatalog, type View } from './views.ts';

/** A database of the server. */
export interface DatabaseEntry {
  readonly name: string;
  readonly id: number;
  /** Rows that were inserted into its tables, by object_id. */
  readonly tableRows: Map<number, readonly Readonly<Record<string, SqlValue>>[]>;
}

/** The server's databases and the rows of their views. */
export interface Engine {
  /** Finds a database by name, without case. */
  readonly database: (name: string) => DatabaseEntry | undefined;
  /** Adds a database with the rows of a catalog. Parts that are missing in the catalog are as in an empty database. */
  readonly addDatabase: (name: string, catalog: MssqlCatalog) => DatabaseEntry;
  /** Finds a view of a database. Throws for an unknown view. */
  readonly view: (
    database: string,
    view: string,
  ) => Relation & { readonly columns: View['columns'] };
  /** Replaces the rows of a view. */
  readonly setRows: (database: string, view: string, rows: readonly Row[]) => void;
}

/** System databases of SQL Server, in the order of their ids. */
const SYSTEM_DATABASES = ['master', 'tempdb', 'model', 'msdb'];
const DEFAULT_COLLATION = 'Danish_Norwegian_CI_AS';

const DEFAULT_SCHEMAS: readonly CatalogRow[] = [
  { schema_id: 1, name: 'dbo', principal_id: 1 },
  { schema_id: 2, name: 'guest', principal_id: 2 },
  { schema_id: 3, name: 'INFORMATION_SCHEMA', principal_id: 3 },
  { schema_id: 4, name: 'sys', principal_id: 4 },
];

const role = (name: string, id: number): CatalogRow => ({
  ...{ name, principal_id: id, type: 'R', type_desc: 'DATABASE_ROLE', is_fixed_role: id > 0 },
});

const DEFAULT_PRINCIPALS: readonly CatalogRow[] = [
  role('public', 0),
  { name: 'dbo', principal_id: 1, default_schema_name: 'dbo' },
  { name: 'guest', principal_id: 2, default_schema_name: 'guest' },
  { name: 'INFORMATION_SCHEMA', principal_id: 3 },
  { name: 'sys', principal_id: 4 },
  role('db_owner', 16384),
  role('db_datareader', 16390),
];

const configuration = (
  id: number,
  name: string,
  [value, least, most]: readonly number[],
): CatalogRow => ({
  ...{ configuration_id: id, name, description: name, is_advanced: id === 16384 },
  ...{ value: value ?? 0, value_in_use: value ?? 0, minimum: least ?? 0, maximum: most ?? 1 },
});

const SERVER_ROWS: MssqlCatalog = {
  'sys.configurations': [
    configuration(1536, 'max text repl size (B)', [65536, -1, 2147483647]),
    configuration(16384, 'Agent XPs', [1, 0, 1]),
  ],
  'sys.dm_server_services': [
    { servicename: 'SQL Server (MSSQLSERVER)', process_id: 1201 },
    { servicename: 'SQL Server Agent (MSSQLSERVER)', process_id: 1202 },
  ],
};

/** Opens an engine with the system databases. */
export function openEngine(): Engine {
  const entries = new Map<string, DatabaseEntry>();
  const stores = new Map<string, readonly Row[]>();
  const place = (database: string, view: View): string =>
    `${view.isOfServer ? '' : database.toLowerCase()}:${view.name.toLowerCase()}`;
  const rowsOf = (database: string, view: View): readonly Row[] =>
    view.derive?.((other) => rowsOf(database, viewOf(other))) ??
    stores.get(place(database, view)) ??
    [];
  const load = (database: string, catalog: MssqlCatalog): void => {
    for (const [name, added] of Object.entries(catalog)) {
      const view = viewOf(storedUnder(name));
      const rows = rowsOf(database, view);
      stores.set(place(database, view), [...rows, ...catalogRows(view, added)]);
    }
  };
  const addDatabase = (name: string, catalog: MssqlCatalog): DatabaseEntry => {
    const entry = { name, id: entries.size + 1, tableRows: new Map() };
    entries.set(name.toLowerCase(), entry);
    load(name, completed(catalog, entry));
    return entry;
  };
  load('', SERVER_ROWS);
  for (const name of SYSTEM_DATABASES) addDatabase(name, {});
  return {
    addDatabase,
    database: (name) => entries.get(name.toLowerCase()),
    view: (database, name) => {
      const view = viewOf(name);
      return { columns: view.columns, rows: rowsOf(database, view) };
    },
    setRows: (database, name, rows) => {
      const view = viewOf(name);
      if (view.derive) throw new Error(`${name} is no view that holds rows`);
      stores.set(place(database, view), rows);
    },
  };
}

function viewOf(name: string): View {
  const view = VIEWS.get(name.toLowerCase());
  if (!view) throw new Error(`there is no view ${name}`);
  return view;
}

/** Completes a catalog with what every database has. */
function completed(catalog: MssqlCatalog, entry: DatabaseEntry): MssqlCatalog {
  const [said] = catalog['sys.databases'] ?? [];
  const collation = said?.['collation_name'] ?? DEFAULT_COLLATION;
  return {
    'sys.schemas': DEFAULT_SCHEMAS,
    'sys.types': systemTypes(String(collation)),
    'sys.database_principals': DEFAULT_PRINCIPALS,
    ...catalog,
    'sys.databases': [{ ...said, name: entry.name, database_id: entry.id }],
  };
}

/** Descriptions by type, for rows with only a type. */
const TYPE_DESCRIPTIONS: Readonly<Record<string, string>> = { UQ: 'UNIQUE_CONSTRAINT' };

/** Converts the rows of a catalog. Columns of sys.columns that its parts repeat are omitted. */
function catalogRows(view: View, rows: readonly CatalogRow[]): readonly Row[] {
  const isPart = view.name.endsWith(' part');
  const known = new Set(view.columns.map(({ name }) => name));
  return rows.map((row) => {
    const unknown = isPart ? undefined : Object.keys(row).find((name) => !known.has(name));
    if (unknown !== undefined) throw new Error(`${view.name} has no column ${unknown}`);
    const description = TYPE_DESCRIPTIONS[String(row['type'])];
    return rowOf(view, description === undefined ? row : { type_desc: description, ...row });
  });
}

/** Builds a row with default values in missing columns. */
export function rowOf(
  { columns }: Pick<View, 'columns'>,
  values: Readonly<Record<string, SqlValue | boolean>>,
): Row {
  return columns.map(({ name, fallback }) => plain(values[name] ?? fallback));
}

/** Converts true and false to 1 and 0. */
export function plain(value: SqlValue | boolean): SqlValue {
  return typeof value === 'boolean' ? Number(value) : value;
}
