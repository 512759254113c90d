import {
  type PostgresServer,
  startDebianPostgres,
  startPostgres,
} from '@cdc-migrations/postgres-fixture';
import type { Sql } from 'postgres';
import type { SourceDatabase } from '../source-database.ts';
import { enablePublication, type EnablePublicationOptions } from './enable-publication.ts';
import type { PublicationRequest } from './publication-state.ts';

const DDL = `
CREATE TABLE keyed (id int PRIMARY KEY, note text);
CREATE TABLE by_code (code text NOT NULL CONSTRAINT code_key UNIQUE, n int, region int NOT NULL);
CREATE TABLE "Say ""hi""; --" (a int, b int);
CREATE TABLE parted (id int, at date NOT NULL, code int NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
CREATE UNLOGGED TABLE scratch (id int PRIMARY KEY);
CREATE PUBLICATION everything FOR ALL TABLES;
`;
const KEYLESS = 'Say "hi"; --';

const request = (
  table: string,
  columns: readonly string[],
  ...keys: readonly (readonly string[])[]
): PublicationRequest => ({ schema: 'public', table, columns, keys });
const KEYED = request('keyed', ['id', 'note'], ['id']);
const BY_CODE = request('by_code', ['code', 'n'], ['code']);
const ALL = [
  KEYED,
  BY_CODE,
  request(KEYLESS, ['a', 'b'], []),
  request('parted', ['id', 'at', 'code'], ['id']),
  request('parent', ['id'], ['id']),
];

