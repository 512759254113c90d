import { buildValue, keyText, type Random } from '@cdc-migrations/event-model';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';

/** Values that are easily confused, by the type of a key column. */
const LOOKALIKES: Readonly<Record<string, readonly string[]>> = {
  'character varying(10)': [
    'a',
    'A',
    'a ',
    'a  ',
    ' a',
    '',
    ' ',
    'å',
    'Å',
    'A ',
    'a\t',
    'a,b',
    'a"b',
  ],
  text: ['a', 'A', 'a ', 'a  ', ' a', '', ' ', 'NULL', '{a}', 'a\\', 'a,b', 'a"b', 'a\nb'],
  'character(4)': ['a', 'a ', 'A', 'A  ', '0150', '150', '', ' ', ' a', 'åå'],
  uuid: [
    '0a827150-1332-5167-993b-68db156438cb',
    '0A827150-1332-5167-993B-68DB156438CB',
    '1a827150-1332-5167-993b-68db156438cb',
  ],
  bytea: ['\\x', '\\x00', '\\x0000', '\\x61', '\\x41', '\\x6120'],
  smallint: ['0', '1', '-1', '32767'],
  date: ['2000-01-01', '2000-02-29'],
};

/** A key in all spellings that are equal in the final table. */
export interface Key {
  readonly text: string;
  readonly spellings: readonly Readonly<Record<string, string>>[];
}

/** Builds up to `most` different keys, often ones that a careless comparison confuses. */
export function buildRandomKeys(
  definition: ReplicatedTable,
  most: number,
  random: Random,
): readonly Key[] {
  const keys = new Map<string, Readonly<Record<string, string>>[]>();
  for (let n = 0; n < most; n++) {
    const values = buildKeyValues(definition, random);
    const text = keyText(definition, values) ?? '';
    keys.set(text, [...(keys.get(text) ?? []), values]);
  }
  return [...keys].map(([text, spellings]) => ({ text, spellings }));
}

function buildKeyValues(
  { key, columns }: ReplicatedTable,
  random: Random,
): Readonly<Record<string, string>> {
  const named = columns.filter(({ name }) => key?.columns.includes(name));
  return Object.fromEntries(
    named.map(({ name, type }) => {
      const alike = LOOKALIKES[type];
      return [name, alike && random.chance(0.6) ? random.pick(alike) : buildValue(type, random)];
    }),
  );
}
