import { resolveRelation } from '../batch/resolve-relation.ts';
import type { Row } from '../engine/views.ts';
import { notRun } from '../engine/sql-server-error.ts';
import { familyOf } from '../tds/sql-type.ts';
import { keyOf } from './compare.ts';
import {
  innerScope,
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
  type JoinKind,
  type Select,
  type TableFactor,
} from './syntax.ts';

/** The joined and filtered sources of a SELECT. */
export interface CompiledFrom {
  readonly scope: Scope;
  readonly run: (outer: Env | undefined) => readonly Env[];
}

/** A source that is joined to the previous ones: its rows, found by an index if there is one, and ON. */
interface Link {
  readonly rows: () => readonly Row[];
  readonly isOuter: boolean;
  readonly lookup: Lookup | undefined;
  /** The other conditions of ON. */
  readonly on: readonly Condition[];
}

/** Compiles FROM and WHERE. Throws 208 and the errors of their expressions. */
export function compileFrom({ from, selection }: Select, outer: Scope): CompiledFrom {
  const steps = from.flatMap(({ relation, joins }) => [
    { ...compileSource(relation, outer), isOuter: false, on: undefined },
    ...joins.map(({ relation: joined, join_operator }) => ({
      ...compileSource(joined, outer),
      ...joinOf(join_operator),
    })),
  ]);
  const scope: Scope = { ...outer, sources: steps.map(({ source }) => source) };
  const where = selection && scope.compile.condition(selection, scope);
  const links = steps.map(({ on, isOuter, rows }, i): Link => {
    const own = conjuncts(on);
    const lookup = findLookup([...own, ...(isOuter ? [] : conjuncts(selection))], i, scope);
    const upTo: Scope = { ...scope, sources: scope.sources.slice(0, i + 1) };
    const others = own.filter((term) => term !== lookup?.term);
    return { isOuter, rows, lookup, on: others.map((term) => scope.compile.condition(term, upTo)) };
  });
  return { scope, run: (outerEnv) => joinedRows(links, where, outerEnv) };
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
    const candidates = link.rows();
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

function joinOf(operator: JoinKind): {
  readonly isOuter: boolean;
  readonly on: Expression | undefined;
} {
  const [kind, constraint] = typeof operator === 'string' ? [operator, 'None'] : nodeOf(operator);
  if (!/^(Join|Inner|Left|LeftOuter)$/.test(kind)) throw notRun(`${kind} joins`);
  return { isOuter: kind.startsWith('Left'), on: (constraint as { readonly On: Expression }).On };
}

function compileSource(
  factor: TableFactor,
  scope: Scope,
): { readonly source: Source; readonly rows: () => readonly Row[] } {
  if ('Table' in factor) {
    checkRead(factor.Table, ['name', 'alias']);
    const { name, alias } = factor.Table;
    const parts = partsOf(name);
    const { columns, rows } = resolveRelation(scope.frame, parts);
    return {
      source: { alias: alias?.name.value ?? parts.at(-1) ?? '', columns },
      rows: () => rows,
    };
  }
  if (!('Derived' in factor)) throw notRun(`${nodeOf(factor)[0]} in FROM`);
  checkRead(factor.Derived, ['alias', 'subquery']);
  const { alias, subquery } = factor.Derived;
  const { columns, run } = scope.compile.query(subquery, innerScope(scope, undefined));
  let known: readonly Row[] | undefined;
  return {
    source: { alias: alias.name.value, columns },
    rows: () => (known ??= run(undefined)),
  };
}

function conjuncts(expression: Expression | undefined): readonly Expression[] {
  if (!expression) return [];
  if (!('BinaryOp' in expression) || expression.BinaryOp.op !== 'And') return [expression];
  return [...conjuncts(expression.BinaryOp.left), ...conjuncts(expression.BinaryOp.right)];
}

/** A column of the joined source that must equal a known value, so that rows are found by an index. */
interface Lookup {
  readonly term: Expression;
  readonly index: number;
  readonly key: Typed;
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
      if (isKnown && isAlike) return { term, key, index: own.column.index };
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

/** Rows by their key in a column. */
type RowIndex = ReadonlyMap<unknown, readonly Row[]>;

const indexes = new WeakMap<readonly Row[], Map<number, RowIndex>>();
const NO_MATCH: readonly Row[] = [];

/** Finds the rows with a key in a column. The index of an array of rows is built once. */
function indexed(rows: readonly Row[], { key, index: column }: Lookup, env: Env): readonly Row[] {
  const value = keyOf(key.value(env));
  if (value === null) return NO_MATCH;
  const ofRows = indexes.get(rows) ?? new Map<number, RowIndex>();
  indexes.set(rows, ofRows);
  const index = ofRows.get(column) ?? indexOf(rows, column);
  ofRows.set(column, index);
  return index.get(value) ?? NO_MATCH;
}

function indexOf(rows: readonly Row[], column: number): RowIndex {
  const index = new Map<unknown, Row[]>();
  for (const row of rows) {
    const key = keyOf(row[column] ?? null);
    const same = index.get(key);
    if (same) same.push(row);
    else index.set(key, [row]);
  }
  return index;
}
