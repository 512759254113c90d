import { quoteIdentifier, quoteLiteral } from '@cdc-migrations/sql-text';
import { stagingType, type ColumnDefinition } from '@cdc-migrations/table-defs';
import { storageCast, unavailableLiteral } from './staged-value.ts';

/** A column whose value Debezium leaves out when it did not change, as SQL. */
export interface LargeColumnView {
  readonly name: string;
  /** The newest value of the window, of the sorted events of a key, and its position there. */
  readonly newestValue: string;
  readonly newestPosition: string;
  /** Both in the subquery `known`, and the names that they have there. */
  readonly known: string;
  readonly knownPosition: string;
  readonly position: string;
  /** Debezium's unavailable value. */
  readonly unavailable: string;
  /** Whether the newest event leaves the value out. */
  readonly isLeftOut: string;
  /** Position of the value that is stored: that of its row, or an older one. */
  readonly storedPosition: string;
  /** Position of the value that is stored, where it is older than its row; else NULL. */
  readonly held: string;
  /** The stored value as the staging column has it. */
  readonly storedValue: string;
  /** Names, in the subquery `partial`, of the newest value there is, and of whether it is newer than that one. */
  readonly value: string;
  readonly isLate: string;
  /** The value as the final column takes it. */
  readonly stored: string;
  readonly last: boolean;
}

/** View of the columns of a table whose values can be left out. */
export function buildLargeColumns(
  columns: readonly ColumnDefinition[],
): readonly LargeColumnView[] {
  const large = columns.flatMap((column) => {
    const unavailable = unavailableLiteral(column);
    return unavailable === undefined ? [] : [{ column, unavailable }];
  });
  return large.map(({ column: { name, type, role }, unavailable }, index) => {
    const value = `value_${index + 1}`;
    const position = `position_${index + 1}`;
    const isThere = `event.${quoteIdentifier(name)} IS DISTINCT FROM ${unavailable}`;
    const first = (gathered: string) =>
      `(array_agg(${gathered}) FILTER (WHERE ${isThere} OR NOT event."__is_update"))[1]`;
    const held = `newest."__held" -> ${quoteLiteral(name)}`;
    return {
      name,
      unavailable,
      newestValue: newestValue({ name, type, role }, (value) =>
        first(`CASE WHEN ${isThere} AND NOT event."__is_delete" THEN ${value} END`),
      ),
      newestPosition: first('event."__position"'),
      known: `known.${value}`,
      knownPosition: `known.${position}`,
      position,
      isLeftOut: leavesOut('newest', [{ name, unavailable }]),
      storedPosition: `least(${held}, ${STORED_POSITION})`,
      held,
      value,
      storedValue: storedValue({ name, type, role }),
      isLate: `is_late_${index + 1}`,
      stored: `partial.${value}${storageCast(type)}`,
      last: index === large.length - 1,
    };
  });
}

/** An update, or a row of a snapshot, which says nothing of earlier events. Other events begin anew, whatever they lack. */
export function isUpdate(row: string): string {
  return `${row}."__cdc_operation" IN ('u', 'UPDATE', 'r')`;
}

/** Whether an event lacks one of these values and an earlier one has it. */
export function leavesOut(
  row: string,
  large: readonly Pick<LargeColumnView, 'name' | 'unavailable'>[],
): string {
  const isLeftOut = large.map(
    ({ name, unavailable }) =>
      `${row}.${quoteIdentifier(name)} IS NOT DISTINCT FROM ${unavailable}`,
  );
  return large.length === 0 ? '' : `(${isLeftOut.join(' OR ')}) AND ${isUpdate(row)}`;
}

/** Arrays go as text, because those of other lengths cannot be gathered. */
function newestValue(
  { name, type, role }: Pick<ColumnDefinition, 'name' | 'type' | 'role'>,
  first: (gathered: string) => string,
): string {
  const value = `event.${quoteIdentifier(name)}`;
  const relaxed = stagingType({ type, role });
  return relaxed.endsWith('[]') ? `${first(`${value}::text`)}::${relaxed}` : first(value);
}

/** The staged value; where an update leaves it out, the newest of the window or the stored one, whichever is newer. */
export function availableValue({ name, type }: ColumnDefinition, large: LargeColumnView): string {
  const staged = `newest.${quoteIdentifier(name)}`;
  return (
    `(CASE WHEN ${staged} IS DISTINCT FROM ${large.unavailable} THEN ${staged}` +
    ` WHEN ${isUpdate('newest')} THEN partial.${large.value} END)${storageCast(type)}`
  );
}

function storedValue({
  name,
  type,
  role,
}: Pick<ColumnDefinition, 'name' | 'type' | 'role'>): string {
  const relaxed = stagingType({ type, role });
  return `(newest."__stored").${quoteIdentifier(name)}${relaxed === type ? '' : `::${relaxed}`}`;
}

/** Position of an event or row as JSON, which compares generation first; lowest for no row. */
export function positionOf(row: string): string {
  return `jsonb_build_array(coalesce(${row}."__stream_generation", -1), coalesce(${row}."__kafka_offset", -1))`;
}

/** Position of the row that the key of `newest` has in the final table. */
export const STORED_POSITION = positionOf('(newest."__stored")');
