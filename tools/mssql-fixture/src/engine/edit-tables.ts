import { renderIsoTime } from '../tds/iso-time.ts';
import type { SqlValue } from '../tds/sql-type.ts';
import { columnRow, type ColumnSpec } from './column-row.ts';
import { editRows, type RowValues } from './edit-rows.ts';
import type { Engine } from './open-engine.ts';
import { tableId } from './user-table.ts';
import type { CatalogRow } from './views.ts';

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
const VIEWS_OF_A_TABLE: readonly (readonly [view: string, column: string])[] = [
  ['sys.tables', 'object_id'],
  ['sys.columns', 'object_id'],
  ['sys.identity_columns', 'object_id'],
  ['sys.computed_columns', 'object_id'],
  ['sys.default_constraints', 'parent_object_id'],
  ['sys.key_constraints', 'parent_object_id'],
  ['sys.foreign_keys', 'parent_object_id'],
  ['sys.indexes', 'object_id'],
  ['sys.index_columns', 'object_id'],
  ['sys.partitions', 'object_id'],
];

/** Opens an editor of a database's tables. */
export function editTables(engine: Engine, database: string): TableEditor {
  const rows = editRows(engine, database);
  const idOf = (table: string): number => {
    const id = tableId(engine, { database, ...splitName(table) });
    if (id === undefined) throw new Error(`${database} has no table ${table}`);
    return id;
  };
  const touch = (id: number): void =>
    rows.update('sys.tables', { object_id: id }, { modify_date: renderIsoTime(new Date()) });
  const types = (): readonly CatalogRow[] => rows.find('sys.types') as readonly CatalogRow[];
  const addColumnTo = (id: number, columnId: number, column: ColumnSpec): void => {
    const row = columnRow(column, types()) as RowValues;
    const defaultId = column.default === undefined ? 0 : nextObjectId(engine, database);
    rows.insert('sys.columns', {
      object_id: id,
      column_id: columnId,
      default_object_id: defaultId,
      ...row,
    });
    addColumnParts({ rows, id, columnId, column, defaultId });
  };
  return {
    addTable: (table) => {
      const { schema, name } = splitName(table.name);
      const id = nextObjectId(engine, database);
      const schemaId = schemaIdOf(engine, database, schema);
      const now = renderIsoTime(new Date());
      const isShipped = table.isMsShipped ?? false;
      rows.insert('sys.tables', {
        ...{ object_id: id, name, schema_id: schemaId, create_date: now, modify_date: now },
        is_ms_shipped: isShipped,
      });
      table.columns.forEach((column, i) => addColumnTo(id, i + 1, column));
      addKey(engine, database, { id, schemaId, name, table });
      return id;
    },
    dropTable: (table) => {
      const id = idOf(table);
      for (const [view, column] of VIEWS_OF_A_TABLE) rows.remove(view, { [column]: id });
      engine.database(database)?.tableRows.delete(id);
    },
    addColumn: (table, column) => {
      const id = idOf(table);
      const last = rows
        .find('sys.columns', { object_id: id })
        .map((row) => Number(row['column_id']));
      addColumnTo(id, Math.max(0, ...last) + 1, column);
      touch(id);
    },
    alterColumn: (table, column) => {
      const id = idOf(table);
      const row = columnRow(column, types()) as RowValues;
      rows.update('sys.columns', { object_id: id, name: column.name }, row);
      touch(id);
    },
    renameColumn: (table, from, to) => {
      const id = idOf(table);
      rows.update('sys.columns', { object_id: id, name: from }, { name: to });
      const { tableRows } = engine.database(database) ?? {};
      const renamed = tableRows
        ?.get(id)
        ?.map(({ [from]: value = null, ...row }) => ({ ...row, [to]: value }));
      if (renamed) tableRows?.set(id, renamed);
      touch(id);
    },
    dropColumn: (table, column) => {
      const id = idOf(table);
      const [row] = rows.find('sys.columns', { object_id: id, name: column });
      if (!row) throw new Error(`${table} has no column ${column}`);
      const columnId = row['column_id'] ?? 0;
      for (const view of [
        'sys.columns',
        'sys.identity_columns',
        'sys.computed_columns',
        'sys.index_columns',
      ]) {
        rows.remove(view, { object_id: id, column_id: columnId });
      }
      rows.remove('sys.default_constraints', { parent_object_id: id, parent_column_id: columnId });
      touch(id);
    },
    insertRows: (table, added) => {
      const id = idOf(table);
      const names = new Set(rows.find('sys.columns', { object_id: id }).map((row) => row['name']));
      const unknown = added.flatMap(Object.keys).find((name) => !names.has(name));
      if (unknown !== undefined) throw new Error(`${table} has no column ${unknown}`);
      const tableRows = engine.database(database)?.tableRows;
      tableRows?.set(id, [...(tableRows.get(id) ?? []), ...added]);
    },
  };
}

