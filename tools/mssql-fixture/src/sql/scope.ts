import type { Frame } from '../batch/session.ts';
import type { Row } from '../engine/views.ts';
import { raise } from '../engine/sql-server-error.ts';
import type { ResultColumn, SqlType, SqlValue } from '../tds/sql-type.ts';
import type { Expression, Query } from './syntax.ts';

/** Current rows of a running query: one row per source, and those of the outer query. */
export interface Env {
  /** Undefined for a source without a row in an outer join. */
  readonly rows: readonly (Row | undefined)[];
  readonly outer: Env | undefined;
  /** The rows that an aggregate is calculated from. */
  readonly group?: readonly Env[];
}

export const NO_ROWS: Env = { rows: [], outer: undefined };

/** A compiled expression with its type. */
export interface Typed {
  readonly type: SqlType;
  readonly value: (env: Env) => SqlValue;
  /** A literal or a variable. */
  readonly constant?: SqlValue;
  /** True for the word NULL, which takes the type of the other operand. */
  readonly isNull?: boolean;
  readonly column?: ColumnPosition;
}

interface ColumnPosition {
  /** Number of queries outwards. */
  readonly depth: number;
  readonly source: number;
  readonly index: number;
}

/** A source of columns in a FROM clause, with its qualifying name. */
export interface Source {
  readonly alias: string;
  readonly columns: readonly ResultColumn[];
}

/** A compiled condition. null means unknown. */
export type Condition = (env: Env) => boolean | null;

/** A compiled query. */
export interface CompiledQuery {
  readonly columns: readonly ResultColumn[];
  /** Returns its rows. `outer` is a row of the outer query. */
  readonly run: (outer: Env | undefined) => readonly Row[];
  readonly isCorrelated: boolean;
}

/** Compilers that call each other: queries contain expressions, and expressions contain queries. */
export interface Compiler {
  readonly expression: (expression: Expression, scope: Scope) => Typed;
  readonly condition: (expression: Expression, scope: Scope) => Condition;
  /** Compiles a query. `scope` must be a new one for this query. */
  readonly query: (query: Query, scope: Scope) => CompiledQuery;
}

/** Meaning of names in a part of a query. */
export interface Scope {
  readonly frame: Frame;
  readonly compile: Compiler;
  readonly sources: readonly Source[];
  readonly outer: Scope | undefined;
  /** True if all rows are one group, so that columns may only be used in aggregates. */
  readonly isGrouped?: boolean;
  /** Window functions to compute when the rows are known. */
  readonly windows: ((envs: readonly Env[]) => void)[];
  /** Set if a name of an outer query is used. */
  readonly correlation: { isUsed: boolean };
}

/** Creates the scope of a query that can use names of `outer`. */
export function innerScope(
  { frame, compile }: Pick<Scope, 'frame' | 'compile'>,
  outer: Scope | undefined,
): Scope {
  return { frame, compile, outer, sources: [], windows: [], correlation: { isUsed: false } };
}

/**
 * Resolves a column name in a scope or its outer scopes. Throws 207, 209 or 4104, and 8120 for a column that is not
 * aggregated.
 */
export function resolveColumn(scope: Scope, parts: readonly string[]): Typed {
  const name = parts.at(-1) ?? '';
  const qualifier = parts.at(-2);
  const inner: Scope[] = [];
  for (let at: Scope | undefined = scope; at; at = at.outer) {
    const { sources, isGrouped } = at;
    const named = sources.flatMap(({ alias, columns }, source) =>
      qualifier === undefined || isSame(alias, qualifier) ? [{ source, columns }] : [],
    );
    const found = named.flatMap(({ source, columns }) => {
      const index = columns.findIndex((column) => isSame(column.name, name));
      const column = columns[index];
      return column ? [{ source, index, type: column.type }] : [];
    });
    if (found.length > 1) throw raise(209, [name]);
    const [first] = found;
    if (first && isGrouped) throw raise(8120, [name]);
    if (first) {
      for (const other of inner) other.correlation.isUsed = true;
      return columnValue({ ...first, depth: inner.length }, first.type);
    }
    if (qualifier !== undefined && named.length > 0) throw raise(207, [name]);
    inner.push(at);
  }
  throw qualifier === undefined ? raise(207, [name]) : raise(4104, [parts.join('.')]);
}

function columnValue(column: ColumnPosition, type: SqlType): Typed {
  const { depth, source, index } = column;
  const value = (env: Env): SqlValue => {
    let at: Env | undefined = env;
    for (let i = 0; i < depth; i++) at = at?.outer;
    return at?.rows[source]?.[index] ?? null;
  };
  return { type, value, column };
}

/** Checks if two names are equal in SQL Server, which ignores case. */
export function isSame(left: string, right: string): boolean {
  return left === right || left.toLowerCase() === right.toLowerCase();
}

/** Builds an expression with a constant value. */
export function constant(value: SqlValue, type: SqlType): Typed {
  return { type, value: () => value, constant: value };
}
