import {
  parsePgType,
  secondsOf,
  type CutSeconds,
  type StagedColumn,
} from '@cdc-migrations/table-defs';

/** SQL for a form of values, based on the staged value. */
export interface FormSql {
  /** Expected format in words. */
  readonly expected: string;
  /** Expression for the value in the type of the final column, or in a type that PostgreSQL assigns to it. */
  readonly value: string;
  /** Type of the expression if the final column can be narrower. */
  readonly type?: 'numeric';
  /** Condition that a value has this form. Undefined if the staging column accepts only such values. */
  readonly fits?: string;
  /**
   * Expression for the staged value of a stored one (%1$s in `stored`). It is used to fill in an omitted large value.
   */
  readonly staged?: string;
}

/**
 * Returns the SQL that converts staged values of a form to stored ones. Returns undefined for a column whose values
 * PostgreSQL reads directly.
 */
export function formSql(value: string, column: StagedColumn): FormSql | undefined {
  const { form } = column;
  if (form === undefined) return undefined;
  const [, name, scale] = /^(\w+)(?:\((\d+)\))?$/.exec(form)!;
  if (name === 'iso' || name === 'rfc3339') return ofIso(value, column);
  if (name === 'bits') return ofBits(value, Number(scale));
  if (name === 'decimal_base64') return ofBase64Decimal(value, Number(scale));
  return name! in PER_SECOND ? ofUnits(value, column, name!) : SIMPLE[name!]!(value);
}

const BASE64 = '^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$';
const NUMBER =
  '^([-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]{1,3})?|NaN|[-+]?Infinity|NAN|(POSITIVE|NEGATIVE)_INFINITY)$';

const SIMPLE: Readonly<Record<string, (value: string) => FormSql>> = {
  decimal_text: (value) => ({
    expected: 'a number as text',
    value: `cdc_management.decimal_of_text(${value})`,
    type: 'numeric',
    fits: `${value} ~ '${NUMBER}'`,
  }),
  decimal_struct: (value) => ({
    expected: '{ scale, value }, the value in base64',
    value: `cdc_management.decimal_of_struct(${value})`,
    fits: `${value} ~ '^[{].*"scale" *: *-?[0-9]{1,5} *[,}]'`,
  }),
  base64: (value) => ({
    expected: 'base64',
    value: `decode(${value}, 'base64')`,
    fits: `${value} ~ '${BASE64}'`,
    staged: `translate(encode(%1$s, 'base64'), E'\\n', '')`,
  }),
  base64_url: (value) => ({
    expected: 'base64 for URLs',
    value: `cdc_management.bytes_of_base64_url(${value})`,
    fits: `${value} ~ '^[A-Za-z0-9_-]*={0,2}$'`,
    staged: 'cdc_management.base64_url_of(%1$s)',
  }),
  hex: (value) => ({
    expected: 'hexadecimal digits',
    value: `decode(${value}, 'hex')`,
    fits: `${value} ~ '^([0-9A-Fa-f]{2})*$'`,
    staged: `encode(%1$s, 'hex')`,
  }),
};

function ofBits(value: string, length: number): FormSql {
  return {
    expected: 'base64 of bits',
    value: `cdc_management.bits_of(${value}, ${length})`,
    fits: `${value} ~ '${BASE64}'`,
  };
}

function ofBase64Decimal(value: string, scale: number): FormSql {
  const unit = scale === 0 ? '1' : `0.${'1'.padStart(scale, '0')}`;
  return {
    expected: 'base64 of an integer',
    value: `cdc_management.decimal_of(${value}, ${unit})`,
    type: 'numeric',
    fits: `${value} ~ '${BASE64}' AND ${value} <> ''`,
  };
}

