import { join } from 'node:path';
import { parse } from 'yaml';
import { cdc } from '../cdc.fixture.ts';
import {
  adopusRepo,
  copyOf,
  edit,
  emptyFolder,
  read,
  smallRepo,
  treeOf,
  write,
} from '../repo.fixture.ts';

const FIXTURES = join(__dirname, '../../../../fixtures');
const SINK = 'pipelines/sink_asma.directory/nonprod';
const SOURCE = 'pipelines/sources/adopus/nonprod/default.json';

const generate = (cwd: string, ...args: readonly string[]) =>
  cdc(['manage-pipelines', 'generate', ...args], { cwd });

const TEMPLATES = 'services/_schemas/column-templates.yaml';
const ID = '00000000-0000-4000-8000-00000000000';

/** Creates an adopus repo with these settings for all its tables. */
function adopusWith(pipeline: string): string {
  const root = adopusRepo();
  edit(root, 'sink-groups.yaml', '  type: postgres', `  type: postgres\n  pipeline: ${pipeline}`);
  return root;
}

function connector(root: string, path: string): Readonly<Record<string, string>> {
  return JSON.parse(read(root, path)) as Readonly<Record<string, string>>;
}

it.each(['adopus', 'asma'])('the pipelines of %s are up to date', (name) => {
  const { code, stdout } = generate(join(FIXTURES, name), '--check');
  expect(stdout).toMatch(/^\d+ files: \d+ unchanged\n$/);
  expect(code).toBe(0);
});

it.each(['{ column_names: ascii }', '{ events: debezium }', '{ column_names: source }'])(
  'all 39 INSERTs of adopus fit with %s',
  (pipeline) => {
    const root = adopusWith(pipeline);
    expect(generate(root).code).toBe(0);
    const file = join(root, SINK, 'adopus.yaml');
    const { code, stdout } = cdc(['manage-pipelines', 'check', file], { cwd: root });
    // One of them is for refused events.
    expect(stdout).toBe('40 INSERTs: 40 fit, 0 do not\n');
    expect(code).toBe(0);
  },
);

it.each(['db-per-tenant', 'db-shared'])(
  'every NOT NULL column of a new %s repo has a value',
  (pattern) => {
    const root = emptyFolder();
    const args = ['init', root, '--name', 'shop', '--pattern', pattern, '--ci', 'none'];
    expect(cdc(args, { cwd: root }).code).toBe(0);
    expect(generate(root)).toMatchObject({ stderr: '', code: 0 });
    const { output_resources: outputs } = parse(
      read(root, 'pipelines/sink_shop.warehouse/nonprod/shop.yaml'),
    ) as {
      readonly output_resources: readonly {
        readonly sql_insert?: {
          readonly columns: readonly string[];
          readonly args_mapping: string;
        };
      }[];
    };
    const [{ sql_insert: insert }] = outputs as [(typeof outputs)[number]];
    const [, values] = /^root = \[\n([^]*)\n\]$/m.exec(insert!.args_mapping)!;
    const byName = new Map(
      values!.split('\n').map((value, index) => [insert!.columns[index], value.trim()]),
    );
    const id =
      pattern === 'db-shared'
        ? ['"customer_id"', '$row."customer_id",']
        : ['"_customer_id"', '$row.(meta("customer_id")),'];
    expect([...byName]).toContainEqual(id);
    expect([...byName.values()]).not.toContain('null,');
  },
);

