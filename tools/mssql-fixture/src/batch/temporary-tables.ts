import { raise } from '../engine/sql-server-error.ts';
import type { SqlValue } from '../tds/sql-type.ts';
import type { ResultColumn } from '../tds/tokens.ts';
import { translateExpression } from '../translate/translate-expression.ts';
import { translatePredicate } from '../translate/translate-predicate.ts';
import { translateQuery } from '../translate/translate-query.ts';
import { EMPTY_SCOPE, type Relation, type Scope } from '../translate/translation.ts';
import { castSql, quoteName } from '../translate/typed-sql.ts';
import type { Statement } from '../tsql/ast.ts';
import { renderColumn } from '../views/system-view.ts';
import { startTranslation } from './evaluate.ts';
import type { Frame } from './session.ts';

let made = 0;

/** Makes a temporary table or a table variable. Throws 2714 when there is one of that name. */
export function createTable(frame: Frame, name: string, columns: readonly ResultColumn[]): void {
  const tables = name.startsWith('@') ? frame.tableVariables : frame.session.temporaryTables;
  if (tables.has(name.toLowerCase())) throw raise(2714, [name]);
  const sql = quoteName(`temporary ${++made} ${name}`);
  const definitions = columns.map((column) => renderColumn({ ...column, fallback: 'NULL' }));
  frame.host.engine.sqlite.run(`CREATE TABLE ${sql} (${definitions.join(', ')})`);
  tables.set(name.toLowerCase(), { sql, columns });
}

/** Puts rows of a result into a table. */
export function fillTable(
  frame: Frame,
  name: string,
  rows: readonly (readonly SqlValue[])[],
): void {
  const { sql, columns } = ownTable(frame, name, 1);
  const marks = columns.map((_, i) => `?${i + 1}`).join(', ');
  for (const row of rows) frame.host.engine.sqlite.run(`INSERT INTO ${sql} VALUES (${marks})`, row);
}

/** Drops a temporary table. Throws 3701 when there is none; other tables are not dropped by SQL. */
export function dropTable(
  frame: Frame,
  {
    name,
    ifExists,
    line,
  }: Pick<Extract<Statement, { kind: 'drop-table' }>, 'name' | 'ifExists' | 'line'>,
): void {
  const table = frame.session.temporaryTables.get(name.toLowerCase());
  if (!table && ifExists) return;
  if (!table) throw raise(3701, [name], { line });
  frame.host.engine.sqlite.run(`DROP TABLE ${table.sql}`);
  frame.session.temporaryTables.delete(name.toLowerCase());
}

/** Runs INSERT; gives the number of rows. */
export function insertRows(
  frame: Frame,
  { table, columns, source, line }: Extract<Statement, { kind: 'insert' }>,
): number {
  const target = ownTable(frame, table.at(-1) ?? '', line);
  const names = columns.length > 0 ? columns : target.columns.map((column) => column.name);
  const targets = names.map((name) => columnOf(target, name, line));
  const translation = startTranslation(frame);
  let sql: string;
  if ('kind' in source) {
    const query = translateQuery(source, translation);
    if (query.columns.length !== names.length) throw raise(213, [], { line });
    sql = query.sql;
  } else {
    const rows = source.map((row) => {
      if (row.length !== names.length) throw raise(213, [], { line });
      const values = row.map((value, i) => {
        const typed = translateExpression(value, EMPTY_SCOPE, translation);
        return castSql(typed, targets[i]?.type ?? typed.type);
      });
      return `(${values.join(', ')})`;
    });
    sql = `VALUES ${rows.join(', ')}`;
  }
  const list = targets.map((column) => quoteName(column.name)).join(', ');
  const insert = `INSERT INTO ${target.sql} (${list}) ${sql} RETURNING 1`;
  return frame.host.engine.sqlite.all(insert, translation.parameters).length;
}

/** Runs DELETE; gives the number of rows. */
export function deleteRows(
  frame: Frame,
  { table, where, line }: Extract<Statement, { kind: 'delete' }>,
): number {
  const name = table.at(-1) ?? '';
  const target = ownTable(frame, name, line);
  const translation = startTranslation(frame);
  const columnSql = (column: string): string => quoteName(column);
  const scope: Scope = {
    ...EMPTY_SCOPE,
    sources: [{ alias: name, columns: target.columns, columnSql }],
  };
  const condition = where ? ` WHERE ${translatePredicate(where, scope, translation)}` : '';
  const sql = `DELETE FROM ${target.sql}${condition} RETURNING 1`;
  return frame.host.engine.sqlite.all(sql, translation.parameters).length;
}

/** Only temporary tables and table variables can be written by SQL. */
function ownTable(frame: Frame, name: string, line: number): Relation {
  const key = name.toLowerCase();
  const table = frame.tableVariables.get(key) ?? frame.session.temporaryTables.get(key);
  if (!table) throw raise(name.startsWith('@') ? 1087 : 208, [name], { line });
  return table;
}

function columnOf(table: Relation, name: string, line: number): ResultColumn {
  const found = table.columns.find((column) => column.name.toLowerCase() === name.toLowerCase());
  if (!found) throw raise(207, [name], { line });
  return found;
}
