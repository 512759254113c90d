import { systemTypes } from '../views/system-types.ts';
import { storedUnder } from '../views/column-views.ts';
import { renderColumn, type SystemView } from '../views/system-view.ts';
import { SYSTEM_VIEWS } from '../views/system-views.ts';
import { quoteName } from '../translate/typed-sql.ts';
import type { CatalogRow, MssqlCatalog } from './catalog.ts';
import { loadRows } from './load-rows.ts';
import { openSqlite, type Sqlite } from './open-sqlite.ts';

/** A database of the server. */
interface DatabaseEntry {
  readonly name: string;
  readonly id: number;
}

/** The server's databases and the SQLite that holds their views. */
export interface Engine {
  readonly sqlite: Sqlite;
  /** A database by its name, in any case of its letters. */
  readonly database: (name: string) => DatabaseEntry | undefined;
  readonly databases: () => readonly DatabaseEntry[];
  /** Adds a database with the rows of a catalog; what the catalog lacks is as in an empty database. */
  readonly addDatabase: (name: string, catalog: MssqlCatalog) => DatabaseEntry;
  /** SQLite's name of a system view of a database. Throws for a view that there is not. */
  readonly viewName: (database: string, view: string) => string;
}

/** Databases of SQL Server itself, with their numbers. */
const SYSTEM_DATABASES = ['master', 'tempdb', 'model', 'msdb'];
const DEFAULT_COLLATION = 'Danish_Norwegian_CI_AS';

const DEFAULT_SCHEMAS: readonly CatalogRow[] = [
  { schema_id: 1, name: 'dbo', principal_id: 1 },
  { schema_id: 2, name: 'guest', principal_id: 2 },
  { schema_id: 3, name: 'INFORMATION_SCHEMA', principal_id: 3 },
  { schema_id: 4, name: 'sys', principal_id: 4 },
];

const DEFAULT_PRINCIPALS: readonly CatalogRow[] = [
  { name: 'public', principal_id: 0, type: 'R', type_desc: 'DATABASE_ROLE' },
  { name: 'dbo', principal_id: 1, default_schema_name: 'dbo' },
  { name: 'guest', principal_id: 2, default_schema_name: 'guest' },
  { name: 'INFORMATION_SCHEMA', principal_id: 3 },
  { name: 'sys', principal_id: 4 },
  {
    name: 'db_owner',
    principal_id: 16384,
    type: 'R',
    type_desc: 'DATABASE_ROLE',
    is_fixed_role: true,
  },
  {
    name: 'db_datareader',
    principal_id: 16390,
    type: 'R',
    type_desc: 'DATABASE_ROLE',
    is_fixed_role: true,
  },
];

const SERVER_ROWS: MssqlCatalog = {
  'sys.configurations': [
    {
      configuration_id: 1536,
      name: 'max text repl size (B)',
      value: 65536,
      minimum: -1,
      maximum: 2147483647,
      value_in_use: 65536,
      description: 'Maximum size of a text field in replication.',
    },
    {
      configuration_id: 16384,
      name: 'Agent XPs',
      value: 1,
      minimum: 0,
      maximum: 1,
      value_in_use: 1,
      description: 'Enable or disable Agent XPs',
      is_advanced: true,
    },
  ],
  'sys.dm_server_services': [
    { servicename: 'SQL Server (MSSQLSERVER)', process_id: 1201 },
    { servicename: 'SQL Server Agent (MSSQLSERVER)', process_id: 1202 },
  ],
};

/** An engine with the system databases. */
export async function openEngine(): Promise<Engine> {
  const sqlite = await openSqlite();
  const entries = new Map<string, DatabaseEntry>();
  const viewName = (database: string, view: string): string => {
    const known = SYSTEM_VIEWS.get(view.toLowerCase());
    if (!known) throw new Error(`there is no view ${view}`);
    return sqliteName(known, entries.get(database.toLowerCase())?.name ?? database);
  };
  for (const view of viewsOf('server')) createView(sqlite, view, '');
  for (const [view, rows] of Object.entries(SERVER_ROWS)) loadRows(sqlite, viewOf(view), '', rows);
  const addDatabase = (name: string, catalog: MssqlCatalog): DatabaseEntry => {
    const entry = { name, id: entries.size + 1 };
    entries.set(name.toLowerCase(), entry);
    for (const view of viewsOf('database')) createView(sqlite, view, name);
    for (const [view, rows] of Object.entries(completed(catalog, entry))) {
      loadRows(sqlite, viewOf(view), name, rows);
    }
    return entry;
  };
  for (const name of SYSTEM_DATABASES) addDatabase(name, {});
  return {
    sqlite,
    addDatabase,
    viewName,
    database: (name) => entries.get(name.toLowerCase()),
    databases: () => [...entries.values()],
  };
}

function viewsOf(scope: SystemView['scope']): readonly SystemView[] {
  return [...SYSTEM_VIEWS.values()].filter((view) => view.scope === scope);
}

function viewOf(name: string): SystemView {
  const view = SYSTEM_VIEWS.get(storedUnder(name).toLowerCase());
  if (!view || view.select) throw new Error(`${name} is no view that holds rows`);
  return view;
}

/** A database's views are named after it, so that one SQLite holds all of them. */
export function sqliteName(view: SystemView, database: string): string {
  return quoteName(view.scope === 'server' ? view.name : `${database}:${view.name}`);
}

function createView(sqlite: Sqlite, view: SystemView, database: string): void {
  const name = sqliteName(view, database);
  if (view.select) {
    const of = (other: string): string => sqliteName(viewByName(other), database);
    const columns = view.columns.map((column) => quoteName(column.name)).join(', ');
    sqlite.run(`CREATE VIEW ${name} (${columns}) AS ${view.select(of, database)}`);
    return;
  }
  sqlite.run(`CREATE TABLE ${name} (${view.columns.map(renderColumn).join(', ')})`);
  if (view.indexed.length > 0) {
    const index = quoteName(`${database}:${view.name} index`);
    sqlite.run(`CREATE INDEX ${index} ON ${name} (${view.indexed.map(quoteName).join(', ')})`);
  }
}

function viewByName(name: string): SystemView {
  const view = SYSTEM_VIEWS.get(name.toLowerCase());
  if (!view) throw new Error(`there is no view ${name}`);
  return view;
}

/** A catalog with what every database has. */
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
