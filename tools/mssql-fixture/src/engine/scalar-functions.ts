import { createHash, randomUUID } from 'node:crypto';
import { renderIsoTime } from '../tds/iso-time.ts';
import type { SqlType } from '../tds/sql-type.ts';
import { sqlType } from '../tsql/parse-data-type.ts';
import { convertValue, type Conversion } from './convert-value.ts';
import { addToDate, datePart, differenceOfDates } from './date-functions.ts';
import { likeMatches } from './like-matches.ts';
import { raise, SqlServerError } from './sql-server-error.ts';

type Value = number | string | Uint8Array | null;
type ScalarFunction = (...args: Value[]) => Value;

/**
 * Functions of T-SQL that SQLite lacks, by the name that translated SQL calls them. Types come as text,
 * `nvarchar(128)`; an argument that is NULL gives NULL unless said otherwise.
 */
export const SCALAR_FUNCTIONS: Readonly<Record<string, ScalarFunction>> = {
  ts_convert: (value, from, to, style) => convert(value, from, to, style),
  ts_try_convert: (value, from, to, style) => {
    try {
      return convert(value, from, to, style);
    } catch (error) {
      if (error instanceof SqlServerError) return null;
      throw error;
    }
  },
  ts_like: (text, pattern, escape) =>
    text === null || pattern === null
      ? null
      : Number(likeMatches(String(text), String(pattern), escape === null ? '' : String(escape))),
  ts_len: strict((text) => String(text).replace(/ +$/, '').length),
  ts_datalength: strict((value, type) => bytesOf(value, String(type)).length),
  ts_upper: strict((text) => String(text).toUpperCase()),
  ts_lower: strict((text) => String(text).toLowerCase()),
  ts_reverse: strict((text) => [...String(text)].reverse().join('')),
  ts_replicate: strict((text, count) => String(text).repeat(Math.max(0, Number(count)))),
  ts_charindex: strict((needle, text, start) => {
    const from = Math.max(0, Number(start) - 1);
    return String(text).toLowerCase().indexOf(String(needle).toLowerCase(), from) + 1;
  }),
  ts_replace: strict((text, from, to) => {
    const escaped = String(from).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return escaped === ''
      ? text
      : String(text).replace(new RegExp(escaped, 'gi'), () => String(to));
  }),
  ts_stuff: (text, start, length, insert) => {
    if (text === null || start === null || length === null) return null;
    const at = Number(start) - 1;
    const source = String(text);
    if (at < 0 || at >= source.length || Number(length) < 0) return null;
    return source.slice(0, at) + String(insert ?? '') + source.slice(at + Number(length));
  },
  ts_quotename: strict((text, quote) => {
    const opens = String(quote).slice(0, 1);
    const closes =
      ({ '[': ']', '(': ')', '<': '>', '{': '}' } as Record<string, string>)[opens] ?? opens;
    return opens + String(text).replaceAll(closes, closes + closes) + closes;
  }),
  ts_parse_name: strict(
    (text, fromRight) => parseName(String(text))[Number(fromRight) - 1] ?? null,
  ),
  ts_split: strict((text, separator) => JSON.stringify(String(text).split(String(separator)))),
  ts_hashbytes: strict((algorithm, value, type) => {
    const name = String(algorithm).toLowerCase().replace('sha2_', 'sha').replace(/^sha$/, 'sha1');
    return createHash(name)
      .update(bytesOf(value, String(type)))
      .digest();
  }),
  ts_checksum: strict((text) => createHash('md5').update(String(text)).digest().readInt32LE(0)),
  ts_concat_bytes: strict((left, right) => Buffer.concat([asBuffer(left), asBuffer(right)])),
  ts_divisor: strict((value) => {
    if (Number(value) === 0) throw raise(8134);
    return value;
  }),
  ts_now: () => renderIsoTime(new Date()),
  ts_newid: () => randomUUID().toUpperCase(),
  ts_dateadd: strict((part, count, time) => addToDate(String(part), Number(count), String(time))),
  ts_datediff: strict((part, from, to) =>
    differenceOfDates(String(part), String(from), String(to)),
  ),
  ts_datepart: strict((part, time) => datePart(String(part), String(time))),
};

/** NULL for an argument gives NULL. */
function strict(implementation: ScalarFunction): ScalarFunction {
  const guarded: ScalarFunction = (...args) =>
    args.includes(null) ? null : implementation(...args);
  return Object.defineProperty(guarded, 'length', { value: implementation.length });
}

function convert(value: Value, from: Value, to: Value, style: Value): Value {
  if (value === null) return null;
  const conversion: Conversion = {
    from: typeOf(String(from)),
    to: typeOf(String(to)),
    style: Number(style ?? 0),
  };
  const converted = convertValue(value, conversion);
  return typeof converted === 'bigint' ? Number(converted) : converted;
}

const types = new Map<string, SqlType>();

/** A type as a text that {@link SCALAR_FUNCTIONS} take. */
export function renderType(type: SqlType): string {
  const facets = [type.length ?? type.precision, type.scale].filter((facet) => facet !== undefined);
  return facets.length === 0 ? type.name : `${type.name}(${facets.join(',')})`;
}

function typeOf(text: string): SqlType {
  const known = types.get(text);
  if (known) return known;
  const [name = '', facets = ''] = text.replace(')', '').split('(');
  const type = sqlType(name, facets.split(',').filter(Boolean).map(Number), 'cast');
  if (!type) throw new Error(`no type ${text}`);
  types.set(text, type);
  return type;
}

function asBuffer(value: Value | undefined): Buffer {
  return value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(String(value), 'utf16le');
}

/** The bytes that SQL Server stores for a value of a type. */
function bytesOf(value: Value | undefined, type: string): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (/^n|^sysname|^xml/.test(type) && !type.startsWith('numeric')) {
    return Buffer.from(String(value), 'utf16le');
  }
  if (/char|text/.test(type)) return Buffer.from(String(value), 'latin1');
  const sizes: Readonly<Record<string, number>> = {
    bit: 1,
    tinyint: 1,
    smallint: 2,
    int: 4,
    real: 4,
  };
  return Buffer.alloc(sizes[type] ?? 8);
}

/** The parts of `[a].[b].c`, from the right. */
function parseName(text: string): readonly string[] {
  const parts = [
    ...text.matchAll(/\[((?:[^\]]|\]\])*)\]|"((?:[^"]|"")*)"|([^.[\]"]+)|(?<=\.)(?=\.)/g),
  ];
  return parts
    .map(([, bracketed, quoted, bare]) =>
      (bracketed?.replaceAll(']]', ']') ?? quoted?.replaceAll('""', '"') ?? bare ?? '').trim(),
    )
    .reverse();
}
