import type { Frame } from '../batch/session.ts';
import type { Row } from '../engine/views.ts';
import { notRun, raise } from '../engine/sql-server-error.ts';
import { NVARCHAR_MAX, type ResultColumn, type SqlValue } from '../tds/sql-type.ts';
import { hasAggregate } from './aggregate.ts';
import { keyOf, sortBy } from './compare.ts';
import { compileCondition } from './compile-condition.ts';
import { compileExpression } from './compile-expression.ts';
import { compileFrom } from './compile-from.ts';
import { NO_ROWS, innerScope, isSame, type CompiledQuery, type Env, type Scope } from './scope.ts';
import {
  checkRead,
  partsOf,
  type Expression,
  type OrderItem,
  type Query,
  type QueryBody,
  type Select,
  type SelectItem,
} from './syntax.ts';

/** A row of a result, with its source rows if ORDER BY can use them. */
interface Produced {
  readonly row: Row;
  readonly env?: Env;
}

/** A query without its ORDER BY and its page. */
interface CompiledBody {
  readonly columns: readonly ResultColumn[];
  readonly run: (outer: Env | undefined) => readonly Produced[];
  /** Scope for names in ORDER BY. */
  readonly scope?: Scope;
  readonly top?: number | undefined;
}

/** Builds the scope of a statement: no columns, and the variables of its frame. */
export function statementScope(frame: Frame): Scope {
  const compile = {
    expression: compileExpression,
    condition: compileCondition,
    query: compileQuery,
  };
  return innerScope({ frame, compile }, undefined);
}

/** Compiles a query. Throws SQL Server's errors for invalid names and types. */
function compileQuery(query: Query, scope: Scope): CompiledQuery {
  checkRead(query, ['body', 'order_by', 'limit_clause', 'fetch', 'for_clause']);
  checkRead(query.limit_clause?.LimitOffset, ['offset']);
  checkRead(query.fetch, ['quantity']);
  const body = compileBody(query.body, scope);
  const keys = (query.order_by?.kind.Expressions ?? []).map((item) => orderKey(item, body));
  const count = (expression: Expression | undefined): number | undefined =>
    expression && Number(compileExpression(expression, scope).value(NO_ROWS));
  const skipped = count(query.limit_clause?.LimitOffset.offset?.value) ?? 0;
  const limit = count(query.fetch?.quantity) ?? body.top;
  const run = (outerEnv: Env | undefined): readonly Row[] => {
    const sorted = sortBy(body.run(outerEnv), keys).map(({ row }) => row);
    return sorted.slice(skipped, limit === undefined ? undefined : skipped + limit);
  };
  const result = { columns: body.columns, run, isCorrelated: scope.correlation.isUsed };
  if (!query.for_clause) return result;
  const element = query.for_clause.Xml?.for_xml.Path;
  if (element === undefined) throw notRun('FOR JSON, and FOR XML without PATH');
  return forXml(result, element);
}

function compileBody(body: QueryBody, scope: Scope): CompiledBody {
  if ('Select' in body) return compileSelect(body.Select, scope);
  if ('Values' in body) {
    const rows = body.Values.rows.map(({ content }) =>
      content.map((item) => compileExpression(item, scope)),
    );
    return {
      columns: (rows[0] ?? []).map(({ type }) => ({ name: '', type })),
      run: () => rows.map((row) => ({ row: row.map(({ value }) => value(NO_ROWS)) })),
    };
  }
  if (!('SetOperation' in body)) throw notRun('queries in parentheses');
  const { op, set_quantifier, left, right } = body.SetOperation;
  if (op !== 'Union' || set_quantifier !== 'All') throw notRun(`${op} ${set_quantifier}`);
  const [first, second] = [compileBody(left, scope), compileBody(right, scope)];
  if (first.columns.length !== second.columns.length) throw raise(205);
  return {
    columns: first.columns,
    run: (outer) => [...first.run(outer), ...second.run(outer)].map(({ row }) => ({ row })),
  };
}

