import type { Row } from '../engine/relation.ts';
import { notRun, raise } from '../engine/sql-server-error.ts';
import type { SqlValue } from '../tds/sql-type.ts';
import type { ResultColumn } from '../tds/tokens.ts';
import { hasAggregate } from './aggregate.ts';
import { keyOf } from './compare.ts';
import { compileFrom, filtered } from './compile-from.ts';
import { isSame, NO_ROWS, type Env, type Scope, type Typed } from './scope.ts';
import {
  checkRead,
  nodeOf,
  partsOf,
  type Expression,
  type Select,
  type SelectItem,
} from './syntax.ts';

/** A row of a result, with its source rows if ORDER BY can use them. */
export interface Produced {
  readonly row: Row;
  readonly env?: Env;
}

/** A query without its ORDER BY and its page. */
export interface CompiledBody {
  readonly columns: readonly ResultColumn[];
  readonly run: (outer: Env | undefined) => readonly Produced[];
  /** Scope for names in ORDER BY that are not in the result. */
  readonly scope?: Scope;
  readonly top?: number | undefined;
  readonly assigned?: readonly string[];
}

/** A column of a result, or the value of a variable. */
interface Output extends ResultColumn {
  readonly value: (env: Env) => SqlValue;
}

const SELECT_PARTS = ['distinct', 'top', 'projection', 'from', 'selection', 'group_by', 'having'];

/** Compiles a SELECT. Throws errors for invalid names and types. */
export function compileSelect(select: Select, outer: Scope): CompiledBody {
  checkRead(select, SELECT_PARTS);
  checkRead(select.top, ['quantity']);
  const from = compileFrom(select, outer);
  const { scope: found } = from;
  const groupBy = select.group_by.Expressions[0].map((item) => groupColumn(item, found));
  const isGrouped = groupBy.length > 0 || hasAggregate([select.projection, select.having]);
  const groups = new Set(groupBy.map(({ column }) => `${column?.source}.${column?.index}`));
  const scope: Scope = isGrouped ? { ...found, groups } : found;
  const outputs = select.projection.flatMap((item) => compileItem(item, scope));
  const having = select.having ? scope.compile.condition(select.having, scope) : undefined;
  const assigned = select.projection.flatMap((item) =>
    'ExprWithAlias' in item && isVariable(item.ExprWithAlias.alias)
      ? item.ExprWithAlias.alias.value.slice(1)
      : [],
  );
  if (assigned.length > 0 && assigned.length < outputs.length) throw raise(141);
  const run = (outerEnv: Env | undefined): readonly Produced[] => {
    const rows = from.run(outerEnv);
    const envs = filtered(isGrouped ? grouped(rows, groupBy, outerEnv) : rows, having);
    for (const compute of scope.windows) compute(envs);
    const produced = envs.map((env) => ({ env, row: outputs.map(({ value }) => value(env)) }));
    return select.distinct === undefined ? produced : distinct(produced);
  };
  const columns = outputs.map(({ name, type }) => ({ name, type }));
  return { columns, run, scope, top: topOf(select, scope), assigned };
}

const isVariable = ({
  value,
  quote_style,
}: {
  readonly value: string;
  readonly quote_style: string | undefined;
}): boolean => quote_style === undefined && value.startsWith('@');

function groupColumn(expression: Expression, scope: Scope): Typed {
  const value = scope.compile.expression(expression, scope);
  if (value.column?.depth !== 0) throw notRun('GROUP BY of anything but columns');
  return value;
}

function topOf({ top }: Select, scope: Scope): number | undefined {
  if (!top) return undefined;
  if ('Constant' in top.quantity) return top.quantity.Constant;
  return Number(scope.compile.expression(top.quantity.Expr, scope).value(NO_ROWS));
}

/**
 * Groups rows. The first row of a group stands for all. Without GROUP BY there is one group, even if there are no rows.
 */
function grouped(
  envs: readonly Env[],
  by: readonly Typed[],
  outer: Env | undefined,
): readonly Env[] {
  if (by.length === 0) return [{ rows: envs[0]?.rows ?? [], outer, group: envs }];
  const groups = new Map<string, Env[]>();
  for (const env of envs) {
    const key = JSON.stringify(by.map(({ value }) => keyOf(value(env))));
    const group = groups.get(key);
    if (group) group.push(env);
    else groups.set(key, [env]);
  }
  return [...groups.values()].map((group) => ({ rows: group[0]?.rows ?? [], outer, group }));
}

/** Removes duplicate rows and keeps the last one. */
export function distinct<T extends Produced>(produced: readonly T[]): readonly T[] {
  const seen = new Map(produced.map((item) => [JSON.stringify(item.row.map(keyOf)), item]));
  return [...seen.values()];
}

function compileItem(item: SelectItem, scope: Scope): readonly Output[] {
  if ('UnnamedExpr' in item) {
    return [
      { name: nameOf(item.UnnamedExpr), ...scope.compile.expression(item.UnnamedExpr, scope) },
    ];
  }
  if ('ExprWithAlias' in item) {
    const { expr, alias } = item.ExprWithAlias;
    return [{ name: alias.value, ...scope.compile.expression(expr, scope) }];
  }
  const qualifier =
    'QualifiedWildcard' in item ? partsOf(item.QualifiedWildcard[0].ObjectName).at(-1) : undefined;
  const outputs = scope.sources.flatMap(({ alias, columns }, source) =>
    qualifier === undefined || isSame(alias, qualifier)
      ? columns.map((column, index) => ({
          ...column,
          value: ({ rows }: Env) => rows[source]?.[index] ?? null,
        }))
      : [],
  );
  if (outputs.length > 0) return outputs;
  throw qualifier === undefined ? raise(263) : raise(4104, [`${qualifier}.*`]);
}

/** Returns the column name of an expression. Only columns have one. */
function nameOf(expression: Expression): string {
  const [kind, body] = nodeOf(expression);
  if (kind === 'Identifier')
    return 'Identifier' in expression ? expression.Identifier.value.replace(/^@.*/, '') : '';
  if (kind === 'CompoundIdentifier')
    return (body as readonly { readonly value: string }[]).at(-1)?.value ?? '';
  return 'Collate' in expression ? nameOf(expression.Collate.expr) : '';
}
