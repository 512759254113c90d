import { loadTemplate, quoteIdentifier, quoteQualified } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import {
  buildAppendMerge,
  buildKeyedMerge,
  type AppendMergeView,
  type KeyedMergeView,
} from './merge-view.ts';

/** The beginning of a merge: the events of the window, and those that cannot be merged. */
interface EventView {
  readonly schema: string;
  readonly name: string;
  readonly staging: string;
  readonly hasKey: boolean;
  readonly keyColumns: readonly { readonly name: string; readonly missing: string }[];
  /** Whether an event lacks a value; nothing where no column is that large. */
  readonly isLeftOut: string;
}

/** The end of a merge: what became of the events of each stream. */
interface TallyView {
  readonly keyed: boolean;
}

/** The parts of the statement that all merges have. */
interface Frame {
  readonly event: string;
  readonly tally: string;
}

interface KeyedFrame extends Frame {
  /** Values that Debezium left out; nothing where no column is that large. */
  readonly largeValues: string;
}

const folder = new URL('../templates/', import.meta.url);
const renderEvent = loadTemplate<EventView>(new URL('event.sql.hbs', folder));
const renderLargeValues = loadTemplate<KeyedMergeView>(new URL('large-values.sql.hbs', folder));
const renderTally = loadTemplate<TallyView>(new URL('tally.sql.hbs', folder));
const renderHard = loadTemplate<KeyedMergeView & KeyedFrame>(new URL('hard-merge.sql.hbs', folder));
const renderSoft = loadTemplate<KeyedMergeView & KeyedFrame>(new URL('soft-merge.sql.hbs', folder));
const renderAppend = loadTemplate<AppendMergeView & Frame>(new URL('append-merge.sql.hbs', folder));

/** The statement that merges a window of staging: one statement, so that what it reads is what it deletes. */
export function renderMerge(table: ReplicatedTable, schema: string): string {
  if (!table.key) {
    const view = buildAppendMerge(table, schema);
    return renderAppend({ ...view, ...renderFrame(table, schema, '') }).trimEnd();
  }
  const render = table.deleteMode === 'soft' ? renderSoft : renderHard;
  const view = buildKeyedMerge(table, schema);
  const frame = renderFrame(table, schema, view.isLeftOut);
  const largeValues = view.hasLargeColumns ? renderLargeValues(view) : '';
  return render({ ...view, ...frame, largeValues }).trimEnd();
}

function renderFrame(
  { name, names, key }: ReplicatedTable,
  schema: string,
  isLeftOut: string,
): Frame {
  const keyColumns = (key?.columns ?? []).map((column) => ({
    name: column,
    missing: `missing key column ${quoteIdentifier(column)}`,
  }));
  const staging = quoteQualified(schema, names.staging);
  return {
    event: renderEvent({ schema, name, staging, hasKey: key !== null, keyColumns, isLeftOut }),
    tally: renderTally({ keyed: key !== null }),
  };
}
