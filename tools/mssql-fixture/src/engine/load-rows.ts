import { quoteName } from '../translate/typed-sql.ts';
import type { SystemColumn, SystemView } from '../views/system-view.ts';
import type { CatalogRow } from './catalog.ts';
import { sqliteName } from './open-engine.ts';
import type { Sqlite } from './open-sqlite.ts';

/** So many rows go to SQLite at once, as one JSON text. */
const ROWS_AT_ONCE = 20_000;

/** Descriptions that follow from a type, where a row has the type only. */
const TYPE_DESCRIPTIONS: Readonly<Record<string, string>> = {
  PK: 'PRIMARY_KEY_CONSTRAINT',
  UQ: 'UNIQUE_CONSTRAINT',
};

/**
 * Puts rows into a view. Columns that the view does not have are left out (sys.identity_columns repeats the name),
 * those that no row has keep their usual value.
 */
export function loadRows(
  sqlite: Sqlite,
  view: SystemView,
  database: string,
  rows: readonly CatalogRow[],
): void {
  const given = new Set(rows.flatMap((row) => Object.keys(row)));
  const isPart = view.name.endsWith(' part');
  for (const name of given) {
    const isKnown = view.columns.some((column) => column.name === name);
    if (!isKnown && !isPart) throw new Error(`${view.name} has no column ${name}`);
  }
  const needsDescription = given.has('type') && !given.has('type_desc');
  const columns = view.columns.filter(
    (column) => given.has(column.name) || (needsDescription && column.name === 'type_desc'),
  );
  if (columns.length === 0) return;
  const names = columns.map((column) => quoteName(column.name)).join(', ');
  const values = columns.map(valueSql).join(', ');
  const insert = `INSERT INTO ${sqliteName(view, database)} (${names}) SELECT ${values} FROM json_each(?1)`;
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    const chunk = rows
      .slice(at, at + ROWS_AT_ONCE)
      .map((row) =>
        columns.map(({ name }) => row[name] ?? (name === 'type_desc' ? describe(row) : null)),
      );
    sqlite.run(insert, [JSON.stringify(chunk)]);
  }
}

function describe(row: CatalogRow): string | null {
  return TYPE_DESCRIPTIONS[String(row['type']).trim()] ?? null;
}

/** Fixed-length text is held without its padding. */
function valueSql(column: SystemColumn, position: number): string {
  const value = `value ->> ${position}`;
  const text = column.type.name === 'char' ? `rtrim(${value})` : value;
  return column.fallback === 'NULL' ? text : `coalesce(${text}, ${column.fallback})`;
}