/** Splits `dbo.Actor`, or `Actor` for a table of dbo. */
function splitName(name: string): { readonly schema: string; readonly name: string } {
  const dot = name.indexOf('.');
  return dot < 0
    ? { schema: 'dbo', name }
    : { schema: name.slice(0, dot), name: name.slice(dot + 1) };
}

/** Returns an unused object_id. */
function nextObjectId(engine: Engine, database: string): number {
  const ids = editRows(engine, database)
    .find('sys.objects')
    .map((row) => Number(row['object_id']));
  return ids.reduce((highest, id) => Math.max(highest, id), FIRST_OBJECT_ID) + OBJECT_ID_STEP;
}

function schemaIdOf(engine: Engine, database: string, schema: string): number {
  const rows = editRows(engine, database);
  const [found] = rows.find('sys.schemas', { name: schema });
  if (found) return Number(found['schema_id']);
  const ids = rows.find('sys.schemas').map((row) => Number(row['schema_id']));
  const id = Math.max(4, ...ids.filter((other) => other < 16_384)) + 1;
  rows.insert('sys.schemas', { schema_id: id, name: schema });
  return id;
}

/** Adds rows of other views for an identity, a computed column or a default. */
function addColumnParts({
  rows,
  id,
  columnId,
  column,
  defaultId,
}: {
  readonly rows: ReturnType<typeof editRows>;
  readonly id: number;
  readonly columnId: number;
  readonly column: ColumnSpec;
  readonly defaultId: number;
}): void {
  const place = { object_id: id, column_id: columnId };
  if (column.isIdentity) {
    rows.insert('sys.identity_columns', { ...place, seed_value: 1, increment_value: 1 });
  }
  if (column.computed !== undefined) {
    rows.insert('sys.computed_columns', { ...place, definition: column.computed });
  }
  if (column.default !== undefined) {
    rows.insert('sys.default_constraints', {
      ...{ object_id: defaultId, name: `DF_${id}_${columnId}`, parent_object_id: id },
      ...{ parent_column_id: columnId, definition: column.default },
    });
  }
}

/** Adds the table's first index: its primary key, or the heap. */
function addKey(
  engine: Engine,
  database: string,
  {
    id,
    schemaId,
    name,
    table,
  }: {
    readonly id: number;
    readonly schemaId: number;
    readonly name: string;
    readonly table: TableSpec;
  },
): void {
  const rows = editRows(engine, database);
  const { primaryKey } = table;
  rows.insert('sys.partitions', { object_id: id, index_id: primaryKey ? 1 : 0, partition_id: id });
  if (!primaryKey) {
    rows.insert('sys.indexes', { object_id: id, index_id: 0, type: 0, type_desc: 'HEAP' });
    return;
  }
  const key = { object_id: id, name: `PK_${name}`, index_id: 1 };
  rows.insert('sys.indexes', { ...key, is_unique: true, is_primary_key: true });
  rows.insert('sys.key_constraints', {
    ...{ object_id: nextObjectId(engine, database), name: `PK_${name}`, schema_id: schemaId },
    parent_object_id: id,
  });
  primaryKey.forEach((column, i) => {
    const columnId = table.columns.findIndex((candidate) => candidate.name === column) + 1;
    const place = { object_id: id, index_id: 1, index_column_id: i + 1 };
    rows.insert('sys.index_columns', { ...place, column_id: columnId, key_ordinal: i + 1 });
  });
}
