/**
 * @param {unknown} actual
 * @param {unknown} expected
 */
export function expectEqual(actual, expected) {
  const [is, wanted] = [actual, expected].map((value) => JSON.stringify(value, null, 1));
  if (is !== wanted) throw new Error(`is ${is}\nwould be ${wanted}`);
}
