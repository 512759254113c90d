import { InvalidArgumentError } from 'commander';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Parses `500ms`, `30s`, `2m`, `1h` or `0` of an option to milliseconds. */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  const [, number, unit = ''] = /^(\d+)(ms|s|m|h)$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('expected 500ms, 30s, 2m, 1h or 0');
  return Number(number) * UNIT_MS[unit]!;
}

/** Parses a duration like `parseDuration` and refuses zero. */
export function parsePositiveDuration(text: string): number {
  const ms = parseDuration(text);
  if (ms === 0) throw new InvalidArgumentError('expected 500ms, 30s, 2m or 1h');
  return ms;
}

/** Parses a whole number of an option, from `least` on. */
export function parseCount(least: number): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (!/^\d+$/.test(text) || count < least)
      throw new InvalidArgumentError(`expected a whole number of at least ${least}`);
    return count;
  };
}