it('sets signal_table only in a connector of a single database', () => {
  const root = smallRepo();
  edit(
    root,
    'source-groups.yaml',
    '  type: mssql\n',
    '  type: mssql\n  signal_table: dbo.signal\n',
  );
  expect(generate(root)).toMatchObject({ code: 0 });
  const several = connector(root, SOURCE);
  expect(several['database.names']).toContain(',');
  expect(several).not.toHaveProperty(['signal.data.collection']);
  const [first] = several['database.names']!.split(',');
  edit(
    root,
    'source-groups.yaml',
    '    blue:\n      schemas: [dbo]\n      nonprod:',
    '    blue:\n      schemas: [dbo]\n      prod:',
  );
  expect(generate(root)).toMatchObject({ code: 0 });
  const one = connector(root, SOURCE);
  expect(one['signal.data.collection']).toBe(`${first}.dbo.signal`);
  expect(one['table.include.list']).toMatch(/,dbo\\.signal$/);
});

it('gives each database of a server its own publication and slot, and keeps names without conflict', () => {
  const root = copyOf(join(FIXTURES, 'asma'));
  const long = 'd'.repeat(62);
  const databases: readonly (readonly [file: string, name: string])[] = [
    ['chat_local', 'Chat-Local'],
    ['proxy_local', 'chat_local'],
    ['directory_local', 'CHAT.local'],
    ['chat }', `${long}a }`],
    ['proxy }', `${long}b }`],
    // A database of another server.
    ['directory }', 'chat.local }'],
  ];
  for (const [name, other] of databases)
    edit(root, 'source-groups.yaml', `database: ${name}`, `database: ${other}`);
  expect(generate(root)).toMatchObject({ code: 0 });
  const slotsOf = (env: string, ...names: readonly string[]) =>
    names.map((name) => {
      const settings = connector(root, `pipelines/sources/asma/${env}/${name}.json`);
      expect(settings['publication.name']).toBe(settings['slot.name']);
      expect(settings['slot.name']).toMatch(/^[a-z0-9_]{1,63}$/);
      return settings['slot.name'];
    });
  const [one, two, three] = slotsOf('local', 'Chat-Local', 'chat_local', 'CHAT.local');
  expect(two).toBe('cdc_chat_local');
  for (const other of [one, three]) expect(other).toMatch(/^cdc_chat_local_[0-9a-f]{8}$/);
  expect(three).not.toBe(one);
  const [first, second] = slotsOf('prod', `${long}a`, `${long}b`);
  expect(first).toBe(`cdc_${'d'.repeat(59)}`);
  expect(second).toMatch(/^cdc_d{50}_[0-9a-f]{8}$/);
  expect(slotsOf('prod', 'chat.local')).toEqual(['cdc_chat_local']);
  expect(slotsOf('dev', 'chat_dev', 'proxy_dev')).toEqual(['cdc_chat_dev', 'cdc_proxy_dev']);
});

it('gives databases their own topics if their names are equal, or become equal in topics', () => {
  const mssql = smallRepo();
  const [, server] = /^( +default: .*\n)/m.exec(read(mssql, 'source-groups.yaml'))!;
  edit(
    mssql,
    'source-groups.yaml',
    server!,
    `${server}${server!.replace('default', 'second').replace('db.example', 'db2.example')}`,
  );
  edit(
    mssql,
    'source-groups.yaml',
    'server: default, database: AdOpusBlue',
    'server: second, database: AdOpusTest',
  );
  expect(generate(mssql)).toMatchObject({ code: 0 });
  const prefixes = ['default', 'second'].map((name) => {
    const settings = connector(mssql, `pipelines/sources/adopus/nonprod/${name}.json`);
    expect(settings['database.names']).toBe('AdOpusTest');
    return settings['topic.prefix'];
  });
  expect(prefixes).toEqual(['adopus-nonprod', 'adopus-nonprod-second']);
  const asma = copyOf(join(FIXTURES, 'asma'));
  edit(asma, 'source-groups.yaml', 'database: chat_local', 'database: chat local');
  edit(asma, 'source-groups.yaml', 'database: proxy_local', 'database: chat_local');
  expect(generate(asma)).toMatchObject({ code: 0 });
  const [one, two] = ['chat local', 'chat_local'].map(
    (name) => connector(asma, `pipelines/sources/asma/local/${name}.json`)['topic.prefix'],
  );
  expect(one).toBe('asma-local.chat_local');
  expect(two).toMatch(/^asma-local\.chat_local_[0-9a-f]{8}$/);
});

