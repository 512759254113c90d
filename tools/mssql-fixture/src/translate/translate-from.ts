import { raise } from '../engine/sql-server-error.ts';
import { familyOf, INT, nvarchar, NVARCHAR_MAX } from '../tds/sql-type.ts';
import type { ResultColumn } from '../tds/tokens.ts';
import type { FromItem, JoinKind, TableFunction } from '../tsql/ast.ts';
import { translateExpression } from './translate-expression.ts';
import { translatePredicate } from './translate-predicate.ts';
import { renamed, translateInner } from './translate-query.ts';
import type { Scope, Source, Translation } from './translation.ts';
import { castSql, commonType, quoteName, quoteText } from './typed-sql.ts';

/** A FROM clause: SQLite's text, and the sources that it brings into scope. */
export interface TranslatedFrom {
  readonly sql: string;
  readonly sources: readonly Source[];
}

const JOIN_SQL: { readonly [J in JoinKind]: string } = {
  inner: 'JOIN',
  left: 'LEFT JOIN',
  right: 'RIGHT JOIN',
  full: 'FULL JOIN',
  cross: 'CROSS JOIN',
  'cross apply': 'JOIN',
  'outer apply': 'LEFT JOIN',
};

/** The items of a FROM clause, joined. Throws 208 and what their expressions throw. */
export function translateFrom(
  items: readonly FromItem[],
  outer: Scope,
  translation: Translation,
): TranslatedFrom {
  const parts: string[] = [];
  const sources: Source[] = [];
  for (const item of items) {
    const scope: Scope = { ...outer, sources, outer, groups: undefined };
    const part = translateItem(item, scope, translation);
    parts.push(part.sql);
    sources.push(...part.sources);
  }
  return { sql: parts.join(' CROSS JOIN '), sources };
}

function translateItem(item: FromItem, scope: Scope, translation: Translation): TranslatedFrom {
  switch (item.kind) {
    case 'relation':
      return translateRelation(item, scope, translation);
    case 'derived':
      return translateDerived(item, scope, translation);
    case 'function':
      return translateFunction(item, scope, translation);
    case 'join':
      return translateJoin(item, scope, translation);
  }
}

function translateJoin(
  { join, left, right, on }: Extract<FromItem, { kind: 'join' }>,
  scope: Scope,
  translation: Translation,
): TranslatedFrom {
  const a = translateItem(left, scope, translation);
  const isApply = join.endsWith('apply');
  // Only APPLY sees what is to its left.
  const rightScope = isApply ? { ...scope, sources: [...scope.sources, ...a.sources] } : scope;
  const b =
    isApply && right.kind === 'derived'
      ? translateDerived(right, rightScope, translation, lateralSource)
      : translateItem(right, rightScope, translation);
  const sources = [...a.sources, ...b.sources];
  const condition = on && translatePredicate(on, { ...scope, sources }, translation);
  const onSql = condition === undefined ? (isApply ? ' ON 1' : '') : ` ON ${condition}`;
  const rightSql = right.kind === 'join' ? `(${b.sql})` : b.sql;
  return { sql: `${a.sql} ${JOIN_SQL[join]} ${rightSql}${onSql}`, sources };
}

function namedSource(alias: string, columns: readonly ResultColumn[]): Source {
  const columnSql = (name: string): string => `${quoteName(alias)}.${quoteName(name)}`;
  return { alias, columns, columnSql };
}

function translateRelation(
  item: Extract<FromItem, { kind: 'relation' }>,
  scope: Scope,
  translation: Translation,
): TranslatedFrom {
  const name = item.parts.at(-1) ?? '';
  const alias = item.alias ?? name;
  const cte = item.parts.length === 1 ? scope.ctes.get(name.toLowerCase()) : undefined;
  const { sql, columns } = cte
    ? { sql: quoteName(name), columns: cte }
    : translation.environment.relation(item.parts, item.line);
  return { sql: `${sql} AS ${quoteName(alias)}`, sources: [namedSource(alias, columns)] };
}

/** A subquery whose columns are called c0, c1, … for SQLite, whatever their names. */
function numberedSource(
  alias: string,
  sql: string,
  columns: readonly ResultColumn[],
): TranslatedFrom {
  const names = columns.map((_, i) => `c${i}`).join(', ');
  const columnSql = (name: string): string =>
    `${quoteName(alias)}.c${columns.findIndex((column) => column.name === name)}`;
  return {
    sql: `(WITH d (${names}) AS (${sql}) SELECT * FROM d) AS ${quoteName(alias)}`,
    sources: [{ alias, columns, columnSql }],
  };
}

/**
 * A subquery that sees the tables to its left. SQLite lets only functions do that: its rows go through JSON, bytes as
 * hexadecimal digits.
 */
