import { notRun, raise } from '../engine/sql-server-error.ts';
import { familyOf } from '../tds/sql-type.ts';
import { resolveRelation } from '../batch/resolve-relation.ts';
import { keyOf } from './compare.ts';
import type { Row } from '../engine/relation.ts';
import {
  NO_ROWS,
  innerScope,
  renamed,
  type Condition,
  type Env,
  type Scope,
  type Source,
  type Typed,
} from './scope.ts';
import {
  checkRead,
  nodeOf,
  partsOf,
  type Expression,
  type Select,
  type TableFactor,
} from './syntax.ts';

/** The joined and filtered sources of a SELECT. */
export interface CompiledFrom {
  readonly scope: Scope;
  readonly run: (outer: Env | undefined) => readonly Env[];
}

/** A source that is joined to the previous ones. */
interface Step {
  readonly source: Source;
  readonly rows: (env: Env) => readonly Row[];
  readonly isOuter: boolean;
  readonly on: Expression | undefined;
}

/** Compiles FROM and WHERE. Throws 208 and the errors of their expressions. */
export function compileFrom({ from, selection }: Select, outer: Scope): CompiledFrom {
  const steps: Step[] = [];
  const scope: Scope = {
    ...outer,
    get sources() {
      return steps.map(({ source }) => source);
    },
  };
  for (const { relation, joins } of from) {
    steps.push(compileStep(relation, 'CrossJoin', scope));
    for (const { relation: joined, join_operator } of joins) {
      steps.push(compileStep(joined, join_operator, scope));
    }
  }
  const all: Scope = { ...outer, sources: steps.map(({ source }) => source) };
  const where = selection ? scope.compile.condition(selection, all) : undefined;
  const links = steps.map(({ on, isOuter, rows }, i): Link => {
    const own = conjuncts(on);
    const terms = [...own, ...(isOuter ? [] : conjuncts(selection ?? undefined))];
    const lookup = findLookup(terms, i, all);
    const upTo: Scope = { ...all, sources: all.sources.slice(0, i + 1) };
    const others = own.filter((term) => term !== lookup?.term);
    return { isOuter, rows, lookup, on: others.map((term) => scope.compile.condition(term, upTo)) };
  });
  return { scope: all, run: (outerEnv) => joinedRows(links, where, outerEnv) };
}

/** A join of a source: its rows, found by an index if there is one, and the condition of ON. */
interface Link extends Pick<Step, 'rows' | 'isOuter'> {
  readonly lookup: Lookup | undefined;
  /** The other conditions of ON. */
  readonly on: readonly Condition[];
}

function joinedRows(
  links: readonly Link[],
  where: Condition | undefined,
  outer: Env | undefined,
): readonly Env[] {
  const found: Env[] = [];
  const rows: (Row | undefined)[] = [];
  // One environment for all rows that are tried. Results are copies.
  const env: Env = { rows, outer };
  const join = (at: number): void => {
    const link = links[at];
    if (!link) {
      if (!where || where(env) === true) found.push({ rows: [...rows], outer });
      return;
    }
    let isFound = false;
    const candidates = link.rows(env);
    for (const row of link.lookup ? indexed(candidates, link.lookup, env) : candidates) {
      rows[at] = row;
      if (!link.on.every((condition) => condition(env) === true)) continue;
      isFound = true;
      join(at + 1);
    }
    if (isFound || !link.isOuter) return;
    rows[at] = undefined;
    join(at + 1);
  };
  join(0);
  return found;
}

/** Filters rows by a condition that must be true. */
export function filtered(envs: readonly Env[], condition: Condition | undefined): readonly Env[] {
  return condition ? envs.filter((env) => condition(env) === true) : envs;
}

