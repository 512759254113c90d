import type { CatalogColumn, SourceType } from '@cdc-migrations/catalog';
import { quoteLiteral } from '@cdc-migrations/sql-text';
import { parsePgType, type PgType } from './canonical-type.ts';

/** A constant as the source writes it. */
type Constant =
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string; readonly isUnicode: boolean }
  | { readonly kind: 'bytes'; readonly text: string }
  | { readonly kind: 'boolean'; readonly text: string };

/**
 * Converts the default of a source column to an SQL constant of a PostgreSQL type: `((0))` of a bit becomes `false`.
 * Returns undefined for a default that is no constant, or whose stored value could differ from the constant, such as a
 * date that depends on the language of the session.
 */
export function constantDefault(
  source: SourceType,
  column: CatalogColumn,
  type: string,
): string | undefined {
  const to = parsePgType(type);
  const constant = column.default === undefined ? undefined : PARSE[source](column.default);
  if (!to || !constant || to.array || column.array) return undefined;
  const convert = Object.hasOwn(CONVERT, to.base) ? CONVERT[to.base] : undefined;
  return convert?.(constant, column, { source, to });
}

const PARSE: { readonly [Source in SourceType]: (text: string) => Constant | undefined } = {
  mssql: parseTransactSql,
  postgres: parsePostgres,
};

function parseTransactSql(expression: string): Constant | undefined {
  const text = withoutParentheses(expression.trim());
  const string = /^(N?)'((?:''|[^'])*)'$/is.exec(text);
  if (string) {
    const [, prefix = '', quoted = ''] = string;
    return { kind: 'text', text: quoted.replaceAll("''", "'"), isUnicode: prefix !== '' };
  }
  const bytes = /^0x((?:[0-9a-f]{2})*)$/i.exec(text);
  if (bytes) return { kind: 'bytes', text: bytes[1]!.toLowerCase() };
  return parseNumber(text);
}

/** Removes the parentheses that SQL Server adds: `((0))`. */
function withoutParentheses(text: string): string {
  const [, inner] = /^\(([^()]*|'(?:''|[^'])*'|N'(?:''|[^'])*'|\(.*\))\)$/is.exec(text) ?? [];
  return inner === undefined ? text : withoutParentheses(inner.trim());
}

function parsePostgres(expression: string): Constant | undefined {
  const text = expression.trim();
  if (text === 'true' || text === 'false') return { kind: 'boolean', text };
  const string = /^'((?:''|[^'])*)'((?:::[^:']+)*)$/s.exec(text);
  if (!string) return parseNumber(text.replace(/^\((.*)\)$/, '$1').replace(/^- /, '-'));
  const [, quoted = '', casts = ''] = string;
  const types = casts.split('::').slice(1);
  // A second cast can run a function: ('now'::text)::date.
  const areTexts = types.every((type) => /^(text|character|bpchar)/.test(type));
  if (types.length > 1 && !areTexts) return undefined;
  return { kind: 'text', text: quoted.replaceAll("''", "'"), isUnicode: true };
}

function parseNumber(text: string): Constant | undefined {
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d{1,3})?$/i.test(text)
    ? { kind: 'number', text }
    : undefined;
}

type Convert = (
  constant: Constant,
  column: CatalogColumn,
  how: { readonly source: SourceType; readonly to: PgType },
) => string | undefined;

const SPECIAL = new Set(['text', 'ntext', 'sysname', 'enum']);
const TEXT_TYPE = /^(n?(var)?char|character( varying)?|bpchar)$/;
const WIDE_TYPE = /^(n(var)?char|ntext|sysname)$/;
const INTEGER_TYPE = /^(tinyint|smallint|int|integer|bigint)$/;
const DECIMAL_TYPE = /^(decimal|numeric|money|smallmoney)$/;
const FLOAT_TYPE = /^(real|float|double precision)$/;
const BINARY_TYPE = /^(binary|varbinary|image|bytea)$/;

