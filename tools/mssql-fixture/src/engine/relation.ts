import type { SqlType, SqlValue } from '../tds/sql-type.ts';
import type { ResultColumn } from '../tds/tokens.ts';

/** The values of a row, in the order of its columns. */
export type Row = readonly SqlValue[];

/** Columns and rows. Changed rows are a new array. */
export interface Relation {
  readonly columns: readonly ResultColumn[];
  readonly rows: readonly Row[];
}

/** The value of a variable or a parameter. */
export interface Variable {
  readonly type: SqlType;
  readonly value: SqlValue;
}
