import type { Frame } from '../batch/session.ts';
import type { Relation, Row } from '../engine/relation.ts';
import { notRun, raise } from '../engine/sql-server-error.ts';
import { familyOf, NVARCHAR_MAX, type SqlValue } from '../tds/sql-type.ts';
import type { ResultColumn } from '../tds/tokens.ts';
import { hasAggregate } from './aggregate.ts';
import { castTo, commonType, keyOf, sortBy } from './compare.ts';
import { compileCondition, compileExpression } from './compile-expression.ts';
import { compileFrom, filtered } from './compile-from.ts';
import {
  NO_ROWS,
  innerScope,
  isSame,
  renamed,
  type CompiledQuery,
  type Env,
  type Scope,
  type Typed,
} from './scope.ts';
import {
  checkRead,
  nodeOf,
  partsOf,
  type Expression,
  type OrderItem,
  type Query,
  type QueryBody,
  type Select,
  type SelectItem,
} from './syntax.ts';

/** The scope of a statement: no columns, and the variables of its frame. */
export function statementScope(frame: Frame): Scope {
  const compile = {
    expression: compileExpression,
    condition: compileCondition,
    query: compileQuery,
  };
  return innerScope({ frame, compile, ctes: new Map() }, undefined);
}

/** A row of a result, with the rows that it comes from where ORDER BY can use them. */
interface Produced {
  readonly row: Row;
  readonly env?: Env;
}

interface CompiledBody {
  readonly columns: readonly ResultColumn[];
  readonly run: (outer: Env | undefined) => readonly Produced[];
  /** Where ORDER BY looks names up that are none of the result. */
  readonly scope?: Scope;
  readonly top?: number | undefined;
  readonly assigned?: readonly string[];
}

/** Compiles a query. Throws the errors of SQL Server for names and types that do not fit. */
function compileQuery(query: Query, bare: Scope): CompiledQuery {
  checkRead(query, ['with', 'body', 'order_by', 'limit_clause', 'fetch', 'for_clause']);
  checkRead(query.limit_clause?.LimitOffset, ['offset']);
  checkRead(query.fetch, ['quantity']);
  const scope = withCtes(query, bare);
  const body = compileBody(query.body, scope);
  const keys = (query.order_by?.kind.Expressions ?? []).map((item) => orderKey(item, body));
  const count = (expression: Expression | undefined): number | undefined =>
    expression && Number(compileExpression(expression, scope).value(NO_ROWS));
  const skipped = count(query.limit_clause?.LimitOffset.offset?.value) ?? 0;
  const limit = count(query.fetch?.quantity) ?? body.top;
  const run = (outerEnv: Env | undefined): readonly Row[] => {
    const sorted = sortBy(body.run(outerEnv), keys).map(({ row }) => row);
    const end = limit === undefined ? undefined : skipped + limit;
    return skipped > 0 || end !== undefined ? sorted.slice(skipped, end) : sorted;
  };
  const { columns, assigned = [] } = body;
  const isCorrelated = scope.correlation.isUsed;
  const result = { columns, run, isCorrelated, assigned };
  if (!query.for_clause) return result;
  const element = query.for_clause.Xml?.for_xml.Path;
  if (element === undefined) throw notRun('FOR JSON, and FOR XML without PATH');
  return forXml(result, element);
}

function withCtes(query: Query, scope: Scope): Scope {
  const ctes = new Map(scope.ctes);
  for (const { alias, query: inner } of query.with?.cte_tables ?? []) {
    const compiled = compileQuery(
      inner,
      innerScope({ ...scope, ctes: new Map(ctes) }, scope.outer),
    );
    const columns = renamed(compiled.columns, alias.columns);
    const relation: Relation = { columns, rows: compiled.run(undefined) };
    ctes.set(alias.name.value.toLowerCase(), relation);
  }
  return { ...scope, ctes };
}

function compileBody(body: QueryBody, scope: Scope): CompiledBody {
  if ('Select' in body) return compileSelect(body.Select, scope);
  if ('SetOperation' in body) return compileSet(body.SetOperation, scope);
  if ('Values' in body) return compileValues(body.Values.rows, scope);
  const { columns, run, isCorrelated } = compileQuery(body.Query, innerScope(scope, scope.outer));
  scope.correlation.isUsed ||= isCorrelated;
  return { columns, run: (outer) => run(outer).map((row) => ({ row })) };
}

function compileValues(
  rows: readonly { readonly content: readonly Expression[] }[],
  scope: Scope,
): CompiledBody {
  const values = rows.map(({ content }) => content.map((item) => compileExpression(item, scope)));
  const width = values[0]?.length ?? 0;
  if (values.some(({ length }) => length !== width)) throw raise(10709);
  const types = Array.from({ length: width }, (_, i) =>
    commonType(values.flatMap((row) => row[i] ?? [])),
  );
  const typed = values.map((row) => row.map((value, i) => castTo(value, types[i] ?? value.type)));
  return {
    columns: types.map((type) => ({ name: '', type })),
    run: (outer) =>
      typed.map((row) => ({ row: row.map(({ value }) => value({ rows: [], outer })) })),
  };
}

