/** Parts of a point in time. `fraction` is in units of 100 ns, `offsetMinutes` is the offset of its time zone. */
export interface TimeParts {
  /** Days since 0001-01-01. */
  readonly days: number;
  /** Units of 100 ns since midnight. */
  readonly ticks: bigint;
  readonly offsetMinutes: number;
}

const MS_PER_DAY = 86_400_000;
/** 1970-01-01 in days since 0001-01-01. */
const UNIX_EPOCH_DAYS = 719_162;
/** 1900-01-01, the start of datetime, in days since 0001-01-01. */
export const DATETIME_EPOCH_DAYS = 693_595;

const ISO =
  /^(?:(\d{4})-(\d{2})-(\d{2}))?[T ]?(?:(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,7}))?)?)?\s*(Z|[+-]\d{2}:\d{2})?$/;

/** Parses an ISO date, time or both. Returns undefined for any other text. */
export function parseIsoTime(text: string): TimeParts | undefined {
  const match = ISO.exec(text.trim());
  if (!match || (match[1] === undefined && match[4] === undefined)) return undefined;
  const [, year = '1900', month = '01', day = '01', hour = '0', minute = '0', second = '0'] = match;
  const date = new Date(Date.UTC(2000, Number(month) - 1, Number(day)));
  const utc = date.setUTCFullYear(Number(year), Number(month) - 1, Number(day)); // Date.UTC interprets year 1 as 1901
  const isReal = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  if (!isReal || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const seconds = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  return {
    days: utc / MS_PER_DAY + UNIX_EPOCH_DAYS,
    ticks: BigInt(seconds) * 10_000_000n + BigInt((match[7] ?? '').padEnd(7, '0')),
    offsetMinutes: parseOffset(match[8]),
  };
}

function parseOffset(text: string | undefined): number {
  if (text === undefined || text === 'Z') return 0;
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(4, 6));
  return text.startsWith('-') ? -minutes : minutes;
}

/** Formats days since 0001-01-01 as `YYYY-MM-DD`. */
export function renderIsoDate(days: number): string {
  return new Date((days - UNIX_EPOCH_DAYS) * MS_PER_DAY).toISOString().slice(0, 10);
}

/** Formats `HH:MM:SS` with a number of fractional digits, truncated and not rounded. */
export function renderIsoClock(ticks: bigint, digits: number): string {
  const two = (value: bigint): string => value.toString().padStart(2, '0');
  const seconds = ticks / 10_000_000n;
  const clock = `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}`;
  if (digits === 0) return clock;
  const fraction = (ticks % 10_000_000n).toString().padStart(7, '0');
  return `${clock}.${fraction.slice(0, digits)}`;
}

/** Formats a JavaScript time as the engine's datetime, `2024-01-31T12:00:00.123`. */
export function renderIsoTime(time: Date): string {
  return time.toISOString().slice(0, 23);
}
