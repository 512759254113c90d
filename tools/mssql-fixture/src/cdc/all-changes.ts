import { editRows } from '../engine/edit-rows.ts';
import type { Engine } from '../engine/open-engine.ts';
import type { Relation, Variable } from '../engine/relation.ts';
import { raise } from '../engine/sql-server-error.ts';
import { userTable, type TableName } from '../engine/user-table.ts';

const FUNCTION = /^fn_cdc_get_all_changes_(.+)$/i;
/** Operation of the row before an UPDATE. Only `all update old` returns it. */
const BEFORE_UPDATE = 3;

/**
 * Runs cdc.fn_cdc_get_all_changes_<capture instance>: returns the rows of the change table between two LSNs. Returns
 * undefined for any other function. Throws 313 for LSNs outside of the log and the instance, like SQL Server.
 */
export function allChanges(
  engine: Engine,
  { database, schema, name }: TableName,
  [from, to, filter]: readonly Variable[],
): Relation | undefined {
  const [, instance] = FUNCTION.exec(name) ?? [];
  const changes = instance && userTable(engine, { database, schema, name: `${instance}_CT` });
  if (!changes || !from || !to || !filter) return undefined;
  const [start, end] = [from.value, to.value];
  const { find } = editRows(engine, database);
  const [row] = find('cdc.change_tables', { capture_instance: instance });
  const low = row?.['start_lsn'];
  const isInside = bytes(start) && bytes(end) && bytes(low) && Buffer.compare(start, low) >= 0;
  if (!isInside || Buffer.compare(start, end) > 0) {
    throw raise(313, ['cdc.fn_cdc_get_all_changes_ ... .']);
  }
  const position = (column: string): number =>
    changes.columns.findIndex((other) => other.name === column);
  const [lsn, endLsn, sequence, operation] = [
    '__$start_lsn',
    '__$end_lsn',
    '__$seqval',
    '__$operation',
  ].map(position);
  const hasOld = String(filter.value).toLowerCase() === 'all update old';
  const left = new Set([endLsn, position('__$command_id')]);
  const kept = changes.columns.flatMap((_, i) => (left.has(i) ? [] : [i]));
  const at = (values: (typeof changes.rows)[number], i = -1): Uint8Array => {
    const value = values[i];
    return bytes(value) ? value : new Uint8Array(10);
  };
  const rows = changes.rows
    .filter(
      (values) =>
        Buffer.compare(at(values, lsn), start) >= 0 && Buffer.compare(at(values, lsn), end) <= 0,
    )
    .filter((values) => hasOld || values[operation ?? -1] !== BEFORE_UPDATE)
    .toSorted(
      (a, b) =>
        Buffer.compare(at(a, lsn), at(b, lsn)) || Buffer.compare(at(a, sequence), at(b, sequence)),
    );
  return {
    columns: kept.flatMap((i) => changes.columns[i] ?? []),
    rows: rows.map((values) => kept.map((i) => values[i] ?? null)),
  };
}

function bytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}
