import { editRows } from '../engine/edit-rows.ts';
import type { Engine } from '../engine/open-engine.ts';
import type { Relation, Variable } from '../engine/relation.ts';
import { raise } from '../engine/sql-server-error.ts';
import { userTable } from '../engine/user-table.ts';
import { VIEWS } from '../engine/views.ts';
import { allChanges } from '../cdc/all-changes.ts';
import { databaseRoles, hasDatabaseRole, type Frame } from './session.ts';

/** Resolves a name in a FROM clause, with its arguments if it is a function. Throws 208, 229 and 916. */
export function resolveRelation(
  { host, session }: Frame,
  parts: readonly string[],
  args: readonly Variable[] | undefined,
): Relation {
  const name = parts.at(-1) ?? '';
  const own = session.temporaryTables.get(name.toLowerCase());
  if (own) return own;
  const schema = parts.at(-2) || 'dbo';
  const entry = host.engine.database(parts.at(-3) || session.databaseName);
  if (!entry || parts.length > 3) throw raise(208, [parts.join('.')]);
  const database = entry.name;
  if (!databaseRoles(session, database)) throw raise(916, [session.login.name, database]);
  const found = args
    ? allChanges(host.engine, { database, schema, name }, args)
    : (systemView(host.engine, database, `${schema}.${name}`) ??
      userTable(host.engine, { database, schema, name }));
  if (!found) throw raise(208, [parts.join('.')]);
  if (schema.toLowerCase() === 'cdc' && !hasDatabaseRole(session, 'db_datareader', database)) {
    throw raise(229, [name, database, 'cdc']);
  }
  return found;
}

function systemView(engine: Engine, database: string, name: string): Relation | undefined {
  const view = VIEWS.get(name.toLowerCase()) ?? VIEWS.get(`${database}.${name}`.toLowerCase());
  if (!view || view.name.endsWith(' part')) return undefined;
  if (view.name.startsWith('cdc.') && !isCdcEnabled(engine, database)) return undefined;
  return engine.view(database, view.name);
}

/** Checks if change data capture is enabled for a database. */
export function isCdcEnabled(engine: Engine, database: string): boolean {
  const [row] = editRows(engine, database).find('sys.databases', { name: database });
  return row?.['is_cdc_enabled'] === 1;
}

/** Returns the OBJECT_ID of a name with or without schema and database, `[dbo].[Actor]`, or null if there is none. */
export function resolveObject(
  { host, session }: Frame,
  text: string,
  kind: string | undefined,
): number | null {
  const [name = '', schema, database] = parseName(text).reverse();
  const { find } = editRows(host.engine, database || session.databaseName);
  const [owner] = find('sys.schemas', { name: schema || 'dbo' });
  const objects = find('sys.objects', { name, schema_id: owner?.['schema_id'] ?? null });
  const found = objects.find(
    (row) => kind === undefined || String(row['type']).trim() === kind.trim(),
  );
  return found ? Number(found['object_id']) : null;
}

/** Splits `[a].[b].c` into its parts. */
export function parseName(text: string): string[] {
  const parts = text.matchAll(/\[((?:[^\]]|\]\])*)\]|"((?:[^"]|"")*)"|([^.[\]"]+)|(?<=\.)(?=\.)/g);
  return [...parts].map(([, bracketed, quoted, bare]) =>
    (bracketed?.replaceAll(']]', ']') ?? quoted?.replaceAll('""', '"') ?? bare ?? '').trim(),
  );
}
