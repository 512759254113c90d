import { METADATA_COLUMNS } from '@cdc-migrations/table-defs';
import { column, type Event, table, useMergeDatabase } from './merge.fixture.ts';

describe('a merge', () => {
  const { run, create, merge } = useMergeDatabase();

  /** Two values that are equal in the final column, and one that is not. */
  it.each<[string, string, string, string]>([
    ['smallint', '1', '1', '2'],
    ['numeric(5,2)', '1.001', '1', '1.01'],
    ['numeric', '1.0', '1.00', '1.001'],
    ['real', '1.00000001', '1', '1.1'],
    ['double precision', '-0', '0', '1'],
    ['character(4)', 'a', 'a  ', 'b'],
    ['bpchar', 'a', 'a  ', 'b'],
    ['character varying(4)', 'a', 'a', 'a '],
    ['text', 'a,b', 'a,b', 'a'],
    ['bytea', '\\x01', '\\x01', '\\x02'],
    ['boolean', 'true', 't', 'false'],
    [
      'uuid',
      'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
      'a0eebc999c0b4ef8bb6d6bb9bd380a11',
      '{b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}',
    ],
    ['date', '2026-01-01', '2026-1-1', '2026-01-02'],
    ['time(0) without time zone', '10:00:00.4', '10:00:00', '10:00:01'],
    [
      'timestamp(3) without time zone',
      '2026-01-01 10:00:00.0001',
      '2026-01-01 10:00',
      '2026-01-01 10:00:00.001',
    ],
    [
      'timestamp(0) with time zone',
      '2026-01-01 10:00:00+01',
      '2026-01-01 09:00:00.3Z',
      '2026-01-01 10:00Z',
    ],
    ['bit(3)', '101', '101', '100'],
    ['bit varying(3)', '10', '10', '100'],
    ['inet', '10.0.0.1', '10.0.0.1/32', '10.0.0.0/8'],
    ['macaddr', '08:00:2b:01:02:03', '08002b010203', '08:00:2b:01:02:04'],
    ['int4range', '[1,3)', '[1,2]', '[1,4)'],
  ])('treats keys of type %s as equal if the final table does', async (type, one, same, other) => {
    const keyed = table(`key_${type.replace(/\W+/g, '_')}`, {
      columns: [column('id', type, 'int'), column('navn', 'text', 'ntext'), ...METADATA_COLUMNS],
    });
    await create(keyed);
    const key = (id: string, at: number, operation = 'u') => ({
      at,
      id,
      navn: `at ${at}`,
      __cdc_operation: operation,
    });
    const navn = async (...windows: readonly (readonly Event[])[]) => {
      for (const events of windows) {
        const values = events.map(
          (event) =>
            `('${event['id']}', '${event['navn']}', '${event['__cdc_operation']}', 0, ${event.at})`,
        );
        await run(`INSERT INTO avansas."${keyed.names.staging}"
          (id, navn, "__cdc_operation", "__kafka_partition", "__kafka_offset") VALUES ${values.join()}`);
        await merge(keyed);
      }
      const rows = await run(`SELECT navn FROM avansas."${keyed.name}" ORDER BY navn`);
      return rows.map((row) => row['navn'] as string);
    };
    expect(await navn([key(one, 2), key(same, 1), key(other, 3)])).toEqual(['at 2', 'at 3']);
    expect(await navn([key(same, 4)])).toEqual(['at 3', 'at 4']);
    expect(await navn([key(one, 7, 'd')], [key(same, 6)])).toEqual(['at 3']);
    const deadLetters = await run(
      `SELECT reason FROM cdc_management.dead_letter WHERE table_name = '${keyed.name}'`,
    );
    expect(deadLetters).toEqual([]);
  });
});
