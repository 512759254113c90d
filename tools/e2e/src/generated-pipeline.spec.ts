import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { quoteQualified } from '@cdc-migrations/sql-text';
import { parsePgType, type ReplicatedTable } from '@cdc-migrations/table-defs';
import {
  BUILT_WITHIN_MS,
  describeWire,
  lintPipeline,
  type PlayedRecord,
  runPipeline,
} from '@cdc-migrations/wire';
import type { Sql } from 'postgres';
import { applyFiles } from './apply-files.ts';
import { ASMA, createSink, SERVICES, tablesOf } from './asma.fixture.ts';
import { mergeTable } from './merge-table.ts';
import { readManifest } from './read-manifest.ts';
import { readAdopus } from './read-repo.ts';

const { root, tables } = readAdopus();
const TENANT = 'fretex';
const FOLDER = join(root, 'pipelines/sink_asma.directory/nonprod');
const CONFIG = readFileSync(join(FOLDER, 'adopus.yaml'), 'utf8');

/** Reads the variables in a file for `--env-file`. */
function readVariables(file: string): Record<string, string> {
  const lines = readFileSync(join(FOLDER, file), 'utf8').matchAll(/^(\w+)=(".*")$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name!, JSON.parse(value!)]));
}

/** Values of column types as Debezium's connector sends them with the settings of the generated connector. */
const SAMPLES: Readonly<Record<string, unknown>> = {
  smallint: 7,
  integer: 7,
  bigint: 7,
  numeric: '12.34',
  real: 1.5,
  'double precision': 1.5,
  boolean: true,
  bytea: '3q2+7w==',
  uuid: '1ab725c4-dc4e-509f-ae6d-2f3059a16065',
  date: '2024-01-31Z',
  'time without time zone': '23:59:59.1234567Z',
  'timestamp without time zone': '2024-01-31T23:59:59.123Z',
  'timestamp with time zone': '2024-01-31T23:59:59.1234567+02:00',
  xml: '<a/>',
};

function rowOf({ columns }: ReplicatedTable): Record<string, unknown> {
  const sourced = columns.filter(({ role }) => role === 'source');
  return Object.fromEntries(
    sourced.map(({ source, type }) => [
      source!.name,
      SAMPLES[parsePgType(type)!.base] ?? 'æ "b" \\',
    ]),
  );
}

function eventOf(table: ReplicatedTable, more: Record<string, unknown> = {}): object {
  const source = {
    name: 'adopus',
    db: 'AdOpusFretexDev',
    schema: 'dbo',
    table: table.source.table,
  };
  return { op: 'c', before: null, after: rowOf(table), source: { ...source, ts_ms: 1 }, ...more };
}

