import { buildObjectNames } from './object-names.ts';

it('names the objects of a table after the table', () => {
  expect(buildObjectNames('Order-Linjer')).toEqual({
    staging: 'stg_Order-Linjer',
    trigger: 'trg_mark_for_merge',
    mergeProcedure: 'sp_merge_order-linjer',
    mergeWindow: 'fn_merge_window_order-linjer',
    primaryKey: 'pk_Order-Linjer',
    syncIndex: 'idx_Order-Linjer_sync_timestamp',
    positionIndex: 'uq_Order-Linjer_stream_position',
  });
});

it('builds distinct names of at most 63 bytes for tables with long names', () => {
  const stem = 'Å'.repeat(31);
  const names = [`${stem}1`, `${stem}2`].flatMap((table) => Object.values(buildObjectNames(table)));
  const distinct = new Set(names);
  expect(distinct.size).toBe(names.length - 1); // Both share the trigger's name.
  for (const name of distinct) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
});
