import { asciiName } from './ascii-name.ts';

it.each([
  ['Døv', 'Dov'],
  ['Fødeland', 'Fodeland'],
  ['Rå tekst', 'Ra tekst'],
  ['RÅ', 'RA'],
  ['Ra\u030a', 'Ra'],
  ['Ære', 'AEre'],
  ['fravær', 'fravaer'],
  ['Straße', 'Strasse'],
  ['żółw', 'zolw'],
  ['Þór', 'THor'],
  ['Say "hi"', 'Say "hi"'],
  ['Имя', 'Имя'],
])('converts %s to %s', (name, expected) => {
  expect(asciiName(name)).toBe(expected);
});
