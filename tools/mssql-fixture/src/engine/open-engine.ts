import type { SqlValue } from '../tds/sql-type.ts';
import { systemTypes } from './system-types.ts';
import {
  VIEWS,
  type FoundRow,
  type Relation,
  type Row,
  type RowValues,
  type View,
} from './views.ts';

/**
 * Rows of the views of one database, by view name: `{ "sys.tables": [{ "object_id": 1, "name": "Actor" }] }`. Omitted
 * columns have their default value. Views and columns that no query reads are ignored.
 */
export type MssqlCatalog = Readonly<Record<string, readonly RowValues[]>>;

/** Reads and changes rows of the views of one database. */
export interface RowEditor {
  /** Finds rows where every column of `where` has its value. Text is compared without case. */
  find(view: string, where?: RowValues): readonly FoundRow[];
  insert(view: string, row: RowValues): void;
  update(view: string, where: RowValues, values: RowValues): void;
  remove(view: string, where: RowValues): void;
}

/** A database of the server. */
export interface Database extends RowEditor {
  readonly name: string;
  /** Returns a view with its rows, or undefined for an unknown view. */
  readonly view: (name: string) => Relation | undefined;
  /** Rows that were inserted into its tables, by object_id. */
  readonly tableRows: Map<number, readonly FoundRow[]>;
}

/** The server's databases. */
export interface Engine {
  /** Finds a database by name, without case. */
  readonly database: (name: string) => Database | undefined;
  /** Adds a database with the rows of a catalog. Views that are missing in the catalog are as in an empty database. */
  readonly addDatabase: (name: string, catalog: MssqlCatalog) => Database;
}

const COLLATION = 'Danish_Norwegian_CI_AS';

const SERVER_ROWS: MssqlCatalog = {
  'sys.configurations': [
    { configuration_id: 1536, name: 'max text repl size (B)', value_in_use: 65536 },
  ],
  'sys.dm_server_services': [
    { servicename: 'SQL Server (MSSQLSERVER)', process_id: 1201 },
    { servicename: 'SQL Server Agent (MSSQLSERVER)', process_id: 1202 },
  ],
};

/** Opens an engine with the database `master`. */
export function openEngine(): Engine {
  const databases = new Map<string, Database>();
  const serverRows: Rows = new Map();
  const addDatabase = (name: string, catalog: MssqlCatalog): Database => {
    const [said] = catalog['sys.databases'] ?? [];
    const database = openDatabase(name, serverRows, {
      'sys.schemas': [{ schema_id: 1, name: 'dbo' }],
      'sys.types': systemTypes(String(said?.['collation_name'] ?? COLLATION)),
      'sys.database_principals': [{ name: 'dbo', principal_id: 1 }],
      ...catalog,
      'sys.databases': [{ ...said, name, database_id: databases.size + 1 }],
    });
    databases.set(name.toLowerCase(), database);
    return database;
  };
  addDatabase('master', SERVER_ROWS);
  return { addDatabase, database: (name) => databases.get(name.toLowerCase()) };
}

/** Rows by view name. */
type Rows = Map<string, readonly Row[]>;

function openDatabase(name: string, serverRows: Rows, catalog: MssqlCatalog): Database {
  const ownRows: Rows = new Map();
  const open = (viewName: string) => {
    const view = VIEWS.get(viewName);
    if (!view) throw new Error(`there is no view ${viewName}`);
    const stored = view.isOfServer ? serverRows : ownRows;
    return {
      columns: view.columns,
      rows: stored.get(viewName) ?? [],
      set: (rows: readonly Row[]) => void stored.set(viewName, rows),
    };
  };
  for (const [viewName, added] of Object.entries(catalog)) {
    if (!VIEWS.has(viewName)) continue;
    const { columns, rows, set } = open(viewName);
    set([...rows, ...added.map((values) => rowOf(columns, values))]);
  }
  return {
    name,
    tableRows: new Map(),
    view: (viewName) => (VIEWS.has(viewName) ? open(viewName) : undefined),
    find: (viewName, where = {}) => {
      const { columns, rows } = open(viewName);
      return rows
        .filter(matcher(columns, where))
        .map((row) =>
          Object.fromEntries(columns.map((column, i) => [column.name, row[i] ?? null])),
        );
    },
    insert: (viewName, values) => {
      const { columns, rows, set } = open(viewName);
      Object.keys(values).forEach((column) => indexOf(columns, column));
      set([...rows, rowOf(columns, values)]);
    },
    update: (viewName, where, values) => {
      const { columns, rows, set } = open(viewName);
      const isWanted = matcher(columns, where);
      const changes = positions(columns, values);
      set(
        rows.map((row) => {
          if (!isWanted(row)) return row;
          const changed = [...row];
          for (const [index, value] of changes) changed[index] = value;
          return changed;
        }),
      );
    },
    remove: (viewName, where) => {
      const { columns, rows, set } = open(viewName);
      const isWanted = matcher(columns, where);
      set(rows.filter((row) => !isWanted(row)));
    },
  };
}

function rowOf(columns: View['columns'], values: RowValues): Row {
  return columns.map(({ name, fallback }) => plain(values[name] ?? fallback));
}

/** Converts true and false to 1 and 0. */
function plain(value: SqlValue | boolean): SqlValue {
  return typeof value === 'boolean' ? Number(value) : value;
}

function indexOf(columns: View['columns'], name: string): number {
  const index = columns.findIndex((column) => column.name === name);
  if (index < 0) throw new Error(`the view has no column ${name}`);
  return index;
}

function positions(
  columns: View['columns'],
  values: RowValues,
): readonly (readonly [index: number, value: SqlValue])[] {
  return Object.entries(values).map(([name, value]) => [indexOf(columns, name), plain(value)]);
}

function matcher(columns: View['columns'], where: RowValues): (row: Row) => boolean {
  const terms = positions(columns, where);
  return (row) => terms.every(([index, value]) => isEqual(row[index] ?? null, value));
}

function isEqual(left: SqlValue, right: SqlValue): boolean {
  if (typeof left === 'string' && typeof right === 'string') {
    return left.toLowerCase() === right.toLowerCase();
  }
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    return Buffer.compare(left, right) === 0;
  }
  return left === right;
}
