import { parseIsoTime, renderIsoTime } from '../tds/iso-time.ts';
import { raise } from './sql-server-error.ts';

type Unit =
  'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'millisecond' | 'week' | 'quarter';

const UNITS: Readonly<Record<string, Unit>> = {
  year: 'year',
  yy: 'year',
  yyyy: 'year',
  quarter: 'quarter',
  qq: 'quarter',
  q: 'quarter',
  month: 'month',
  mm: 'month',
  m: 'month',
  week: 'week',
  wk: 'week',
  ww: 'week',
  day: 'day',
  dd: 'day',
  d: 'day',
  hour: 'hour',
  hh: 'hour',
  minute: 'minute',
  mi: 'minute',
  n: 'minute',
  second: 'second',
  ss: 'second',
  s: 'second',
  millisecond: 'millisecond',
  ms: 'millisecond',
};

const MS_OF: Readonly<Record<string, number>> = {
  week: 604_800_000,
  day: 86_400_000,
  hour: 3_600_000,
  minute: 60_000,
  second: 1000,
  millisecond: 1,
};

/** DATEADD on ISO text. Throws 155 for an unknown part and 241 for a text that is no time. */
export function addToDate(part: string, count: number, time: string): string {
  const unit = unitOf(part);
  const date = dateOf(time);
  const ms = MS_OF[unit];
  if (ms !== undefined) return renderIsoTime(new Date(date.getTime() + count * ms));
  const months = { year: 12, quarter: 3, month: 1 }[unit as 'year' | 'quarter' | 'month'] * count;
  const target = new Date(date);
  target.setUTCDate(1);
  target.setUTCMonth(target.getUTCMonth() + months);
  const lastDay = new Date(
    Date.UTC(target.getUTCFullYear(), target.getUTCMonth() + 1, 0),
  ).getUTCDate();
  target.setUTCDate(Math.min(date.getUTCDate(), lastDay));
  return renderIsoTime(target);
}

/** DATEDIFF: how many boundaries of the part lie between two times. */
export function differenceOfDates(part: string, from: string, to: string): number {
  const unit = unitOf(part);
  const ms = MS_OF[unit];
  const [start, end] = [dateOf(from), dateOf(to)];
  if (ms !== undefined) return Math.floor(end.getTime() / ms) - Math.floor(start.getTime() / ms);
  const months = (date: Date): number => date.getUTCFullYear() * 12 + date.getUTCMonth();
  const size = { year: 12, quarter: 3, month: 1 }[unit as 'year' | 'quarter' | 'month'];
  return Math.floor(months(end) / size) - Math.floor(months(start) / size);
}

/** DATEPART on ISO text; `tzoffset` is in minutes. */
export function datePart(part: string, time: string): number {
  if (/^(tzoffset|tz)$/i.test(part)) return parseIsoTime(time)?.offsetMinutes ?? 0;
  const date = dateOf(time);
  const parts: Readonly<Record<Unit, number>> = {
    year: date.getUTCFullYear(),
    quarter: Math.floor(date.getUTCMonth() / 3) + 1,
    month: date.getUTCMonth() + 1,
    week: Math.ceil((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1) + 1) / 604_800_000),
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    millisecond: date.getUTCMilliseconds(),
  };
  return parts[unitOf(part)];
}

function unitOf(part: string): Unit {
  const unit = UNITS[part.toLowerCase()];
  if (!unit) throw raise(155, [part, 'datepart']);
  return unit;
}

function dateOf(text: string): Date {
  const parts = parseIsoTime(text);
  if (!parts) throw raise(241);
  const unixDays = parts.days - 719_162;
  return new Date(unixDays * 86_400_000 + Number(parts.ticks / 10_000n));
}
