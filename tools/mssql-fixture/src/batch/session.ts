import type { Relation, Variable } from '../engine/relation.ts';
import type { Host } from './host.ts';

/** Roles of a login in the server and in databases. A sysadmin has all of them. */
export interface LoginRoles {
  readonly serverRoles: readonly string[];
  /** By database name. A database that is missing here cannot be opened. `*` means all databases. */
  readonly databaseRoles: Readonly<Record<string, readonly string[]>>;
}

/** State of a connection between batches. */
export interface Session {
  readonly spid: number;
  readonly login: LoginRoles & {
    readonly name: string;
    readonly hostName: string;
    readonly appName: string;
  };
  databaseName: string;
  /** Temporary tables by name, `#t`. */
  readonly temporaryTables: Map<string, Relation>;
}

/** State of a running batch. */
export interface Frame {
  readonly host: Host;
  readonly session: Session;
  /** By name in lower case, without `@`. */
  readonly variables: Map<string, Variable>;
  /** Aborts on a client's attention signal and when the connection is closed. */
  readonly signal: AbortSignal;
}

/** Checks if the login has a role in the session's database. */
export function hasDatabaseRole(
  session: Session,
  role: string,
  database = session.databaseName,
): boolean {
  const roles = databaseRoles(session, database);
  return roles !== undefined && (roles.includes('db_owner') || roles.includes(role.toLowerCase()));
}

export function isSysadmin(session: Session): boolean {
  return session.login.serverRoles.includes('sysadmin');
}

/** Returns the login's roles in a database, or undefined if it has no access. */
export function databaseRoles(
  session: Pick<Session, 'login'>,
  database: string,
): readonly string[] | undefined {
  if (session.login.serverRoles.includes('sysadmin')) return ['db_owner'];
  const entries = Object.entries(session.login.databaseRoles);
  const own = entries.find(([name]) => name.toLowerCase() === database.toLowerCase());
  const isSystem = /^(master|tempdb|msdb)$/i.test(database);
  return own?.[1] ?? session.login.databaseRoles['*'] ?? (isSystem ? [] : undefined);
}
