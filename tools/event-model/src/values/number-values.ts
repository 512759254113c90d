import type { Random } from '../random.ts';

/** Builds an integer between two bounds, often one of them. */
export function buildInteger(random: Random, min: bigint, max: bigint): string {
  const edges = [min, max, 0n, 1n, min < -1n ? -1n : 1n, min + 1n, max - 1n];
  if (random.chance(0.3)) return String(random.pick(edges));
  if (random.chance(0.5)) return String(random.integer(min < 0n ? -100 : 0, 100));
  const span = max - min + 1n;
  return String(min + (BigInt(random.digits(String(span).length + 1)) % span));
}

/** Builds a number with all digits of `numeric(precision,scale)`. */
export function buildNumeric(random: Random, precision = 40, scale = 15): string {
  const largest = 10n ** BigInt(precision) - 1n;
  const unscaled = random.pick([
    () => 0n,
    () => 1n,
    () => largest,
    () => BigInt(random.digits(precision)),
    () => BigInt(random.digits(Math.min(precision, scale + 3))),
  ])();
  const sign = unscaled !== 0n && random.chance(0.3) ? '-' : '';
  const digits = String(unscaled).padStart(scale + 1, '0');
  const point = digits.length - scale;
  return sign + digits.slice(0, point) + (scale > 0 ? `.${digits.slice(point)}` : '');
}

/** Builds a `real` in its shortest round-trip text. */
export function buildReal(random: Random): string {
  if (random.chance(0.3)) {
    return random.pick(['0', '0.1', '-1.5', '3.4028235e+38', '-3.4028235e+38', '1.1754944e-38']);
  }
  const value = (random.integer(-1e9, 1e9) / 7) * 10 ** random.integer(-20, 20);
  return String(Math.fround(value).toPrecision(9));
}

export function buildDouble(random: Random): string {
  if (random.chance(0.3)) {
    const edges = [Number.MAX_VALUE, -Number.MAX_VALUE, 2.2250738585072014e-308];
    return String(random.pick([0, 0.1, 1 / 3, 2 ** 53 + 2, 5e-324, ...edges]));
  }
  return String((random.integer(-1e9, 1e9) / 7) * 10 ** random.integer(-200, 200));
}

/** Builds digits 0 and 1. */
export function buildBits(random: Random, length: number): string {
  return Array.from({ length }, () => random.integer(0, 1)).join('');
}
