import { convertValue } from '../engine/convert-value.ts';
import { raise } from '../engine/sql-server-error.ts';
import type { Expression, Predicate, Query, Statement } from '../tsql/ast.ts';
import type { SqlType, SqlValue } from '../tds/sql-type.ts';
import type { ResultColumn } from '../tds/tokens.ts';
import { translateExpression } from '../translate/translate-expression.ts';
import { translatePredicate } from '../translate/translate-predicate.ts';
import { translateQuery } from '../translate/translate-query.ts';
import { EMPTY_SCOPE, type Translation, type Variable } from '../translate/translation.ts';
import { createEnvironment } from './create-environment.ts';
import type { Frame } from './session.ts';

/** The rows of a query. */
export interface QueryResult {
  readonly columns: readonly ResultColumn[];
  readonly rows: readonly (readonly SqlValue[])[];
}

export function startTranslation(frame: Frame): Translation {
  return { environment: createEnvironment(frame), parameters: [] };
}

/** Runs a query. */
export function runQuery(frame: Frame, query: Query): QueryResult {
  const translation = startTranslation(frame);
  const { sql, columns } = translateQuery(query, translation);
  const hasBigint = columns.some(({ type }) => type.name === 'bigint');
  const asBigInt = hasBigint ? 'bigint' : undefined;
  const rows = frame.host.engine.sqlite.all(sql, translation.parameters, asBigInt);
  return { columns, rows };
}

/** The value of an expression that uses no table by itself. */
export function evaluate(frame: Frame, expression: Expression): Variable {
  const translation = startTranslation(frame);
  const { sql, type } = translateExpression(expression, EMPTY_SCOPE, translation);
  const [row] = frame.host.engine.sqlite.all(`SELECT ${sql}`, translation.parameters);
  return { type, value: row?.[0] ?? null };
}

/** Whether a condition is true; unknown is not. */
export function isTrue(frame: Frame, predicate: Predicate): boolean {
  const translation = startTranslation(frame);
  const sql = translatePredicate(predicate, EMPTY_SCOPE, translation);
  const [row] = frame.host.engine.sqlite.all(`SELECT ${sql}`, translation.parameters);
  return row?.[0] === 1;
}

/** Declares a variable. Throws 134 for a name that is taken. */
export function declareVariable(
  frame: Frame,
  { name, type, value, line }: Extract<Statement, { kind: 'declare' }>,
): void {
  if (frame.variables.has(name.toLowerCase())) throw raise(134, [`@${name}`], { line });
  const initial = value ? evaluate(frame, value) : { type, value: null };
  frame.variables.set(name.toLowerCase(), { type, value: converted(initial, type) });
}

/** Gives a variable a value of its type. Throws 137 for one that was not declared. */
export function setVariable(
  frame: Frame,
  { name, value, line }: { readonly name: string; readonly value: Variable; readonly line: number },
): void {
  const variable = frame.variables.get(name.toLowerCase());
  if (!variable) throw raise(137, [`@${name}`], { line });
  const { type } = variable;
  frame.variables.set(name.toLowerCase(), { type, value: converted(value, type) });
}

/** A value as a type takes it. */
export function converted({ type, value }: Variable, to: SqlType): SqlValue {
  if (value === null || (typeof value === 'bigint' && to.name === 'bigint')) return value;
  return convertValue(value, { from: type, to, style: 0 });
}
