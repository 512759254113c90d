import type { Frame } from '../batch/session.ts';
import type { SqlType, SqlValue } from '../tds/sql-type.ts';
import type { ResultColumn, ServerMessage } from '../tds/tokens.ts';

/** A parameter; without a fallback it must be given. */
interface ProcedureParameter {
  /** In lower case, without `@`. */
  readonly name: string;
  readonly type: SqlType;
  readonly fallback: SqlValue | undefined;
}

/** What a procedure gives back when it does its work. */
export interface ProcedureResult {
  readonly messages?: readonly ServerMessage[];
  readonly results?: readonly {
    readonly columns: readonly ResultColumn[];
    readonly rows: readonly (readonly SqlValue[])[];
  }[];
}

/** A system procedure. It throws a SqlServerError for what it refuses. */
export interface Procedure {
  readonly name: string;
  readonly parameters: readonly ProcedureParameter[];
  readonly run: (args: ReadonlyMap<string, SqlValue>, frame: Frame) => ProcedureResult;
}

/** The text of an argument; NULL is undefined. */
export function textArgument(
  args: ReadonlyMap<string, SqlValue>,
  name: string,
): string | undefined {
  const value = args.get(name) ?? null;
  return value === null ? undefined : String(value);
}
