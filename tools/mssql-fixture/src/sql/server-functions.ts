import { resolveObject } from '../batch/resolve-relation.ts';
import { databaseRoles, hasDatabaseRole, isSysadmin, type Frame } from '../batch/session.ts';
import { editRows } from '../engine/edit-rows.ts';
import { DATETIME, INT, SYSNAME, VARIANT, type SqlType, type SqlValue } from '../tds/sql-type.ts';
import { convertValue } from './convert-value.ts';
import { strict, type FunctionRule } from './function-rule.ts';
import { constant, isSame } from './scope.ts';

const LSN: SqlType = { name: 'binary', length: 10 };

/** Fixed roles of IS_MEMBER and IS_SRVROLEMEMBER. Any other name that is no role of the login gives NULL. */
const DATABASE_ROLES =
  /^(public|db_(owner|accessadmin|securityadmin|ddladmin|datareader|datawriter|backupoperator|denydatareader|denydatawriter))$/i;
const SERVER_ROLES =
  /^(public|sysadmin|securityadmin|serveradmin|setupadmin|processadmin|diskadmin|dbcreator|bulkadmin)$/i;

/** Builds a function without arguments, or one that ignores them. */
const about = (type: SqlType, of: (frame: Frame) => SqlValue): FunctionRule => ({
  arity: [0, 1],
  compile: (_args, frame) => constant(of(frame), type),
});

const rowsOf = ({ host, session }: Frame, view: string) =>
  editRows(host.engine, session.databaseName).find(view);

/**
 * Builds a function that returns the value of a column in the row of a view with the argument as its key. It returns
 * `otherwise` without a row.
 */
function lookup(
  view: string,
  {
    column,
    key,
    type,
    otherwise,
  }: {
    readonly column: string;
    readonly key: string;
    readonly type: SqlType;
    readonly otherwise?: (frame: Frame) => SqlValue;
  },
): FunctionRule {
  const found = strict([1, 2], type, ([wanted = ''], _args, { host, session }) => {
    const [row] = editRows(host.engine, session.databaseName).find(view, { [key]: wanted });
    return row?.[column] ?? null;
  });
  return {
    arity: [otherwise ? 0 : 1, 2],
    compile: (args, frame) =>
      otherwise && args.length === 0
        ? constant(otherwise(frame), type)
        : found.compile(args, frame),
  };
}

function isMember(frame: Frame, role: string): 0 | 1 | null {
  if (/^public$/i.test(role) || hasDatabaseRole(frame.session, role)) return 1;
  const own = databaseRoles(frame.session, frame.session.databaseName) ?? [];
  return own.includes(role) ? 1 : DATABASE_ROLES.test(role) ? 0 : null;
}

function isServerMember({ session }: Frame, role: string): 0 | 1 | null {
  if (isSysadmin(session) || session.login.serverRoles.includes(role.toLowerCase())) return 1;
  return SERVER_ROLES.test(role) ? 0 : null;
}

/** Returns the permissions: an owner has all of them, a reader may select. */
const permission = strict([3, 5], INT, ([, , wanted], _args, frame) => {
  if (isMember(frame, 'db_owner') === 1) return 1;
  const isRead = /^(SELECT|CONNECT|ANY|VIEW DEFINITION)$/i.test(String(wanted));
  return isRead && isMember(frame, 'db_datareader') === 1 ? 1 : 0;
});

/** Lists the entries of the log by time and LSN, in order. */
function logEntries(frame: Frame): readonly { readonly lsn: Uint8Array; readonly time: string }[] {
  return rowsOf(frame, 'cdc.lsn_time_mapping')
    .map((row) => ({ lsn: row['start_lsn'] as Uint8Array, time: String(row['tran_end_time']) }))
    .sort((a, b) => Buffer.compare(a.lsn, b.lsn));
}

/** Comparisons of sys.fn_cdc_map_time_to_lsn by relational operator. */
const TIME_OPERATORS: Readonly<Record<string, (time: string, limit: string) => boolean>> = {
  'largest less than': (time, limit) => time < limit,
  'largest less than or equal': (time, limit) => time <= limit,
  'smallest greater than': (time, limit) => time > limit,
  'smallest greater than or equal': (time, limit) => time >= limit,
};

