import { raise } from '../engine/sql-server-error.ts';
import type { ResultColumn } from '../tds/tokens.ts';
import type { Expression, Select } from '../tsql/ast.ts';
import { hasAggregate } from './has-aggregate.ts';
import { isSame } from './resolve-column.ts';
import { translateExpression } from './translate-expression.ts';
import { translateFrom } from './translate-from.ts';
import { collated, translatePredicate } from './translate-predicate.ts';
import type { TranslatedQuery } from './translate-query.ts';
import type { Scope, Translation } from './translation.ts';
import { quoteName, type TypedSql } from './typed-sql.ts';

interface OutputColumn extends ResultColumn {
  readonly sql: string;
}

/** One SELECT, without its ORDER BY and its row limit; each output column has its name. */
export function translateSelect(
  select: Select,
  outer: Scope,
  translation: Translation,
): TranslatedQuery {
  const from = translateFrom(select.from, outer, translation);
  const scope: Scope = { sources: from.sources, outer, ctes: outer.ctes, groups: undefined };
  const where = select.where && translatePredicate(select.where, scope, translation);
  const groups = select.groupBy.map((group) => translateExpression(group, scope, translation));
  const grouped = groupedScope(select, scope, groups);
  const columns = select.items.flatMap((item) => translateItem(item, grouped, translation));
  const having = select.having && translatePredicate(select.having, grouped, translation);
  const sql = [
    `SELECT ${select.isDistinct ? 'DISTINCT ' : ''}${columns.map(outputSql).join(', ')}`,
    from.sql === '' ? '' : ` FROM ${from.sql}`,
    where === undefined ? '' : ` WHERE ${where}`,
    groups.length === 0 ? '' : ` GROUP BY ${groups.map(collated).join(', ')}`,
    having === undefined ? '' : ` HAVING ${having}`,
  ].join('');
  return { sql, columns: columns.map(({ name, type }) => ({ name, type })), scope: grouped };
}

/** With GROUP BY or an aggregate, a column stands alone only where it is grouped by. */
function groupedScope(select: Select, scope: Scope, groups: readonly TypedSql[]): Scope {
  const expressions = select.items.flatMap((item) =>
    item.kind === 'star' ? [] : [item.expression],
  );
  const isGrouped =
    groups.length > 0 || select.having !== undefined || expressions.some(hasAggregate);
  return isGrouped ? { ...scope, groups: new Set(groups.map((group) => group.sql)) } : scope;
}

function outputSql(column: OutputColumn): string {
  return `${column.sql} AS ${quoteName(column.name)}`;
}

function translateItem(
  item: Select['items'][number],
  scope: Scope,
  translation: Translation,
): readonly OutputColumn[] {
  if (item.kind === 'star') return expandStar(item, scope);
  const value = translateExpression(item.expression, scope, translation);
  const name = item.kind === 'value' ? (item.alias ?? nameOf(item.expression)) : '';
  return [{ name, type: value.type, sql: value.sql }];
}

/** An expression that is no column has no name in a result. */
function nameOf(expression: Expression): string {
  if (expression.kind === 'collate') return nameOf(expression.operand);
  return expression.kind === 'column' ? (expression.parts.at(-1) ?? '') : '';
}

function expandStar(
  star: Extract<Select['items'][number], { kind: 'star' }>,
  scope: Scope,
): readonly OutputColumn[] {
  const qualifier = star.qualifier.at(-1);
  const sources = scope.sources.filter(
    (source) => qualifier === undefined || isSame(source.alias, qualifier),
  );
  if (sources.length === 0) {
    throw qualifier === undefined
      ? raise(263, [], { line: star.line })
      : raise(4104, [`${qualifier}.*`], { line: star.line });
  }
  return sources.flatMap((source) =>
    source.columns.map((column) => ({ ...column, sql: source.columnSql(column.name) })),
  );
}
