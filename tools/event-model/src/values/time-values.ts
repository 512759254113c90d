import type { Random } from '../random.ts';

/** Fractional digits of seconds in PostgreSQL. */
export const MOST_SECOND_DIGITS = 6;

/** Builds a date in SQL Server's range, years 1 to 9999. */
export function buildDate(random: Random): string {
  if (random.chance(0.3)) {
    return random.pick(['0001-01-01', '1753-01-01', '1900-01-01', '2000-02-29', '9999-12-31']);
  }
  return [
    String(random.integer(1, 9999)).padStart(4, '0'),
    twoDigits(random.integer(1, 12)),
    twoDigits(random.integer(1, 28)),
  ].join('-');
}

/** Builds a time of day with this many fractional digits, or none. */
export function buildTime(random: Random, secondDigits = MOST_SECOND_DIGITS): string {
  const fraction = (digits: string) => (secondDigits > 0 ? `.${digits}` : '');
  if (random.chance(0.2)) return '00:00:00';
  if (random.chance(0.2)) return `23:59:59${fraction('9'.repeat(secondDigits))}`;
  const hours = twoDigits(random.integer(0, 23));
  const rest = `${twoDigits(random.integer(0, 59))}:${twoDigits(random.integer(0, 59))}`;
  return `${hours}:${rest}${fraction(random.digits(secondDigits))}`;
}

export function buildTimestamp(random: Random, secondDigits?: number): string {
  return `${buildDate(random)} ${buildTime(random, secondDigits)}`;
}

export function buildZonedTimestamp(random: Random, secondDigits?: number): string {
  const zone = random.pick(['Z', '+00:00', '+02:00', '-05:30']);
  return `${buildDate(random)}T${buildTime(random, secondDigits)}${zone}`;
}

/** A time type of SQL Server with fractional digits, `datetime2(7)`, also behind the name of an alias. */
const MSSQL = /(?:^|\()(?:datetime2|datetimeoffset|time)(?:\((\d)\))?\)?$/;
const MSSQL_MOST_DIGITS = 7;
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Returns the fractional digits that a source column sends, if its type shows it. */
export function sentDigits(sourceType: string | undefined): number | undefined {
  const found = MSSQL.exec(sourceType ?? '');
  return found ? Number(found[1] ?? MSSQL_MOST_DIGITS) : undefined;
}

/**
 * Truncates a time of SQL Server to fewer fractional digits. It does not round, and an instant that would be in the
 * year 10000 in UTC becomes the last one of 9999.
 */
export function cutTime(text: string, digits: number): string {
  const fraction = digits > 0 ? `.${'9'.repeat(digits)}` : '';
  const isInstant = /(?:Z|[-+]\d\d:\d\d)$/.test(text);
  if (isInstant && Date.parse(text.replace(/([.]\d{3})\d+/, '$1')) > LAST_MS)
    return `9999-12-31T23:59:59${fraction}Z`;
  return text.replace(/[.]\d+/, (sent) => (digits > 0 ? sent.slice(0, digits + 1) : ''));
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