describeWire('the generated pipeline of adopus', () => {
  let server: PostgresServer;
  let sql: Sql;
  let env: Record<string, string>;

  beforeAll(async () => {
    server = await startPostgres({ major: 15 });
    const database = 'directory_dev';
    await server.createRole('migrator');
    await server.createDatabase({ name: database, owner: 'migrator' });
    sql = server.connect({ database, max: 1, onnotice: () => {} });
    await applyFiles(server, { database, user: 'migrator', tenants: [TENANT] }, readManifest(root));
    env = {
      ...readVariables(`${TENANT}.env`),
      ...{ KAFKA_BROKERS: '127.0.0.1:1', ENVIRONMENT: 'nonprod', CDC_SINK_SSLMODE: 'disable' },
      POSTGRES_NONPROD_HOST: '127.0.0.1',
      POSTGRES_NONPROD_PORT: String(server.port),
      POSTGRES_NONPROD_USER: 'postgres',
      POSTGRES_NONPROD_PASSWORD: server.password,
    };
    await lintPipeline({ config: CONFIG, env });
  }, BUILT_WITHIN_MS);

  afterAll(() => server?.stop());

  const play = (values: readonly (object | string | Buffer | null)[]): PlayedRecord[] =>
    values.map((value, offset) => ({
      ...{ topic: 'adopus-nonprod.AdOpusFretexDev.dbo.T', partition: 1, offset },
      ...{ timestampMs: 1_700_000_000_123, key: `k${offset}` },
      value:
        value === null || typeof value === 'string' || Buffer.isBuffer(value)
          ? value
          : JSON.stringify(value),
    }));

  const refused = () =>
    sql`SELECT kafka_offset AS "offset", value, key, error FROM cdc_management.refused_event ORDER BY kafka_offset`;

  it('passes the linter of the engine', async () => {
    expect(await lintPipeline({ config: CONFIG, env })).toBe('');
  });

  it('fills all 39 staging tables with all columns', async () => {
    await sql`TRUNCATE cdc_management.refused_event`;
    await runPipeline({
      config: CONFIG,
      env,
      records: play(tables.map((table) => eventOf(table))),
    });
    expect((await refused()).map(({ error }) => String(error))).toEqual([]);
    const empty = [];
    for (const table of tables) {
      const staging = quoteQualified(TENANT, table.names.staging);
      const rows = await sql.unsafe(`SELECT * FROM ${staging}`);
      if (rows.length !== 1) empty.push(`${staging} has ${rows.length} rows`);
      for (const [name, value] of Object.entries(rows[0] ?? {})) {
        if (value === null) empty.push(`${staging}.${name}`);
      }
    }
    expect(empty).toEqual([]);
    expect(tables).toHaveLength(39);
  });

  describe('with bad events among good ones', () => {
    const actor = tables.find(({ name }) => name === 'Actor')!;
    const row = (actno: unknown, more: object = {}) => ({ ...rowOf(actor), actno, ...more });
    const good = (actno: number) => eventOf(actor, { after: row(actno) });
    const raw = (text: string, bytes: Buffer) =>
      Buffer.concat([Buffer.from(text.split('?')[0]!), bytes, Buffer.from(text.split('?')[1]!)]);
    const poisoned: readonly (readonly [string, object | string | Buffer, RegExp])[] = [
      [
        'a NUL in a text',
        eventOf(actor, { after: row(1, { Navn: 'a\0b' }) }),
        /invalid byte sequence.*0x00/,
      ],
      [
        'invalid UTF-8',
        raw(JSON.stringify(eventOf(actor, { after: row(1, { Navn: '?' }) })), Buffer.from([0xff])),
        /not UTF-8/,
      ],
      ['invalid JSON', '{"op": "c"', /expected an event with source/],
      ['JSON without an event', '[1]', /expected an event with source/],
      [
        'an event of an unknown table',
        JSON.stringify(good(1)).replace('"Actor"', '"Aktor"'),
        /no pipeline for this table/,
      ],
      [
        'a text for a number',
        eventOf(actor, { after: row('x') }),
        /invalid input syntax for type bigint/,
      ],
      [
        'invalid base64',
        eventOf(actor, { after: row(1, { Bilde: '!' }) }),
        /column "Bilde": .*EOF/,
      ],
      [
        'an object for a text',
        eventOf(actor, { after: row(1, { Navn: { a: 1 } }) }),
        /unsupported type/,
      ],
    ];

    beforeAll(async () => {
      await sql`TRUNCATE cdc_management.refused_event, fretex."stg_Actor"`;
      const events = poisoned.flatMap(([, event], index) => [good(1000 + index), event]);
      await runPipeline({ config: CONFIG, env, records: play([...events, null]) });
    }, BUILT_WITHIN_MS);

    it('stages each good event once', async () => {
      const rows = await sql`SELECT actno FROM fretex."stg_Actor" ORDER BY actno`;
      expect(rows.map(({ actno }) => Number(actno))).toEqual(
        poisoned.map((_, index) => 1000 + index),
      );
    });

    it.each(
      poisoned.map(([name, event, error], index) => [name, index * 2 + 1, event, error] as const),
    )('keeps %s unchanged, with the reason', async (_, offset, event, error) => {
      const kept = (await refused()).filter((candidate) => candidate['offset'] === String(offset));
      const value = play([event])[0]!.value!;
      expect(kept).toEqual([
        {
          offset: String(offset),
          value: Buffer.from(value),
          key: Buffer.from(`k${offset}`),
          error: expect.stringMatching(error),
        },
      ]);
    });

    it('stores the table of a refused event, and the values that the pipeline adds', async () => {
      const rows = await sql`
        SELECT DISTINCT schema_name, table_name, added_values::jsonb AS added, topic, source_db, source_table
        FROM cdc_management.refused_event WHERE error ~ 'type bigint|UTF-8|no pipeline'
        ORDER BY table_name`;
      const customer = '1ab725c4-dc4e-509f-ae6d-2f3059a16065';
      const topic = 'adopus-nonprod.AdOpusFretexDev.dbo.T';
      expect(rows).toEqual([
        {
          ...{ schema_name: 'fretex', table_name: 'Actor', topic, source_db: 'AdOpusFretexDev' },
          ...{ source_table: 'Actor', added: { _customer_id: customer } },
        },
        {
          ...{ schema_name: null, table_name: null, topic, source_db: 'AdOpusFretexDev' },
          ...{ source_table: 'Aktor', added: {} },
        },
      ]);
    });

    it('refuses no other events', async () =>
      expect(await refused()).toHaveLength(poisoned.length));
  });

  it('continues if many batches contain events that the server refuses', async () => {
    await sql`TRUNCATE fretex."stg_Actor", cdc_management.refused_event`;
    const actor = tables.find(({ name }) => name === 'Actor')!;
    const events = Array.from({ length: 4000 }, (_, index) =>
      eventOf(actor, { after: { ...rowOf(actor), actno: index % 100 === 50 ? 'x' : index } }),
    );
    await runPipeline({ config: CONFIG, env, records: play(events) });
    expect(await sql`SELECT count(*)::int AS n FROM fretex."stg_Actor"`).toEqual([{ n: 3960 }]);
    expect(await refused()).toHaveLength(40);
  }, 120_000);

  it('keeps large numbers and bytes exact in a delete', async () => {
    await sql`TRUNCATE fretex."stg_DocReg", cdc_management.refused_event`;
    const docReg = tables.find(({ name }) => name === 'DocReg')!;
    const event = JSON.stringify(eventOf(docReg, { op: 'd', before: rowOf(docReg), after: null }));
    const records = play([event.replace('"DocID":7', '"DocID":9007199254740993')]);
    await runPipeline({ config: CONFIG, env, records });
    expect(await refused()).toEqual([]);
    const rows = await sql`
      SELECT "DocID"::text, "Ts", "Lagret"::text, _customer_id, __cdc_operation, __kafka_offset, __kafka_partition, __source_db,
        __source_table, __source, __stream_generation, __source_ts_ms, __kafka_timestamp
      FROM fretex."stg_DocReg"`;
    expect(rows).toEqual([
      {
        ...{ DocID: '9007199254740993', Ts: Buffer.from('deadbeef', 'hex') },
        Lagret: expect.stringContaining('2024-01-31'),
        _customer_id: '1ab725c4-dc4e-509f-ae6d-2f3059a16065',
        ...{ __cdc_operation: 'd', __kafka_offset: '0', __kafka_partition: 1 },
        ...{ __source_db: 'AdOpusFretexDev', __source_table: 'DocReg', __source: 'adopus' },
        ...{ __stream_generation: 0, __source_ts_ms: '1' },
        __kafka_timestamp: new Date(1_700_000_000_000),
      },
    ]);
  });

  it('waits while the server is unreachable, and does not refuse events', async () => {
    await sql`TRUNCATE fretex."stg_Actor", cdc_management.refused_event`;
    const actor = tables.find(({ name }) => name === 'Actor')!;
    const wrong = { ...env, POSTGRES_NONPROD_PORT: '1' };
    const run = runPipeline(
      { config: CONFIG, env: wrong, records: play([eventOf(actor)]) },
      { withinMs: 5000 },
    );
    await expect(run).rejects.toThrow(/stuck[^]*connection refused/);
    expect(await refused()).toEqual([]);
  });
});

