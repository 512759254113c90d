import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createRandom, chooseSeed } from '@cdc-migrations/event-model';
import { type MssqlFixture, startMssqlFixture } from '@cdc-migrations/mssql-fixture';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import {
  BUILT_WITHIN_MS,
  describeWire,
  lintPipeline,
  type Pipeline,
  runPipeline,
  startPipeline,
} from '@cdc-migrations/wire';
import type { Sql } from 'postgres';
import { applyFiles } from './apply-files.ts';
import {
  type CapturedTable,
  changeAtRandom,
  type ChangeLog,
  openChangeLog,
  type Row,
} from './change-tables.fixture.ts';
import { readManifest } from './read-manifest.ts';

const seed = chooseSeed();
const CDC = join(__dirname, '../../../packages/cli/bin/cdc.js');
const CUSTOMERS = { nord: 'ShopNord', sør: 'ShopSør' };

/**
 * Columns of every type that change tables carry, each with a value for SQL Server and its text in PostgreSQL. The test
 * server stores decimals as floats, so these have few digits.
 */
const VALUES: readonly (readonly [type: string, value: Row[string], final: string])[] = [
  ['bit', 1, 'true'],
  ['tinyint', 255, '255'],
  ['smallint', -32768, '-32768'],
  ['int', 2147483647, '2147483647'],
  ['bigint', 9007199254740991, '9007199254740991'],
  ['decimal(38, 10)', '1234567.25', '1234567.2500000000'],
  ['money', '-922337203685.25', '-922337203685.2500'],
  ['real', 1.5, '1.5'],
  ['float', 0.1, '0.1'],
  ['date', '9999-12-31', '9999-12-31'],
  ['time(7)', '23:59:59.9999999', '23:59:59.999999'],
  ['smalldatetime', '2024-02-29T12:34:00', '2024-02-29 12:34:00'],
  ['datetime', '1753-01-01T00:00:00.003', '1753-01-01 00:00:00.003'],
  ['datetime2(7)', '0001-01-01T00:00:00.1234567', '0001-01-01 00:00:00.123456'],
  ['datetimeoffset(7)', '2024-01-31T23:59:59.1234567+02:00', '2024-01-31 21:59:59.123456+00'],
  ['nchar(4)', 'æ', 'æ'],
  ['varchar(20)', 'blåbær', 'blåbær'],
  ['nvarchar(max)', '{"a": "\\u00e6", "b": "\\\\ \\" 🐟"}', '{"a": "\\u00e6", "b": "\\\\ \\" 🐟"}'],
  ['binary(4)', Buffer.from('00ff10de', 'hex'), '\\x00ff10de'],
  ['varbinary(max)', Buffer.from('deadbeef', 'hex'), '\\xdeadbeef'],
  ['rowversion', Buffer.from('00000000000007d1', 'hex'), '\\x00000000000007d1'],
  [
    'uniqueidentifier',
    '1AB725C4-DC4E-509F-AE6D-2F3059A16065',
    '1ab725c4-dc4e-509f-ae6d-2f3059a16065',
  ],
];
const columnOf = (index: number) => `Verdi [${index}] 'æ'`;

