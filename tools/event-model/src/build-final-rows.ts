import { spellings, type ReplicatedTable } from '@cdc-migrations/table-defs';
import type { ChangeEvent } from './change-event.ts';
import { keyText } from './key-text.ts';

/** An expected row of the final table after all events are merged. */
export interface FinalRow {
  /** True if `__deleted_at` is set. */
  readonly deleted: boolean;
  /** The event with all values, including metadata: the last event of the key that is no delete. */
  readonly upsert: ChangeEvent;
}

export interface FinalTable {
  readonly rows: readonly FinalRow[];
  /** Events that no merge can apply: updates and deletes of a table without a key. */
  readonly dead: readonly ChangeEvent[];
}

/**
 * Builds the expected final table after a merge of the log, regardless of order and duplicates. The last event per key
 * by offset decides. A deleted row that existed is gone, or marked if `deleteMode` is `soft`. A table without a key has
 * one row per insert.
 */
export function buildFinalRows(
  definition: ReplicatedTable,
  log: readonly ChangeEvent[],
): FinalTable {
  if (!definition.key) {
    const isInsert = ({ values }: ChangeEvent) => INSERTS.has(values['__cdc_operation'] ?? '');
    return {
      rows: log.filter(isInsert).map((event) => ({ deleted: false, upsert: event })),
      dead: log.filter((event) => !isInsert(event)),
    };
  }
  const histories = groupByKey(definition, log);
  const rows: FinalRow[] = [];
  for (const history of histories.values()) {
    const ordered = [...history].sort((a, b) => a.offset - b.offset);
    const last = ordered.at(-1);
    const upsert = ordered.findLast(({ kind }) => kind === 'upsert');
    if (!last || !upsert) continue;
    const deleted = last.kind === 'delete';
    if (!deleted || definition.deleteMode === 'soft') rows.push({ deleted, upsert });
  }
  return { rows, dead: [] };
}

const INSERTS: ReadonlySet<string> = new Set(spellings('insert', 'snapshot'));

function groupByKey(
  definition: ReplicatedTable,
  log: readonly ChangeEvent[],
): ReadonlyMap<string | null, readonly ChangeEvent[]> {
  const groups = new Map<string | null, ChangeEvent[]>();
  for (const event of log) {
    const key = keyText(definition, event.values);
    const group = groups.get(key);
    if (group) group.push(event);
    else groups.set(key, [event]);
  }
  return groups;
}