describe.each([15, 18] as const)('PostgreSQL %i', (major) => {
  let server: PostgresServer;
  let database: string;
  let sql: Sql;
  const settings = {
    wal_level: 'logical',
    max_wal_senders: '4',
    max_replication_slots: '3',
    max_slot_wal_keep_size: '1GB',
  };
  beforeAll(async () => {
    server =
      major === 15
        ? await startDebianPostgres({ settings })
        : await startPostgres({ major, settings });
    await server.createRole('owner');
    await server.createRole('reader');
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    database = await server.createDatabase();
    sql = server.connect({ database, max: 1, onnotice: () => {} });
    await sql.unsafe(DDL).simple();
  });
  afterEach(async () => {
    await sql.unsafe(
      `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()`,
    );
    await sql.end();
  });

  function sourceOf(user = 'postgres'): SourceDatabase {
    const { host, port } = server;
    const password = user === 'postgres' ? server.password : user;
    const address = { name: 'default', host, port, user, password, sslmode: 'disable' } as const;
    return { type: 'postgres', server: address, database };
  }
  const enable = (
    requests: readonly PublicationRequest[],
    options: Partial<EnablePublicationOptions> = {},
    user?: string,
  ) =>
    enablePublication(sourceOf(user), requests, {
      ...{ publication: 'cdc_x', slot: `cdc_${database}`, accepted: [], createSlot: false },
      ...{ isComplete: true, dryRun: false, ...options },
    });
  const codesOf = ({ plan }: Awaited<ReturnType<typeof enable>>) =>
    plan.findings.map(({ code }) => code);
  const members = async () =>
    (await sql`SELECT tablename FROM pg_publication_tables WHERE pubname = 'cdc_x' ORDER BY 1`).map(
      (row) => String(row['tablename']),
    );
  const identities = async () =>
    Object.fromEntries(
      (
        await sql`SELECT relname, relreplident FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`
      ).map((row) => [row['relname'], row['relreplident']]),
    ) as Record<string, string>;

  it('creates the publication and replica identities once, and leaves other publications unchanged', async () => {
    const dry = await enable(ALL, { dryRun: true });
    expect(dry).toMatchObject({
      publicationState: 'would be created',
      slotState: 'left to the connector',
    });
    expect(await members()).toEqual([]);
    const first = await enable(ALL);
    expect(first.publicationState).toBe('created');
    expect(first.tables.map(({ table, state, identity }) => [table, state, identity])).toEqual([
      ['keyed', 'enabled', 'primary key'],
      ['by_code', 'enabled', 'index'],
      [KEYLESS, 'enabled', 'full'],
      ['parted', 'enabled', 'full'],
      ['parent', 'enabled', 'primary key'],
    ]);
    expect(codesOf(first)).toEqual(['no-key', 'no-key', 'partition-identity']);
    expect(await members()).toEqual([KEYLESS, 'by_code', 'keyed', 'parent', 'parted']);
    expect(await identities()).toMatchObject({
      ...{ keyed: 'd', by_code: 'i', [KEYLESS]: 'f', parted_1: 'f', parted_2: 'f', child: 'd' },
    });
    // The application's statements succeed without an identity, and events of partitions have the name of their table.
    await sql.unsafe(
      `INSERT INTO parted VALUES (1, '2020-02-01', 1); UPDATE parted SET code = 2; DELETE FROM "Say ""hi""; --";`,
    );
    const second = await enable(ALL);
    expect(second).toMatchObject({ publicationState: 'kept' });
    expect(new Set(second.tables.map(({ state }) => state))).toEqual(new Set(['kept']));
    const [other] = await sql`SELECT puballtables FROM pg_publication WHERE pubname = 'everything'`;
    expect(other).toEqual({ puballtables: true });
  });

  it('publishes changes of partitions under the name of the partitioned table', async () => {
    const { plan } = await enable(ALL, { createSlot: true });
    await sql.unsafe(`INSERT INTO parted VALUES (1, '2020-02-01', 1)`);
    const changes = await sql`
      SELECT data FROM pg_logical_slot_get_binary_changes(
        ${plan.slot}, NULL, NULL, 'proto_version', '1', 'publication_names', 'cdc_x')`;
    const messages = changes.map(({ data }) => (data as Buffer).toString('latin1'));
    const relation = messages.find(
      (text) => text.startsWith('R') && text.includes('public\0parted\0'),
    );
    const insert = messages.find((text) => text.startsWith('I'));
    expect(relation?.slice(1, 5)).toBe(insert?.slice(1, 5));
  });

  it('removes an extra table only in a complete run, and only if extra-table is accepted', async () => {
    await enable(ALL);
    const refused = await enable([KEYED]);
    expect(new Set(codesOf(refused))).toEqual(new Set(['extra-table']));
    expect(refused.tables.slice(1).map(({ state }) => state)).toEqual(Array(4).fill('blocked'));
    expect(await members()).toHaveLength(5);
    expect((await enable([KEYED], { isComplete: false })).tables).toHaveLength(1);
    const accepted = await enable([KEYED], { accepted: ['extra-table'] });
    expect(accepted.tables.slice(1).map(({ state }) => state)).toEqual(Array(4).fill('removed'));
    expect(await members()).toEqual(['keyed']);
    expect((await enable([KEYED])).tables).toHaveLength(1);
  });

  it('keeps a replica identity that covers the key, and replaces others', async () => {
    await sql.unsafe(`
      CREATE UNIQUE INDEX by_region ON by_code (region);
      ALTER TABLE by_code REPLICA IDENTITY USING INDEX by_region;
      ALTER TABLE keyed REPLICA IDENTITY FULL; ALTER TABLE parent REPLICA IDENTITY NOTHING;`);
    await enable(ALL);
    expect(await identities()).toMatchObject({ by_code: 'f', keyed: 'f', parent: 'd' });
  });

  it('repairs an incomplete publication, and reports column lists and row filters', async () => {
    await sql.unsafe(`
      CREATE PUBLICATION cdc_x FOR TABLE keyed (id), by_code WHERE (code > 'a') WITH (publish = 'insert');`);
    const found = await enable(ALL, { dryRun: true });
    expect(found.publicationState).toBe('would be changed');
    expect(codesOf(found)).toEqual(expect.arrayContaining(['column-list', 'row-filter']));
    await sql.unsafe('ALTER PUBLICATION cdc_x DROP TABLE keyed, by_code');
    expect((await enable(ALL)).publicationState).toBe('changed');
    const [row] =
      await sql`SELECT pubupdate, pubdelete, pubtruncate, pubviaroot FROM pg_publication WHERE pubname = 'cdc_x'`;
    expect(Object.values(row!)).toEqual([true, true, true, true]);
  });

  it('accepts and reports a publication FOR ALL TABLES with our name', async () => {
    await sql.unsafe('CREATE PUBLICATION cdc_x FOR ALL TABLES');
    const result = await enable([KEYED, BY_CODE]);
    expect(codesOf(result)).toEqual(['all-tables']);
    expect(result.tables.map(({ state }) => state)).toEqual(['kept', 'enabled']);
    expect(await identities()).toMatchObject({ by_code: 'i' });
  });

  it('returns a complete and idempotent script to a role without privileges', async () => {
    await sql.unsafe('ALTER TABLE keyed OWNER TO owner');
    const requests = [KEYED, BY_CODE];
    const { plan, publicationState, sql: script } = await enable(requests, {}, 'reader');
    expect(publicationState).toBe('blocked');
    expect(plan.findings.map(({ code, table }) => [code, table])).toEqual([
      ['no-replication', undefined],
      ['no-create', undefined],
      ['autocreate-mode', undefined],
      ['no-table-owner', 'public.keyed'],
      ['no-select', 'public.keyed'],
      ['no-table-owner', 'public.by_code'],
      ['no-select', 'public.by_code'],
    ]);
    const text = script.replace(/^\\.*$/gm, '');
    for (let run = 0; run < 2; run++) await sql.unsafe(text).simple();
    expect(await members()).toEqual(['by_code', 'keyed']);
    const after = await enable(requests, {}, 'reader');
    expect(codesOf(after)).toEqual(['autocreate-mode']);
    expect(after).toMatchObject({
      publicationState: 'kept',
      tables: [{ state: 'kept' }, { state: 'kept' }],
    });
    await sql.unsafe('ALTER ROLE reader NOREPLICATION');
  });

  it('enables only tables that the role owns', async () => {
    await sql.unsafe(
      `ALTER TABLE keyed OWNER TO owner; GRANT SELECT ON by_code TO owner;
       GRANT CREATE ON DATABASE ${database} TO owner; ALTER ROLE owner REPLICATION`,
    );
    const { tables } = await enable([KEYED, BY_CODE], {}, 'owner');
    expect(tables.map(({ state }) => state)).toEqual(['enabled', 'blocked']);
    expect(await members()).toEqual(['keyed']);
    await sql.unsafe('ALTER PUBLICATION cdc_x OWNER TO postgres');
    const other = await enable(ALL, { isComplete: false }, 'owner');
    expect(codesOf(other)).toContain('publication-owner');
  });

  it('creates a slot on request, and reports an inactive slot and one of another database', async () => {
    const slot = `cdc_${database}`;
    expect(await enable([KEYED], { createSlot: true })).toMatchObject({ slotState: 'created' });
    const idle = await enable([KEYED], { createSlot: true });
    expect(idle.slotState).toBe('kept');
    expect(idle.plan.findings).toEqual([
      expect.objectContaining({
        code: 'slot-inactive',
        message: expect.stringMatching(/keeps \d+/),
      }),
    ]);
    const reading = server.connect({
      ...{ database, max: 1, fetch_types: false, onnotice: () => {} },
      connection: { replication: 'database' } as Record<string, string>,
    });
    const stream = await reading
      .unsafe(
        `START_REPLICATION SLOT ${slot} LOGICAL 0/0 (proto_version '1', publication_names 'cdc_x')`,
      )
      .writable();
    stream.on('error', () => undefined);
    const active = await enable([KEYED], { createSlot: true });
    expect(active).toMatchObject({ slotState: 'kept', tables: [{ state: 'kept' }] });
    expect(codesOf(active)).toEqual([]);
    await reading.end({ timeout: 0 });
    database = await server.createDatabase();
    const other = server.connect({ database, max: 1 });
    await other.unsafe('CREATE TABLE keyed (id int PRIMARY KEY, note text)');
    await other.end();
    const taken = await enable([KEYED], { slot, createSlot: true });
    expect(taken).toMatchObject({ publicationState: 'blocked', slotState: 'kept' });
    expect(codesOf(taken)).toEqual(['slot-taken']);
  });

  it('completes in the next run after a lock timeout and after a lost connection', async () => {
    const holder = server.connect({ database, max: 1 });
    const held = await holder.reserve();
    await held.unsafe('BEGIN; LOCK TABLE by_code IN ACCESS SHARE MODE');
    const requests = [KEYED, BY_CODE, request('parent', ['id'], ['id'])];
    const { tables } = await enable(requests, { timeoutMs: 400 });
    expect(tables).toMatchObject([
      { state: 'enabled' },
      { state: 'failed', reason: expect.stringMatching(/lock timeout/) },
      { state: 'enabled' },
    ]);
    await sql.unsafe('DROP PUBLICATION cdc_x');
    const run = enable(requests);
    for (;;) {
      const [waiting] = await sql`SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = ${database} AND wait_event_type = 'Lock' AND query LIKE '%by_code%'`;
      if (waiting) break;
    }
    const lost = await run;
    expect(lost.tables.map(({ state }) => state)).toEqual(['enabled', 'failed', 'failed']);
    expect(await members()).toEqual(['keyed']);
    await held.unsafe('ROLLBACK');
    held.release();
    await holder.end();
    const last = await enable(requests);
    expect(last.tables.map(({ state }) => state)).toEqual(['kept', 'enabled', 'enabled']);
  });

  it('refuses missing tables, missing columns and unlogged tables', async () => {
    const { plan, tables } = await enable([
      request('nothing', ['id'], ['id']),
      request('scratch', ['id'], ['id']),
      request('keyed', ['id', 'gone'], ['id']),
      BY_CODE,
    ]);
    expect(plan.findings.map(({ code }) => code)).toEqual([
      'no-table',
      'unlogged-table',
      'no-column',
    ]);
    expect(tables.map(({ state }) => state)).toEqual(['blocked', 'blocked', 'blocked', 'enabled']);
  });

  it('blocks a table with row-level security that can hide rows', async () => {
    await sql.unsafe(
      `GRANT SELECT ON keyed TO reader; ALTER TABLE keyed ENABLE ROW LEVEL SECURITY; CREATE PUBLICATION cdc_x FOR TABLE keyed;
       ALTER ROLE reader REPLICATION`,
    );
    const { plan, tables } = await enable([KEYED], {}, 'reader');
    expect(plan.findings.map(({ code }) => code)).toEqual(['autocreate-mode', 'row-security']);
    expect(tables.map(({ state }) => state)).toEqual(['blocked']);
  });
});

it('reports settings that need a restart, and creates no publication', async () => {
  const server = await startPostgres({ major: 15, settings: { max_replication_slots: '0' } });
  try {
    const database = await server.createDatabase();
    const { host, port, password } = server;
    const address = { name: 'default', host, port, user: 'postgres', password, sslmode: 'disable' };
    const source = { type: 'postgres', server: address, database } as SourceDatabase;
    const { plan, sql } = await enablePublication(source, [], {
      ...{ publication: 'p', slot: 's', accepted: [], createSlot: true, isComplete: true },
      dryRun: false,
    });
    expect(plan).toMatchObject({ step: 'blocked', slotStep: 'blocked' });
    expect(plan.findings.map(({ code }) => code)).toEqual([
      ...['wal-level', 'no-free-slot', 'no-free-sender', 'wal-unlimited'],
    ]);
    expect(sql).toContain('-- refused wal-level: expected wal_level logical, found minimal;');
    const sqlClient = server.connect({ database, max: 1 });
    expect(await sqlClient`SELECT pubname FROM pg_publication`).toEqual([]);
    await sqlClient.end();
  } finally {
    await server.stop();
  }
});
