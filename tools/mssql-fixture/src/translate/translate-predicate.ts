import { familyOf, type SqlType } from '../tds/sql-type.ts';
import type { Predicate } from '../tsql/ast.ts';
import type { Scope, Translation } from './translation.ts';
import { translateExpression } from './translate-expression.ts';
import { translateInner } from './translate-query.ts';
import { castSql, commonType, quoteText, type TypedSql } from './typed-sql.ts';

type Translate<K extends Predicate['kind']> = (
  predicate: Extract<Predicate, { kind: K }>,
  scope: Scope,
  translation: Translation,
) => string;

const TRANSLATE: { readonly [K in Predicate['kind']]: Translate<K> } = {
  and: ({ left, right }, scope, translation) =>
    `(${translatePredicate(left, scope, translation)} AND ${translatePredicate(right, scope, translation)})`,
  or: ({ left, right }, scope, translation) =>
    `(${translatePredicate(left, scope, translation)} OR ${translatePredicate(right, scope, translation)})`,
  not: ({ operand }, scope, translation) =>
    `(NOT ${translatePredicate(operand, scope, translation)})`,
  exists: ({ query }, scope, translation) =>
    `EXISTS (${translateInner(query, scope, translation).sql})`,
  'is-null': ({ operand, isNegated }, scope, translation) =>
    `(${translateExpression(operand, scope, translation).sql} IS ${isNegated ? 'NOT ' : ''}NULL)`,
  compare: ({ operator, left, right }, scope, translation) => {
    const [a, b] = comparable(
      translateExpression(left, scope, translation),
      translateExpression(right, scope, translation),
    );
    return `(${a} ${operator} ${b})`;
  },
  between: ({ operand, low, high, isNegated }, scope, translation) => {
    const value = translateExpression(operand, scope, translation);
    const [a, from] = comparable(value, translateExpression(low, scope, translation));
    const [b, to] = comparable(value, translateExpression(high, scope, translation));
    return `(${isNegated ? 'NOT ' : ''}(${a} >= ${from} AND ${b} <= ${to}))`;
  },
  in: ({ operand, choices, isNegated }, scope, translation) => {
    const value = translateExpression(operand, scope, translation);
    const not = isNegated ? 'NOT ' : '';
    if ('kind' in choices) {
      const inner = translateInner(choices, scope, translation);
      return `(${collated(value)} ${not}IN (${inner.sql}))`;
    }
    const values = choices.map((choice) => translateExpression(choice, scope, translation));
    const pairs = values.map((choice) => comparable(value, choice));
    return `(${pairs[0]?.[0] ?? 'NULL'} ${not}IN (${pairs.map(([, choice]) => choice).join(', ')}))`;
  },
  like: ({ operand, pattern, escape, isNegated }, scope, translation) => {
    const [text, like] = [operand, pattern].map(
      (side) => translateExpression(side, scope, translation).sql,
    );
    const escapeSql = escape ? translateExpression(escape, scope, translation).sql : 'NULL';
    return `(${isNegated ? 'NOT ' : ''}ts_like(${text}, ${like}, ${escapeSql}))`;
  },
};

/** A condition as SQLite runs it. */
export function translatePredicate(
  predicate: Predicate,
  scope: Scope,
  translation: Translation,
): string {
  const translate = TRANSLATE[predicate.kind] as Translate<Predicate['kind']>;
  return translate(predicate, scope, translation);
}

/** Both sides as SQLite compares them as SQL Server would: converted to one type, text without case and end blanks. */
function comparable(left: TypedSql, right: TypedSql): readonly [left: string, right: string] {
  const type = commonType([left, right]);
  const family = familyOf(type);
  const isText = family === 'text' || family === 'guid';
  const collation = left.collation ?? right.collation ?? 'NOCASE';
  const side = (value: TypedSql): string => {
    if (isText) return `${trimmed(value)} COLLATE ${collation}`;
    return mustConvert(value, type) ? castSql(value, type) : value.sql;
  };
  return [side(left), isText ? trimmed(right) : side(right)];
}

function mustConvert(value: TypedSql, type: SqlType): boolean {
  const [from, to] = [familyOf(value.type), familyOf(type)];
  if (value.isNull || to === 'variant') return false;
  return from !== to || (to === 'time' && value.type.name !== type.name);
}

/** Columns are held without the blanks that pad them; literals and variables lose theirs here. */
function trimmed({ sql, text }: TypedSql): string {
  if (text === undefined) return sql;
  return sql === quoteText(text) ? quoteText(text.replace(/ +$/, '')) : `rtrim(${sql})`;
}

/** Text with the collation that it is compared, sorted and grouped with. */
export function collated(value: TypedSql): string {
  const family = familyOf(value.type);
  if (family !== 'text' && family !== 'guid') return value.sql;
  return `${value.sql} COLLATE ${value.collation ?? 'NOCASE'}`;
}
