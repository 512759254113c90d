import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDefinition, type ReplicatedTable } from '@cdc-migrations/table-defs';
import {
  applyText,
  type ManagedDatabase,
  startManagedDatabase,
} from '../../ddl-render/src/management.fixture.ts';
import { renderTable } from '../../ddl-render/src/render-table.ts';
import { renderStaging } from './render-staging.ts';

const CASES = join(__dirname, '..', 'cases');

describe('on a server', () => {
  let database: ManagedDatabase;
  beforeAll(async () => {
    database = await startManagedDatabase();
  });
  afterAll(() => database.server.stop());

  async function apply(table: ReplicatedTable): Promise<void> {
    await applyText(database.sql, renderTable(table, 't.sql').text);
    await applyText(database.sql, renderStaging(table, { path: 's.sql', role: 'postgres' }).text);
  }

  const columns = () => database.sql`
    SELECT attrelid::regclass::text AS table, attname, format_type(atttypid, atttypmod), attnotnull
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace IN ('avansas'::regnamespace, 'public'::regnamespace) AND attnum > 0
    ORDER BY attrelid, attnum`;

  it.each(readdirSync(CASES))(
    'applies the case %s twice with the same columns, and merges it',
    async (name) => {
      const file = join(CASES, name, 'definition.yaml');
      const table = parseDefinition(readFileSync(file, 'utf8'), file) as ReplicatedTable;
      await apply(table);
      const before = await columns();
      await apply(table);
      expect(await columns()).toEqual(before);
      const schema = table.schema.scope === 'tenant' ? 'avansas' : table.schema.name;
      await database.sql
        .unsafe(`CALL "${schema}"."${table.names.mergeProcedure.replaceAll('"', '""')}"()`)
        .simple();
    },
  );

  it('merges an event of a table with special characters in its names', async () => {
    const file = join(CASES, 'an-odd-name-is-quoted', 'definition.yaml');
    await apply(parseDefinition(readFileSync(file, 'utf8'), file) as ReplicatedTable);
    await database.sql.unsafe(`INSERT INTO avansas."stg_Say ""hi"""
      ("@id", "it's", "C:\\dir", "$columns$", "$merge$", "{{x}}", "__cdc_operation", "__kafka_partition", "__kafka_offset")
      VALUES (1, 'a', '__debezium_unavailable_value', 2, 3, 4, 'c', 0, 1)`);
    await database.sql.unsafe(`CALL avansas."sp_merge_say ""hi"""()`).simple();
    const [row] = await database.sql.unsafe(`SELECT * FROM avansas."Say ""hi"""`);
    expect(row).toMatchObject({
      '@id': 1,
      "it's": 'a',
      'C:\\dir': null,
      $columns$: 2,
      $merge$: 3,
      '{{x}}': 4,
    });
  });

  it('accepts a table whose name contains the dollar-quote tags of the templates', async () => {
    const file = join(CASES, 'the-newest-event-of-a-key-is-merged', 'definition.yaml');
    const text = readFileSync(file, 'utf8').replaceAll('Avtale"', '$index$ $merge$ $columns$"');
    await expect(apply(parseDefinition(text, file) as ReplicatedTable)).resolves.toBeUndefined();
  });
});
