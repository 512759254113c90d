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

describe('the file of a table is called', () => {
  it.each<[string, readonly TableDefinition[], readonly string[]]>([
    ['as the table', [table('Actor'), table('Avtale', 'public')], ['Actor', 'Avtale']],
    [
      'with its schema where two have one name',
      [table('Actor'), table('Actor', 'public'), table('Avtale')],
      ['adopus.Actor', 'public.Actor', 'Avtale'],
    ],
    [
      'with its schema where names differ in case only',
      [table('Actor'), table('ACTOR', 'public')],
      ['adopus.Actor', 'public.ACTOR'],
    ],
    [
      'with its set where schemas are the same',
      [table('Actor'), table('Actor', 'adopus', 'sink_asma.calendar')],
      ['sink_asma.directory.adopus.Actor', 'sink_asma.calendar.adopus.Actor'],
    ],
    [
      'with its schema where its name is that of another with its schema',
      [table('public.T'), table('T', 'public'), table('T', 'crm')],
      ['adopus.public.T', 'sink_asma.directory.public.T', 'crm.T'],
    ],
    ['with letters that every file system takes', [table('Say "hi"/Ø')], ['Say %22hi%22%2FØ']],
  ])('%s', (_how, tables, stems) => {
    const found = fileStems(tables);
    expect(tables.map((each) => found.get(each))).toEqual(stems);
  });
});
