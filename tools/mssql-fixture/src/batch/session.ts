import type { Database, Engine } from '../engine/open-engine.ts';
import type { Relation, Row } from '../engine/views.ts';
import type { ResultColumn } from '../tds/sql-type.ts';
import type { TypedValue } from '../tds/typed-value.ts';
import type { ServerMessage } from '../tds/tokens.ts';

/** A login of the server with its roles. A sysadmin has all roles. */
export interface LoginAccount {
  readonly name: string;
  readonly password: string;
  readonly serverRoles: readonly string[];
  /** By database name. A database that is missing here cannot be opened. */
  readonly databaseRoles: Readonly<Record<string, readonly string[]>>;
}

/** State of a connection between batches. */
export interface Session {
  readonly login: LoginAccount;
  database: Database;
  /** Temporary tables by name in lower case, `#t`. */
  readonly temporaryTables: Map<string, Relation>;
}

/** State of a running batch. */
export interface Frame {
  readonly engine: Engine;
  readonly session: Session;
  /** By name in lower case, without `@`. */
  readonly variables: Map<string, TypedValue>;
  /** Aborts on a client's attention signal and when the connection is closed. */
  readonly signal: AbortSignal;
}

/** Events of a batch for its client, in order. */
export type BatchEvent =
  | {
      readonly kind: 'rows';
      readonly columns: readonly ResultColumn[];
      readonly rows: readonly Row[];
    }
  /** End of a statement. The row count is undefined if it does not count. */
  | { readonly kind: 'done'; readonly rowCount?: number }
  | { readonly kind: 'message'; readonly message: ServerMessage }
  /** End of a procedure. */
  | { readonly kind: 'status'; readonly value: number }
  | { readonly kind: 'database'; readonly from: string; readonly to: string };

/** Checks if the login has a role in the session's database. An owner has all roles. */
export function hasDatabaseRole({ login, database }: Session, role: string): boolean {
  const roles = databaseRoles(login, database.name) ?? [];
  return roles.includes('db_owner') || roles.includes(role);
}

export function isSysadmin({ login }: Session): boolean {
  return login.serverRoles.includes('sysadmin');
}

/** Returns a login's roles in a database, or undefined if it has no access. */
export function databaseRoles(
  login: LoginAccount,
  database: string,
): readonly string[] | undefined {
  return login.serverRoles.includes('sysadmin') ? ['db_owner'] : login.databaseRoles[database];
}