/** Units per second. */
const PER_SECOND: Readonly<Record<string, bigint>> = {
  days: 0n,
  milliseconds: 1000n,
  microseconds: 1_000_000n,
  nanoseconds: 1_000_000_000n,
};
type Limits = readonly [first: bigint, last: bigint];
const BIGINT: Limits = [-(2n ** 63n), 2n ** 63n - 1n];
/** Range of PostgreSQL dates, in days since 1970. */
const DAYS: Limits = [-2_440_588n, 2_145_031_948n];
const MSSQL_DAYS: Limits = [-719_162n, 2_932_896n];
/** Range of SQL Server times, in seconds since 1970. The last second is complete. */
const MSSQL_SECONDS: Limits = [-62_135_596_800n, 253_402_300_799n];
const POSTGRES_SECONDS: Limits = [-210_866_803_200n, 9_224_318_015_999n];
/** Values that Debezium sends for -infinity, and for infinity in dates: one from the log, one from a snapshot. */
const BEGIN_OF_TIME: Readonly<Record<string, bigint>> = {
  milliseconds: -9_223_372_036_832_400n,
  microseconds: -9_223_372_036_832_400_000n,
  nanoseconds: BIGINT[0],
};
const INFINITE_DAYS = [-2_147_472_692n, -2_147_472_691n, -622_191_234n, -625_821_272n];
const DAY = 86_400n;
const SOURCE_TIME = /(?:^|\()time\b/;
const SOURCE_DATE = /(?:^|\()date\)?$/;

/** Builds the SQL for units since 1970 or since midnight. */
function ofUnits(value: string, column: StagedColumn, unit: string): FormSql {
  const { base } = parsePgType(column.type)!;
  if (base === 'interval') {
    return { expected: unit, value: `cdc_management.interval_of(${value})` };
  }
  if (unit === 'days') {
    const isMssql = column.form === 'days(9999)';
    return {
      expected: 'days since 1970',
      value: inUtc(`cdc_management.date_of(${value}, ${isMssql})`, base),
      fits: isMssql ? isWithin(value, MSSQL_DAYS) : isWithin(value, DAYS, INFINITE_DAYS),
    };
  }
  const perSecond = PER_SECOND[unit]!;
  const { kept, isMssql } = secondsOf(column) ?? { kept: SECOND_DIGITS, isMssql: false };
  const unitsKept = perSecond / 10n ** BigInt(kept);
  const call = `(${value}, ${isMssql}, ${perSecond}${unitsKept > 1n ? `, ${unitsKept}` : ''})`;
  if (SOURCE_TIME.test(column.source?.type ?? '')) {
    return {
      expected: `${unit} since midnight`,
      value: `cdc_management.time_of${call}`,
      fits: isWithin(value, [0n, DAY * perSecond - (isMssql ? 1n : 0n)]),
    };
  }
  const [first, last] = isMssql ? MSSQL_SECONDS : POSTGRES_SECONDS;
  return {
    expected: `${unit} since 1970`,
    value: inUtc(`cdc_management.timestamp_of${call}`, base),
    // The units of the last kept second are subtracted first, and the result must be a bigint.
    fits: isWithin(
      value,
      [
        larger(first * perSecond, BIGINT[0] + 1000n),
        smaller((last + 1n) * perSecond - 1n, BIGINT[1]),
      ],
      isMssql ? [] : [BEGIN_OF_TIME[unit]!],
    ),
  };
}

function ofIso(value: string, column: StagedColumn): FormSql {
  const { base } = parsePgType(column.type)!;
  if (base === 'interval') {
    return {
      expected: 'a duration of ISO 8601',
      value: `${value}::interval`,
      fits: `${value} ~ '^-?P'`,
    };
  }
  const far = `cdc_management.far_time(${value})`;
  if (SOURCE_DATE.test(column.source?.type ?? '')) {
    return {
      expected: 'a date of ISO 8601',
      value: inUtc(`cdc_management.as_date(${far})`, base),
      fits: `cdc_management.is_iso_date(${far})`,
    };
  }
  const time = { ...column, type: base === 'date' ? TIMESTAMP : column.type };
  const hasDate = column.form === 'rfc3339' && SOURCE_TIME.test(column.source?.type ?? '');
  const isFar = secondsOf(time)!.isMssql ? value : far;
  const text = hasDate ? `split_part(${value}, 'T', 2)` : isFar;
  return {
    expected: `a time of ${hasDate ? 'RFC 3339' : 'ISO 8601'}`,
    value: asTime(text, time, secondsOf(time)!),
    fits: `cdc_management.is_iso_time(${text})`,
  };
}

/**
 * Renders a time truncated to the digits of the final column, and limited to the last time of SQL Server. A writer that
 * rounds, such as pgjdbc, sends 24:00 or the year 10000 for that time. A time without an offset counts as UTC.
 */
export function asTime(text: string, column: StagedColumn, cut: CutSeconds): string {
  const base = parsePgType(column.type)!.base;
  const isInUtc = base === 'timestamp with time zone' && !cut.hasOffset;
  const { by, last } = CUT[isInUtc ? 'timestamp without time zone' : base]!;
  const digits = cut.kept === 0 ? '' : `.${'9'.repeat(cut.kept)}`;
  const zone = by === 'as_timestamptz' ? '+00' : '';
  const limit = cut.isMssql && last ? `, '${last}${digits}${zone}'` : '';
  const time = `cdc_management.${by}(${text}, ${cut.kept}${limit})`;
  return isInUtc ? `${time} AT TIME ZONE 'UTC'` : time;
}

/** Truncating function of each type, with the last second of SQL Server for it. */
const CUT: Readonly<Record<string, { readonly by: string; readonly last?: string }>> = {
  'time without time zone': { by: 'as_time', last: '23:59:59' },
  'time with time zone': { by: 'as_timetz' },
  'timestamp without time zone': { by: 'as_timestamp', last: '9999-12-31 23:59:59' },
  'timestamp with time zone': { by: 'as_timestamptz', last: '9999-12-31 23:59:59' },
};

const TIMESTAMP = 'timestamp without time zone';
const SECOND_DIGITS = 6;

/** Renders a time without an offset as UTC. */
function inUtc(value: string, base: string): string {
  return base === 'timestamp with time zone' ? `(${value})::timestamp AT TIME ZONE 'UTC'` : value;
}

function isWithin(value: string, [first, last]: Limits, also: readonly bigint[] = []): string {
  const isBetween = `${value} BETWEEN ${first} AND ${last}`;
  return also.length === 0 ? isBetween : `(${isBetween} OR ${value} IN (${also.join(', ')}))`;
}

function larger(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

function smaller(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}
