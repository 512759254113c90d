import { FileError } from '@cdc-migrations/shape';
import { parseManifest, renderManifest, type Manifest } from './manifest.ts';
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
  [
    'a table with values in forms of a pipeline',
    {
      ...ACTOR,
      unavailable: '__unchanged',
      columns: (['iso', 'days(9999)', 'decimal_base64(2)', 'base64_url'] as const).map(
        (form, index) => ({ ...ACTOR.columns[0]!, name: `c${index}`, form }),
      ),
      key: null,
    },
  ],
  ['an existing table', EXISTING],
  ['an existing table without mapped columns', { ...EXISTING, columns: [] }],
])('reads %s back unchanged from its file', (_what, table) => {
  const [file] = renderDefinitions([table]);
  expect(parseDefinition(file!.text, file!.path)).toEqual(table);
  expect(parseDefinition(file!.text.replaceAll('\n', '\r\n'), file!.path)).toEqual(table);
});

it('renders an existing table', () => {
  const [{ path, text } = { path: '', text: '' }] = renderDefinitions([EXISTING]);
  expect(path).toBe('generated/table-definitions/customer_user.yaml');
  expect(text.slice(text.indexOf('\n\n') + 2)).toBe(`format: 1
kind: "existing"
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

it('reads sets back unchanged', () => {
  const sets = [SET, { ...SET, name: 'sink_asma.calendar', literalSchemas: [] }];
  expect(parseSets(renderSets(sets).text)).toEqual(sets);
});

it('creates a folder for each service only if there are several services', () => {
  const chat = { ...EXISTING, service: 'chat' };
  const pathsOf = (tables: readonly ExistingTable[]) =>
    renderDefinitions(tables).map(({ path }) => path);
  expect(pathsOf([chat])).toEqual(['generated/table-definitions/customer_user.yaml']);
  expect(pathsOf([EXISTING, chat])).toEqual([
    'generated/table-definitions/adopus/customer_user.yaml',
    'generated/table-definitions/chat/customer_user.yaml',
  ]);
});

const MANIFEST: Manifest = {
  set: SET.name,
  role: 'postgres',
  files: [
    {
      path: 'tables/Actor.sql',
      category: 'tables',
      name: 'Actor',
      service: 'adopus',
      scope: 'tenant',
      checksum: `sha256:${'0'.repeat(64)}`,
    },
  ],
  validation: [],
};

it('reads a manifest back unchanged', () => {
  const { text, path } = renderManifest(MANIFEST, SET);
  expect(parseManifest(text, path)).toEqual(MANIFEST);
});

describe('a damaged file is refused with its name and the keys', () => {
  const DEFINITION = renderDefinitions([ACTOR])[0]!.text;
  const SETS = renderSets([SET]).text;
  const LISTED = renderManifest(MANIFEST, SET).text;
  const PARSERS = { definition: parseDefinition, sets: parseSets, manifest: parseManifest };

  it.each<[keyof typeof PARSERS, string, string]>([
    ['definition', 'hello', 'x.yaml: expected a table definition, found "hello"'],
    [
      'definition',
      DEFINITION.replace(/^names:\n(?: .*\n)+/m, ''),
      'x.yaml: missing key "names"; expected a mapping with the keys staging, trigger, merge_procedure,',
    ],
    [
      'definition',
      DEFINITION.replace('"replicated"', '"copied"'),
      'x.yaml kind: expected replicated or existing, found "copied"',
    ],
    [
      'definition',
      DEFINITION.replace(/^kind: .*\n/m, ''),
      'x.yaml kind: expected replicated or existing, found nothing',
    ],
    [
      'definition',
      DEFINITION.replace('"tenant"', '"all"'),
      'x.yaml schema.scope: expected tenant or literal, found "all"',
    ],
    [
      'definition',
      DEFINITION.replace('"integer"', '"int"'),
      'x.yaml columns.act_no.type: expected a PostgreSQL type as format_type writes it, found "int"',
    ],
    [
      'definition',
      DEFINITION.replace('"exact"', '"right"'),
      'x.yaml columns.act_no.exactness: expected one of exact, widened, lossy, unsupported, found "right"',
    ],
    [
      'definition',
      DEFINITION.replace('["act_no", ', '["actno", '),
      'x.yaml key.columns: expected a column of the table, found "actno"',
    ],
    [
      'definition',
      DEFINITION.replace('"name": "__source_db"', '"name": "__source"'),
      'x.yaml columns.__source: expected each column once, found a duplicate',
    ],
    [
      'definition',
      DEFINITION.replace('format: 1\n', ''),
      'x.yaml format: expected a table definition of format 1, found none, as in files of versions before 0.1\nx.yaml: cdc manage-migrations generate updates it',
    ],
    ['sets', '- 1', 'x.yaml: expected a file of migration sets, found a list'],
    [
      'sets',
      SETS.replace('"pattern"', '"patern"'),
      'x.yaml sets.sink_asma.directory: missing key "pattern"; expected db-per-tenant or db-shared',
    ],
    [
      'sets',
      SETS.replace('["adopus"]', '"adopus"'),
      'x.yaml sets.sink_asma.directory.services: expected a list in which each item is the name of a service, found text',
    ],
    [
      'manifest',
      LISTED.replace('files:', 'file:'),
      'x.yaml: missing key "files"; expected a list of files',
    ],
    [
      'manifest',
      LISTED.replace('"tables"', '"functions"'),
      'x.yaml files.Actor.category: expected one of schemas, infrastructure, manual, tables, staging, after, repeatable, validation, found "functions"',
    ],
    [
      'manifest',
      LISTED.replace('sha256:0', 'sha256:'),
      'x.yaml files.Actor.checksum: expected sha256: and 64 hexadecimal digits',
    ],
    [
      'manifest',
      LISTED.replace(/^files:/m, '<<<<<<< HEAD\nfiles:'),
      'x.yaml:8: expected no git conflict markers, found "<<<<<<<"',
    ],
  ])('%s, case %#', (parser, text, message) => {
    const parse = () => PARSERS[parser](text, 'x.yaml');
    expect(parse).toThrow(FileError);
    expect(parse).toThrow(message);
  });
});
