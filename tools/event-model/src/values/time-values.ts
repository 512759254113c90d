import type { Random } from '../random.ts';

const MOST_SECOND_DIGITS = 6;

/** A date that SQL Server knows: years 1 to 9999. */
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

/** A time of day with at most that many digits of the second. */
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

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
