import { raise } from '../engine/sql-server-error.ts';
import type { Engine } from '../engine/open-engine.ts';
import { userTable } from '../engine/user-table.ts';
import { SYSTEM_VIEWS } from '../views/system-views.ts';
import type { Relation } from '../translate/translation.ts';
import { databaseRoles, hasDatabaseRole, type Frame, type Session } from './session.ts';

/** What a name in a FROM clause stands for. Throws 208, 229 and 916. */
export function resolveRelation(frame: Frame, parts: readonly string[], line: number): Relation {
  const { host, session } = frame;
  const name = parts.at(-1) ?? '';
  const own =
    frame.tableVariables.get(name.toLowerCase()) ?? session.temporaryTables.get(name.toLowerCase());
  if (own) return own;
  if (name.startsWith('@')) throw raise(1087, [name], { line });
  const schema = parts.at(-2) || 'dbo';
  const database = parts.at(-3) || session.databaseName;
  const entry = parts.length > 3 ? undefined : host.engine.database(database);
  if (!entry) throw raise(208, [parts.join('.')], { line });
  if (!databaseRoles(session, entry.name)) {
    throw raise(916, [session.login.name, entry.name], { line });
  }
  const found =
    systemRelation(host.engine, entry.name, schema, name) ??
    userTable(host.engine, { database: entry.name, schema, name });
  if (!found) throw raise(208, [parts.join('.')], { line });
  if (schema.toLowerCase() === 'cdc') checkCdcAccess(session, { database: entry.name, name, line });
  return found;
}

function systemRelation(
  engine: Engine,
  database: string,
  schema: string,
  name: string,
): Relation | undefined {
  const inSchema = `${schema}.${name}`.toLowerCase();
  const view =
    SYSTEM_VIEWS.get(inSchema) ?? SYSTEM_VIEWS.get(`${database}.${inSchema}`.toLowerCase());
  if (!view || view.name.endsWith(' part')) return undefined;
  if (inSchema.startsWith('cdc.') && !isCdcEnabled(engine, database)) return undefined;
  return { sql: engine.viewName(database, view.name), columns: view.columns };
}

/** Whether change data capture is on for a database. */
export function isCdcEnabled(engine: Engine, database: string): boolean {
  const sql = `SELECT is_cdc_enabled FROM ${engine.viewName(database, 'sys.databases')} WHERE name = ?1`;
  return engine.sqlite.all(sql, [database])[0]?.[0] === 1;
}

function checkCdcAccess(
  session: Session,
  {
    database,
    name,
    line,
  }: { readonly database: string; readonly name: string; readonly line: number },
): void {
  if (hasDatabaseRole(session, 'db_datareader', database)) return;
  throw raise(229, [name, database, 'cdc'], { line });
}
