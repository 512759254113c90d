import { isTypeName, type SqlType, type SqlValue } from '../tds/sql-type.ts';
import type { Database } from './open-engine.ts';
import { columnRow, type ColumnSpec } from './system-types.ts';
import type { FoundRow, Relation } from './views.ts';

/** A table to add. */
export interface TableSpec {
  /** `dbo.Actor` */
  readonly name: string;
  readonly columns: readonly ColumnSpec[];
  /** Columns of its primary key. Undefined without a key. */
  readonly primaryKey?: readonly string[];
  readonly isMsShipped?: boolean;
}

/** Changes tables of one database while clients are connected. Throws for a table or column that does not exist. */
export interface TableEditor {
  /** Adds a table and returns its object_id. Creates a missing schema. */
  addTable(table: TableSpec): number;
  dropTable(table: string): void;
  addColumn(table: string, column: ColumnSpec): void;
  /** Changes the type, length or nullability of a column. Its position stays. */
  alterColumn(table: string, column: ColumnSpec): void;
  renameColumn(table: string, from: string, to: string): void;
  dropColumn(table: string, column: string): void;
  /** Inserts rows into a table, for queries that read it. */
  insertRows(table: string, rows: readonly Readonly<Record<string, SqlValue>>[]): void;
}

/** Step between object ids of SQL Server. */
const OBJECT_ID_STEP = 16;
const FIRST_OBJECT_ID = 245_575_913;

/** Views with rows of a table, with their column for its object_id. */
const VIEWS_OF_A_TABLE: Readonly<Record<string, string>> = {
  'sys.tables': 'object_id',
  'sys.columns': 'object_id',
  'sys.computed_columns': 'object_id',
  'sys.default_constraints': 'parent_object_id',
  'sys.foreign_keys': 'parent_object_id',
  'sys.indexes': 'object_id',
  'sys.index_columns': 'object_id',
};

/** Opens an editor of a database's tables. */
export function editTables(database: Database): TableEditor {
  const { find, insert, update, remove, tableRows } = database;
  const idOf = (table: string): number => {
    const id = tableId(database, ...splitName(table));
    if (id === undefined) throw new Error(`${database.name} has no table ${table}`);
    return id;
  };
  const columnIdOf = (table: string, name: string): SqlValue => {
    const [row] = find('sys.columns', { object_id: idOf(table), name });
    if (!row) throw new Error(`${table} has no column ${name}`);
    return row['column_id'] ?? null;
  };
  const addColumnTo = (id: number, columnId: number, column: ColumnSpec): void => {
    const place = { object_id: id, column_id: columnId };
    insert('sys.columns', { ...place, ...columnRow(column, find('sys.types')) });
    if (column.computed === undefined) return;
    insert('sys.computed_columns', { ...place, definition: column.computed });
  };
  return {
    addTable: (table) => {
      const [schema, name] = splitName(table.name);
      const id = highestId(database, 'sys.tables', 'object_id', FIRST_OBJECT_ID) + OBJECT_ID_STEP;
      insert('sys.tables', {
        ...{ object_id: id, name, schema_id: schemaIdOf(database, schema) },
        is_ms_shipped: table.isMsShipped ?? false,
      });
      table.columns.forEach((column, i) => addColumnTo(id, i + 1, column));
      if (!table.primaryKey) return id;
      const key = { object_id: id, index_id: 1 };
      insert('sys.indexes', { ...key, name: `PK_${name}`, is_unique: true, is_primary_key: true });
      table.primaryKey.forEach((column, i) =>
        insert('sys.index_columns', {
          ...{ ...key, column_id: columnIdOf(table.name, column), key_ordinal: i + 1 },
        }),
      );
      return id;
    },
    dropTable: (table) => {
      const id = idOf(table);
      for (const [view, column] of Object.entries(VIEWS_OF_A_TABLE)) remove(view, { [column]: id });
      tableRows.delete(id);
    },
    addColumn: (table, column) => {
      const id = idOf(table);
      const ids = find('sys.columns', { object_id: id }).map((row) => Number(row['column_id']));
      addColumnTo(id, Math.max(0, ...ids) + 1, column);
    },
    alterColumn: (table, column) =>
      update(
        'sys.columns',
        { object_id: idOf(table), column_id: columnIdOf(table, column.name) },
        columnRow(column, find('sys.types')),
      ),
    renameColumn: (table, from, to) => {
      const id = idOf(table);
      update('sys.columns', { object_id: id, column_id: columnIdOf(table, from) }, { name: to });
      const rows = tableRows.get(id) ?? [];
      tableRows.set(
        id,
        rows.map(({ [from]: value = null, ...row }) => ({ ...row, [to]: value })),
      );
    },
    dropColumn: (table, column) => {
      const id = idOf(table);
      const columnId = columnIdOf(table, column);
      for (const view of ['sys.columns', 'sys.computed_columns', 'sys.index_columns'])
        remove(view, { object_id: id, column_id: columnId });
      remove('sys.default_constraints', { parent_object_id: id, parent_column_id: columnId });
    },
    insertRows: (table, added) => {
      const id = idOf(table);
      const names = new Set(find('sys.columns', { object_id: id }).map((row) => row['name']));
      const unknown = added.flatMap(Object.keys).find((name) => !names.has(name));
      if (unknown !== undefined) throw new Error(`${table} has no column ${unknown}`);
      tableRows.set(id, [...(tableRows.get(id) ?? []), ...added]);
    },
  };
}

