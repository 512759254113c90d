import {
  METADATA_COLUMNS,
  type ColumnDefinition,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';
import { applyText, type ManagedDatabase, startManagedDatabase } from './management.fixture.ts';
import { renderTable } from './render-table.ts';

export const column = (name: string, type: string, more: Partial<ColumnDefinition> = {}) =>
  ({ name, role: 'source', type, nullable: true, ...more }) satisfies ColumnDefinition;

export const ID = column('id', 'integer', { nullable: false });

export function table(
  columns: readonly ColumnDefinition[],
  key: readonly string[] | null = ['id'],
): ReplicatedTable {
  return {
    kind: 'replicated',
    set: 'sink_asma.directory',
    service: 'adopus',
    source: { database: 'AdOpusTest', schema: 'dbo', table: 'T' },
    schema: { scope: 'tenant' },
    name: 'T',
    names: {
      staging: 'stg_T',
      trigger: 'trg_mark_for_merge',
      mergeProcedure: 'sp_merge_t',
      mergeWindow: 'fn_merge_window_t',
      primaryKey: 'pk_T',
      syncIndex: 'idx_T_sync_timestamp',
      positionIndex: 'uq_T_stream_position',
    },
    columns: [...columns, ...METADATA_COLUMNS],
    key: key && { columns: key, origin: 'primary key' },
    deleteMode: 'hard',
    staging: 'unlogged',
    transforms: [],
  };
}

/** The table `avansas."T"`, which files bring along. */
export interface ConvergedTable extends ManagedDatabase {
  run(statement: string): Promise<readonly object[]>;
  /** Applies the file of the table with these columns. */
  apply(...definition: Parameters<typeof table>): Promise<void>;
  /** Puts a row into it. */
  fill(): Promise<unknown>;
  /** Columns but the metadata, as PostgreSQL has them. */
  structure(): Promise<readonly string[]>;
  notes(): Promise<readonly { readonly column_name: string }[]>;
  /** Drops it, and what is known of its columns. */
  drop(): Promise<void>;
}

export async function startConvergedTable(): Promise<ConvergedTable> {
  const { server, sql } = await startManagedDatabase();
  return {
    ...{ server, sql },
    run: (statement) => sql.unsafe<object[]>(statement),
    apply: (...definition) =>
      applyText(sql, renderTable(table(...definition), 'tables/T.sql').text),
    fill: () => sql`INSERT INTO avansas."T" (id) VALUES (1)`,
    async structure() {
      const rows = await sql<{ line: string }[]>`
        SELECT attname || ' ' || format_type(atttypid, atttypmod)
          || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
          || coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '') AS line
        FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attrelid = 'avansas."T"'::regclass AND attnum > 0 AND NOT attisdropped
          AND attname NOT LIKE '\\_\\_%'
        ORDER BY attname`;
      return rows.map(({ line }) => line);
    },
    notes: () => sql<{ column_name: string }[]>`
      SELECT column_name, state, statement FROM cdc_management.column_note ORDER BY 1`,
    async drop() {
      await sql`DROP TABLE IF EXISTS avansas."T" CASCADE`;
      await sql`TRUNCATE cdc_management.column_note`;
    },
  };
}
