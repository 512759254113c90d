import type { Database } from '../engine/open-engine.ts';
import { notRun, raise } from '../engine/sql-server-error.ts';
import { tableId, userTable } from '../engine/tables.ts';
import type { Relation } from '../engine/views.ts';
import type { Frame } from './session.ts';

/** Resolves a name in a FROM clause. Throws 208. */
export function resolveRelation({ session }: Frame, parts: readonly string[]): Relation {
  const [name = '', schema = 'dbo', database] = [...parts].reverse();
  if (database !== undefined) throw notRun('queries of other databases');
  const found =
    session.temporaryTables.get(name.toLowerCase()) ??
    systemView(session.database, `${schema}.${name}`.toLowerCase()) ??
    userTable(session.database, schema, name);
  if (!found) throw raise(208, [parts.join('.')]);
  return found;
}

function systemView(database: Database, name: string): Relation | undefined {
  const isMissing = name.startsWith('cdc.') && !isCdcEnabled(database);
  return isMissing ? undefined : database.view(name);
}

/** Checks if change data capture is enabled for a database. */
export function isCdcEnabled({ name, find }: Database): boolean {
  return find('sys.databases', { name })[0]?.['is_cdc_enabled'] === 1;
}

/** Returns the OBJECT_ID of a table with or without schema, `[dbo].[Actor]`, or null if there is none. */
export function findTable({ session }: Frame, text: string): number | null {
  const [name = '', schema = 'dbo'] = parseNames(text).reverse();
  return tableId(session.database, schema, name) ?? null;
}

/** Parses the names in `[a].[b]`, `[a], [b]` or `a.b`. */
export function parseNames(text: string): string[] {
  const names = text.matchAll(/\[((?:[^\]]|\]\])*)\]|[^\s.,[\]]+/g);
  return [...names].map(([bare, bracketed]) => bracketed?.replaceAll(']]', ']') ?? bare);
}