/** Writes an implementation repo of a shop with two customers that have their own databases. */
function writeRepo(): string {
  const root = mkdtempSync(join(tmpdir(), 'cdc-changes-'));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const sources = Object.entries(CUSTOMERS).map(
    ([name, database]) =>
      `    ${name}: { schemas: [dbo], prod: { server: default, database: ${database} } }\n`,
  );
  write(
    'source-groups.yaml',
    `shop:
  pattern: db-per-tenant
  type: mssql
  servers:
    default: { host: '\${MSSQL_HOST}', port: '\${MSSQL_PORT}', user: '\${MSSQL_USER}', password: '\${MSSQL_PASSWORD}', encrypt: false, trust_server_certificate: true }
  sources:
${sources.join('')}`,
  );
  write(
    'sink-groups.yaml',
    `sink_wh:
  source_group: shop
  pattern: db-shared
  type: postgres
  pipeline: { writer: bento, events: recommended, positions: lsn }
  servers:
    default: { host: '\${PG_HOST}', port: '\${PG_PORT}', user: '\${PG_USER}', password: '\${PG_PASSWORD}', sslmode: disable }
  sources:
    wh: { schemas: [public], prod: { server: default, database: wh } }
`,
  );
  write('services/_schemas/column-templates.yaml', 'templates: {}\n');
  write(
    'services/shop.yaml',
    `shop:
  source:
    validation_database: ShopNord
    validation_env: prod
    tables: { dbo.Alt: {}, dbo.Linje: {} }
  sinks:
    sink_wh.wh:
      tables:
        shop.Alt: { from: dbo.Alt }
        shop.Linje: { from: dbo.Linje }
`,
  );
  const values = VALUES.map(([type], index) => {
    const [, name = type, facets] = /^(\w+)(?:\((.*)\))?$/.exec(type) ?? [];
    const [first, second] = facets?.split(', ') ?? [];
    const size = /char|binary/.test(name)
      ? `, length: ${first}`
      : name === 'decimal'
        ? `, precision: ${first}, scale: ${second}`
        : first
          ? `, scale: ${first}`
          : '';
    return `      - { name: ${JSON.stringify(columnOf(index))}, type: ${name}${size}, nullable: true }\n`;
  });
  write(
    'generated/schemas/ShopNord.dbo.yaml',
    `database: ShopNord
schema: dbo
type: mssql
pattern: db-per-tenant
tables:
  Alt:
    columns:
      - { name: Id, type: int, nullable: false }
${values.join('')}    primary_key: { name: PK_Alt, columns: [Id] }
  Linje:
    columns:
      - { name: OrdreID, type: int, nullable: false }
      - { name: Linje, type: uniqueidentifier, nullable: false }
      - { name: Tekst, type: nvarchar, length: 50, nullable: true }
      - { name: Sum, type: decimal, precision: 19, scale: 4, nullable: true }
    primary_key: { name: PK_Linje, columns: [OrdreID, Linje] }
`,
  );
  for (const group of ['manage-migrations', 'manage-pipelines']) {
    execFileSync(process.execPath, [CDC, group, '--root', root, 'generate'], { stdio: 'pipe' });
  }
  return root;
}

const LINES = [
  '1AB725C4-DC4E-509F-AE6D-2F3059A16065',
  '2AB725C4-DC4E-509F-AE6D-2F3059A16065',
  '3AB725C4-DC4E-509F-AE6D-2F3059A16065',
];