function compileStep(factor: TableFactor, operator: string | object, scope: Scope): Step {
  const [kind, constraint] = typeof operator === 'string' ? [operator, 'None'] : nodeOf(operator);
  if (!/^(Join|Inner|Left|LeftOuter|CrossJoin|CrossApply|OuterApply)$/.test(kind))
    throw notRun(`${kind} joins`);
  const isOuter = /^(Left|Outer)/.test(kind);
  const on = constraint === 'None' ? undefined : (constraint as { readonly On: Expression }).On;
  if ('Table' in factor) {
    checkRead(factor.Table, ['name', 'alias', 'args', 'with_hints']);
    const { name, alias, args } = factor.Table;
    const parts = partsOf(name);
    const relation =
      (parts.length === 1 && scope.ctes.get(parts[0]?.toLowerCase() ?? '')) || undefined;
    const values = args?.args.map(({ Unnamed }) => {
      if (Unnamed === 'Wildcard') throw raise(102, ['*']);
      const { type, value } = scope.compile.expression(Unnamed.Expr, innerScope(scope, undefined));
      return { type, value: value(NO_ROWS) };
    });
    const { columns, rows } = relation ?? resolveRelation(scope.frame, parts, values);
    return {
      source: { alias: alias?.name.value ?? parts.at(-1) ?? '', columns },
      rows: () => rows,
      isOuter,
      on,
    };
  }
  if (!('Derived' in factor)) throw notRun(`${nodeOf(factor)[0]} in FROM`);
  const { alias, subquery } = factor.Derived;
  const isApply = kind.endsWith('Apply');
  // Only APPLY sees the sources to its left.
  const around = isApply ? { ...scope, sources: [...scope.sources] } : scope.outer;
  const { columns, run, isCorrelated } = scope.compile.query(subquery, innerScope(scope, around));
  if (isCorrelated && !isApply) scope.correlation.isUsed = true;
  const named = renamed(columns, alias.columns);
  const unnamed = named.findIndex(({ name }) => name === '');
  if (unnamed >= 0) throw raise(8155, [unnamed + 1, alias.name.value]);
  let known: readonly Row[] | undefined;
  const rows = (env: Env): readonly Row[] =>
    isApply ? run(env) : isCorrelated ? run(env.outer) : (known ??= run(undefined));
  return { source: { alias: alias.name.value, columns: named }, rows, isOuter, on };
}

function conjuncts(expression: Expression | undefined): readonly Expression[] {
  if (!expression) return [];
  if ('Nested' in expression) return conjuncts(expression.Nested);
  if (!('BinaryOp' in expression) || expression.BinaryOp.op !== 'And') return [expression];
  return [...conjuncts(expression.BinaryOp.left), ...conjuncts(expression.BinaryOp.right)];
}

/** A column of the joined source that must equal a known value, so that rows are found by an index. */
interface Lookup {
  readonly term: Expression;
  readonly index: number;
  readonly key: Typed;
  /** The index of the last requested rows. */
  known: RowIndex | undefined;
}

interface RowIndex {
  readonly rows: readonly Row[];
  readonly byKey: ReadonlyMap<unknown, readonly Row[]>;
}

function findLookup(terms: readonly Expression[], at: number, scope: Scope): Lookup | undefined {
  for (const term of terms) {
    if (!('BinaryOp' in term) || term.BinaryOp.op !== 'Eq') continue;
    const { left, right } = term.BinaryOp;
    for (const [side, opposite] of [
      [left, right],
      [right, left],
    ] as const) {
      const [own, key] = [simpleValue(side, scope), simpleValue(opposite, scope)];
      if (own?.column?.depth !== 0 || own.column.source !== at || !key) continue;
      const isKnown = key.column?.depth !== 0 || key.column.source < at;
      const family = familyOf(own.type);
      const isAlike = family === familyOf(key.type) && !/time|variant/.test(family);
      if (isKnown && isAlike) {
        return { ...{ term, key, index: own.column.index }, known: undefined };
      }
    }
  }
  return undefined;
}

/** Compiles a column or a constant. Returns undefined for anything else. */
function simpleValue(expression: Expression, scope: Scope): Typed | undefined {
  const inner = 'Collate' in expression ? expression.Collate.expr : expression;
  if (!/^(Identifier|CompoundIdentifier|Value)$/.test(nodeOf(inner)[0])) return undefined;
  try {
    return scope.compile.expression(inner, { ...scope, correlation: { isUsed: false } });
  } catch {
    // The condition itself is compiled too and reports the error.
    return undefined;
  }
}

const indexes = new WeakMap<readonly Row[], Map<number, RowIndex>>();
const NO_MATCH: readonly Row[] = [];

/** Finds the rows with a key in a column. The index of an array of rows is built once. */
function indexed(rows: readonly Row[], lookup: Lookup, env: Env): readonly Row[] {
  const value = keyOf(lookup.key.value(env));
  if (value === null) return NO_MATCH;
  if (lookup.known?.rows !== rows) lookup.known = indexOf(rows, lookup.index);
  return lookup.known.byKey.get(value) ?? NO_MATCH;
}

function indexOf(rows: readonly Row[], column: number): RowIndex {
  const ofRows = indexes.get(rows) ?? new Map<number, RowIndex>();
  indexes.set(rows, ofRows);
  const known = ofRows.get(column);
  if (known) return known;
  const byKey = new Map<unknown, Row[]>();
  for (const row of rows) {
    const key = keyOf(row[column] ?? null);
    const same = byKey.get(key);
    if (same) same.push(row);
    else byKey.set(key, [row]);
  }
  const index = { rows, byKey };
  ofRows.set(column, index);
  return index;
}
