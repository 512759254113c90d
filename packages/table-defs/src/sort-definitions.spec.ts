import { sortDefinitions } from './sort-definitions.ts';
import type { ExistingTable } from './table-definition.ts';

const table = (set: string, service: string, schema: string | null, name: string) =>
  ({
    ...{ kind: 'existing', set, service, name, columns: [] },
    source: { database: 'D', schema: 'dbo', table: name },
    schema: schema === null ? { scope: 'tenant' } : { scope: 'literal', name: schema },
  }) satisfies ExistingTable;

const SORTED = [
  table('a.one', 'chat', null, 'B'),
  table('a.one', 'chat', null, 'a'),
  table('a.one', 'chat', null, 'ab'),
  table('a.one', 'chat', null, 'Ø'),
  table('a.one', 'chat', 'public', 'A'),
  table('a.one', 'chat2', null, 'A'),
  table('b.one', 'chat', null, 'A'),
];

it.each([
  ['sorted', SORTED],
  ['reversed', SORTED.toReversed()],
  ['rotated', [...SORTED.slice(3), ...SORTED.slice(0, 3)]],
])(
  'sorts by set, service, schema and name, in the order of code units, if the input is %s',
  (_what, tables) => {
    expect(sortDefinitions(tables)).toEqual(SORTED);
  },
);