/** Values of PostgreSQL-only types in an event and in the final table. */
const POSTGRES_VALUES: Readonly<Record<string, readonly [event: unknown, final: string]>> = {
  'chat.messages.attachments': [
    ['{"a": "b \\"c\\""}', null, '[1]'],
    String.raw`{"{\"a\": \"b \\\"c\\\"\"}",NULL,[1]}`,
  ],
  'chat.rooms.meta': ['{"a":1}', '{"a": 1}'],
  'chat.users.avatar': ['3q2+7w==', String.raw`\xdeadbeef`],
  'directory.customers.tags': [
    ['æ', 'b "c"', 'd\\e', 'f,g', ''],
    String.raw`{æ,"b \"c\"","d\\e","f,g",""}`,
  ],
  'directory.customers.settings': ['{"a":"{}"}', '{"a": "{}"}'],
  'directory.roles.permissions': ['BQI=', '1000000101'],
  'directory.roles.valid': ['[2024-01-01,2024-02-01)', '[2024-01-01,2024-02-01)'],
  'proxy.routes.cidr': ['10.0.0.0/8', '10.0.0.0/8'],
  'proxy.routes.mac': ['08:00:2b:01:02:03', '08:00:2b:01:02:03'],
};

describeWire('the generated pipelines of asma', () => {
  const sink = 'sink_warehouse.analytics';
  const asmaTables = tablesOf(sink);
  let server: PostgresServer;
  let sql: Sql;

  beforeAll(async () => {
    server = await startPostgres({ major: 15 });
    await server.createRole('migrator');
    const database = await createSink(server, sink, 'migrator');
    sql = server.connect({ database, max: 1, onnotice: () => {} });
    for (const service of SERVICES) {
      const file = join(ASMA, 'pipelines', sink, 'dev', `${service}.yaml`);
      const config = readFileSync(file, 'utf8').replaceAll(
        /dbname='[^']*'/g,
        `dbname='${database}'`,
      );
      const env = {
        ...{ KAFKA_BROKERS: '127.0.0.1:1', CDC_SINK_SSLMODE: 'disable' },
        WAREHOUSE_DEFAULT_HOST: '127.0.0.1',
        WAREHOUSE_DEFAULT_PORT: String(server.port),
        WAREHOUSE_DEFAULT_USER: 'postgres',
        WAREHOUSE_DEFAULT_PASSWORD: server.password,
      };
      const records = asmaTables
        .filter((table) => table.service === service)
        .map((table, offset): PlayedRecord => ({
          ...{ topic: 't', partition: 0, offset, timestampMs: 0, key: null },
          value: JSON.stringify(asmaEvent(table)),
        }));
      await runPipeline({ config, env, records });
    }
  }, BUILT_WITHIN_MS);

  afterAll(() => server?.stop());

  function asmaEvent(table: ReplicatedTable): object {
    const { service, name, source } = table;
    const columns = table.columns.filter(({ role }) => role === 'source');
    const after = Object.fromEntries(
      columns.map(({ name: column, type }) => {
        const given = POSTGRES_VALUES[`${service}.${name}.${column}`]?.[0];
        const base = parsePgType(type)!.base;
        return [column, given ?? { ...SAMPLES, ...OF_POSTGRES }[base] ?? '7'];
      }),
    );
    const from = { name: 'asma', db: source.database, schema: source.schema, table: source.table };
    return { op: 'c', before: null, after, source: { ...from, ts_ms: 1 } };
  }

  it('cause no refused events', async () => {
    const rows = await sql`SELECT error FROM cdc_management.refused_event`;
    expect(rows.map(({ error }) => String(error))).toEqual([]);
  });

  it('fill each table with its row, and cause no dead letters', async () => {
    for (const table of asmaTables) await mergeTable(sql, table.service, table);
    const deadLetters = await sql`SELECT table_name, reason FROM cdc_management.dead_letter`;
    expect(deadLetters).toEqual([]);
    for (const { service, name } of asmaTables) {
      const rows = await sql.unsafe(`SELECT 1 FROM ${quoteQualified(service, name)}`);
      expect([service, name, rows.length]).toEqual([service, name, 1]);
    }
  });

  it.each(Object.entries(POSTGRES_VALUES))('store the value of %s: %j', async (path, [, final]) => {
    const [service = '', table = '', column = ''] = path.split('.');
    const rows = await sql`SELECT ${sql(column)}::text AS value FROM ${sql(service)}.${sql(table)}`;
    expect(rows).toEqual([{ value: final }]);
  });
});

