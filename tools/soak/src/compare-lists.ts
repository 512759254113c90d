/** Lists the items that only one list has. */
export function compareLists(
  what: string,
  expected: readonly string[],
  found: readonly string[],
): readonly string[] {
  return [
    ...expected.filter((text) => !found.includes(text)).map((text) => `${what} missing: ${text}`),
    ...found
      .filter((text) => !expected.includes(text))
      .map((text) => `${what} unexpected: ${text}`),
  ];
}
