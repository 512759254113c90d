import { isTypeName, type SqlType } from '../tds/sql-type.ts';
import { editRows } from './edit-rows.ts';
import type { Engine } from './open-engine.ts';
import type { Relation } from './relation.ts';

/** A table of a database by its name. */
export interface TableName {
  readonly database: string;
  readonly schema: string;
  readonly name: string;
}

/** Finds a table of the catalog with the rows that were inserted. Returns undefined if there is none. */
export function userTable(engine: Engine, table: TableName): Relation | undefined {
  const id = tableId(engine, table);
  if (id === undefined) return undefined;
  const { find } = editRows(engine, table.database);
  const types = new Map(find('sys.types').map((row) => [row['user_type_id'], row['name']]));
  const columns = find('sys.columns', { object_id: id }).map((row) => ({
    name: String(row['name']),
    id: Number(row['column_id']),
    type: columnType(String(types.get(row['system_type_id'] ?? null)), row),
  }));
  columns.sort((a, b) => a.id - b.id);
  const rows = engine.database(table.database)?.tableRows.get(id) ?? [];
  return { columns, rows: rows.map((row) => columns.map(({ name }) => row[name] ?? null)) };
}

/** Returns the object_id of a table, or undefined if there is none. */
export function tableId(engine: Engine, { database, schema, name }: TableName): number | undefined {
  const { find } = editRows(engine, database);
  const [owner] = find('sys.schemas', { name: schema });
  const [row] = owner ? find('sys.tables', { name, schema_id: owner['schema_id'] ?? 0 }) : [];
  return row && Number(row['object_id']);
}

/** Converts the type in a row of sys.columns, where lengths are bytes. An unknown type name is a CLR type. */
function columnType(name: string, row: Readonly<Record<string, unknown>>): SqlType {
  if (!isTypeName(name)) return { name: 'varbinary', length: -1 };
  const [bytes, precision, scale] = ['max_length', 'precision', 'scale'].map((facet) =>
    Number(row[facet]),
  );
  if (bytes === undefined) return { name };
  if (/^n(var)?char$/.test(name)) return { name, length: bytes < 0 ? -1 : bytes / 2 };
  if (/char|binary/.test(name)) return { name, length: bytes };
  if (/^(decimal|numeric)$/.test(name))
    return { name, precision: precision ?? 18, scale: scale ?? 0 };
  return /^(time|datetime2|datetimeoffset)$/.test(name) ? { name, scale: scale ?? 7 } : { name };
}
