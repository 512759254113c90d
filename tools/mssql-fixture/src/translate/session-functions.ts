import { INT, SYSNAME, nvarchar, VARIANT, type SqlType, type SqlValue } from '../tds/sql-type.ts';
import type { FunctionRule } from './translate-call.ts';
import type { Environment } from './translation.ts';
import { quoteText, type TypedSql } from './typed-sql.ts';

const LSN: SqlType = { name: 'binary', length: 10 };

function constant(value: SqlValue, type: SqlType): TypedSql {
  if (value === null) return { sql: 'NULL', type };
  if (value instanceof Uint8Array) return { sql: `x'${Buffer.from(value).toString('hex')}'`, type };
  return { sql: typeof value === 'string' ? quoteText(value) : String(value), type };
}

const nameOfLogin: FunctionRule = {
  arity: [0, 1],
  translate: (_args, { login }) => constant(login.name, SYSNAME),
};

const nameOfUser: FunctionRule = {
  arity: [0, 1],
  translate: (_args, { login, isMember }) =>
    constant(isMember('db_owner') === 1 ? 'dbo' : login.name, SYSNAME),
};

/** A role is asked for by a literal name. */
const role = (answer: (environment: Environment, role: string) => SqlValue): FunctionRule => ({
  arity: [1, 2],
  translate: ([name], environment) => constant(answer(environment, name?.text ?? ''), INT),
});

/** Permissions are asked for by literal names: an owner has all, a reader may select. */
const permission: FunctionRule = {
  arity: [3, 5],
  translate: ([, , wanted], { isMember, isServerRoleMember }) => {
    if (isServerRoleMember('sysadmin') === 1 || isMember('db_owner') === 1) return constant(1, INT);
    const isRead = /^(SELECT|CONNECT|ANY|VIEW DEFINITION)$/i.test(wanted?.text ?? '');
    return constant(isRead && isMember('db_datareader') === 1 ? 1 : 0, INT);
  },
};

const maxLsn: FunctionRule = {
  arity: [0, 0],
  translate: (_args, { viewName }) => ({
    sql: `(SELECT max(m.start_lsn) FROM ${viewName('cdc.lsn_time_mapping')} AS m)`,
    type: LSN,
  }),
};

/** 0x00000000000000000000 where there is no such capture instance. */
const minLsn: FunctionRule = {
  arity: [1, 1],
  translate: ([instance], { viewName }) => ({
    sql:
      `coalesce((SELECT t.start_lsn FROM ${viewName('cdc.change_tables')} AS t ` +
      `WHERE t.capture_instance = ${instance?.sql ?? 'NULL'}), zeroblob(10))`,
    type: LSN,
  }),
};

/** The relational operator says on which side of the time the LSN is to be. */
const TIME_OPERATORS: Readonly<Record<string, string>> = {
  'largest less than': 'max(m.start_lsn) FROM %s AS m WHERE m.tran_end_time < ',
  'largest less than or equal': 'max(m.start_lsn) FROM %s AS m WHERE m.tran_end_time <= ',
  'smallest greater than': 'min(m.start_lsn) FROM %s AS m WHERE m.tran_end_time > ',
  'smallest greater than or equal': 'min(m.start_lsn) FROM %s AS m WHERE m.tran_end_time >= ',
};

const mapTimeToLsn: FunctionRule = {
  arity: [2, 2],
  translate: ([operator, time], { viewName }) => {
    const select = TIME_OPERATORS[(operator?.text ?? '').toLowerCase()];
    if (!select || !time) return constant(null, LSN);
    const from = select.replace('%s', viewName('cdc.lsn_time_mapping'));
    return { sql: `(SELECT ${from}ts_convert(${time.sql}, 'datetime', 'datetime', 0))`, type: LSN };
  },
};

const mapLsnToTime: FunctionRule = {
  arity: [1, 1],
  translate: ([value], { viewName }) => ({
    sql: `(SELECT m.tran_end_time FROM ${viewName('cdc.lsn_time_mapping')} AS m WHERE m.start_lsn = ${value?.sql ?? 'NULL'})`,
    type: { name: 'datetime' },
  }),
};

/** Functions about the server, the login and the log. */
export const SESSION_FUNCTIONS: Readonly<Record<string, FunctionRule>> = {
  SERVERPROPERTY: {
    arity: [1, 1],
    translate: ([name], { serverProperty }) =>
      constant(serverProperty((name?.text ?? '').toLowerCase()), VARIANT),
  },
  SUSER_NAME: nameOfLogin,
  SUSER_SNAME: nameOfLogin,
  ORIGINAL_LOGIN: nameOfLogin,
  SYSTEM_USER: nameOfLogin,
  USER_NAME: nameOfUser,
  CURRENT_USER: nameOfUser,
  SESSION_USER: nameOfUser,
  USER: nameOfUser,
  HOST_NAME: { arity: [0, 0], translate: (_, { login }) => constant(login.hostName, SYSNAME) },
  APP_NAME: { arity: [0, 0], translate: (_, { login }) => constant(login.appName, SYSNAME) },
  HAS_DBACCESS: {
    arity: [1, 1],
    translate: ([name], { databaseId }) =>
      constant(databaseId(name?.text ?? '') === null ? null : 1, INT),
  },
  IS_MEMBER: role((environment, name) => environment.isMember(name)),
  IS_ROLEMEMBER: role((environment, name) => environment.isMember(name)),
  IS_SRVROLEMEMBER: role((environment, name) => environment.isServerRoleMember(name)),
  HAS_PERMS_BY_NAME: permission,
  ERROR_NUMBER: error('number', INT),
  ERROR_SEVERITY: error('severity', INT),
  ERROR_STATE: error('state', INT),
  ERROR_LINE: error('line', INT),
  ERROR_MESSAGE: error('message', nvarchar(4000)),
  ERROR_PROCEDURE: error('procedure', SYSNAME),
  'SYS.FN_CDC_GET_MAX_LSN': maxLsn,
  'SYS.FN_CDC_GET_MIN_LSN': minLsn,
  'SYS.FN_CDC_MAP_TIME_TO_LSN': mapTimeToLsn,
  'SYS.FN_CDC_MAP_LSN_TO_TIME': mapLsnToTime,
};

/** What a CATCH block is told of the error that it caught. */
function error(field: string, type: SqlType): FunctionRule {
  return {
    arity: [0, 0],
    translate: (_, { global }) => constant(global(`caught ${field}`) ?? null, type),
  };
}
