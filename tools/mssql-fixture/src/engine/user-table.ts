import { isTypeName, type SqlType, type SqlValue } from '../tds/sql-type.ts';
import type { Relation } from '../translate/translation.ts';
import { quoteName } from '../translate/typed-sql.ts';
import type { Engine } from './open-engine.ts';

/** A table of a database by its name. */
export interface TableName {
  readonly database: string;
  readonly schema: string;
  readonly name: string;
}

/** A table as the catalog has it, empty unless rows were put into it; undefined when there is none. */
export function userTable(engine: Engine, table: TableName): Relation | undefined {
  const objectId = tableId(engine, table);
  if (objectId === undefined) return undefined;
  const view = (name: string): string => engine.viewName(table.database, name);
  const rows = engine.sqlite.all(
    `SELECT c.name, y.name, c.max_length, c.precision, c.scale FROM ${view('sys.columns')} AS c
     LEFT JOIN ${view('sys.types')} AS y ON y.user_type_id = c.system_type_id
     WHERE c.object_id = ?1 ORDER BY c.column_id`,
    [objectId],
  );
  const columns = rows.map((row) => ({ name: String(row[0]), type: columnType(row) }));
  const names = columns.map((column) => quoteName(column.name));
  const stored = rowTable(table.database, objectId);
  const isStored = engine.sqlite.all('SELECT 1 FROM sqlite_master WHERE name = ?1', [stored]);
  if (isStored.length > 0) return { sql: quoteName(stored), columns };
  const nulls = names.map((name) => `NULL AS ${name}`).join(', ');
  return { sql: `(SELECT ${nulls} WHERE 0)`, columns };
}

/** The object_id of a table; undefined when there is none. */
export function tableId(engine: Engine, { database, schema, name }: TableName): number | undefined {
  const [row] = engine.sqlite.all(
    `SELECT t.object_id FROM ${engine.viewName(database, 'sys.tables')} AS t
     JOIN ${engine.viewName(database, 'sys.schemas')} AS s ON s.schema_id = t.schema_id
     WHERE s.name = ?1 AND t.name = ?2`,
    [schema, name],
  );
  return row ? Number(row[0]) : undefined;
}

/** SQLite's name of the table that holds a user table's rows. */
export function rowTable(database: string, objectId: number): string {
  return `${database}:rows of ${objectId}`;
}

/** From name, type, max_length in bytes, precision and scale; a type without a name here is a CLR type. */
function columnType([, written, bytes, precision, scale]: readonly SqlValue[]): SqlType {
  const name = String(written ?? '');
  if (!isTypeName(name)) return { name: 'varbinary', length: -1 };
  const length = Number(bytes);
  if (name === 'nchar' || name === 'nvarchar')
    return { name, length: length < 0 ? -1 : length / 2 };
  if (/char|binary/.test(name)) return { name, length };
  if (name === 'decimal' || name === 'numeric') {
    return { name, precision: Number(precision), scale: Number(scale) };
  }
  return /^(time|datetime2|datetimeoffset)$/.test(name) ? { name, scale: Number(scale) } : { name };
}
