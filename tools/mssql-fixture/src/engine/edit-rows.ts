import type { SqlValue } from '../tds/sql-type.ts';
import { plain, rowOf, type Engine } from './open-engine.ts';
import type { Relation, Row } from './relation.ts';
import { storedUnder } from './views.ts';

/** Values by column name. true and false are 1 and 0. */
export type RowValues = Readonly<Record<string, SqlValue | boolean>>;

/** A row by column name. */
type FoundRow = Readonly<Record<string, SqlValue>>;

/** Reads and changes rows of the views of one database. */
export interface RowEditor {
  /** Finds rows where every column of `where` has its value. Text is compared without case. */
  find(view: string, where?: RowValues): readonly FoundRow[];
  insert(view: string, row: RowValues): void;
  update(view: string, where: RowValues, values: RowValues): void;
  remove(view: string, where: RowValues): void;
}

/** Opens an editor of a database's rows. Views derived from others are read-only. */
export function editRows(engine: Engine, database: string): RowEditor {
  const change = (
    name: string,
    where: RowValues,
    to: (row: Row, relation: Relation) => readonly Row[],
  ): void => {
    const view = storedUnder(name);
    const relation = engine.view(database, view);
    const isWanted = matcher(relation, where, name);
    const rows = relation.rows.flatMap((row) => (isWanted(row) ? to(row, relation) : [row]));
    engine.setRows(database, view, rows);
  };
  return {
    find: (name, where = {}) => {
      const relation = engine.view(database, name);
      const names = relation.columns.map((column) => column.name);
      const rows = relation.rows.filter(matcher(relation, where, name));
      return rows.map((row) =>
        Object.fromEntries(names.map((column, i) => [column, row[i] ?? null])),
      );
    },
    insert: (name, values) => {
      const view = storedUnder(name);
      const relation = engine.view(database, view);
      for (const column of Object.keys(values)) indexOf(relation, column, name);
      engine.setRows(database, view, [...relation.rows, rowOf(relation, values)]);
    },
    update: (name, where, values) =>
      change(name, where, (row, relation) => {
        const changed = [...row];
        for (const [column, value] of Object.entries(values)) {
          changed[indexOf(relation, column, name)] = plain(value);
        }
        return [changed];
      }),
    remove: (name, where) => change(name, where, () => []),
  };
}

function indexOf({ columns }: Relation, name: string, view: string): number {
  const index = columns.findIndex((column) => column.name === name);
  if (index < 0) throw new Error(`${view} has no column ${name}`);
  return index;
}

function matcher(relation: Relation, where: RowValues, view: string): (row: Row) => boolean {
  const terms = Object.entries(where).map(
    ([name, value]) => [indexOf(relation, name, view), plain(value)] as const,
  );
  return (row) => terms.every(([index, value]) => isEqual(row[index] ?? null, value));
}

function isEqual(left: SqlValue, right: SqlValue): boolean {
  if (typeof left === 'string' && typeof right === 'string') {
    return left.toLowerCase() === right.toLowerCase();
  }
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    return Buffer.compare(left, right) === 0;
  }
  return left === right;
}
