/**
 * Chooses the seed of a test run: `CDC_TEST_SEED`, else a new one. It is printed, so that a failed run can be repeated.
 */
export function chooseSeed(): number {
  const given = process.env['CDC_TEST_SEED'];
  const seed = given ? Number(given) : Math.floor(Math.random() * 2 ** 31);
  if (!Number.isInteger(seed)) throw new Error(`CDC_TEST_SEED is no integer: ${given}`);
  process.stderr.write(`CDC_TEST_SEED=${seed}\n`);
  return seed;
}