/** Splits `dbo.Actor`, or `Actor` for a table of dbo. */
function splitName(name: string): readonly [schema: string, table: string] {
  const dot = name.indexOf('.');
  return dot < 0 ? ['dbo', name] : [name.slice(0, dot), name.slice(dot + 1)];
}

/** Returns the highest id in a view, and at least `least`. */
function highestId({ find }: Database, view: string, column: string, least: number): number {
  return find(view).reduce((highest, row) => Math.max(highest, Number(row[column])), least);
}

/** Returns the id of a schema, which is created if it is missing. */
export function schemaIdOf(database: Database, name: string): number {
  const [found] = database.find('sys.schemas', { name });
  if (found) return Number(found['schema_id']);
  const id = highestId(database, 'sys.schemas', 'schema_id', 4) + 1;
  database.insert('sys.schemas', { schema_id: id, name });
  return id;
}

/** Returns the object_id of a table, or undefined if there is none. */
export function tableId({ find }: Database, schema: string, name: string): number | undefined {
  const [owner] = find('sys.schemas', { name: schema });
  const [row] = owner ? find('sys.tables', { name, schema_id: owner['schema_id'] ?? 0 }) : [];
  return row && Number(row['object_id']);
}

/** Finds a table of the catalog with the rows that were inserted. Returns undefined if there is none. */
export function userTable(database: Database, schema: string, name: string): Relation | undefined {
  const id = tableId(database, schema, name);
  if (id === undefined) return undefined;
  const types = new Map(
    database.find('sys.types').map((row) => [row['user_type_id'], row['name']]),
  );
  const columns = database
    .find('sys.columns', { object_id: id })
    .toSorted((a, b) => Number(a['column_id']) - Number(b['column_id']))
    .map((row) => ({
      name: String(row['name']),
      type: columnType(String(types.get(row['system_type_id'] ?? null)), row),
    }));
  const rows = database.tableRows.get(id) ?? [];
  return { columns, rows: rows.map((row) => columns.map((column) => row[column.name] ?? null)) };
}

/** Converts the type in a row of sys.columns, where lengths are bytes. An unknown type name is a CLR type. */
function columnType(name: string, row: FoundRow): SqlType {
  if (!isTypeName(name)) return { name: 'varbinary', length: -1 };
  const [bytes = 0, precision = 0, scale = 0] = ['max_length', 'precision', 'scale'].map((facet) =>
    Number(row[facet]),
  );
  if (/^n(var)?char$/.test(name)) return { name, length: bytes < 0 ? -1 : bytes / 2 };
  if (/char|binary/.test(name)) return { name, length: bytes };
  if (/^(decimal|numeric)$/.test(name)) return { name, precision, scale };
  return /^(time|datetime2|datetimeoffset)$/.test(name) ? { name, scale } : { name };
}