const toInteger: Convert = (constant, { type }) => {
  if (!INTEGER_TYPE.test(type) || !isNumeric(constant)) return undefined;
  const number = unsigned(constant.text);
  return /^-?\d{1,19}$/.test(number) ? number : undefined;
};

/** Numbers with more digits than the column are refused, because they are rounded. */
const toNumeric: Convert = (constant, column, how) => {
  const { type } = column;
  if (INTEGER_TYPE.test(type)) return toInteger(constant, column, how);
  if (!DECIMAL_TYPE.test(type) || !isNumeric(constant)) return undefined;
  const number = unsigned(constant.text);
  const [, digits] = /^-?(?=\.?\d)\d*\.?(\d*)$/.exec(number) ?? [];
  const kept = digits?.replace(/0+$/, '').length ?? Infinity;
  return kept <= digitsOf(column, how.source) ? number : undefined;
};

/** Returns the digits after the decimal point that the source keeps. */
function digitsOf({ type, precision, scale }: CatalogColumn, source: SourceType): number {
  if (/money$/.test(type)) return source === 'mssql' ? 4 : -1;
  return precision === undefined && source === 'postgres' ? 1000 : (scale ?? 0);
}

const toFloat: Convert = (constant, { type }) =>
  FLOAT_TYPE.test(type) && isNumeric(constant) ? unsigned(constant.text) : undefined;

const toBoolean: Convert = (constant, { type }) => {
  if (type === 'boolean' && constant.kind === 'boolean') return constant.text;
  if (type !== 'bit') return undefined;
  if (constant.kind === 'number') return Number(constant.text) === 0 ? 'false' : 'true';
  return constant.kind === 'text' ? BITS.get(constant.text.toLowerCase()) : undefined;
};

const BITS: ReadonlyMap<string, string> = new Map([
  ['0', 'false'],
  ['1', 'true'],
  ['false', 'false'],
  ['true', 'true'],
]);

/** A text that does not fit, that is padded, or whose letters a code page could change, is refused. */
const toText: Convert = (constant, { type, length, declaredKind }, { source, to }) => {
  const isText = TEXT_TYPE.test(type) || SPECIAL.has(type) || declaredKind === 'enum';
  if (!isText) return undefined;
  if (constant.kind === 'number') {
    const isPlain = source === 'mssql' && /^(0|-?[1-9]\d*)$/.test(constant.text);
    return isPlain && fitsIn(constant.text, length) && !isPadded(constant.text)
      ? quoteLiteral(constant.text)
      : undefined;
  }
  if (constant.kind !== 'text' || !fitsIn(constant.text, length)) return undefined;
  const keepsLetters = source === 'postgres' || (constant.isUnicode && WIDE_TYPE.test(type));
  if (!keepsLetters && /[^\x20-\x7e]/.test(constant.text)) return undefined;
  if (constant.text.includes('\0') || (source === 'postgres' && constant.text.includes('\\')))
    return undefined;
  return isPadded(constant.text) ? undefined : quoteLiteral(constant.text);

  function isPadded(text: string): boolean {
    const isFixed = /^(n?char|character|bpchar)$/.test(type) && declaredKind !== 'enum';
    return isFixed && to.base !== 'character' && to.base !== 'bpchar' && text.length !== length;
  }
};

function fitsIn(text: string, length: number | 'max' | undefined): boolean {
  return typeof length !== 'number' || text.length <= length;
}

const DAY = String.raw`\d{4}-\d\d-\d\d`;
const TIME = String.raw`\d\d:\d\d(?::\d\d(?:\.(\d{1,7}))?)?`;
const OFFSET = String.raw`[-+]\d\d(?::\d\d)?`;

const toDate: Convert = (constant, { type }) =>
  type === 'date' && constant.kind === 'text' && new RegExp(`^(${DAY}|\\d{8})$`).test(constant.text)
    ? quoteLiteral(constant.text)
    : undefined;

const toTime: Convert = (constant, column, { to }) =>
  /^time( without time zone)?$/.test(column.type) && isMoment(constant, TIME, column, to)
    ? quoteLiteral(constant.text)
    : undefined;

