import { METADATA_COLUMNS } from '@cdc-migrations/table-defs';
import { column, table, UNAVAILABLE, useMergeDatabase } from './merge.fixture.ts';

describe('a merge', () => {
  const { run, create, stage, merge, mergeEach } = useMergeDatabase();

  it('loses no event if the default isolation level is serializable', async () => {
    const busy = table('busy');
    await create(busy);
    await run(`SET default_transaction_isolation = 'serializable'`);
    await expect(
      mergeEach(busy, [{ at: 1, id: 1, navn: 'a', notat: null, __cdc_operation: 'c' }]),
    ).resolves.toHaveLength(1);
    await stage(busy, [{ at: 2, id: 2, navn: 'b', notat: null, __cdc_operation: 'c' }]);
    await run('CALL cdc_management.run_pending_merges()').simple();
    await expect(
      run(`SELECT * FROM cdc_management.merge_batch('avansas', 'busy', NULL, 0, 64, NULL)`),
    ).rejects.toMatchObject({ code: '25000' });
    await run('RESET default_transaction_isolation');
    expect(await run('SELECT id FROM avansas.busy ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it('stores complete bad events, even if columns have names that the merge uses', async () => {
    const names = ['event', 'newest', 'stored', 'staged', 'picked', 'known_1', 'partial', 'held'];
    const odd = table('odd', {
      columns: [
        column('id', 'integer', 'int'),
        ...names.map((name) => column(name, 'text', 'ntext')),
        column('kort', 'character varying(3)', 'nvarchar(3)'),
        ...METADATA_COLUMNS,
      ],
    });
    await create(odd);
    const values = Object.fromEntries(names.map((name) => [name, name]));
    await stage(odd, [
      { at: 1, id: 1, ...values, kort: 'abc' },
      { at: 2, id: 2, ...values, kort: 'too long' },
      { at: 3, id: null, ...values, kort: 'abc' },
      { at: 4, id: 1, ...values, newest: UNAVAILABLE, kort: 'new' },
    ]);
    await merge(odd);
    expect(await run('SELECT id, kort, newest, event FROM avansas.odd')).toEqual([
      { id: 1, kort: 'new', newest: 'newest', event: 'event' },
    ]);
    const deadLetters = await run(
      `SELECT reason, payload ->> 'kort' AS kort, payload ->> 'event' AS event
       FROM cdc_management.dead_letter WHERE table_name = 'odd' ORDER BY kafka_offset`,
    );
    expect(deadLetters).toEqual([
      {
        reason: 'column kort: value too long for type character varying(3) (SQLSTATE 22001)',
        kort: 'too long',
        event: 'event',
      },
      { reason: 'missing key column "id"', kort: 'abc', event: 'event' },
    ]);
  });
});
