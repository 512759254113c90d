import { raise } from '../engine/sql-server-error.ts';
import { BIGINT, INT, type SqlType } from '../tds/sql-type.ts';
import type { CallExpression } from '../tsql/ast.ts';
import { CATALOG_FUNCTIONS } from './catalog-functions.ts';
import { isAggregate } from './has-aggregate.ts';
import { isSame } from './resolve-column.ts';
import { SESSION_FUNCTIONS } from './session-functions.ts';
import { TEXT_FUNCTIONS } from './text-functions.ts';
import { translateExpression } from './translate-expression.ts';
import { collated } from './translate-predicate.ts';
import type { Environment, Scope, Translation } from './translation.ts';
import type { TypedSql } from './typed-sql.ts';
import { VALUE_FUNCTIONS } from './value-functions.ts';

/** A function of T-SQL: how many arguments it takes, and what it is in SQLite. */
export interface FunctionRule {
  readonly arity: readonly [least: number, most: number];
  readonly translate: (args: readonly TypedSql[], environment: Environment) => TypedSql;
}

const FUNCTIONS: Readonly<Record<string, FunctionRule>> = {
  ...VALUE_FUNCTIONS,
  ...TEXT_FUNCTIONS,
  ...CATALOG_FUNCTIONS,
  ...SESSION_FUNCTIONS,
};

/** Functions that only make sense with OVER; all of them number rows. */
const RANKINGS: Readonly<Record<string, string>> = {
  ROW_NUMBER: 'row_number',
  RANK: 'rank',
  DENSE_RANK: 'dense_rank',
  NTILE: 'ntile',
};
const NEIGHBOURS: Readonly<Record<string, string>> = {
  LAG: 'lag',
  LEAD: 'lead',
  FIRST_VALUE: 'first_value',
  LAST_VALUE: 'last_value',
};

/** A call as SQLite runs it. Throws 195, 174 or 4121 for a function that there is not, or not like that. */
export function translateCall(
  call: CallExpression,
  scope: Scope,
  translation: Translation,
): TypedSql {
  const name = functionName(call);
  const over = call.over ? ` OVER (${windowSql(call, scope, translation)})` : '';
  if (isAggregate(name)) return withOver(translateAggregate(name, call, scope, translation), over);
  const args = call.args.map((arg) => translateExpression(arg, scope, translation));
  const list = args.map((arg) => arg.sql).join(', ');
  const ranking = RANKINGS[name];
  if (ranking && over) return { sql: `${ranking}(${list})${over}`, type: BIGINT };
  const neighbour = NEIGHBOURS[name];
  if (neighbour && over) return { sql: `${neighbour}(${list})${over}`, type: args[0]?.type ?? INT };
  const rule = FUNCTIONS[name];
  if (!rule) throw raise(195, [call.parts.at(-1) ?? ''], { line: call.line });
  const [least, most] = rule.arity;
  if (args.length < least || args.length > most) {
    throw raise(174, [name.toLowerCase(), least], { line: call.line });
  }
  return rule.translate(args, translation.environment);
}

/** Functions of `sys` may be called with their schema; a function of another schema is none that we know. */
function functionName(call: CallExpression): string {
  const [first = '', second] = call.parts;
  if (second === undefined) return first.toUpperCase();
  if (call.parts.length === 2 && isSame(first, 'sys')) return `SYS.${second.toUpperCase()}`;
  throw raise(4121, [first, call.parts.join('.')], { line: call.line });
}

function withOver(value: TypedSql, over: string): TypedSql {
  return over === '' ? value : { ...value, sql: value.sql + over };
}

function windowSql(call: CallExpression, scope: Scope, translation: Translation): string {
  const partition = call.over?.partitionBy.map((value) =>
    collated(translateExpression(value, scope, translation)),
  );
  const order = orderTerms(call.over?.orderBy ?? [], scope, translation);
  return [
    partition?.length ? `PARTITION BY ${partition.join(', ')}` : '',
    order === '' ? '' : `ORDER BY ${order}`,
  ]
    .join(' ')
    .trim();
}

function orderTerms(
  items: CallExpression['withinGroup'],
  scope: Scope,
  translation: Translation,
): string {
  return items
    .map(({ expression, isDescending }) => {
      const term = collated(translateExpression(expression, scope, translation));
      return term + (isDescending ? ' DESC' : '');
    })
    .join(', ');
}

/** The type of SUM and AVG: int for the small whole numbers, else as the argument. */
function sumType(type: SqlType): SqlType {
  if (/^(tinyint|smallint|int)$/.test(type.name)) return INT;
  if (type.name === 'decimal' || type.name === 'numeric') return { ...type, precision: 38 };
  return type.name === 'smallmoney' ? { name: 'money' } : type;
}

function translateAggregate(
  name: string,
  call: CallExpression,
  scope: Scope,
  translation: Translation,
): TypedSql {
  // Inside an aggregate every column may be used.
  const inner = call.over ? scope : { ...scope, groups: undefined };
  const distinct = call.isDistinct ? 'DISTINCT ' : '';
  if (call.isStar) return { sql: 'count(*)', type: name === 'COUNT' ? INT : BIGINT };
  const args = call.args.map((arg) => translateExpression(arg, inner, translation));
  const [first, second] = args;
  if (!first || (name === 'STRING_AGG') !== (args.length === 2)) {
    throw raise(174, [name.toLowerCase(), name === 'STRING_AGG' ? 2 : 1], { line: call.line });
  }
  const isWhole = /^(tinyint|smallint|int|bigint)$/.test(first.type.name);
  switch (name) {
    case 'COUNT':
    case 'COUNT_BIG':
      return { sql: `count(${distinct}${collated(first)})`, type: name === 'COUNT' ? INT : BIGINT };
    case 'SUM':
      return { sql: `sum(${distinct}${first.sql})`, type: sumType(first.type) };
    case 'AVG': {
      const average = `avg(${distinct}${first.sql})`;
      const sql = isWhole && !call.over ? `CAST(${average} AS INTEGER)` : average;
      return { sql, type: sumType(first.type) };
    }
    case 'CHECKSUM_AGG':
      return { sql: `checksum_agg(${distinct}${first.sql})`, type: INT };
    case 'STRING_AGG': {
      const order = orderTerms(call.withinGroup, inner, translation);
      const sql = `string_agg(${first.sql}, ${second?.sql ?? ''}${order === '' ? '' : ` ORDER BY ${order}`})`;
      const isMax = first.type.length === -1;
      const isUnicode = first.type.name.startsWith('n') && first.type.name !== 'numeric';
      const length = isMax ? -1 : isUnicode ? 4000 : 8000;
      return { sql, type: { name: isUnicode ? 'nvarchar' : 'varchar', length } };
    }
    default:
      return { sql: `${name.toLowerCase()}(${collated(first)})`, type: first.type };
  }
}