/** `datetime` reads `2026-02-01` by the language of the session, other types do not. */
const toTimestamp: Convert = (constant, column, { to }) => {
  const forms: Readonly<Record<string, string>> = {
    datetime: `\\d{8}|${DAY}T\\d\\d:\\d\\d:\\d\\d(?:\\.(0+))?`,
    smalldatetime: `\\d{8}|${DAY}T\\d\\d:\\d\\d:00(?:\\.(0+))?`,
    datetime2: `\\d{8}|${DAY}(?:[T ]${TIME})?`,
    'timestamp without time zone': `${DAY} ${TIME}`,
  };
  const form = Object.hasOwn(forms, column.type) ? forms[column.type] : undefined;
  return form !== undefined && isMoment(constant, form, column, to)
    ? quoteLiteral(constant.text)
    : undefined;
};

const toTimestamptz: Convert = (constant, column, { to }) => {
  const isOffset = /^(datetimeoffset|timestamp with time zone)$/.test(column.type);
  return isOffset && isMoment(constant, `${DAY}[T ]${TIME} ?${OFFSET}`, column, to)
    ? quoteLiteral(constant.text)
    : undefined;
};

/** Checks the form of a time, and that neither the source nor the final column rounds it. */
function isMoment(
  constant: Constant,
  form: string,
  { scale }: CatalogColumn,
  { facets: [kept = SECOND_DIGITS] }: PgType,
): constant is Extract<Constant, { kind: 'text' }> {
  if (constant.kind !== 'text') return false;
  const found = new RegExp(`^(?:${form})$`).exec(constant.text);
  const digits =
    found
      ?.slice(1)
      .find((each) => each !== undefined)
      ?.replace(/0+$/, '') ?? '';
  return found !== null && digits.length <= Math.min(scale ?? SECOND_DIGITS, kept);
}

const SECOND_DIGITS = 6;

const toUuid: Convert = (constant, { type }) =>
  /^(uniqueidentifier|uuid)$/.test(type) &&
  constant.kind === 'text' &&
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(constant.text)
    ? quoteLiteral(constant.text.toLowerCase())
    : undefined;

/** `binary` is padded with zero bytes. */
const toBytes: Convert = (constant, { type, length }, { source }) => {
  const hex =
    source === 'postgres' && constant.kind === 'text'
      ? /^\\x((?:[0-9a-f]{2})*)$/.exec(constant.text)?.[1]
      : constant.kind === 'bytes'
        ? constant.text
        : undefined;
  if (hex === undefined || !BINARY_TYPE.test(type)) return undefined;
  if (typeof length === 'number' && hex.length > 2 * length) return undefined;
  const size = type === 'binary' && typeof length === 'number' ? 2 * length : hex.length;
  return `${quoteLiteral(`\\x${hex.padEnd(size, '0')}`)}::bytea`;
};

const toJson: Convert = (constant, { type }) =>
  /^jsonb?$/.test(type) && constant.kind === 'text' && !constant.text.includes('\\')
    ? quoteLiteral(constant.text)
    : undefined;

const CONVERT: Readonly<Record<string, Convert>> = {
  smallint: toInteger,
  integer: toInteger,
  bigint: toInteger,
  numeric: toNumeric,
  real: toFloat,
  'double precision': toFloat,
  boolean: toBoolean,
  text: toText,
  'character varying': toText,
  character: toText,
  bpchar: toText,
  date: toDate,
  'time without time zone': toTime,
  'timestamp without time zone': toTimestamp,
  'timestamp with time zone': toTimestamptz,
  uuid: toUuid,
  bytea: toBytes,
  json: toJson,
  jsonb: toJson,
};

/** Checks for a number, also in quotes as PostgreSQL writes a negative one. */
function isNumeric(constant: Constant): boolean {
  return (
    constant.kind === 'number' ||
    (constant.kind === 'text' && parseNumber(constant.text) !== undefined)
  );
}

/** Removes a plus sign. */
function unsigned(text: string): string {
  return text.replace(/^\+/, '');
}