const SELECT_PARTS = ['distinct', 'top', 'projection', 'from', 'selection', 'group_by'];

/** Compiles a SELECT. Throws errors for invalid names and types. */
function compileSelect(select: Select, outer: Scope): CompiledBody {
  checkRead(select, SELECT_PARTS);
  checkRead(select.top, ['quantity']);
  if (select.group_by.Expressions[0].length > 0) throw notRun('GROUP BY');
  const from = compileFrom(select, outer);
  const isGrouped = hasAggregate(select.projection);
  const scope: Scope = { ...from.scope, isGrouped };
  const outputs = select.projection.flatMap((item) => compileItem(item, scope));
  const run = (outerEnv: Env | undefined): readonly Produced[] => {
    const rows = from.run(outerEnv);
    const envs = isGrouped ? [{ rows: [], outer: outerEnv, group: rows }] : rows;
    for (const compute of scope.windows) compute(envs);
    const produced = envs.map((env) => ({ env, row: outputs.map(({ value }) => value(env)) }));
    return select.distinct === undefined ? produced : distinct(produced);
  };
  const columns = outputs.map(({ name, type }) => ({ name, type }));
  return { columns, run, scope, top: topOf(select, scope) };
}

function topOf({ top }: Select, scope: Scope): number | undefined {
  if (!top) return undefined;
  const { quantity } = top;
  return 'Constant' in quantity
    ? quantity.Constant
    : Number(compileExpression(quantity.Expr, scope).constant);
}

/** Removes duplicate rows and keeps the last one. */
function distinct(produced: readonly Produced[]): readonly Produced[] {
  const seen = new Map(produced.map((item) => [JSON.stringify(item.row.map(keyOf)), item]));
  return [...seen.values()];
}

/** A column of a result. */
interface Output extends ResultColumn {
  readonly value: (env: Env) => SqlValue;
}

function compileItem(item: SelectItem, scope: Scope): readonly Output[] {
  if ('UnnamedExpr' in item) {
    return [{ name: nameOf(item.UnnamedExpr), ...compileExpression(item.UnnamedExpr, scope) }];
  }
  if ('ExprWithAlias' in item) {
    const { expr, alias } = item.ExprWithAlias;
    if (alias.quote_style === undefined && alias.value.startsWith('@'))
      throw notRun('SELECT of variables');
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
  throw raise(4104, [`${qualifier ?? ''}.*`]);
}

/** Returns the column name of an expression. Only columns have one. */
function nameOf(expression: Expression): string {
  if ('Identifier' in expression) return expression.Identifier.value.replace(/^@.*/, '');
  if ('CompoundIdentifier' in expression) return expression.CompoundIdentifier.at(-1)?.value ?? '';
  return '';
}

function orderKey({ expr, options }: OrderItem, { scope }: CompiledBody) {
  if (!scope) throw notRun('ORDER BY of a UNION');
  const { value } = compileExpression(expr, scope);
  const of = ({ env }: Produced): SqlValue => (env ? value(env) : null);
  return { of, isDescending: options.asc === false };
}

const XML_NAME = 'XML_F52E2B61-18A1-11d1-B105-00805F49916B';

/** Applies FOR XML PATH: an element per row, with an element per column that is not NULL. */
function forXml(query: CompiledQuery, element: string): CompiledQuery {
  const inElement = (name: string, text: string): string => `<${name}>${text}</${name}>`;
  const rowText = (row: Row): string =>
    query.columns
      .map(({ name }, i) => (row[i] === null ? '' : inElement(name, xmlText(String(row[i])))))
      .join('');
  return {
    ...query,
    columns: [{ name: XML_NAME, type: NVARCHAR_MAX }],
    run: (outer) => {
      const rows = query.run(outer);
      if (rows.length === 0) return [[null]];
      return [[rows.map((row) => inElement(element, rowText(row))).join('')]];
    },
  };
}

function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
