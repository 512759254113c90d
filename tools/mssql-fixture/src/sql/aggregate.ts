import { notRun } from '../engine/sql-server-error.ts';
import { BIGINT, INT, NVARCHAR_MAX, type SqlType, type SqlValue } from '../tds/sql-type.ts';
import { keyOf, sortBy } from './compare.ts';
import { type Env, type Scope, type Typed } from './scope.ts';
import { checkRead, partsOf, type FunctionNode, type OrderItem } from './syntax.ts';

/** An aggregate over the non-NULL values of a group. */
interface Aggregate {
  readonly type: (value: SqlType) => SqlType;
  readonly of: (values: readonly SqlValue[]) => SqlValue;
}

const best =
  (isDescending: boolean): Aggregate['of'] =>
  (values) =>
    sortBy(values, [{ of: (value) => value, isDescending }])[0] ?? null;

const count: Aggregate['of'] = (values) => values.length;

const AGGREGATES: Readonly<Record<string, Aggregate>> = {
  COUNT: { type: () => INT, of: count },
  COUNT_BIG: { type: () => BIGINT, of: count },
  MIN: { type: (type) => type, of: best(false) },
  MAX: { type: (type) => type, of: best(true) },
  STRING_AGG: { type: () => NVARCHAR_MAX, of: count },
};

/** Checks if a tree contains an aggregate, except in subqueries and windows. */
export function hasAggregate(tree: unknown): boolean {
  if (typeof tree !== 'object' || tree === null) return false;
  return Object.entries(tree).some(([kind, node]: [string, unknown]) => {
    if (/^subquery$/i.test(kind)) return false;
    const isCall = kind === 'Function' && nameOf(node as FunctionNode) in AGGREGATES;
    return (isCall && !(node as FunctionNode).over) || hasAggregate(node);
  });
}

function nameOf({ name }: FunctionNode): string {
  return partsOf(name).join('.').toUpperCase();
}

/** Compiles an aggregate or a window function. Returns undefined for any other function. */
export function compileAggregate(node: FunctionNode, scope: Scope): Typed | undefined {
  const name = nameOf(node);
  if (node.over) return compileWindow(name, node, scope);
  if (!(name in AGGREGATES)) return undefined;
  const { type, of } = overRows(name, node, { ...scope, groups: undefined });
  return { type, value: ({ group }) => of(group ?? []) };
}

/** Calculates an aggregate over rows. */
function overRows(
  name: string,
  { args, within_group: order }: FunctionNode,
  scope: Scope,
): { readonly type: SqlType; readonly of: (envs: readonly Env[]) => SqlValue } {
  const aggregate = AGGREGATES[name];
  const list = args === 'None' ? [] : args.List.args.map(({ Unnamed }) => Unnamed);
  const [argument, separator] = list.map((arg) =>
    arg === 'Wildcard' ? undefined : scope.compile.expression(arg.Expr, scope),
  );
  if (!aggregate || list.length === 0) throw notRun(`${name} with such arguments`);
  const isDistinct = args !== 'None' && args.List.duplicate_treatment === 'Distinct';
  const keys = sortKeys(order, scope);
  const of = (envs: readonly Env[]): SqlValue => {
    if (!argument) return envs.length;
    const values = sortBy(envs, keys).map(argument.value);
    const present = values.filter((value) => value !== null);
    if (name === 'STRING_AGG') {
      const between = String(separator?.constant ?? '');
      return present.length === 0 ? null : present.map(String).join(between);
    }
    const counted = isDistinct
      ? [...new Map(present.map((value) => [keyOf(value), value])).values()]
      : present;
    return aggregate.of(counted);
  };
  return { type: aggregate.type(argument?.type ?? INT), of };
}

function sortKeys(order: readonly OrderItem[], scope: Scope) {
  return order.map(({ expr, options }) => ({
    of: scope.compile.expression(expr, scope).value,
    isDescending: options.asc === false,
  }));
}

/** Compiles ROW_NUMBER, LAG and LEAD, and aggregates over a whole partition. */
function compileWindow(name: string, node: FunctionNode, scope: Scope): Typed {
  const { partition_by, order_by } = node.over?.WindowSpec ?? { partition_by: [], order_by: [] };
  checkRead(node.over?.WindowSpec, ['partition_by', 'order_by']);
  const partition = partition_by.map((expression) => scope.compile.expression(expression, scope));
  const keys = sortKeys(order_by, scope);
  const { type, of } = windowFunction(name, node, scope);
  const results = new Map<Env, SqlValue>();
  scope.windows.push((envs) => {
    results.clear();
    const groups = new Map<string, Env[]>();
    for (const env of sortBy(envs, keys)) {
      const key = JSON.stringify(partition.map(({ value }) => keyOf(value(env))));
      const group = groups.get(key);
      if (group) group.push(env);
      else groups.set(key, [env]);
    }
    for (const group of groups.values()) {
      group.forEach((env, i) => results.set(env, of(group, i)));
    }
  });
  return { type, value: (env) => results.get(env) ?? null };
}

function windowFunction(
  name: string,
  node: FunctionNode,
  scope: Scope,
): { readonly type: SqlType; readonly of: (group: readonly Env[], at: number) => SqlValue } {
  if (name === 'ROW_NUMBER') return { type: BIGINT, of: (_group, at) => at + 1 };
  if (name in AGGREGATES && node.over?.WindowSpec.order_by.length === 0) {
    const { type, of } = overRows(name, node, scope);
    return { type, of };
  }
  throw notRun(`${name} OVER (…)`);
}