describeWire('changes that Bento reads from SQL Server', () => {
  let root: string;
  let config: string;
  let source: MssqlFixture;
  let target: PostgresServer;
  let sql: Sql;
  const logs = new Map<string, ChangeLog>();
  const pipelines = new Set<Pipeline>();

  beforeAll(async () => {
    root = writeRepo();
    config = readFileSync(join(root, 'pipelines/sink_wh.wh/prod/shop.changes.yaml'), 'utf8');
    source = await startMssqlFixture({ databases: { ShopNord: {}, ShopSør: {} } });
    target = await startPostgres({ major: 15 });
    await target.createRole('migrator');
    await target.createDatabase({ name: 'wh', owner: 'migrator' });
    sql = target.connect({ database: 'wh', max: 1, onnotice: () => {} });
    const tenants = Object.keys(CUSTOMERS);
    await applyFiles(target, { database: 'wh', user: 'migrator', tenants }, readManifest(root));
    const random = createRandom(seed);
    for (const name of Object.values(CUSTOMERS)) {
      const database = source.database(name);
      const alt = VALUES.map(([type], index) => ({ name: columnOf(index), type }));
      database.addTable({
        name: 'dbo.Alt',
        columns: [{ name: 'Id', type: 'int', isNullable: false }, ...alt],
        primaryKey: ['Id'],
      });
      database.addTable({
        name: 'dbo.Linje',
        columns: [
          { name: 'OrdreID', type: 'int', isNullable: false },
          { name: 'Linje', type: 'uniqueidentifier', isNullable: false },
          { name: 'Tekst', type: 'nvarchar(50)' },
          { name: 'Sum', type: 'decimal(19, 4)' },
        ],
        primaryKey: ['OrdreID', 'Linje'],
      });
      logs.set(name, openChangeLog(database, random));
    }
    const env = { ...process.env, ...envOf('nord') };
    const enable = [
      'manage-migrations',
      '--root',
      root,
      'enable-cdc',
      '--env',
      'prod',
      '--all',
      '--accept',
      'large-object',
    ];
    await promisify(execFile)(process.execPath, [CDC, ...enable], { env });
  }, BUILT_WITHIN_MS);

  afterEach(async () => {
    await Promise.all([...pipelines].map((pipeline) => pipeline.stop()));
    pipelines.clear();
  });

  afterAll(async () => {
    expect(source?.internalErrors()).toEqual([]);
    await Promise.all([source?.close(), target?.stop()]);
    if (root) rmSync(root, { recursive: true });
  });

  function envOf(customer: keyof typeof CUSTOMERS): Record<string, string> {
    return {
      ...{
        CDC_SCHEMA: customer,
        CDC_SOURCE_DATABASE: CUSTOMERS[customer],
        CDC_SOURCE_ENCRYPT: 'disable',
      },
      ...{ CDC_SINK_SSLMODE: 'disable', CDC_POLL_INTERVAL: '30ms' },
      ...{ MSSQL_HOST: source.host, MSSQL_PORT: String(source.port) },
      ...{ MSSQL_USER: source.login.userName, MSSQL_PASSWORD: source.login.password },
      ...{
        PG_HOST: '127.0.0.1',
        PG_PORT: String(target.port),
        PG_USER: 'postgres',
        PG_PASSWORD: target.password,
      },
    };
  }

  async function start(customer: keyof typeof CUSTOMERS): Promise<Pipeline> {
    const pipeline = await startPipeline({ config, env: envOf(customer) });
    pipelines.add(pipeline);
    return pipeline;
  }

  it('are read by a configuration without lint findings', async () => {
    expect(await lintPipeline({ config, env: envOf('nord') })).toBe('');
  });
  /** Waits until a pipeline has read up to an LSN. */
  async function untilRead(customer: string, table: string, lsn: string): Promise<void> {
    for (const deadline = Date.now() + 30_000; ; await sleep(30)) {
      const [row] = await sql`SELECT read_to FROM cdc_management.change_progress
        WHERE schema_name = ${customer} AND table_name = ${table}`;
      if (String(row?.['read_to'] ?? '') >= lsn) return;
      if (Date.now() > deadline) {
        const logs = [...pipelines].map((pipeline) =>
          pipeline.log().split('\n').slice(-8).join('\n'),
        );
        throw new Error(
          `expected ${table} to be read to ${lsn}, found ${row?.['read_to']}\n${logs}`,
        );
      }
    }
  }

  /** Reads the values of a row by their numbers. */
  async function readAlt(id: number): Promise<readonly Record<string, unknown>[]> {
    const names = VALUES.map(
      (_, index) => sql`${sql(columnOf(index))}::text AS ${sql(String(index))}`,
    );
    const columns = names.flatMap((name, n) => (n === 0 ? [name] : [sql`, `, name]));
    return [...(await sql`SELECT ${columns} FROM nord."Alt" WHERE "Id" = ${id}`)];
  }

  async function expectNothingKept(): Promise<void> {
    const kept = await sql`
      SELECT error FROM cdc_management.refused_event
      UNION ALL SELECT reason FROM cdc_management.dead_letter
      UNION ALL SELECT message FROM cdc_management.merge_error
      UNION ALL SELECT cause FROM cdc_management.possible_loss WHERE cause <> 'needs snapshot'
      UNION ALL SELECT 'unseen' FROM cdc_management.unseen_offsets`;
    expect(kept).toEqual([]);
  }

  it('keep values of every type exactly, in inserts, updates and deletes', async () => {
    const log = logs.get('ShopNord')!;
    const row = (id: number) => ({
      Id: id,
      ...Object.fromEntries(VALUES.map(([, value], index) => [columnOf(index), value])),
    });
    const nothing = (id: number) => ({
      Id: id,
      ...Object.fromEntries(VALUES.map((_, index) => [columnOf(index), null])),
    });
    const insert = (id: number, of: Row) => ({
      command: id,
      sequence: id,
      operation: 2 as const,
      row: of,
    });
    const at = Date.now();
    log.capture({ name: 'dbo.Alt' }, [insert(1, row(1)), insert(2, nothing(2)), insert(3, row(3))]);
    const lsn = log.capture({ name: 'dbo.Alt' }, [
      { command: 1, sequence: 1, operation: 3, row: nothing(2) },
      { command: 1, sequence: 1, operation: 4, row: row(2) },
      { command: 2, sequence: 2, operation: 1, row: row(3) },
    ]);
    await start('nord');
    await untilRead('nord', 'Alt', lsn);
    await sql`CALL cdc_management.run_pending_merges()`.simple();
    await expectNothingKept();
    const expected = Object.fromEntries(VALUES.map(([, , final], index) => [String(index), final]));
    expect([await readAlt(1), await readAlt(2), await readAlt(3)]).toEqual([
      [expected],
      [expected],
      [],
    ]);
    const [meta] = await sql<{ lag: number; db: string }[]>`
      SELECT max(__source_ts_ms)::float AS lag, min(__source_db) AS db FROM nord."Alt"`;
    expect(meta!.db).toBe('ShopNord');
    expect(Math.abs(meta!.lag - at)).toBeLessThan(30_000);
  });

  it('are not overwritten by a snapshot, which adds rows that never changed', async () => {
    const snapshot = readFileSync(
      join(root, 'pipelines/sink_wh.wh/prod/shop.snapshot.yaml'),
      'utf8',
    );
    const row = (OrdreID: number, Tekst: string): Row => ({
      OrdreID,
      Linje: LINES[0]!,
      Tekst,
      Sum: 1.25,
    });
    const log = logs.get('ShopNord')!;
    log.capture({ name: 'dbo.Linje' }, [
      { command: 1, sequence: 1, operation: 2, row: row(101, 'captured') },
      { command: 2, sequence: 2, operation: 2, row: row(102, 'deleted') },
    ]);
    // The current rows of the source. 100 existed before capture was enabled, and the last two are not captured yet.
    const old = {
      Id: 100,
      ...Object.fromEntries(VALUES.map(([, value], index) => [columnOf(index), value])),
    };
    source.database('ShopNord').insertRows('dbo.Alt', [old]);
    source
      .database('ShopNord')
      .insertRows('dbo.Linje', [row(100, 'old'), row(101, 'later'), row(103, 'new')]);
    const env = envOf('nord');
    expect(await lintPipeline({ config: snapshot, env })).toBe('');
    await start('nord');
    await runPipeline({ config: snapshot, env, records: [] });
    const lsn = log.capture({ name: 'dbo.Linje' }, [
      { command: 1, sequence: 1, operation: 4, row: row(101, 'later') },
      { command: 2, sequence: 2, operation: 1, row: row(102, 'deleted') },
      { command: 3, sequence: 3, operation: 2, row: row(103, 'new') },
    ]);
    await untilRead('nord', 'Linje', lsn);
    await runPipeline({ config: snapshot, env, records: [] });
    await sql`CALL cdc_management.run_pending_merges()`.simple();
    const rows = await sql`SELECT "OrdreID" AS id, "Tekst" AS text FROM nord."Linje" ORDER BY 1`;
    expect(rows).toEqual([
      { id: 100, text: 'old' },
      { id: 101, text: 'later' },
      { id: 103, text: 'new' },
    ]);
    expect(await readAlt(100)).toEqual(await readAlt(1));
    await sql`DELETE FROM nord."Linje"`;
    await sql`DELETE FROM cdc_management.staging_loss WHERE cause = 'needs snapshot'`;
    await expectNothingKept();
  });

  it('end in the state of the source despite killed readers, changed keys and new log files', async () => {
    const random = createRandom(seed + 1);
    const buildRow = (own: typeof random): Row => ({
      OrdreID: own.integer(1, 4),
      Linje: own.pick(LINES),
      Tekst: own.pick(['ny', 'ferdig', null]),
      Sum: own.integer(-100, 100) / 4,
    });
    const sources = (['nord', 'sør'] as const).map((customer) => ({
      customer,
      log: logs.get(CUSTOMERS[customer])!,
      table: {
        name: 'dbo.Linje',
        key: ['OrdreID', 'Linje'],
        rows: new Map(),
      } satisfies CapturedTable,
    }));
    const running = [await start('nord'), await start('nord'), await start('sør')];
    const lasts = new Map<string, string>();
    for (let turn = 0; turn < 120; turn++) {
      if (turn === 40) sources.forEach(({ log }) => log.switchFile(0x3fff));
      if (turn === 80) sources.forEach(({ log }) => log.switchFile(0x4000));
      for (const { customer, log, table } of sources) {
        lasts.set(customer, log.capture(table, changeAtRandom(table, { random, buildRow })));
      }
      if (random.chance(0.4)) await sleep(random.integer(0, 60));
      if (turn % 25 === 20) {
        const killed = random.pick(running);
        await killed.kill('SIGKILL');
        await killed.restart();
      }
      if (random.chance(0.2)) await sql`CALL cdc_management.run_pending_merges()`.simple();
    }
    for (const { customer, table } of sources) {
      await untilRead(customer, 'Linje', lasts.get(customer)!);
      await sql`CALL cdc_management.run_pending_merges()`.simple();
      const rows =
        await sql`SELECT "OrdreID", "Linje"::text, "Tekst", "Sum"::float FROM ${sql(customer)}."Linje"`;
      const listed = rows.map((row) =>
        JSON.stringify([row['OrdreID'], row['Linje'].toUpperCase(), row['Tekst'], row['Sum']]),
      );
      const expected = [...table.rows.values()].map((row) =>
        JSON.stringify([row['OrdreID'], row['Linje'], row['Tekst'], row['Sum']]),
      );
      expect([customer, listed.sort()]).toEqual([customer, expected.sort()]);
    }
    await expectNothingKept();
  }, 120_000);

  it('are stored if the target refuses them, and reported if the source removed them unread', async () => {
    const log = logs.get('ShopSør')!;
    const row = (OrdreID: number, Tekst: string): Row => ({
      OrdreID,
      Linje: LINES[0]!,
      Tekst,
      Sum: 1,
    });
    log.switchFile(0x4001);
    const first = log.capture({ name: 'dbo.Linje' }, [
      { command: 1, sequence: 1, operation: 2, row: row(201, 'good') },
      { command: 2, sequence: 2, operation: 2, row: row(202, 'a\0b') },
    ]);
    const pipeline = await start('sør');
    await untilRead('sør', 'Linje', first);
    const [position] = await sql`SELECT * FROM cdc_management.lsn_position(${first})`;
    const refused =
      await sql`SELECT schema_name, table_name, stream_generation, kafka_offset, source_db, error,
      substring(convert_from(value, 'UTF8') FROM '"commit_lsn":"([^"]+)"') AS lsn FROM cdc_management.refused_event`;
    expect(refused).toEqual([
      {
        ...{
          schema_name: 'sør',
          table_name: 'Linje',
          source_db: 'ShopSør',
          lsn: first,
          ...position,
        },
        error: expect.stringContaining('0x00'),
      },
    ]);
    await sql`DELETE FROM cdc_management.refused_event`;
    // Killed readers may stage earlier rows again, after the merge.
    const staged =
      await sql`SELECT "OrdreID"::int AS id FROM "sør"."stg_Linje" WHERE "OrdreID" > 200`;
    expect(staged).toEqual([{ id: 201 }]);
    await pipeline.kill('SIGKILL');
    const next = log.capture({ name: 'dbo.Linje' }, []);
    source
      .database('ShopSør')
      .update(
        'cdc.change_tables',
        { capture_instance: 'dbo_Linje' },
        { start_lsn: Buffer.from(next.slice(2), 'hex') },
      );
    await pipeline.restart();
    await untilRead(
      'sør',
      'Linje',
      log.capture({ name: 'dbo.Linje' }, [
        { command: 1, sequence: 1, operation: 2, row: row(203, 'ny') },
      ]),
    );
    for (
      const deadline = Date.now() + 20_000;
      !pipeline.log().includes('may be lost (cleaned up)');
      await sleep(30)
    ) {
      expect(Date.now()).toBeLessThan(deadline);
    }
    const status = promisify(execFile)(
      process.execPath,
      [CDC, 'manage-migrations', '--root', root, 'status', '--env', 'prod'],
      {
        env: { ...process.env, ...envOf('sør'), PG_USER: 'migrator', PG_PASSWORD: 'migrator' },
      },
    );
    const { stdout, stderr } = await status.catch(
      (error: { stdout: string; stderr: string }) => error,
    );
    expect(stdout + stderr).toContain(
      'changes of ShopSør.Linje for sør.Linje were removed from the source before they were read',
    );
    await sql`DELETE FROM cdc_management.staging_loss`;
  });
});
