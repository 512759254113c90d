import type { SqlType, SqlValue } from '../tds/sql-type.ts';
import type { ResultColumn } from '../tds/tokens.ts';

/** The values of a row, in the order of its columns. */
export type Row = readonly SqlValue[];

/** Something with columns and rows. Rows that change are another array. */
export interface Relation {
  readonly columns: readonly ResultColumn[];
  readonly rows: readonly Row[];
}

/** The value of a variable or a parameter. */
export interface Variable {
  readonly type: SqlType;
  readonly value: SqlValue;
}
