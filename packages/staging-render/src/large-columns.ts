import { quoteIdentifier, quoteLiteral } from '@cdc-migrations/sql-text';
import { stagingType, type ColumnDefinition } from '@cdc-migrations/table-defs';
import { storageCast, unavailableLiteral } from './staged-value.ts';

/** A column whose value Debezium leaves out when it did not change, as SQL. */
export interface LargeColumnView {
  readonly name: string;
  /** Name of the subquery with the newest values of the window. */
  readonly known: string;
  /** Debezium's unavailable value. */
  readonly unavailable: string;
  readonly knownIsNewest: string;
  /** Whether the newest event leaves the value out. */
  readonly isLeftOut: string;
  /** Position of the value that is stored: that of its row, or an older one. */
  readonly storedPosition: string;
  /** Position of the value that is stored, where it is older than its row; else NULL. */
  readonly held: string;
  /** Names of a value of the window, and whether it is newer than that one, in the subquery `partial`. */
  readonly value: string;
  readonly isLate: string;
  /** The value as the final column takes it. */
  readonly stored: string;
  readonly last: boolean;
}

/** View of the columns of a table whose values can be left out; `keyOf` gives the key's values in a row. */
export function buildLargeColumns(
  columns: readonly ColumnDefinition[],
  keyOf: (row: string) => string,
): readonly LargeColumnView[] {
  const large = columns.flatMap((column) => {
    const unavailable = unavailableLiteral(column);
    return unavailable === undefined ? [] : [{ column, unavailable }];
  });
  return large.map(({ column: { name, type }, unavailable }, index) => {
    const known = `known_${index + 1}`;
    const value = `value_${index + 1}`;
    const held = `newest."__held" -> ${quoteLiteral(name)}`;
    return {
      name,
      known,
      unavailable,
      knownIsNewest: `(${keyOf(known)}) = (${keyOf('newest')})`,
      isLeftOut: `newest.${quoteIdentifier(name)} = ${unavailable}`,
      storedPosition: `least(${held}, ${STORED_POSITION})`,
      held,
      value,
      isLate: `is_late_${index + 1}`,
      stored: `partial.${value}${storageCast(type)}`,
      last: index === large.length - 1,
    };
  });
}

/** The staged value; where it is left out, the newest of the window or the stored one, whichever is newer. */
export function availableValue(column: ColumnDefinition, large: LargeColumnView): string {
  const { name, type, role } = column;
  const staged = `newest.${quoteIdentifier(name)}`;
  const relaxed = stagingType({ type, role });
  const stored = `(newest."__stored").${quoteIdentifier(name)}${relaxed === type ? '' : `::${relaxed}`}`;
  return (
    `(CASE WHEN ${staged} IS DISTINCT FROM ${large.unavailable} THEN ${staged}` +
    ` WHEN ${large.known}."__position" > ${large.storedPosition} THEN ${large.known}.${quoteIdentifier(name)}` +
    ` ELSE ${stored} END)${storageCast(type)}`
  );
}

/** Position of an event or row as JSON, which compares generation first; lowest for no row. */
export function positionOf(row: string): string {
  return `jsonb_build_array(coalesce(${row}."__stream_generation", -1), coalesce(${row}."__kafka_offset", -1))`;
}

/** Position of the row that the key of `newest` has in the final table. */
export const STORED_POSITION = positionOf('(newest."__stored")');
