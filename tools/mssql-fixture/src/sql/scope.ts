import type { Frame } from '../batch/session.ts';
import { raise } from '../engine/sql-server-error.ts';
import type { SqlType, SqlValue } from '../tds/sql-type.ts';
import type { Relation, Row } from '../engine/relation.ts';
import type { ResultColumn } from '../tds/tokens.ts';
import type { Expression, Query } from './syntax.ts';

/** Current rows of a running query: one row per source, and those of the outer query. */
export interface Env {
  /** Undefined for a source without a row in an outer join. */
  readonly rows: readonly (Row | undefined)[];
  readonly outer: Env | undefined;
  /** The rows of a group. */
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
  /** Variables that a SELECT assigns instead of returning rows. */
  readonly assigned: readonly string[];
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
  readonly ctes: ReadonlyMap<string, Relation>;
  /** Columns of GROUP BY as `source.index`. Undefined if every column may be used without an aggregate. */
  readonly groups?: ReadonlySet<string> | undefined;
  /** Window functions to compute when the rows are known. */
  readonly windows: ((envs: readonly Env[]) => void)[];
  /** Set if a name of an outer query is used. */
  readonly correlation: { isUsed: boolean };
}

/** Creates the scope of a query that can use names of `outer`. */
export function innerScope(
  { frame, compile, ctes }: Pick<Scope, 'frame' | 'compile' | 'ctes'>,
  outer: Scope | undefined,
): Scope {
  const own = { sources: [], windows: [], correlation: { isUsed: false } };
  return { ...own, frame, compile, ctes, outer };
}

/** Renames columns by the names of an alias. Throws 8158 if their number differs. */
export function renamed(
  columns: readonly ResultColumn[],
  names: readonly { readonly name: { readonly value: string } }[],
): readonly ResultColumn[] {
  if (names.length === 0) return columns;
  if (names.length !== columns.length) throw raise(8158, [names[0]?.name.value ?? '']);
  return columns.map(({ type }, i) => ({ type, name: names[i]?.name.value ?? '' }));
}

/**
 * Resolves a column name in a scope or its outer scopes. Throws 207, 209 or 4104, and 8120 for a column that is neither
 * grouped nor aggregated.
 */
export function resolveColumn(scope: Scope, parts: readonly string[]): Typed {
  const name = parts.at(-1) ?? '';
  const qualifier = parts.at(-2);
  const inner: Scope[] = [];
  for (let at: Scope | undefined = scope; at; at = at.outer) {
    const named = at.sources.flatMap(({ alias, columns }, source) =>
      qualifier === undefined || isSame(alias, qualifier) ? [{ source, alias, columns }] : [],
    );
    const found = named.flatMap(({ source, alias, columns }) => {
      const index = columns.findIndex((column) => isSame(column.name, name));
      return index < 0 ? [] : [{ source, alias, index }];
    });
    if (found.length > 1) throw raise(209, [name]);
    const [first] = found;
    if (first) {
      for (const other of inner) other.correlation.isUsed = true;
      return columnValue(at, first, inner.length);
    }
    if (qualifier !== undefined && named.length > 0) throw raise(207, [name]);
    inner.push(at);
  }
  throw qualifier === undefined ? raise(207, [name]) : raise(4104, [parts.join('.')]);
}

function columnValue(
  { sources, groups }: Scope,
  {
    source,
    alias,
    index,
  }: { readonly source: number; readonly alias: string; readonly index: number },
  depth: number,
): Typed {
  const column = sources[source]?.columns[index];
  if (!column) throw new Error(`no column ${index} of ${alias}`);
  if (groups && !groups.has(`${source}.${index}`)) throw raise(8120, [`${alias}.${column.name}`]);
  const place = { depth, source, index };
  if (depth === 0) {
    const value = ({ rows }: Env): SqlValue => rows[source]?.[index] ?? null;
    return { type: column.type, value, column: place };
  }
  const value = (env: Env): SqlValue => {
    let at: Env | undefined = env;
    for (let i = 0; i < depth; i++) at = at?.outer;
    return at?.rows[source]?.[index] ?? null;
  };
  return { type: column.type, value, column: place };
}

/** Checks if two names are equal in SQL Server, which ignores case. */
export function isSame(left: string, right: string): boolean {
  return left === right || left.toLowerCase() === right.toLowerCase();
}

/** Builds an expression with a constant value. */
export function constant(value: SqlValue, type: SqlType): Typed {
  return { type, value: () => value, constant: value };
}
