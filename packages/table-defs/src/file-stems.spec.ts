import { fileStems } from './file-stems.ts';
import type { TableDefinition } from './table-definition.ts';

function table(name: string, schema = 'adopus', set = 'sink_asma.directory'): TableDefinition {
  return {
    kind: 'existing',
    set,
    service: 'adopus',
    source: { database: 'AdOpusTest', schema: 'dbo', table: name },
    schema: schema === 'adopus' ? { scope: 'tenant' } : { scope: 'literal', name: schema },
    name,
    columns: [],
  };
}

describe('the file of a table is named', () => {
  it.each<[string, readonly TableDefinition[], readonly string[]]>([
    ['after the table', [table('Actor'), table('Avtale', 'public')], ['Actor', 'Avtale']],
    [
      'with its schema if two tables have the same name',
      [table('Actor'), table('Actor', 'public'), table('Avtale')],
      ['adopus.Actor', 'public.Actor', 'Avtale'],
    ],
    [
      'with its schema if names differ only in case',
      [table('Actor'), table('ACTOR', 'public')],
      ['adopus.Actor', 'public.ACTOR'],
    ],
    [
      'with its set if two tables have the same schema and name',
      [table('Actor'), table('Actor', 'adopus', 'sink_asma.calendar')],
      ['sink_asma.directory.adopus.Actor', 'sink_asma.calendar.adopus.Actor'],
    ],
    [
      'with its schema or set if its name is the schema and name of another table',
      [table('public.T'), table('T', 'public'), table('T', 'crm')],
      ['adopus.public.T', 'sink_asma.directory.public.T', 'crm.T'],
    ],
    ['with characters that every file system accepts', [table('Say "hi"/Ø')], ['Say %22hi%22%2FØ']],
  ])('%s', (_how, tables, stems) => {
    const found = fileStems(tables);
    expect(tables.map((each) => found.get(each))).toEqual(stems);
  });
});
