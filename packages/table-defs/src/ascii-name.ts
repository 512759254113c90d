import type { PipelineSettings } from '@cdc-migrations/config';
import { shortName } from '@cdc-migrations/sql-text';

/** Letters of European languages that are not an ASCII letter with a diacritic. */
const LETTERS: Readonly<Record<string, string>> = {
  ...{ æ: 'ae', Æ: 'AE', ø: 'o', Ø: 'O', œ: 'oe', Œ: 'OE', ß: 'ss', ẞ: 'SS', þ: 'th', Þ: 'TH' },
  ...{
    đ: 'd',
    Đ: 'D',
    ð: 'd',
    Ð: 'D',
    ħ: 'h',
    Ħ: 'H',
    ı: 'i',
    ĸ: 'k',
    ł: 'l',
    Ł: 'L',
    ŋ: 'n',
    Ŋ: 'N',
  },
  ...{ ŧ: 't', Ŧ: 'T' },
};

/**
 * Replaces the non-ASCII letters of a name: `Døv` gives `Dov`, `Rå tekst` gives `Ra tekst`, `Ære` gives `AEre`. Letters
 * of other scripts are unchanged.
 */
export function asciiName(name: string): string {
  return name
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .replace(/[^\0-\x7f]/gu, (letter) => LETTERS[letter] ?? letter)
    .normalize('NFC');
}

/** Returns a function that converts source column names to PostgreSQL names, as a pipeline setting requires. */
export function columnNamer(setting: PipelineSettings['columnNames']): (name: string) => string {
  return setting === 'ascii' ? (name) => shortName(asciiName(name)) : shortName;
}