describeWire('source names that look like variables', () => {
  const CUSTOMER = '0a" + env("HOME") + "\\\\';
  const NAMES = [
    '${HOME}',
    '${HOME:',
    '${A:${HOME}}',
    '${{HOME}}',
    '${!x}',
    '\\${HOME}',
    '"${HOME}"',
  ];
  let server: PostgresServer;
  let root: string;

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'cdc-names-'));
    cpSync(join(__dirname, '../../../packages/cli/cases/_base'), root, { recursive: true });
    const columns = NAMES.map(
      (name) =>
        `      - { name: ${JSON.stringify(name)}, type: nvarchar, length: 50, nullable: true }\n`,
    );
    edit(
      'generated/schemas/AdOpusTest.dbo.yaml',
      '      - { name: Navn',
      `${columns.join('')}      - { name: Navn`,
    );
    edit('generated/schemas/AdOpusTest.dbo.yaml', '  Actor:', "  '${HOME}':");
    for (const [before, after] of [
      ['dbo.Actor:', "'dbo.${HOME}':"],
      ['adopus.Actor:', "'adopus.${HOME}':"],
      ['from: dbo.Actor', "from: 'dbo.${HOME}'"],
    ] as const) {
      edit('services/adopus.yaml', before, after);
    }
    const templates = 'services/_schemas/column-templates.yaml';
    edit(templates, 'name: _customer_id, type: uuid', 'name: _customer_id, type: text');
    const cdc = join(__dirname, '../../../packages/cli/bin/cdc.js');
    for (const group of ['manage-migrations', 'manage-pipelines']) {
      execFileSync(process.execPath, [cdc, group, '--root', root, 'generate']);
    }
    server = await startPostgres({ major: 15 });
  }, BUILT_WITHIN_MS);

  afterAll(async () => {
    rmSync(root, { recursive: true });
    await server?.stop();
  });

  function edit(path: string, before: string, after: string): void {
    const text = readFileSync(join(root, path), 'utf8');
    expect(text).toContain(before);
    writeFileSync(
      join(root, path),
      text.replace(before, () => after),
    );
  }

  it('are not replaced, and their values are stored in the columns with these names', async () => {
    await server.createRole('migrator');
    const database = await server.createDatabase({ owner: 'migrator' });
    const sql = server.connect({ database, max: 1, onnotice: () => {} });
    await applyFiles(server, { database, user: 'migrator', tenants: ['blue'] }, readManifest(root));
    const file = join(root, 'pipelines/sink_asma.directory/nonprod/adopus.yaml');
    const config = readFileSync(file, 'utf8')
      .replaceAll(/(?<=host=)'pg.example'/g, "'127.0.0.1'")
      .replaceAll(/(?<=port=)'5432'/g, `'${server.port}'`)
      .replaceAll(/(?<=user=)'cdc'/g, "'postgres'")
      .replaceAll(/(?<=dbname=)'directory_dev'/g, `'${database}'`);
    const env = {
      ...{
        CDC_SCHEMA: 'blue',
        CDC_TOPIC_PREFIX: 'p',
        CDC_SINK_SSLMODE: 'disable',
        HOME: '/secret',
        // A value from the configuration that looks like an expression.
        CDC_CUSTOMER_ID: CUSTOMER,
      },
      ...{ KAFKA_BROKERS: '127.0.0.1:1', POSTGRES_PASSWORD: server.password },
    };
    const after = {
      actno: '7',
      Navn: 'n',
      ...Object.fromEntries(NAMES.map((name) => [name, `of ${name}`])),
    };
    const source = { name: 'x', db: 'd', schema: 'dbo', table: '${HOME}', ts_ms: 1 };
    const value = JSON.stringify({ op: 'c', before: null, after, source });
    const position = { topic: 't', partition: 0, offset: 0, timestampMs: 0, key: null };
    await runPipeline({ config, env, records: [{ ...position, value }] });
    const refused = await sql`SELECT error FROM cdc_management.refused_event`;
    expect(refused.map(({ error }) => String(error))).toEqual([]);
    expect(await sql`SELECT * FROM blue.${sql('stg_${HOME}')}`).toMatchObject([
      { ...after, _customer_id: CUSTOMER },
    ]);
    await sql.end();
  });
});

/** Types that only PostgreSQL has. */
const OF_POSTGRES: Readonly<Record<string, unknown>> = {
  interval: 'P1Y2M3DT4H5M6.7S',
  jsonb: '{}',
  daterange: 'empty',
  cidr: '10.0.0.0/8',
  macaddr: '08:00:2b:01:02:03',
  'bit varying': 'AQ==',
};
