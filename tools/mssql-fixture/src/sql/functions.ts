import { createHash } from 'node:crypto';
import { hasDatabaseRole, isSysadmin, type Frame } from '../batch/session.ts';
import { findTable } from '../batch/resolve-relation.ts';
import { notRun } from '../engine/sql-server-error.ts';
import {
  BIGINT,
  DATETIME,
  INT,
  LSN,
  nvarchar,
  NVARCHAR_MAX,
  renderTime,
  VARIANT,
  type SqlType,
  type SqlValue,
} from '../tds/sql-type.ts';
import { castTo, commonType } from './compare.ts';
import { constant, type Typed } from './scope.ts';

/** A function by its arguments. */
type FunctionRule = (args: readonly Typed[], frame: Frame) => Typed;

/** Builds a function of texts that returns NULL if an argument is NULL. */
function strict(
  type: SqlType,
  of: (texts: readonly string[], frame: Frame) => SqlValue,
): FunctionRule {
  return (args, frame) => ({
    type,
    value: (env) => {
      const values = args.map(({ value }) => value(env));
      return values.includes(null) ? null : of(values.map(String), frame);
    },
  });
}

/** Builds a function without arguments. */
const about =
  (type: SqlType, of: (frame: Frame) => SqlValue): FunctionRule =>
  (_args, frame) =>
    constant(of(frame), type);

/** Supported functions by name. */
export const FUNCTIONS: Readonly<Record<string, FunctionRule>> = {
  COALESCE: (args) => {
    const type = commonType(args);
    const values = args.map((arg) => castTo(arg, type).value);
    return {
      type,
      value: (env) => {
        for (const value of values) {
          const found = value(env);
          if (found !== null) return found;
        }
        return null;
      },
    };
  },
  CONCAT: (args) => {
    const values = args.map((arg) => castTo(arg, NVARCHAR_MAX).value);
    return { type: NVARCHAR_MAX, value: (env) => values.map((of) => of(env) ?? '').join('') };
  },
  QUOTENAME: strict(nvarchar(258), ([name = '']) => `[${name.replaceAll(']', ']]')}]`),
  NCHAR: strict(nvarchar(1), ([code]) => String.fromCharCode(Number(code))),
  HASHBYTES: strict({ name: 'varbinary', length: 8000 }, ([algorithm, text = '']) => {
    if (algorithm !== 'SHA2_256') throw notRun(`HASHBYTES by ${algorithm}`);
    return createHash('sha256').update(Buffer.from(text, 'utf16le')).digest();
  }),

  GETDATE: about(DATETIME, () => renderTime(new Date())),
  SYSDATETIMEOFFSET: about(
    { name: 'datetimeoffset', scale: 7 },
    () => `${renderTime(new Date())}+00:00`,
  ),
  DATEADD: strict(DATETIME, ([part = '', count, time = '']) =>
    renderTime(new Date(msOfTime(time) + Number(count) * msOfPart(part))),
  ),
  DATEDIFF_BIG: strict(BIGINT, ([part = '', from = '', to = '']) => {
    const [first, last] = [from, to].map((time) => Math.floor(msOfTime(time) / msOfPart(part)));
    return (last ?? 0) - (first ?? 0);
  }),
  DATEPART: strict(INT, ([part, time = '']) => {
    const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)$/.exec(time) ?? [];
    if (part !== 'tzoffset' || !sign) throw notRun(`DATEPART of ${part}`);
    return Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes));
  }),

  SERVERPROPERTY: strict(VARIANT, ([name]) => (name === 'EngineEdition' ? 3 : null)),
  IS_MEMBER: strict(INT, ([role = ''], { session }) => Number(hasDatabaseRole(session, role))),
  IS_SRVROLEMEMBER: strict(INT, (_role, { session }) => Number(isSysadmin(session))),
  DB_ID: about({ name: 'smallint' }, ({ session }) => {
    const { name, find } = session.database;
    return find('sys.databases', { name })[0]?.['database_id'] ?? null;
  }),
  OBJECT_ID: strict(INT, ([name = ''], frame) => findTable(frame, name)),
  'SYS.FN_CDC_GET_MIN_LSN': strict(LSN, ([instance = ''], { session }) => {
    const { find } = session.database;
    const [row] = find('cdc.change_tables', { capture_instance: instance });
    return row?.['start_lsn'] ?? new Uint8Array(10);
  }),
  'SYS.FN_CDC_GET_MAX_LSN': about(LSN, (frame) => logEntries(frame).at(-1)?.lsn ?? null),
  'SYS.FN_CDC_MAP_TIME_TO_LSN': strict(LSN, ([operator, time = ''], frame) => {
    if (operator !== 'largest less than or equal') throw notRun(`the operator ${operator}`);
    return logEntries(frame).findLast((entry) => entry.time <= time)?.lsn ?? null;
  }),
};

/** Milliseconds of a part of a date. */
function msOfPart(part: string): number {
  const ms = { day: 86_400_000, minute: 60_000, millisecond: 1 }[part];
  if (ms === undefined) throw notRun(`the part ${part} of a date`);
  return ms;
}

/** Parses a time without a time zone, `1970-01-01` or `2024-01-31T12:00:00.123`, as UTC. */
function msOfTime(text: string): number {
  return Date.parse(text.includes('T') ? `${text}Z` : text);
}

/** Lists the entries of the log by time and LSN, in order. */
function logEntries({
  session,
}: Frame): readonly { readonly lsn: Uint8Array; readonly time: string }[] {
  return session.database
    .find('cdc.lsn_time_mapping')
    .map((row) => ({ lsn: row['start_lsn'] as Uint8Array, time: String(row['tran_end_time']) }))
    .sort((a, b) => Buffer.compare(a.lsn, b.lsn));
}
