import type { Catalog, CatalogColumn } from '@cdc-migrations/catalog';
import { parseServiceConfig } from '@cdc-migrations/config';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { inspectDefinitions, type ReplicatedTable, UNAVAILABLE } from '@cdc-migrations/table-defs';
import { applyFiles } from './apply-files.ts';
import { mergeTable } from './merge-table.ts';
import { renderMigrations } from './render-migrations.ts';

const OWNER = 'migrator';
const CONFIG = parseServiceConfig(
  new Map([
    [
      'sink-groups.yaml',
      `sink: { source_group: g, pattern: db-shared, type: postgres,
  servers: { s: { host: h, port: 1, user: u, password: p } },
  sources: { one: { schemas: [public], prod: { server: s, database: d } } } }`,
    ],
    ['services/_schemas/column-templates.yaml', 'templates: {}'],
    [
      'services/app.yaml',
      `app:
  source: { validation_database: source, validation_env: prod, tables: { dbo.Wide: {} } }
  sinks: { sink.one: { tables: { app.Wide: { from: dbo.Wide } } } }`,
    ],
  ]),
);

type Column = Omit<CatalogColumn, 'name' | 'nullable'>;

/** Builds a table with the key `id` and this many columns of a type. Returns the problems that generate reports. */
function inspect(type: Column, count: number, nullable = true, key: readonly string[] = ['id']) {
  const columns = Array.from({ length: count }, (_, n) => ({ name: `c${n}`, nullable, ...type }));
  const catalog: Catalog = {
    database: 'source',
    schema: 'dbo',
    type: 'mssql',
    pattern: 'db-per-tenant',
    tables: [
      {
        name: 'Wide',
        columns: [{ name: 'id', type: 'int', nullable: false }, ...columns],
        primaryKey: { name: 'PK', columns: key },
        uniqueIndexes: [],
        foreignKeys: [],
      },
    ],
  };
  const { tables, sets, errors, warnings } = inspectDefinitions(CONFIG, [catalog]);
  const [problem] = [...errors, ...warnings];
  return { table: tables[0] as ReplicatedTable, set: sets[0]!, problem, errors };
}

/** Finds the maximum number of columns of a type without a problem. */
function mostColumns(type: Column): number {
  let [good, bad] = [1, 2000];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (inspect(type, middle).problem) bad = middle;
    else good = middle;
  }
  return good;
}

const LONGEST = '12345678901234567890123';

