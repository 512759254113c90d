import type { ColumnDefinition } from '@cdc-migrations/table-defs';
import { buildTable } from '@cdc-migrations/table-fixture';
import { applyText, type ManagedDatabase, startManagedDatabase } from './management.fixture.ts';
import { renderTable } from './render-table.ts';

export { column, ID } from './changes/changes.fixture.ts';

/** Builds a table `T` for each tenant's schema. */
export const table = (columns: readonly ColumnDefinition[], key: readonly string[] = ['id']) =>
  buildTable({ columns, key });

/**
 * Provides the table `avansas."T"`, which files converge, for the tests of a `describe`. It is dropped after each test.
 */
export function useConvergedTable() {
  let database: ManagedDatabase;
  beforeAll(async () => {
    database = await startManagedDatabase();
  });
  afterEach(async () => {
    await run('DROP TABLE IF EXISTS avansas."T" CASCADE');
    await run('TRUNCATE cdc_management.column_note');
  });
  afterAll(() => database.server.stop());

  const run = (statement: string) => database.sql.unsafe(statement);

  /** Applies the file of a table with these columns. */
  const apply = (...definition: Parameters<typeof table>) =>
    applyText(database.sql, renderTable(table(...definition), 'tables/T.sql').text);

  /** Inserts a row. */
  const fill = () => run('INSERT INTO avansas."T" (id) VALUES (1)');

  /** Lists the columns in PostgreSQL without metadata columns. */
  async function structure(): Promise<readonly string[]> {
    const rows = await database.sql<{ line: string }[]>`
      SELECT attname || ' ' || format_type(atttypid, atttypmod)
        || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
        || coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '') AS line
      FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
      WHERE attrelid = 'avansas."T"'::regclass AND attnum > 0 AND NOT attisdropped
        AND attname NOT LIKE '\\_\\_%'
      ORDER BY attname`;
    return rows.map(({ line }) => line);
  }

  const notes = () =>
    run('SELECT column_name, state, statement FROM cdc_management.column_note ORDER BY 1');

  return { database: () => database, run, apply, fill, structure, notes };
}
