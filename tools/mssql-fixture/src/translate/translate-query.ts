import { raise } from '../engine/sql-server-error.ts';
import { familyOf, type SqlType } from '../tds/sql-type.ts';
import type { ResultColumn } from '../tds/tokens.ts';
import type { Query, QueryBody } from '../tsql/ast.ts';
import { forClauseSql } from './for-clause.ts';
import { isSame } from './resolve-column.ts';
import { translateExpression } from './translate-expression.ts';
import { collated } from './translate-predicate.ts';
import { translateSelect } from './translate-select.ts';
import { EMPTY_SCOPE, type Scope, type Translation } from './translation.ts';
import { castSql, commonType, quoteName, type TypedSql } from './typed-sql.ts';

/** A query as SQLite runs it, and the columns of its result. */
export interface TranslatedQuery {
  readonly sql: string;
  readonly columns: readonly ResultColumn[];
  /** Where ORDER BY of this query looks names up; undefined after UNION. */
  readonly scope?: Scope;
}

/** A query that stands alone. Throws the errors of SQL Server for names and types that do not fit. */
export function translateQuery(query: Query, translation: Translation): TranslatedQuery {
  return translateInner(query, EMPTY_SCOPE, translation);
}

/** A query inside another one, which may use the names around it. */
export function translateInner(
  query: Query,
  outer: Scope,
  translation: Translation,
): TranslatedQuery {
  const ctes = new Map(outer.ctes);
  const definitions = query.ctes.map((cte) => {
    const scope = { ...outer, ctes: new Map(ctes) };
    const inner = translateInner(cte.query, scope, translation);
    const columns = renamed(inner.columns, cte.columnNames);
    ctes.set(cte.name.toLowerCase(), columns);
    const names = columns.map((column) => quoteName(column.name)).join(', ');
    return `${quoteName(cte.name)} (${names}) AS (${inner.sql})`;
  });
  const scope = { ...outer, ctes };
  const body = translateBody(query.body, scope, translation);
  const order = orderSql(query, body, translation);
  const limit = limitSql(query, scope, translation);
  const withSql = definitions.length === 0 ? '' : `WITH ${definitions.join(', ')} `;
  const sql = `${withSql}${body.sql}${order}${limit}`;
  const result = { sql, columns: body.columns };
  return query.forClause ? forClauseSql(result, query.forClause) : result;
}

/** A query as a value: its only column of its only row. */
export function translateSubquery(query: Query, scope: Scope, translation: Translation): TypedSql {
  const inner = translateInner(query, scope, translation);
  const [column] = inner.columns;
  if (!column || inner.columns.length > 1) throw raise(116);
  return { sql: `(${inner.sql})`, type: column.type };
}

/** Columns under the names that an alias gives them. Throws 8158 and 8159 where their number differs. */
export function renamed(
  columns: readonly ResultColumn[],
  names: readonly string[],
): readonly ResultColumn[] {
  if (names.length === 0) return columns;
  if (names.length !== columns.length) throw raise(8158, [names[0] ?? '']);
  return columns.map((column, i) => ({ ...column, name: names[i] ?? column.name }));
}

function translateBody(body: QueryBody, scope: Scope, translation: Translation): TranslatedQuery {
  switch (body.kind) {
    case 'select':
      return translateSelect(body, scope, translation);
    case 'nested': {
      const inner = translateInner(body.query, scope, translation);
      return { sql: `SELECT * FROM (${inner.sql})`, columns: inner.columns };
    }
    case 'set':
      return translateSet(body, scope, translation);
  }
}

function translateSet(
  { operator, left, right }: Extract<QueryBody, { kind: 'set' }>,
  scope: Scope,
  translation: Translation,
): TranslatedQuery {
  const [a, b] = [left, right].map((side) => translateSide(side, scope, translation)) as [
    TranslatedQuery,
    TranslatedQuery,
  ];
  if (a.columns.length !== b.columns.length) throw raise(205);
  const columns = a.columns.map((column, i) => {
    const sides = [column, b.columns[i] ?? column].map(({ type }) => ({ sql: '', type }));
    return { name: column.name, type: commonType(sides) };
  });
  const sql = `SELECT * FROM (${asTypes(a, columns)}) ${operator.toUpperCase()} SELECT * FROM (${asTypes(b, columns)})`;
  return { sql, columns };
}

/** A side of UNION keeps its own TOP. */
function translateSide(side: QueryBody, scope: Scope, translation: Translation): TranslatedQuery {
  const translated = translateBody(side, scope, translation);
  if (side.kind !== 'select' || !side.top) return translated;
  const limit = translateExpression(side.top, scope, translation).sql;
  return { ...translated, sql: `${translated.sql} LIMIT ${limit}` };
}

/** The rows of a side of UNION with each value in the type of the whole. */
function asTypes(side: TranslatedQuery, columns: readonly ResultColumn[]): string {
  const differs = side.columns.some(
    (column, i) => family(column.type) !== family(columns[i]?.type),
  );
  if (!differs) return side.sql;
  const names = side.columns.map((_, i) => `c${i}`);
  const values = side.columns.map((column, i) => {
    const target = columns[i]?.type ?? column.type;
    const value = { sql: `c${i}`, type: column.type };
    return family(column.type) === family(target) ? value.sql : castSql(value, target);
  });
  return `WITH side (${names.join(', ')}) AS (${side.sql}) SELECT ${values.join(', ')} FROM side`;
}

function family(type: SqlType | undefined): string {
  return type ? familyOf(type) : '';
}

function orderSql(query: Query, body: TranslatedQuery, translation: Translation): string {
  const terms = query.orderBy.map(({ expression, isDescending }) => {
    const direction = isDescending ? ' DESC' : '';
    const position = outputPosition(expression, body);
    const column = position === undefined ? undefined : body.columns[position];
    if (column)
      return `${collated({ sql: String(Number(position) + 1), type: column.type })}${direction}`;
    if (!body.scope) throw raise(104);
    return collated(translateExpression(expression, body.scope, translation)) + direction;
  });
  return terms.length === 0 ? '' : ` ORDER BY ${terms.join(', ')}`;
}

/** Which output column an ORDER BY term names, by its number or its name. */
function outputPosition(
  expression: Query['orderBy'][number]['expression'],
  body: TranslatedQuery,
): number | undefined {
  if (expression.kind === 'literal' && typeof expression.value === 'number') {
    if (expression.value < 1 || expression.value > body.columns.length) {
      throw raise(108, [expression.value]);
    }
    return expression.value - 1;
  }
  const name =
    expression.kind === 'column' && expression.parts.length === 1 ? expression.parts[0] : undefined;
  const position = body.columns.findIndex((column) => isSame(column.name, name ?? ''));
  return name === undefined || position < 0 ? undefined : position;
}

function limitSql(query: Query, scope: Scope, translation: Translation): string {
  const { body, offset, fetch } = query;
  const count = fetch ?? (body.kind === 'select' ? body.top : undefined);
  if (!count && !offset) return '';
  const limit = count ? translateExpression(count, scope, translation).sql : '-1';
  const skipped = offset ? ` OFFSET ${translateExpression(offset, scope, translation).sql}` : '';
  return ` LIMIT ${limit}${skipped}`;
}