it('maps ASCII column names to the names in the source', () => {
  const root = adopusWith('{ column_names: ascii }');
  generate(root);
  const text = read(root, `${SINK}/adopus.yaml`);
  expect(text).toContain(`- '"Ra tekst"'`);
  expect(text).toContain('$row."Rå tekst",');
  expect(text).toContain(`- '"Say ""hi"""'`);
  expect(text).toContain('$row."Say \\"hi\\"",');
});

/** Creates an adopus repo with LSN positions for all tables with a key. */
function adopusByLsn(pipeline: string): string {
  const root = adopusWith(pipeline);
  for (const table of ['Region', 'Tekst']) {
    const from = `from: dbo.${table}\n`;
    edit(root, 'services/adopus.yaml', from, `${from}          pipeline: { positions: offset }\n`);
  }
  return root;
}

it('reads SQL Server change tables for tables with LSN positions, and Kafka for the others', () => {
  const root = adopusByLsn('{ positions: lsn }');
  expect(generate(root).code).toBe(0);
  for (const [name, count] of [
    ['adopus', 3],
    ['adopus.changes', 38],
    ['adopus.snapshot', 38],
  ] as const) {
    const { stdout } = cdc(['manage-pipelines', 'check', join(root, SINK, `${name}.yaml`)], {
      cwd: root,
    });
    expect(stdout).toBe(`${count} INSERTs: ${count} fit, 0 do not\n`);
  }
  expect(read(root, `${SINK}/adopus.changes.yaml`)).not.toContain('kafka_franz');
  expect(connector(root, SOURCE)).toMatchObject({
    'table.include.list': 'dbo\\.Region,dbo\\.Tekst',
  });
  expect(read(root, `${SINK}/fretex.env`)).toContain('CDC_SOURCE_DATABASE="AdOpusFretexDev"');
});

it('refuses events: debezium together with positions: lsn', () => {
  const { code, stderr } = generate(adopusByLsn('{ positions: lsn, events: debezium }'));
  expect(stderr).toContain(
    'expected events: recommended with positions: lsn, found time_precision_mode adaptive and decimal_handling_mode precise',
  );
  expect(code).toBe(2);
});

it('uses the configured form of events in the pipeline and in the connector', () => {
  const debezium = adopusWith('{ events: debezium }');
  generate(debezium);
  expect(connector(debezium, SOURCE)).toMatchObject({
    'time.precision.mode': 'adaptive',
    'decimal.handling.mode': 'precise',
    'binary.handling.mode': 'bytes',
  });
  // Staging accepts base64, so nothing is decoded before.
  expect(read(debezium, `${SINK}/adopus.yaml`)).not.toContain('apply("base64")');
  const hex = adopusWith('{ unavailable_value_placeholder: "-" }');
  generate(hex);
  expect(connector(hex, SOURCE)).toMatchObject({ 'unavailable.value.placeholder': '-' });
  expect(read(hex, `${SINK}/adopus.yaml`)).toContain('$row."Ts".apply("base64")');
});

it('writes ignored columns and configured keys to the connector', () => {
  const root = adopusRepo();
  edit(
    root,
    'services/adopus.yaml',
    'dbo.Region: {}',
    'dbo.Region: { key_columns: [RegionNr, Navn] }',
  );
  generate(root);
  expect(connector(root, SOURCE)).toMatchObject({
    'column.exclude.list': String.raw`dbo\.Actor\.Døv,dbo\.Actor\.Fødeland,dbo\.DocReg\.Innhold`,
    'message.key.columns': String.raw`dbo\.Region:RegionNr,Navn`,
    'database.names': 'AdOpusTest,AdOpusBrukerForum22,AdOpusFretexDev,AdOpusGenesisDev',
  });
});