describe('the limits that generate reports match those of PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ major: 15 });
    await server.createRole(OWNER);
  });
  afterAll(() => server.stop());

  async function apply({ table, set }: Pick<ReturnType<typeof inspect>, 'table' | 'set'>) {
    const database = await server.createDatabase({ owner: OWNER });
    const files = renderMigrations({ set, tables: [table], tenants: ['app'], role: OWNER });
    for (let times = 0; times < 2; times++) {
      await applyFiles(server, { database, user: OWNER, tenants: ['app'] }, files);
    }
    return server.connect({ database, max: 1, fetch_types: false });
  }

  /** Stages an event with this value in all columns but one, and the longest metadata. */
  async function stage(
    sql: Awaited<ReturnType<typeof apply>>,
    { columns, names }: ReplicatedTable,
    value: string,
    {
      operation,
      empty,
      offset = 1,
    }: { readonly operation: string; readonly empty?: string; readonly offset?: number },
  ): Promise<void> {
    const listed = columns.filter(({ name }) => name !== '__deleted_at');
    const values = listed.map(({ name, role, type }) => {
      if (name === empty) return 'NULL';
      if (role !== 'metadata') return name === 'id' ? '1' : `'${value}'`;
      if (name === '__kafka_offset') return String(offset);
      if (name === '__cdc_operation') return `'${operation}'`;
      if (type === 'text') return `'${LONGEST}'`;
      return type.startsWith('timestamp') ? 'now()' : '1';
    });
    const list = listed.map(({ name }) => `"${name}"`).join(', ');
    await sql.unsafe(`INSERT INTO app."${names.staging}" (${list}, "__kafka_timestamp")
      VALUES (${values.join(', ')}, now())`);
  }

  it.each<[string, Column, string]>([
    ['int', { type: 'int' }, '2147483647'],
    ['bigint', { type: 'bigint' }, '9223372036854775807'],
    ['smallint', { type: 'smallint' }, '32767'],
    ['bit', { type: 'bit' }, 'true'],
    ['datetime2', { type: 'datetime2', scale: 3 }, '9999-12-31 23:59:59.999'],
    ['uniqueidentifier', { type: 'uniqueidentifier' }, '00000000-0000-0000-0000-000000000000'],
    ['decimal', { type: 'decimal', precision: 18, scale: 4 }, '99999999999999.9999'],
    ['nvarchar(3)', { type: 'nvarchar', length: 3 }, '\u{20000}\u{20000}\u{20000}'],
    ['nvarchar(max)', { type: 'nvarchar', length: 'max' }, LONGEST],
    ['varbinary(max)', { type: 'varbinary', length: 'max' }, `\\x${'00'.repeat(23)}`],
  ])('for columns of type %s', async (_, type, value) => {
    const most = mostColumns(type);
    const fits = inspect(type, most);
    const full = await apply(fits);
    await stage(full, fits.table, value, { operation: 'INSERT' });
    await mergeTable(full, 'app', fits.table);
    expect(await full.unsafe('SELECT count(*)::integer AS rows FROM app."Wide"')).toEqual([
      { rows: 1 },
    ]);
    const variants = [{}, { empty: 'c0' }, { empty: '__kafka_partition' }];
    for (const variant of variants) {
      await stage(full, fits.table, value, { operation: LONGEST, ...variant });
    }
    await mergeTable(full, 'app', fits.table);
    expect(await full`SELECT count(*)::integer AS dead FROM cdc_management.dead_letter`).toEqual([
      { dead: variants.length },
    ]);
    const wide = inspect(type, most + 1);
    if (/at most 1600/.test(wide.problem!.message)) {
      await expect(apply(wide)).rejects.toThrow(/at most 1600 columns/);
      return;
    }
    expect(wide.problem!.message).toMatch(/^rows with values in all columns may not fit/);
    const sql = await apply(wide);
    const refused = await Promise.allSettled(
      variants.map((variant) => stage(sql, wide.table, value, { operation: LONGEST, ...variant })),
    );
    expect(refused.map((each) => each.status === 'rejected' && String(each.reason))).toContainEqual(
      expect.stringContaining('row is too big'),
    );
  });

  it.each<[string, Column, string, string]>([
    ['nvarchar(max)', { type: 'nvarchar', length: 'max' }, LONGEST, UNAVAILABLE],
    [
      'varbinary(max)',
      { type: 'varbinary', length: 'max' },
      `\\x${'01'.repeat(23)}`,
      `\\x${Buffer.from(UNAVAILABLE).toString('hex')}`,
    ],
  ])('for unavailable values of type %s in all columns', async (_, type, value, unavailable) => {
    const fits = inspect(type, 250);
    const sql = await apply(fits);
    await stage(sql, fits.table, value, { operation: 'c', offset: 1 });
    await mergeTable(sql, 'app', fits.table);
    await stage(sql, fits.table, unavailable, { operation: 'u', offset: 3 });
    await stage(sql, fits.table, unavailable, { operation: 'u', offset: 2, empty: 'c0' });
    await mergeTable(sql, 'app', fits.table);
    const [row] =
      await sql`SELECT c0::text AS c0, c249::text AS c249, __kafka_offset::integer AS "offset" FROM app."Wide"`;
    expect(row).toEqual({ c0: null, c249: value, offset: 3 });
  });

  it('for the number of columns in a key', async () => {
    const keyOf = (count: number) => {
      const { table, set } = inspect({ type: 'int' }, count, false);
      const columns = table.columns.filter(({ role }) => role === 'source').map(({ name }) => name);
      return { table: { ...table, key: { columns, origin: 'primary key' as const } }, set };
    };
    await apply(keyOf(31));
    await expect(apply(keyOf(32))).rejects.toThrow(/more than 32 columns in an index/);
    const names = Array.from({ length: 33 }, (_, n) => (n === 0 ? 'id' : `c${n - 1}`));
    expect(inspect({ type: 'int' }, 32, false, names).problem!.message).toMatch(
      /^the key of "Wide" has 33 columns: expected at most 32/,
    );
    expect(inspect({ type: 'int' }, 31, false, names.slice(0, 32)).problem).toBeUndefined();
  });

  it('for a row whose NOT NULL columns are too wide, which is an error', async () => {
    const { problem, errors } = inspect({ type: 'int' }, 1020, false);
    expect(errors).toContain(problem);
    expect(problem!.message).toMatch(/^no row fits: the columns that are NOT NULL need \d+ bytes/);
    expect(inspect({ type: 'int' }, 900, false).errors).toEqual([]);
  });
});