function lateralSource(
  alias: string,
  sql: string,
  columns: readonly ResultColumn[],
): TranslatedFrom {
  const isBytes = columns.map(({ type }) => familyOf(type) === 'bytes');
  const names = columns.map((_, i) => `c${i}`);
  const values = names.map((name, i) =>
    isBytes[i] ? `iif(${name} IS NULL, NULL, hex(${name}))` : name,
  );
  const rows =
    `SELECT json_group_array(json_array(${values.join(', ')})) ` +
    `FROM (WITH d (${names.join(', ')}) AS (${sql}) SELECT * FROM d)`;
  const columnSql = (name: string): string => {
    const position = columns.findIndex((column) => column.name === name);
    const value = `(${quoteName(alias)}.value ->> ${position})`;
    return isBytes[position] ? `unhex(${value})` : value;
  };
  return {
    sql: `json_each((${rows})) AS ${quoteName(alias)}`,
    sources: [{ alias, columns, columnSql }],
  };
}

function translateDerived(
  item: Extract<FromItem, { kind: 'derived' }>,
  scope: Scope,
  translation: Translation,
  source = numberedSource,
): TranslatedFrom {
  if ('kind' in item.source) {
    const inner = translateInner(item.source, scope, translation);
    const columns = renamed(inner.columns, item.columnNames);
    const unnamed = columns.findIndex((column) => column.name === '');
    if (unnamed >= 0) throw raise(8155, [unnamed + 1, item.alias]);
    return source(item.alias, inner.sql, columns);
  }
  const rows = item.source.map((row) =>
    row.map((value) => translateExpression(value, scope, translation)),
  );
  const columns = item.columnNames.map((name, i) => {
    const values = rows.flatMap((row) => row[i] ?? []);
    if (values.length !== rows.length) throw raise(10709);
    return { name, type: commonType(values) };
  });
  const sql = rows.map((row) => `(${row.map((value) => value.sql).join(', ')})`).join(', ');
  return source(item.alias, `VALUES ${sql}`, columns);
}

type TranslateFunction = (
  item: TableFunction,
  args: readonly string[],
  alias: string,
) => TranslatedFrom;

/** Rows of a JSON document, as json_each of SQLite has them. */
const openJson: TranslateFunction = (item, [json = 'NULL', path], alias) => {
  const each = `json_each(${json}${path === undefined ? '' : `, ${path}`}) AS ${quoteName(alias)}`;
  const q = quoteName(alias);
  if (item.schema.length === 0) {
    const sqlOf: Readonly<Record<string, string>> = {
      key: `CAST(${q}.key AS TEXT)`,
      value: `${q}.value`,
      type: `CASE ${q}.type WHEN 'null' THEN 0 WHEN 'text' THEN 1 WHEN 'integer' THEN 2 WHEN 'real' THEN 2 WHEN 'true' THEN 3 WHEN 'false' THEN 3 WHEN 'array' THEN 4 ELSE 5 END`,
    };
    const columns = [
      { name: 'key', type: nvarchar(4000) },
      { name: 'value', type: NVARCHAR_MAX },
      { name: 'type', type: INT },
    ];
    return { sql: each, sources: [{ alias, columns, columnSql: (name) => sqlOf[name] ?? 'NULL' }] };
  }
  const columnSql = (name: string): string => {
    const column = item.schema.find((candidate) => candidate.name === name);
    const at = quoteText(column?.path ?? `$."${name}"`);
    const extracted = { sql: `json_extract(${q}.value, ${at})`, type: NVARCHAR_MAX };
    const isText = column === undefined || familyOf(column.type) === 'text';
    return isText ? extracted.sql : castSql(extracted, column.type);
  };
  const columns = item.schema.map(({ name, type }) => ({ name, type }));
  return { sql: each, sources: [{ alias, columns, columnSql }] };
};

const stringSplit: TranslateFunction = (_item, [text = 'NULL', separator = "','"], alias) => {
  const q = quoteName(alias);
  const sqlOf: Readonly<Record<string, string>> = {
    value: `${q}.value`,
    ordinal: `(${q}.key + 1)`,
  };
  const columns = [
    { name: 'value', type: NVARCHAR_MAX },
    { name: 'ordinal', type: { name: 'bigint' as const } },
  ];
  return {
    sql: `json_each(ts_split(${text}, ${separator})) AS ${q}`,
    sources: [{ alias, columns, columnSql: (name) => sqlOf[name] ?? 'NULL' }],
  };
};

const TABLE_FUNCTIONS: Readonly<Record<string, TranslateFunction>> = {
  OPENJSON: openJson,
  STRING_SPLIT: stringSplit,
};

function translateFunction(
  item: TableFunction,
  scope: Scope,
  translation: Translation,
): TranslatedFrom {
  const name = (item.parts.at(-1) ?? '').toUpperCase();
  const translate = item.parts.length === 1 ? TABLE_FUNCTIONS[name] : undefined;
  if (!translate) throw raise(208, [item.parts.join('.')], { line: item.line });
  const args = item.args.map((arg) => translateExpression(arg, scope, translation).sql);
  return translate(item, args, item.alias ?? name.toLowerCase());
}