it('writes a JDBC sink for each customer, with its transforms', () => {
  const root = adopusWith('{ writer: debezium-jdbc, column_names: ascii }');
  expect(generate(root).code).toBe(0);
  const sink = connector(root, `${SINK}/adopus.fretex.json`);
  expect(sink).toMatchObject({
    name: 'cdc-sink_asma.directory-nonprod-adopus-fretex',
    'connector.class': 'io.debezium.connector.jdbc.JdbcSinkConnector',
    'connection.url':
      'jdbc:postgresql://${env:POSTGRES_NONPROD_HOST}:${env:POSTGRES_NONPROD_PORT}/directory_dev?stringtype=unspecified&sslmode=require',
    'connection.password': '${env:POSTGRES_NONPROD_PASSWORD}',
    'transforms.unwrap.add.fields': 'op:cdc_operation,source.ts_ms,source.db,source.table',
    'transforms.position.offset.field': '__kafka_offset',
    'transforms.constant1.static.field': '_customer_id',
    'transforms.constant1.static.value': '1ab725c4-dc4e-509f-ae6d-2f3059a16065',
    'transforms.route.regex': String.raw`adopus-nonprod\.AdOpusFretexDev\.[^.]+\.([^.]+)`,
    'transforms.route.replacement': 'fretex.stg_$1',
  });
  expect(Object.entries(sink).filter(([key]) => key.endsWith('.renames'))).toEqual([
    [
      'transforms.rename1.renames',
      expect.stringMatching(/1:Begrunnelse\w+_2619c892,.*2:Begrunnelse/),
    ],
    ['transforms.rename2.renames', 'Rå tekst:Ra tekst'],
  ]);
  expect(sink['transforms']!.split(',')).toHaveLength(new Set(sink['transforms']!.split(',')).size);
  expect(sink['topics']!.split(',')).toHaveLength(39);
  expect(connector(root, SOURCE)).toMatchObject({ 'value.converter.schemas.enable': 'true' });
});

it('warns that it writes no pipeline for change tables with bento-sql-raw', () => {
  const root = adopusWith('{ events: bento-sql-raw }');
  const { code, stderr } = generate(root);
  expect(stderr).toContain(
    'warning: sink-groups.yaml sink_asma.pipeline.events: bento-sql-raw: the pipeline that reads the change tables is yours',
  );
  expect(code).toBe(0);
  const folders = [...treeOf(join(root, 'pipelines')).keys()];
  expect(folders.filter((path) => path.startsWith('sources'))).toEqual([]);
});

it('copies no password that is written in the configuration', () => {
  const secret = 'S3cret-of-ours';
  for (const pipeline of ['{ writer: bento }', '{ writer: confluent-jdbc }']) {
    const root = adopusWith(pipeline);
    edit(root, 'sink-groups.yaml', '${POSTGRES_NONPROD_PASSWORD}', secret);
    edit(root, 'source-groups.yaml', '${MSSQL_NONPROD_PASSWORD}', secret);
    expect(generate(root).code).toBe(0);
    const files = [...treeOf(join(root, 'pipelines'))];
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter(([, text]) => text.includes(secret))).toEqual([]);
    expect(files.filter(([, text]) => text.includes('CDC_SINK_PASSWORD')).length).toBeGreaterThan(
      0,
    );
  }
});

