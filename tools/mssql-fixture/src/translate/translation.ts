import type { SqlType, SqlValue } from '../tds/sql-type.ts';
import type { ResultColumn } from '../tds/tokens.ts';

/** A relation that a FROM clause names: SQLite's text for it, and its columns. */
export interface Relation {
  readonly sql: string;
  readonly columns: readonly ResultColumn[];
}

/** A variable of a batch or a parameter of a call. */
export interface Variable {
  readonly type: SqlType;
  readonly value: SqlValue;
}

/** What a statement is translated against: the session's place and everything that names stand for. */
export interface Environment {
  readonly databaseName: string;
  readonly login: { readonly name: string; readonly hostName: string; readonly appName: string };
  /** A variable's value; undefined where it was not declared. */
  readonly variable: (name: string) => Variable | undefined;
  /** A table, view, temporary table or table variable. Throws 208, 229, 911 or 916. */
  readonly relation: (parts: readonly string[], line: number) => Relation;
  /** SQLite's name of a system view in the session's database. */
  readonly viewName: (view: string, database?: string) => string;
  /** What the server answers to functions about itself and the login. */
  readonly global: (name: string) => SqlValue | undefined;
  readonly serverProperty: (name: string) => SqlValue;
  readonly isMember: (role: string) => 0 | 1 | null;
  readonly isServerRoleMember: (role: string) => 0 | 1 | null;
  readonly databaseId: (name: string) => number | null;
}

/** A source of columns in a FROM clause. */
export interface Source {
  /** The name that qualifies its columns. */
  readonly alias: string;
  /** SQLite's text for one of its columns. */
  readonly columnSql: (name: string) => string;
  readonly columns: readonly ResultColumn[];
}

/** What names mean in a part of a query; an inner query sees the names of the outer ones. */
export interface Scope {
  readonly sources: readonly Source[];
  readonly outer: Scope | undefined;
  readonly ctes: ReadonlyMap<string, readonly ResultColumn[]>;
  /** The SQL of the GROUP BY expressions; undefined where every column may stand alone. */
  readonly groups: ReadonlySet<string> | undefined;
}

export const EMPTY_SCOPE: Scope = {
  sources: [],
  outer: undefined,
  ctes: new Map(),
  groups: undefined,
};

/** One statement on its way to SQLite: where it stands, and the values that it binds. */
export interface Translation {
  readonly environment: Environment;
  readonly parameters: SqlValue[];
}

/** Binds a value; gives the text that stands for it. SQLite's driver cannot bind a bigint: it is written out. */
export function bind(translation: Translation, value: SqlValue): string {
  if (typeof value === 'bigint') return `(${value})`;
  translation.parameters.push(value);
  return `?${translation.parameters.length}`;
}
