import { quoteName } from '../translate/typed-sql.ts';
import { SYSTEM_VIEWS } from '../views/system-views.ts';
import { storedUnder } from '../views/column-views.ts';
import type { SqlValue } from '../tds/sql-type.ts';
import type { Engine } from './open-engine.ts';

/** Values by column name; true and false are 1 and 0. */
export type RowValues = Readonly<Record<string, SqlValue | boolean>>;

/** Rows of the views of one database, to read and to change. */
export interface RowEditor {
  /** Rows where every column of `where` has its value. */
  find(view: string, where?: RowValues): readonly Readonly<Record<string, SqlValue>>[];
  insert(view: string, row: RowValues): void;
  update(view: string, where: RowValues, values: RowValues): void;
  remove(view: string, where: RowValues): void;
}

/** An editor of a database's rows; a view that SELECTs from others can only be read. */
export function editRows(engine: Engine, database: string): RowEditor {
  const table = (view: string): string => engine.viewName(database, storedUnder(view));
  return {
    find: (view, where = {}) => {
      const { sql, parameters } = condition(where);
      const columns = SYSTEM_VIEWS.get(view.toLowerCase())?.columns ?? [];
      const names = columns.map((column) => quoteName(column.name)).join(', ');
      const from = engine.viewName(database, view);
      const rows = engine.sqlite.all(`SELECT ${names} FROM ${from}${sql}`, parameters);
      return rows.map((row) =>
        Object.fromEntries(columns.map((column, i) => [column.name, row[i] ?? null])),
      );
    },
    insert: (view, row) => {
      const names = Object.keys(row).map(quoteName).join(', ');
      const marks = Object.keys(row).map((_, i) => `?${i + 1}`);
      const sql = `INSERT INTO ${table(view)} (${names}) VALUES (${marks.join(', ')})`;
      engine.sqlite.run(sql, Object.values(row).map(plain));
    },
    update: (view, where, values) => {
      const { sql, parameters } = condition(where);
      const first = parameters.length + 1;
      const sets = Object.keys(values).map((name, i) => `${quoteName(name)} = ?${first + i}`);
      const changes = Object.values(values).map(plain);
      engine.sqlite.run(`UPDATE ${table(view)} SET ${sets.join(', ')}${sql}`, [
        ...parameters,
        ...changes,
      ]);
    },
    remove: (view, where) => {
      const { sql, parameters } = condition(where);
      engine.sqlite.run(`DELETE FROM ${table(view)}${sql}`, parameters);
    },
  };
}

function condition(where: RowValues): {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
} {
  const names = Object.keys(where);
  if (names.length === 0) return { sql: '', parameters: [] };
  const terms = names.map((name, i) => `${quoteName(name)} IS ?${i + 1}`);
  return { sql: ` WHERE ${terms.join(' AND ')}`, parameters: Object.values(where).map(plain) };
}

function plain(value: SqlValue | boolean): SqlValue {
  return typeof value === 'boolean' ? Number(value) : value;
}
