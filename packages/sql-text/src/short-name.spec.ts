import { MAX_NAME_BYTES, shortName } from './short-name.ts';

const A = 'a'.repeat(63);

describe('a name within 63 bytes', () => {
  it.each(['', 'Actor', A, 'ø'.repeat(31), '🙂'.repeat(15), '€'.repeat(21)])(
    '%s is unchanged',
    (name) => {
      expect(shortName(name)).toBe(name);
    },
  );
});

describe('a name of more than 63 bytes', () => {
  it.each([
    [`${A}b`, `${'a'.repeat(54)}_97aa7c54`],
    ['ø'.repeat(32), `${'ø'.repeat(27)}_623e5041`],
    [`a${'ø'.repeat(40)}`, `a${'ø'.repeat(26)}_ee5e8617`],
    ['🙂'.repeat(16), `${'🙂'.repeat(13)}_c207a823`],
    [`${'€'.repeat(21)}x`, `${'€'.repeat(18)}_2e3cbb9f`],
  ])('becomes its beginning and a fixed hash: %s', (name, short) => {
    expect(shortName(name)).toBe(short);
  });

  it('is shortened to at most 63 bytes, without splitting a character', () => {
    for (let length = 1; length <= 40; length++) {
      const short = shortName('x'.repeat(length) + 'Åø🙂'.repeat(20));
      expect(Buffer.byteLength(short)).toBeLessThanOrEqual(MAX_NAME_BYTES);
      expect(Buffer.from(short).toString()).toBe(short);
    }
  });

  it('has another short name than a name that differs only at its end', () => {
    expect(shortName(`${A}1`)).not.toBe(shortName(`${A}2`));
  });

  it('has a short name that is not shortened again', () => {
    const short = shortName(`stg_${A}`);
    expect(shortName(short)).toBe(short);
  });
});
