import type { SqlValue } from '../tds/sql-type.ts';
import type { Environment } from '../translate/translation.ts';
import { versionParts, versionText } from './host.ts';
import { resolveRelation } from './resolve-relation.ts';
import { databaseRoles, hasDatabaseRole, isSysadmin, type Frame } from './session.ts';

/** Fixed roles that IS_MEMBER knows; another name that is no role of the login is NULL. */
const DATABASE_ROLES =
  /^(public|db_(owner|accessadmin|securityadmin|ddladmin|datareader|datawriter|backupoperator|denydatareader|denydatawriter))$/i;
const SERVER_ROLES =
  /^(public|sysadmin|securityadmin|serveradmin|setupadmin|processadmin|diskadmin|dbcreator|bulkadmin)$/i;

/** What names mean to the statements of a frame. */
export function createEnvironment(frame: Frame): Environment {
  const { host, session } = frame;
  const { engine } = host;
  return {
    databaseName: session.databaseName,
    login: session.login,
    variable: (name) => frame.variables.get(name.toLowerCase()),
    relation: (parts, line) => resolveRelation(frame, parts, line),
    viewName: (view, database = session.databaseName) => engine.viewName(database, view),
    global: (name) => globalValue(frame, name),
    serverProperty: (name) => host.properties[name] ?? null,
    isMember: (role) => {
      if (/^public$/i.test(role) || hasDatabaseRole(session, role)) return 1;
      const isCustom = databaseRoles(session, session.databaseName)?.includes(role) ?? false;
      return DATABASE_ROLES.test(role) ? 0 : isCustom ? 1 : null;
    },
    isServerRoleMember: (role) => {
      if (isSysadmin(session) || session.login.serverRoles.includes(role.toLowerCase())) return 1;
      return SERVER_ROLES.test(role) ? 0 : null;
    },
    databaseId: (name) => {
      const entry = engine.database(name);
      return entry && databaseRoles(session, entry.name) ? entry.id : null;
    },
  };
}

/** `@@name`, and `caught …` for what a CATCH block is told. */
function globalValue({ host, session, caught, depth }: Frame, name: string): SqlValue | undefined {
  const [major = 0, minor = 0, build = 0] = versionParts(host.productVersion);
  const values: Readonly<Record<string, SqlValue>> = {
    version: versionText(host.productVersion),
    servername: host.serverName,
    servicename: 'MSSQLSERVER',
    spid: session.spid,
    rowcount: session.rowCount,
    error: caught?.number ?? 0,
    trancount: session.transactionDepth,
    nestlevel: depth,
    language: 'us_english',
    langid: 0,
    datefirst: 7,
    lock_timeout: -1,
    max_connections: 32767,
    max_precision: 38,
    microsoftversion: major * 2 ** 24 + minor * 2 ** 16 + build,
    options: 5496,
    textsize: 2147483647,
    fetch_status: 0,
    'caught number': caught?.number ?? null,
    'caught severity': caught?.severity ?? null,
    'caught state': caught?.state ?? null,
    'caught line': caught?.line ?? null,
    'caught message': caught?.message ?? null,
    'caught procedure': caught?.procedure || null,
  };
  return values[name];
}