function compileSet(
  {
    op,
    set_quantifier,
    left,
    right,
  }: {
    readonly op: string;
    readonly set_quantifier: string;
    readonly left: QueryBody;
    readonly right: QueryBody;
  },
  scope: Scope,
): CompiledBody {
  if (op !== 'Union') throw notRun(op.toUpperCase());
  const sides = [left, right].map((side) => compileBody(side, { ...scope, windows: [] }));
  const [a, b] = sides as [CompiledBody, CompiledBody];
  if (a.columns.length !== b.columns.length) throw raise(205);
  const columns = a.columns.map((column, i) => ({
    name: column.name,
    type: commonType([column, b.columns[i] ?? column]),
  }));
  const rowsOf = (side: CompiledBody): ((outer: Env | undefined) => readonly Row[]) => {
    const casts = side.columns.map(({ type }, i) =>
      castTo({ type, value: ({ rows }) => rows[0]?.[i] ?? null }, columns[i]?.type ?? type),
    );
    const isSameType = side.columns.every(
      ({ type }, i) => familyOf(type) === familyOf(columns[i]?.type ?? type),
    );
    return (outer) =>
      side
        .run(outer)
        .slice(0, side.top)
        .map(({ row }) =>
          isSameType ? row : casts.map(({ value }) => value({ rows: [row], outer: undefined })),
        );
  };
  const [first, second] = [rowsOf(a), rowsOf(b)];
  return {
    columns,
    run: (outer) => {
      const rows = [...first(outer), ...second(outer)].map((row) => ({ row }));
      return set_quantifier === 'All' ? rows : distinct(rows);
    },
  };
}

/** A column of a result, or the value of a variable. */
interface Output extends ResultColumn {
  readonly value: (env: Env) => SqlValue;
}

const SELECT_PARTS = ['distinct', 'top', 'projection', 'from', 'selection', 'group_by', 'having'];

function compileSelect(select: Select, outer: Scope): CompiledBody {
  checkRead(select, SELECT_PARTS);
  checkRead(select.top, ['quantity']);
  const from = compileFrom(select, outer);
  const { scope: found } = from;
  const groupBy = select.group_by.Expressions[0].map((item) => groupColumn(item, found));
  const isGrouped = groupBy.length > 0 || hasAggregate([select.projection, select.having]);
  const groups = new Set(groupBy.map(({ column }) => `${column?.source}.${column?.index}`));
  const scope: Scope = isGrouped ? { ...found, groups } : found;
  const outputs = select.projection.flatMap((item) => compileItem(item, scope));
  const having = select.having ? compileCondition(select.having, scope) : undefined;
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
  const value = compileExpression(expression, scope);
  if (value.column?.depth !== 0) throw notRun('GROUP BY of anything but columns');
  return value;
}

function topOf({ top }: Select, scope: Scope): number | undefined {
  if (!top) return undefined;
  if ('Constant' in top.quantity) return top.quantity.Constant;
  return Number(compileExpression(top.quantity.Expr, scope).value(NO_ROWS));
}

/** A group stands for its rows by the first; without GROUP BY there is one group, even of no rows. */
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

function distinct<T extends Produced>(produced: readonly T[]): readonly T[] {
  const seen = new Map(produced.map((item) => [JSON.stringify(item.row.map(keyOf)), item]));
  return [...seen.values()];
}

function compileItem(item: SelectItem, scope: Scope): readonly Output[] {
  if ('UnnamedExpr' in item) {
    return [{ name: nameOf(item.UnnamedExpr), ...compileExpression(item.UnnamedExpr, scope) }];
  }
  if ('ExprWithAlias' in item) {
    const { expr, alias } = item.ExprWithAlias;
    return [{ name: alias.value, ...compileExpression(expr, scope) }];
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

/** An expression that is no column has no name in a result. */
function nameOf(expression: Expression): string {
  const [kind, body] = nodeOf(expression);
  if (kind === 'Identifier')
    return 'Identifier' in expression ? expression.Identifier.value.replace(/^@.*/, '') : '';
  if (kind === 'CompoundIdentifier')
    return (body as readonly { readonly value: string }[]).at(-1)?.value ?? '';
  return 'Collate' in expression ? nameOf(expression.Collate.expr) : '';
}

/** A key of ORDER BY: a column of the result by its number or its name, else an expression. */
function orderKey({ expr, options }: OrderItem, { columns, scope }: CompiledBody) {
  const isDescending = options.asc === false;
  const position = outputPosition(expr, columns);
  if (position >= 0) return { isDescending, of: ({ row }: Produced) => row[position] ?? null };
  if (!scope) throw raise(104);
  const { value } = compileExpression(expr, scope);
  return { isDescending, of: ({ env }: Produced) => (env ? value(env) : null) };
}

function outputPosition(expression: Expression, columns: readonly ResultColumn[]): number {
  const [, number] = /^\{"Value":.*"Number":\["(\d+)"/.exec(JSON.stringify(expression)) ?? [];
  if (number !== undefined) {
    if (Number(number) < 1 || Number(number) > columns.length) throw raise(108, [number]);
    return Number(number) - 1;
  }
  if (!('Identifier' in expression)) return -1;
  return columns.findIndex(({ name }) => isSame(name, expression.Identifier.value));
}

const XML_NAME = 'XML_F52E2B61-18A1-11d1-B105-00805F49916B';

/** FOR XML PATH: an element for each row, in it one for each named column that is not NULL. */
function forXml(query: CompiledQuery, element: string): CompiledQuery {
  const inElement = (name: string, text: string): string =>
    name === '' ? text : `<${name}>${text}</${name}>`;
  const rowText = (row: Row): string =>
    query.columns
      .map(({ name }, i) => (row[i] === null ? '' : inElement(name, xmlText(row[i] ?? null))))
      .join('');
  return {
    ...query,
    columns: [{ name: XML_NAME, type: NVARCHAR_MAX }],
    run: (outer) => {
      const rows = query.run(outer);
      return rows.length === 0
        ? [[null]]
        : [[rows.map((row) => inElement(element, rowText(row))).join('')]];
    },
  };
}

function xmlText(value: SqlValue): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  const codes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
  return String(value).replace(/[&<>]/g, (character) => codes[character] ?? character);
}
