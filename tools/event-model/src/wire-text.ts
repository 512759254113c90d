import type { EventForm } from '@cdc-migrations/table-defs';

/**
 * Renders a value in a form, as a text pipeline sends it. `stored` is the value as PostgreSQL writes it, with all
 * fractional digits of the source: `2024-01-02 03:04:05.1234567`, `9.50`, `\xcafe`.
 */
export function wireText(stored: string, form: EventForm): string {
  const [, name, scale] = /^(\w+)(?:\((\d+)\))?$/.exec(form)!;
  return name === 'decimal_base64'
    ? base64Integer(unscaled(stored, Number(scale)))
    : ENCODERS[name!]!(stored);
}

const ENCODERS: Readonly<Record<string, (stored: string) => string>> = {
  days: (stored) => String(nanoseconds(stored) / DAY),
  milliseconds: (stored) => String(floor(nanoseconds(stored), 1_000_000n)),
  microseconds: (stored) => String(floor(nanoseconds(stored), 1000n)),
  nanoseconds: (stored) => String(nanoseconds(stored)),
  iso: (stored) => `${stored.replace(' ', 'T')}${/[-+]\d\d:\d\d$|^\d\d:/.test(stored) ? '' : 'Z'}`,
  rfc3339: (stored) => rfc3339(stored),
  decimal_text: (stored) => stored,
  decimal_struct: (stored) => {
    const scale = (/\.(\d+)$/.exec(stored)?.[1] ?? '').length;
    return JSON.stringify({ scale, value: base64Integer(unscaled(stored, scale)) });
  },
  base64: (stored) => bytes(stored).toString('base64'),
  base64_url: (stored) => bytes(stored).toString('base64url'),
  hex: (stored) => bytes(stored).toString('hex'),
};

const DAY = 86_400_000_000_000n;

/** Converts to nanoseconds since 1970 or since midnight. */
function nanoseconds(stored: string): bigint {
  const [, date, clock = '00:00:00', fraction = ''] =
    /^(\d{4,}-\d\d-\d\d)?[ ]?(\d\d:\d\d:\d\d)?(?:\.(\d+))?$/.exec(stored)!;
  const [hours, minutes, seconds] = clock.split(':').map(BigInt);
  const ofDay = ((hours! * 60n + minutes!) * 60n + seconds!) * 1_000_000_000n;
  return (date ? daysOf(date) * DAY : 0n) + ofDay + BigInt(fraction.padEnd(9, '0'));
}

function daysOf(date: string): bigint {
  const [year, month, day] = date.split('-').map(Number);
  return BigInt(new Date(0).setUTCFullYear(year!, month! - 1, day)) / 86_400_000n;
}

function floor(value: bigint, unit: bigint): bigint {
  const rest = ((value % unit) + unit) % unit;
  return (value - rest) / unit;
}

/** Formats a date or time like Go, with both parts. */
function rfc3339(stored: string): string {
  if (/^\d\d:/.test(stored)) return `0001-01-01T${stored}Z`;
  const [date, clock = '00:00:00'] = stored.split(' ');
  return `${date}T${clock}${/[-+]/.test(clock) ? '' : 'Z'}`;
}

function unscaled(stored: string, scale: number): bigint {
  const [whole, fraction = ''] = stored.split('.');
  return BigInt(whole + fraction.padEnd(scale, '0'));
}

/** Encodes an integer as big-endian two's complement with the fewest bytes. */
function base64Integer(value: bigint): string {
  let length = 1;
  while (BigInt.asIntN(length * 8, value) !== value) length += 1;
  const digits = BigInt.asUintN(length * 8, value).toString(16);
  return Buffer.from(digits.padStart(length * 2, '0'), 'hex').toString('base64');
}

function bytes(stored: string): Buffer {
  return Buffer.from(stored.replace(/^\\x/, ''), 'hex');
}
