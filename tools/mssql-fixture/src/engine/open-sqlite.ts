import initSqlJs, { type Database, type SqlJsStatic } from 'sql.js';
import type { SqlValue } from '../tds/sql-type.ts';
import { registerFunctions } from './register-functions.ts';
import { SqlServerError } from './sql-server-error.ts';

/** The SQL engine behind the server, all of it in memory. */
export interface Sqlite {
  /** Runs a statement without a result. */
  run(sql: string, parameters?: readonly SqlValue[]): void;
  /** The rows of a query; whole numbers as bigint where `asBigInt` says so. */
  all(sql: string, parameters?: readonly SqlValue[], asBigInt?: 'bigint'): SqlValue[][];
  close(): void;
}

interface GetConfig {
  readonly useBigInt: boolean;
}

let loaded: Promise<SqlJsStatic> | undefined;

/** A new, empty engine with the functions of T-SQL that SQLite lacks. */
export async function openSqlite(): Promise<Sqlite> {
  loaded ??= initSqlJs();
  const { Database: SqliteDatabase } = await loaded;
  const database = new SqliteDatabase();
  const failure = registerFunctions(database);
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      const thrown = failure.take();
      throw thrown instanceof SqlServerError ? thrown : error;
    }
  };
  return {
    run: (sql, parameters = []) => void guarded(() => query(database, sql, parameters, false)),
    all: (sql, parameters = [], asBigInt) =>
      guarded(() => query(database, sql, parameters, asBigInt !== undefined)),
    close: () => database.close(),
  };
}

function query(
  database: Database,
  sql: string,
  parameters: readonly SqlValue[],
  useBigInt: boolean,
): SqlValue[][] {
  const statement = database.prepare(sql);
  const config: GetConfig = { useBigInt };
  // The types of sql.js do not know the second argument of get.
  const get = statement.get.bind(statement) as (bind: null, config: GetConfig) => SqlValue[];
  try {
    statement.bind(parameters.map(bindable));
    const rows: SqlValue[][] = [];
    while (statement.step()) rows.push(get(null, config));
    return rows;
  } finally {
    statement.free();
  }
}

function bindable(value: SqlValue): number | string | Uint8Array | null {
  return typeof value === 'bigint' ? Number(value) : value;
}