describe('names of the source', () => {
  const NAMES = [
    ...['${HOME}', '${HOME:', '${A:${HOME}}', '${{HOME}}', '${HOME|base64decode}', '${!x}', '${'],
    ...[
      '${file:/etc/passwd:root}',
      '${env:HOME}',
      '$1${1}',
      '\\${HOME}',
      'a\\x24{HOME}',
      '"${HOME}"',
    ],
  ];
  /** Variables that Bento replaces in the bytes of a file. */
  const BENTO = /\$\{[0-9A-Za-z_.]+(?::(?:\$\{[^}]+\}|[^}])*)?(?:\|[0-9A-Za-z]+)?\}/g;
  const ESCAPED = /\$\{\{/;
  /** Variables that Kafka Connect replaces in a value. */
  const CONNECT = /\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}/g;

  /** Creates a small repo of two tables: one with these names as columns and key, and one with such a table name. */
  function hostileRepo(pipeline: string, columns = NAMES): string {
    const root = smallRepo();
    edit(root, 'sink-groups.yaml', '  type: postgres', `  type: postgres\n  pipeline: ${pipeline}`);
    const lines = columns.map(
      (name) =>
        `      - { name: ${JSON.stringify(name)}, type: nvarchar, length: 50, nullable: false }\n`,
    );
    const snapshot = 'generated/schemas/AdOpusTest.dbo.yaml';
    edit(root, snapshot, '      - { name: Kode', `${lines.join('')}      - { name: Kode`);
    const keys = columns.map((name) => JSON.stringify(name)).join(', ');
    edit(root, 'services/adopus.yaml', 'dbo.Region: {}', `dbo.Region: { key_columns: [${keys}] }`);
    edit(root, snapshot, '  Actor:', "  '${env:HOME}':");
    edit(root, 'services/adopus.yaml', 'dbo.Actor:', "'dbo.${env:HOME}':");
    edit(root, 'services/adopus.yaml', 'adopus.Actor:', "'adopus.${env:HOME}':");
    edit(root, 'services/adopus.yaml', 'from: dbo.Actor', "from: 'dbo.${env:HOME}'");
    return root;
  }

  const variablesOf = (text: string, form: RegExp) => [...new Set(text.match(form))].sort();

  it('are not variables of Bento', () => {
    const root = hostileRepo('{ writer: bento }');
    expect(generate(root)).toMatchObject({ stderr: '', code: 0 });
    const clean = smallRepo();
    expect(generate(clean).code).toBe(0);
    const path = `${SINK}/adopus.yaml`;
    const text = read(root, path);
    expect(variablesOf(text, BENTO)).toEqual(variablesOf(read(clean, path), BENTO));
    expect(text).not.toMatch(ESCAPED);
    const { output_resources: outputs } = parse(text) as {
      readonly output_resources: readonly {
        readonly sql_insert?: { readonly table: string; readonly columns: readonly string[] };
      }[];
    };
    const inserts = outputs.flatMap(({ sql_insert: insert }) => insert ?? []);
    expect(inserts.map(({ table }) => table)).toContain('"${CDC_SCHEMA}"."stg_${env:HOME}"');
    const columns = inserts.flatMap((insert) => insert.columns);
    const quoted = NAMES.map((name) => `"${name.replaceAll('"', '""')}"`);
    expect(columns).toEqual(expect.arrayContaining(quoted));
  });

  it('are not properties of JavaScript objects', () => {
    const names = ['constructor', 'toString', 'hasOwnProperty', '__proto__'];
    const root = hostileRepo('{ writer: bento }', names);
    expect(generate(root)).toMatchObject({ stderr: '', code: 0 });
    const text = read(root, `${SINK}/adopus.yaml`);
    for (const name of names) expect(text).toContain(`$row."${name}"`);
    expect(text).not.toContain('native code');
    const sql = 'INSERT INTO "blue"."stg_Region" ("Kode") VALUES (1);\n';
    write(root, 'a.sql', sql);
    const { stdout } = cdc(['manage-pipelines', 'check', 'a.sql'], { cwd: root });
    expect(stdout).toContain(`"constructor": not in the INSERT: it is part of the key`);
    expect(stdout).not.toContain('native code');
  });

  it.each(['debezium-jdbc', 'confluent-jdbc'])(
    'are not variables of Kafka Connect: %s',
    (writer) => {
      const root = hostileRepo(`{ writer: ${writer} }`);
      expect(generate(root)).toMatchObject({ stderr: '', code: 0 });
      const clean = smallRepo();
      edit(
        clean,
        'sink-groups.yaml',
        '  type: postgres',
        `  type: postgres\n  pipeline: { writer: ${writer} }`,
      );
      expect(generate(clean).code).toBe(0);
      for (const path of [`${SINK}/adopus.blue.json`, SOURCE]) {
        const values = (folder: string) => Object.values(connector(folder, path)).join('\n');
        expect(variablesOf(values(root), CONNECT)).toEqual(variablesOf(values(clean), CONNECT));
      }
      const keys = connector(root, SOURCE)['message.key.columns']!.split(':');
      expect(keys).toHaveLength(2);
      const expressions = keys[1]!.split(',').map((expression) => new RegExp(`^${expression}$`));
      expect(
        expressions.map((expression) => NAMES.filter((name) => expression.test(name))),
      ).toEqual(NAMES.map((name) => [name]));
      const replacement = Object.entries(connector(root, `${SINK}/adopus.blue.json`)).find(
        ([, value]) => value.includes('stg_\\'),
      );
      expect(replacement?.[1]).toBe('blue.stg_\\$\\{env:HOME}');
    },
  );

  it.each(['å${env:HOME}', 'å,b', 'å:Kode', 'å '])(
    'are refused if Kafka Connect cannot rename them: %s',
    (name) => {
      const root = hostileRepo('{ writer: debezium-jdbc, column_names: ascii }', [name]);
      expect(generate(root)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(
          `column "${name}": expected a name that Kafka Connect can rename`,
        ),
      });
    },
  );
});

