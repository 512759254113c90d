import { raise } from '../engine/sql-server-error.ts';
import { parseIsoTime, renderIsoTime, type TimeParts } from '../tds/iso-time.ts';

/** Date parts by abbreviation. */
const ABBREVIATIONS: Readonly<Record<string, string>> = {
  ...{ yy: 'year', yyyy: 'year', mm: 'month', m: 'month', dd: 'day', d: 'day', hh: 'hour' },
  ...{ mi: 'minute', n: 'minute', ss: 'second', s: 'second', ms: 'millisecond', tz: 'tzoffset' },
};

const MS_OF: Readonly<Record<string, number>> = {
  ...{ week: 604_800_000, day: 86_400_000, hour: 3_600_000 },
  ...{ minute: 60_000, second: 1000, millisecond: 1 },
};
const MONTHS_OF: Readonly<Record<string, number>> = { year: 12, quarter: 3, month: 1 };
/** 1970-01-01 in days since 0001-01-01. */
const UNIX_EPOCH_DAYS = 719_162;

/** Runs DATEADD on ISO text. Throws 155 for an unknown part and 241 for an invalid time. */
export function addToDate(part: string, count: number, time: string): string {
  const unit = unitOf(part);
  const date = dateOf(time);
  const ms = MS_OF[unit];
  if (ms !== undefined) return renderIsoTime(new Date(date.getTime() + count * ms));
  const target = new Date(date);
  target.setUTCDate(1);
  target.setUTCMonth(target.getUTCMonth() + (MONTHS_OF[unit] ?? 0) * count);
  const lastDay = new Date(Date.UTC(target.getUTCFullYear(), target.getUTCMonth() + 1, 0));
  target.setUTCDate(Math.min(date.getUTCDate(), lastDay.getUTCDate()));
  return renderIsoTime(target);
}

/** Runs DATEDIFF: counts the boundaries of the part between two times. */
export function differenceOfDates(part: string, from: string, to: string): number {
  const unit = unitOf(part);
  const units = (date: Date): number => {
    const ms = MS_OF[unit];
    if (ms !== undefined) return Math.floor(date.getTime() / ms);
    const months = date.getUTCFullYear() * 12 + date.getUTCMonth();
    return Math.floor(months / (MONTHS_OF[unit] ?? 1));
  };
  return units(dateOf(to)) - units(dateOf(from));
}

/** Runs DATEPART on ISO text. */
export function datePart(part: string, time: string): number {
  const unit = unitOf(part);
  if (unit === 'tzoffset') return partsOf(time).offsetMinutes;
  const date = dateOf(time);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
  const dates: Readonly<Record<string, number>> = {
    year,
    quarter: Math.ceil(month / 3),
    month,
    day,
  };
  const clock = date.getTime() % MS_OF['day']!;
  const size = { hour: 24, minute: 60, second: 60, millisecond: 1000 }[unit] ?? 1;
  return dates[unit] ?? Math.floor(clock / (MS_OF[unit] ?? 1)) % size;
}

function unitOf(part: string): string {
  const unit = ABBREVIATIONS[part.toLowerCase()] ?? part.toLowerCase();
  if (unit in MS_OF || unit in MONTHS_OF || unit === 'tzoffset') return unit;
  throw raise(155, [part, 'datepart']);
}

function partsOf(text: string): TimeParts {
  const parts = parseIsoTime(text.replace(/^(\d{4})(\d{2})(\d{2})\b/, '$1-$2-$3'));
  if (!parts) throw raise(241);
  return parts;
}

function dateOf(text: string): Date {
  const { days, ticks } = partsOf(text);
  return new Date((days - UNIX_EPOCH_DAYS) * 86_400_000 + Number(ticks / 10_000n));
}
