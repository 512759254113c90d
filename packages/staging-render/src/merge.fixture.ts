import type { ColumnDefinition, ReplicatedTable } from '@cdc-migrations/table-defs';
import { buildTable } from '@cdc-migrations/table-fixture';
import { renderTable } from '../../ddl-render/src/render-table.ts';
import {
  applyText,
  type ManagedDatabase,
  startManagedDatabase,
} from '../../ddl-render/src/management.fixture.ts';
import { renderStaging } from './render-staging.ts';

/** Debezium's placeholder for an unchanged large value. */
export const UNAVAILABLE = '__debezium_unavailable_value';

/** Builds a source column. The column `id` is NOT NULL. */
export const column = (name: string, type: string, source: string): ColumnDefinition => ({
  name,
  role: 'source',
  type,
  nullable: name !== 'id',
  source: { name, type: source },
});

/** Builds a table of four columns with the key `id`. */
export function table(name: string, more: Partial<ReplicatedTable> = {}): ReplicatedTable {
  const columns = [
    column('id', 'integer', 'int'),
    column('navn', 'character varying(10)', 'nvarchar(10)'),
    column('notat', 'text', 'ntext'),
    column('data', 'jsonb', 'json'),
  ];
  return { ...buildTable({ name, columns }), ...more };
}

/** An event at the offset `at`. The defaults are partition 0 and operation `u`. */
export type Event = Readonly<Record<string, string | number | null>> & { readonly at: number };

/** Provides a server with the infrastructure and a session for the tests of a `describe`. */
export function useMergeDatabase() {
  let database: ManagedDatabase;
  beforeAll(async () => {
    database = await startManagedDatabase();
  });
  afterAll(() => database.server.stop());

  const run = (statement: string) => database.sql.unsafe(statement);

  async function create(of: ReplicatedTable): Promise<void> {
    await applyText(database.sql, renderTable(of, 'tables/t.sql').text);
    const options = { path: 'staging/t.sql', role: 'postgres' };
    await applyText(database.sql, renderStaging(of, options).text);
  }

  async function stage({ names }: ReplicatedTable, events: readonly Event[]): Promise<void> {
    const rows = events.map(({ at, ...values }) => ({
      __kafka_partition: 0,
      __kafka_offset: at,
      __cdc_operation: 'u',
      ...values,
    }));
    await database.sql`
      INSERT INTO ${database.sql(`avansas.${names.staging}`)}
      ${database.sql(rows, ...(Object.keys(rows[0]!) as [keyof (typeof rows)[0]]))}`;
  }

  const merge = ({ names }: ReplicatedTable) =>
    run(`CALL avansas."${names.mergeProcedure}"()`).simple();

  /** Stages and merges several windows one after the other. Returns the rows. */
  async function mergeEach(of: ReplicatedTable, ...windows: readonly (readonly Event[])[]) {
    for (const events of windows) {
      await stage(of, events);
      await merge(of);
    }
    return run(`SELECT id, navn, notat FROM avansas."${of.name}" ORDER BY id`);
  }

  return { run, create, stage, merge, mergeEach };
}