describe('files', () => {
  let done: string;
  beforeAll(() => {
    done = adopusRepo();
    expect(generate(done).code).toBe(0);
  });

  it('are unchanged after a second run', () => {
    const root = copyOf(done);
    const before = treeOf(root);
    expect(generate(root).stdout).toMatch(/^\d+ files: \d+ unchanged\n$/);
    expect(treeOf(root)).toEqual(before);
  });

  it.each([`${SINK}/adopus.yaml`, `${SINK}/fretex.env`, SOURCE])(
    'are not overwritten after an edit: %s',
    (path) => {
      const root = copyOf(done);
      write(root, path, read(root, path).replace(/directory_dev|adopus-nonprod/, 'edited'));
      const { code, stderr } = generate(root);
      expect(stderr).toContain(`${path}: this generated file was edited`);
      expect(code).toBe(6);
      expect(generate(root, '--force').code).toBe(0);
      expect(treeOf(root)).toEqual(treeOf(done));
    },
  );

  it('of users are kept, and stale generated files are removed', () => {
    const root = copyOf(done);
    write(root, 'pipelines/own.yaml', 'input: {}\n');
    edit(
      root,
      'source-groups.yaml',
      'nonprod:\n        server: default\n        database: AdOpusFretexDev',
      'local:\n        server: default\n        database: AdOpusFretexDev',
    );
    edit(
      root,
      'source-groups.yaml',
      'target_sink_env: nonprod\n        customer_id: 1ab725c4',
      'target_sink_env: local\n        customer_id: 1ab725c4',
    );
    expect(generate(root, '--check').code).toBe(1);
    expect(generate(root).code).toBe(0);
    const files = [...treeOf(join(root, 'pipelines')).keys()];
    expect(files).toContain('own.yaml');
    expect(files).toContain('sink_asma.directory/local/fretex.env');
    expect(files).not.toContain('sink_asma.directory/nonprod/fretex.env');
  });
});

