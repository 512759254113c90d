import { notRun } from '../engine/sql-server-error.ts';
import { BIGINT, INT, type SqlValue } from '../tds/sql-type.ts';
import { keyOf, sortBy } from './compare.ts';
import type { Env, Scope, Typed } from './scope.ts';
import { argumentsOf, checkRead, partsOf, type FunctionNode } from './syntax.ts';

const AGGREGATES = /^(COUNT|COUNT_BIG|MAX)$/;

function nameOf({ name }: FunctionNode): string {
  return partsOf(name).join('.').toUpperCase();
}

/** Checks if a tree contains an aggregate, except in subqueries. */
export function hasAggregate(tree: unknown): boolean {
  if (typeof tree !== 'object' || tree === null) return false;
  return Object.entries(tree).some(([kind, node]: [string, unknown]) => {
    if (/^subquery$/i.test(kind)) return false;
    const isCall = kind === 'Function' && AGGREGATES.test(nameOf(node as FunctionNode));
    return isCall || hasAggregate(node);
  });
}

/** Compiles an aggregate of all rows, or ROW_NUMBER. Returns undefined for any other function. */
export function compileAggregate(node: FunctionNode, scope: Scope): Typed | undefined {
  const name = nameOf(node);
  if (node.over) return compileRowNumber(name, node.over.WindowSpec, scope);
  if (!AGGREGATES.test(name)) return undefined;
  const [argument] = argumentsOf(node);
  if (!argument) throw notRun(`${name} with such arguments`);
  const counted = name === 'COUNT_BIG' ? BIGINT : INT;
  if (argument === 'Wildcard') return { type: counted, value: ({ group = [] }) => group.length };
  const { type, value } = scope.compile.expression(argument, { ...scope, isGrouped: false });
  const values = ({ group = [] }: Env): readonly SqlValue[] =>
    group.map(value).filter((present) => present !== null);
  if (name !== 'MAX') return { type: counted, value: (env) => values(env).length };
  const highest: Typed['value'] = (env) =>
    sortBy(values(env), [{ of: (present) => present, isDescending: true }])[0] ?? null;
  return { type, value: highest };
}

function compileRowNumber(
  name: string,
  spec: NonNullable<FunctionNode['over']>['WindowSpec'],
  scope: Scope,
): Typed {
  if (name !== 'ROW_NUMBER') throw notRun(`${name} OVER (…)`);
  checkRead(spec, ['partition_by', 'order_by']);
  const partition = spec.partition_by.map((item) => scope.compile.expression(item, scope));
  const keys = spec.order_by.map(({ expr, options }) => ({
    of: scope.compile.expression(expr, scope).value,
    isDescending: options.asc === false,
  }));
  const results = new Map<Env, number>();
  scope.windows.push((envs) => {
    results.clear();
    const last = new Map<string, number>();
    for (const env of sortBy(envs, keys)) {
      const key = JSON.stringify(partition.map(({ value }) => keyOf(value(env))));
      const number = (last.get(key) ?? 0) + 1;
      last.set(key, number);
      results.set(env, number);
    }
  });
  return { type: BIGINT, value: (env) => results.get(env) ?? null };
}