function mapTimeToLsn(operator: string, time: string, frame: Frame): SqlValue {
  const fits = TIME_OPERATORS[operator.toLowerCase()];
  if (!fits) return null;
  const limit = String(convertValue(time, { from: DATETIME, to: DATETIME, style: 0 }));
  const found = logEntries(frame).filter((entry) => fits(entry.time, limit));
  return found.at(/^largest/i.test(operator) ? -1 : 0)?.lsn ?? null;
}

/** Returns 0x00000000000000000000 for an unknown capture instance. */
function minLsn(instance: string, frame: Frame): SqlValue {
  const rows = rowsOf(frame, 'cdc.change_tables');
  const row = rows.find((candidate) => isSame(String(candidate['capture_instance']), instance));
  return row?.['start_lsn'] ?? new Uint8Array(10);
}

const loginName = about(SYSNAME, ({ session }) => session.login.name);
const userName = about(SYSNAME, (frame) =>
  isMember(frame, 'db_owner') === 1 ? 'dbo' : frame.session.login.name,
);
const databaseMember = strict([1, 2], INT, ([role], _args, frame) => isMember(frame, String(role)));

/** Functions for the server, the login, the catalog and the log. */
export const SERVER_FUNCTIONS: Readonly<Record<string, FunctionRule>> = {
  SERVERPROPERTY: strict(
    [1, 1],
    VARIANT,
    ([name], _args, { host }) => host.properties[String(name).toLowerCase()] ?? null,
  ),
  SUSER_NAME: loginName,
  SUSER_SNAME: loginName,
  ORIGINAL_LOGIN: loginName,
  USER_NAME: userName,
  CURRENT_USER: userName,
  HOST_NAME: about(SYSNAME, ({ session }) => session.login.hostName),
  APP_NAME: about(SYSNAME, ({ session }) => session.login.appName),
  IS_MEMBER: databaseMember,
  IS_ROLEMEMBER: databaseMember,
  IS_SRVROLEMEMBER: strict([1, 2], INT, ([role], _args, frame) =>
    isServerMember(frame, String(role)),
  ),
  HAS_PERMS_BY_NAME: permission,
  DB_NAME: lookup('sys.databases', {
    column: 'name',
    key: 'database_id',
    type: SYSNAME,
    otherwise: ({ session }) => session.databaseName,
  }),
  DB_ID: lookup('sys.databases', {
    column: 'database_id',
    key: 'name',
    type: { name: 'smallint' },
    otherwise: ({ host, session }) => host.engine.database(session.databaseName)?.id ?? null,
  }),
  SCHEMA_NAME: lookup('sys.schemas', {
    column: 'name',
    key: 'schema_id',
    type: SYSNAME,
    otherwise: () => 'dbo',
  }),
  SCHEMA_ID: lookup('sys.schemas', { column: 'schema_id', key: 'name', type: INT }),
  OBJECT_NAME: lookup('sys.objects', { column: 'name', key: 'object_id', type: SYSNAME }),
  TYPE_NAME: lookup('sys.types', { column: 'name', key: 'user_type_id', type: SYSNAME }),
  OBJECT_ID: strict([1, 2], INT, ([name, kind], _args, frame) =>
    resolveObject(frame, String(name), kind === undefined ? undefined : String(kind)),
  ),
  'SYS.FN_CDC_GET_MAX_LSN': about(LSN, (frame) => logEntries(frame).at(-1)?.lsn ?? null),
  'SYS.FN_CDC_GET_MIN_LSN': strict([1, 1], LSN, ([instance], _args, frame) =>
    minLsn(String(instance), frame),
  ),
  'SYS.FN_CDC_MAP_TIME_TO_LSN': strict([2, 2], LSN, ([operator, time], _args, frame) =>
    mapTimeToLsn(String(operator), String(time), frame),
  ),
  'SYS.FN_CDC_MAP_LSN_TO_TIME': strict(
    [1, 1],
    DATETIME,
    ([lsn], _args, frame) =>
      logEntries(frame).find((entry) => Buffer.compare(entry.lsn, lsn as Uint8Array) === 0)?.time ??
      null,
  ),
};
