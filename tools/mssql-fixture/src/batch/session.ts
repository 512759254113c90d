import type { Relation, Variable } from '../engine/relation.ts';
import type { Host } from './host.ts';

/** Roles of the server and of databases that a login has; a sysadmin has all of them. */
export interface LoginRoles {
  readonly serverRoles: readonly string[];
  /** By database name; a database that is not there cannot be opened. `*` stands for all. */
  readonly databaseRoles: Readonly<Record<string, readonly string[]>>;
}

/** What a connection remembers between its batches. */
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

/** A batch as it runs. */
export interface Frame {
  readonly host: Host;
  readonly session: Session;
  /** By name in lower case, without `@`. */
  readonly variables: Map<string, Variable>;
  /** Aborts at an attention of the client and when the connection is gone. */
  readonly signal: AbortSignal;
}

/** Whether the login is in a role of the database that the session is in. */
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

/** The login's roles in a database; undefined where it has no access. */
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
