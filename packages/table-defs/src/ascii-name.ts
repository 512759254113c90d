import type { PipelineSettings } from '@cdc-migrations/config';
import { shortName } from '@cdc-migrations/sql-text';

/** Letters of European languages that are no letter of ASCII with a mark. */
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
 * Replaces the letters of a name that ASCII lacks: `Døv` gives `Dov`, `Rå tekst` gives `Ra tekst`, `Ære` gives `AEre`. A
 * letter of another script stays.
 */
export function asciiName(name: string): string {
  return name
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .replace(/[^\0-\x7f]/gu, (letter) => LETTERS[letter] ?? letter)
    .normalize('NFC');
}

/** Names of columns in PostgreSQL by those of the source, as a setting of the pipeline has them. */
export function columnNamer(setting: PipelineSettings['columnNames']): (name: string) => string {
  return setting === 'ascii' ? (name) => shortName(asciiName(name)) : shortName;
}
