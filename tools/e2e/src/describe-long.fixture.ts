/** Describes tests of over ten seconds that not every `npm test` needs. CONTRIBUTING.md says how to run them. */
export const describeLong = process.env['CDC_LONG_TESTS'] ? describe : describe.skip;
