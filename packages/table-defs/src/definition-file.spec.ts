import { parseDefinition, parseSets, renderDefinitions, renderSets } from './definition-file.ts';
import { METADATA_COLUMNS } from './metadata-columns.ts';
import { buildObjectNames } from './object-names.ts';
import type { ExistingTable, MigrationSet, ReplicatedTable } from './table-definition.ts';

const ACTOR: ReplicatedTable = {
  kind: 'replicated',
  set: 'sink_asma.directory',
  service: 'adopus',
  source: { database: 'AdOpusTest', schema: 'dbo', table: 'Actor "x"' },
  schema: { scope: 'tenant' },
  name: 'Actor "x"',
  names: buildObjectNames('Actor "x"'),
  key: { columns: ['act_no', 'søkeNøkkel'], origin: 'primary key' },
  deleteMode: 'soft',
  staging: 'logged',
  transforms: ['file://a_b.blobl'],
  columns: [
    {
      name: 'act_no',
      role: 'source',
      type: 'integer',
      nullable: false,
      source: { name: 'act_no', type: 'int' },
      exactness: 'exact',
    },
    {
      name: 'søkeNøkkel',
      role: 'template',
      type: 'uuid',
      nullable: false,
      default: `'a\\b' || "c"`,
    },
    ...METADATA_COLUMNS,
  ],
};

const EXISTING: ExistingTable = {
  kind: 'existing',
  set: 'sink_asma.directory',
  service: 'adopus',
  source: { database: 'AdOpusTest', schema: 'dbo', table: 'Actor' },
  schema: { scope: 'literal', name: 'public' },
  name: 'customer_user',
  columns: [
    {
      name: 'user_name',
      role: 'source',
      type: 'text',
      nullable: true,
      source: { name: 'BrukerNavn', type: 'nvarchar(max)' },
    },
  ],
};

const SET: MigrationSet = {
  name: 'sink_asma.directory',
  folder: 'migrations',
  sourceGroup: 'adopus',
  pattern: 'db-per-tenant',
  services: ['adopus'],
  literalSchemas: ['shared_a'],
};

it.each([
  ['a replicated table', ACTOR],
  ['a table without a key', { ...ACTOR, key: null, transforms: [] }],
  ['an existing table', EXISTING],
  ['an existing table of which nothing is mapped', { ...EXISTING, columns: [] }],
])('%s is read back from its file as it was', (_what, table) => {
  const [file] = renderDefinitions([table]);
  expect(parseDefinition(file!.text)).toEqual(table);
  expect(parseDefinition(file!.text.replaceAll('\n', '\r\n'))).toEqual(table);
});

it('an existing table is these lines', () => {
  const [{ path, text } = { path: '', text: '' }] = renderDefinitions([EXISTING]);
  expect(path).toBe('generated/table-definitions/customer_user.yaml');
  expect(text.slice(text.indexOf('\n\n') + 2)).toBe(`kind: "existing"
set: "sink_asma.directory"
service: "adopus"
source:
  database: "AdOpusTest"
  schema: "dbo"
  table: "Actor"
schema:
  scope: "literal"
  name: "public"
name: "customer_user"
columns:
  - {"name": "user_name", "role": "source", "type": "text", "nullable": true, "source": {"name": "BrukerNavn", "type": "nvarchar(max)"}}
`);
});

it('sets are read back as they were', () => {
  const sets = [SET, { ...SET, name: 'sink_asma.calendar', literalSchemas: [] }];
  expect(parseSets(renderSets(sets).text)).toEqual(sets);
});

it('a folder for each service only where there are several', () => {
  const chat = { ...EXISTING, service: 'chat' };
  const pathsOf = (tables: readonly ExistingTable[]) =>
    renderDefinitions(tables).map(({ path }) => path);
  expect(pathsOf([chat])).toEqual(['generated/table-definitions/customer_user.yaml']);
  expect(pathsOf([EXISTING, chat])).toEqual([
    'generated/table-definitions/adopus/customer_user.yaml',
    'generated/table-definitions/chat/customer_user.yaml',
  ]);
});
