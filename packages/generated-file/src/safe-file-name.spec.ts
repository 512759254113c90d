import { safeFileName } from './safe-file-name.ts';

describe('safeFileName', () => {
  it.each([
    ['Actor', 'Actor'],
    ['Døv Ærlighet å', 'Døv Ærlighet å'],
    ['Ådne.v2', 'Ådne.v2'],
    ['日本', '日本'],
    ['😀', '😀'],
    ['a/b', 'a%2Fb'],
    ['a\\b:c*d?e"f<g>h|i', 'a%5Cb%3Ac%2Ad%3Fe%22f%3Cg%3Eh%7Ci'],
    ['100%', '100%25'],
    ['a%2Fb', 'a%252Fb'],
    ['\u0000\n\u007f', '%00%0A%7F'],
    ['\u0085', '%C2%85'],
    ['\u2028', '%E2%80%A8'],
    ['\ufeff', '%EF%BB%BF'],
    ['\ud800', '%uD800'],
    ['.', '%2E'],
    ['..', '%2E%2E'],
    ['.hidden', '%2Ehidden'],
    ['end.', 'end%2E'],
    [' both ', '%20both%20'],
    [' ', '%20'],
    ['', '%'],
    ['CON', '%43ON'],
    ['con', '%63on'],
    ['Nul.x', '%4Eul.x'],
    ['COM1', '%43OM1'],
    ['lpt²', '%6Cpt²'],
    ['CONIN$', '%43ONIN$'],
    ['CONTACT', 'CONTACT'],
    ['COM', 'COM'],
    ['x.con', 'x.con'],
  ])('encodes %j as %s', (name, expected) => {
    expect(safeFileName(name)).toBe(expected);
  });

  it.each<[[string, ...string[]], string]>([
    [['AdOpusTest', 'dbo'], 'AdOpusTest.dbo'],
    [['a.b', 'c'], 'a%2Eb.c'],
    [['a', 'b.c'], 'a.b.c'],
    [['aux', 'dbo'], '%61ux.dbo'],
  ])('joins %j to %s', (parts, expected) => {
    expect(safeFileName(...parts)).toBe(expected);
  });

  it('keeps a name of 200 bytes, and shortens a longer one', () => {
    expect(safeFileName('a'.repeat(200))).toBe('a'.repeat(200));
    const long = safeFileName('a'.repeat(201));
    expect(long).toMatch(/^a{183}~[0-9a-f]{16}$/);
    expect(long).not.toBe(safeFileName('a'.repeat(202)));
  });

  it.each(['ø', '😀', '/', '\ud800'])('never splits %j when it shortens a name', (character) => {
    for (const shift of ['', 'a', 'aa', 'aaa', 'aaaa', 'aaaaa']) {
      const name = safeFileName(shift + character.repeat(250));
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(200);
      expect(name).not.toMatch(/\p{Cs}/u);
      expect(name).toMatch(/^(?:%u[0-9A-F]{4}|%[0-9A-F]{2}|[^%])*~[0-9a-f]{16}$/u);
    }
  });
});
