import { familyOf, NVARCHAR_MAX } from '../tds/sql-type.ts';
import type { ResultColumn } from '../tds/tokens.ts';
import type { ForClause } from '../tsql/ast.ts';
import type { TranslatedQuery } from './translate-query.ts';
import { quoteText } from './typed-sql.ts';

/** The names that SQL Server gives the column of FOR JSON and FOR XML. */
const COLUMN_NAMES = {
  json: 'JSON_F52E2B61-18A1-11d1-B105-00805F49916B',
  xml: 'XML_F52E2B61-18A1-11d1-B105-00805F49916B',
} as const;

/** Keys of a JSON object; a name with dots is an object in an object. */
interface JsonTree {
  readonly [key: string]: string | JsonTree;
}

/** A query whose rows become one text. */
export function forClauseSql(query: TranslatedQuery, clause: ForClause): TranslatedQuery {
  const names = query.columns.map((_, i) => `f${i}`);
  const rows = `WITH result (${names.join(', ')}) AS (${query.sql})`;
  const text =
    clause.kind === 'json' ? jsonSql(query.columns, clause) : xmlSql(query.columns, clause);
  return {
    sql: `${rows} SELECT ${text} FROM result`,
    columns: [{ name: COLUMN_NAMES[clause.kind], type: NVARCHAR_MAX }],
  };
}

function jsonSql(
  columns: readonly ResultColumn[],
  clause: Extract<ForClause, { kind: 'json' }>,
): string {
  const tree: JsonTree = {};
  columns.forEach((column, i) => insert(tree, column.name.split('.'), jsonValue(column, `f${i}`)));
  const object = objectSql(tree);
  const row = clause.includesNulls ? object : `json_patch('{}', ${object})`;
  const rows = `json_group_array(json(${row}))`;
  const list = clause.hasArray ? rows : `substr(${rows}, 2, length(${rows}) - 2)`;
  const text =
    clause.root === undefined ? list : `json_object(${quoteText(clause.root)}, json(${list}))`;
  return `CASE WHEN count(*) > 0 THEN ${text} END`;
}

function insert(tree: JsonTree, path: readonly string[], value: string): void {
  const [key = '', ...rest] = path;
  const node = tree as Record<string, string | JsonTree>;
  if (rest.length === 0) {
    node[key] = value;
    return;
  }
  const inner = typeof node[key] === 'object' ? node[key] : {};
  node[key] = inner;
  insert(inner, rest, value);
}

function objectSql(tree: JsonTree): string {
  const pairs = Object.entries(tree).map(([key, value]) => {
    const text = typeof value === 'string' ? value : `json(${objectSql(value)})`;
    return `${quoteText(key)}, ${text}`;
  });
  return `json_object(${pairs.join(', ')})`;
}

/** bit is true or false, bytes are base64 (hexadecimal here), the text of an inner FOR JSON stays JSON. */
function jsonValue(column: ResultColumn, sql: string): string {
  if (column.type.name === 'bit')
    return `json(iif(${sql} IS NULL, NULL, iif(${sql}, 'true', 'false')))`;
  if (familyOf(column.type) === 'bytes') return `hex(${sql})`;
  const isJson = column.type.name === 'nvarchar' && column.type.length === -1;
  return isJson ? `iif(json_valid(${sql}) AND ${sql} GLOB '[[{]*', json(${sql}), ${sql})` : sql;
}

function xmlSql(
  columns: readonly ResultColumn[],
  clause: Extract<ForClause, { kind: 'xml' }>,
): string {
  const parts = columns.map((column, i) => {
    const value = `coalesce(f${i}, '')`;
    if (column.name === '') return value;
    return `iif(f${i} IS NULL, '', '<${column.name}>' || f${i} || '</${column.name}>')`;
  });
  const row = parts.join(' || ');
  const element =
    clause.element === '' ? row : `'<${clause.element}>' || ${row} || '</${clause.element}>'`;
  return `group_concat(${element}, '')`;
}
