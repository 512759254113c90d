import type { Frame } from '../batch/session.ts';
import { raise } from '../engine/sql-server-error.ts';
import type { SqlType, SqlValue } from '../tds/sql-type.ts';
import type { Relation, Row } from '../engine/relation.ts';
import type { ResultColumn } from '../tds/tokens.ts';
import type { Expression, Query } from './syntax.ts';

/** Where a query stands while it runs: a row of each of its sources, and the same of the query around it. */
export interface Env {
  /** Undefined for a row that an outer join leaves out. */
  readonly rows: readonly (Row | undefined)[];
  readonly outer: Env | undefined;
  /** The rows that GROUP BY put together. */
  readonly group?: readonly Env[];
}

export const NO_ROWS: Env = { rows: [], outer: undefined };

/** An expression that is ready to be evaluated, and its type. */
export interface Typed {
  readonly type: SqlType;
  readonly value: (env: Env) => SqlValue;
  /** A literal or a variable. */
  readonly constant?: SqlValue;
  /** Whether it is the word NULL, which takes the type of what it meets. */
  readonly isNull?: boolean;
  readonly column?: ColumnPlace;
}

interface ColumnPlace {
  /** How many queries further out. */
  readonly depth: number;
  readonly source: number;
  readonly index: number;
}

/** A source of columns in a FROM clause, by the name that qualifies them. */
export interface Source {
  readonly alias: string;
  readonly columns: readonly ResultColumn[];
}

/** A condition as it is evaluated; null is unknown. */
export type Condition = (env: Env) => boolean | null;

/** A query that is ready to run. */
export interface CompiledQuery {
  readonly columns: readonly ResultColumn[];
  /** Its rows, where `outer` is a row of the query around it. */
  readonly run: (outer: Env | undefined) => readonly Row[];
  readonly isCorrelated: boolean;
  /** The variables that a SELECT gives values to, in place of a result. */
  readonly assigned: readonly string[];
}

/** The compilers that call each other: queries hold expressions, and these hold queries. */
export interface Compiler {
  readonly expression: (expression: Expression, scope: Scope) => Typed;
  readonly condition: (expression: Expression, scope: Scope) => Condition;
  /** The scope is a new one, for the query alone. */
  readonly query: (query: Query, scope: Scope) => CompiledQuery;
}

/** What names mean in a part of a query. */
export interface Scope {
  readonly frame: Frame;
  readonly compile: Compiler;
  readonly sources: readonly Source[];
  readonly outer: Scope | undefined;
  readonly ctes: ReadonlyMap<string, Relation>;
  /** The columns of GROUP BY, `source.index`; undefined where every column may stand alone. */
  readonly groups?: ReadonlySet<string> | undefined;
  /** What window functions are to compute once the rows are known. */
  readonly windows: ((envs: readonly Env[]) => void)[];
  /** Marks that a name of a query further out is used. */
  readonly correlation: { isUsed: boolean };
}

/** The scope of a query that names of `outer` can be used in. */
export function innerScope(
  { frame, compile, ctes }: Pick<Scope, 'frame' | 'compile' | 'ctes'>,
  outer: Scope | undefined,
): Scope {
  const own = { sources: [], windows: [], correlation: { isUsed: false } };
  return { ...own, frame, compile, ctes, outer };
}

/** Columns under the names that an alias gives them. Throws 8158 where their number differs. */
export function renamed(
  columns: readonly ResultColumn[],
  names: readonly { readonly name: { readonly value: string } }[],
): readonly ResultColumn[] {
  if (names.length === 0) return columns;
  if (names.length !== columns.length) throw raise(8158, [names[0]?.name.value ?? '']);
  return columns.map(({ type }, i) => ({ type, name: names[i]?.name.value ?? '' }));
}

/**
 * The column that a name stands for in a scope or the ones around it. Throws 207, 209 or 4104, and 8120 for a column that
 * is neither grouped nor aggregated.
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

/** Whether two names are the same to SQL Server, which compares them without case. */
export function isSame(left: string, right: string): boolean {
  return left === right || left.toLowerCase() === right.toLowerCase();
}

/** A value that is known before anything runs. */
export function constant(value: SqlValue, type: SqlType): Typed {
  return { type, value: () => value, constant: value };
}
