import type { Frame } from '../batch/session.ts';
import type { Relation, Row } from '../engine/relation.ts';
import { notRun, raise } from '../engine/sql-server-error.ts';
import { familyOf, NVARCHAR_MAX, type SqlValue } from '../tds/sql-type.ts';
import type { ResultColumn } from '../tds/tokens.ts';
import { castTo, commonType, sortBy } from './compare.ts';
import { compileCondition } from './compile-condition.ts';
import { compileExpression } from './compile-expression.ts';
import { compileSelect, distinct, type CompiledBody, type Produced } from './compile-select.ts';
import {
  NO_ROWS,
  innerScope,
  isSame,
  renamed,
  type CompiledQuery,
  type Env,
  type Scope,
} from './scope.ts';
import {
  checkRead,
  type Expression,
  type OrderItem,
  type Query,
  type QueryBody,
} from './syntax.ts';

/** Builds the scope of a statement: no columns, and the variables of its frame. */
export function statementScope(frame: Frame): Scope {
  const compile = {
    expression: compileExpression,
    condition: compileCondition,
    query: compileQuery,
  };
  return innerScope({ frame, compile, ctes: new Map() }, undefined);
}

/** Compiles a query. Throws SQL Server's errors for invalid names and types. */
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

/** Compiles a key of ORDER BY: a result column by number or name, else an expression. */
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

/** Applies FOR XML PATH: an element per row, with an element per named column that is not NULL. */
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