describe('generate refuses', () => {
  it.each(['bento', 'debezium-jdbc'])(
    'a NOT NULL column of a template without a value: %s',
    (writer) => {
      const root = smallRepo();
      edit(
        root,
        'sink-groups.yaml',
        '  type: postgres',
        `  type: postgres\n  pipeline: { writer: ${writer} }`,
      );
      edit(root, TEMPLATES, ', value: meta("customer_id")', '');
      expect(generate(root)).toEqual({
        code: 2,
        stdout: '',
        stderr:
          'services/_schemas/column-templates.yaml:2 templates.customer_id: missing key "value": the pipeline would write NULL into a NOT NULL column; add value: <Bloblang expression>, such as meta("customer_id"), or default: <SQL expression>\n',
      });
      edit(root, TEMPLATES, 'not_null: true', 'not_null: true, default: gen_random_uuid()');
      expect(generate(root)).toMatchObject({ code: 0 });
      edit(root, TEMPLATES, ', default: gen_random_uuid()', '');
      edit(
        root,
        'services/adopus.yaml',
        '[customer_id]',
        '[{ template: customer_id, value: uuid_v4() }]',
      );
      expect(generate(root)).toMatchObject({ code: 0 });
    },
  );

  it.each([
    'meta("customer_id")',
    'metadata( "customer_id" ).uppercase()',
    '@customer_id',
    'env("CDC_CUSTOMER_ID")',
    '${CDC_CUSTOMER_ID}',
  ])('a customer without the customer_id that a template uses: %s', (value) => {
    const root = smallRepo();
    edit(root, TEMPLATES, 'meta("customer_id")', JSON.stringify(value));
    expect(generate(root)).toMatchObject({ code: 0 });
    edit(root, 'source-groups.yaml', `customer_id: ${ID}2, `, '');
    expect(generate(root, '--dry-run')).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'source-groups.yaml:12 adopus.sources.blue.nonprod: missing key "customer_id", which the template customer_id uses; add the id of the customer\n',
    });
    edit(root, TEMPLATES, JSON.stringify(value), 'this.customer_id');
    expect(generate(root)).toMatchObject({ code: 0 });
  });

  it('a customer_id that is not a uuid for a uuid column', () => {
    const root = smallRepo();
    edit(root, 'source-groups.yaml', `${ID}2`, '17');
    expect(generate(root)).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'source-groups.yaml:12 adopus.sources.blue.nonprod.customer_id: expected a uuid, because the column of the template customer_id has this type, found "17"\n',
    });
    edit(root, TEMPLATES, 'type: uuid', 'type: text');
    expect(generate(root)).toMatchObject({ code: 0 });
  });

  it('a transform whose file is missing', () => {
    const root = adopusRepo();
    edit(root, 'services/adopus.yaml', 'priority_label.blobl', 'none.blobl');
    const { code, stderr } = generate(root);
    expect(stderr).toMatch(
      /^services\/adopus\.yaml:\d+ \S*bloblang_ref: expected file:\/\/services\/<path>\.blobl of a file that is there, found file:\/\/services\/_bloblang\/none\.blobl$/m,
    );
    expect(code).toBe(2);
  });

  it('a transform with a character that changes the text direction', () => {
    const root = adopusRepo();
    const path = 'services/_bloblang/priority_label.blobl';
    write(root, path, `${read(root, path)}# \u202e x\n`);
    const { code, stderr } = generate(root);
    expect(stderr).toMatch(
      /^services\/_bloblang\/priority_label\.blobl:\d+: expected no \\u202e, which changes the text direction$/m,
    );
    expect(code).toBe(2);
  });

  it('tables of one connector with different forms of events', () => {
    const root = adopusWith('{ events: recommended }');
    edit(
      root,
      'services/adopus.yaml',
      'from: dbo.ActorActor\n',
      'from: dbo.ActorActor\n          pipeline: { events: debezium }\n',
    );
    const { code, stderr } = generate(root);
    expect(stderr).toContain(
      'adopus.ActorActor: expected time.precision.mode isostring as in services/adopus.yaml sink_asma.directory adopus.Actor, found adaptive: the same connector reads both tables; use the same settings for both in pipeline',
    );
    expect(code).toBe(2);
  });
});
