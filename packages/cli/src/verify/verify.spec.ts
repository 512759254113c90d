import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  readAdopusCatalog,
  startMssqlFixture,
  type MssqlFixture,
  type SqlValue,
} from '@cdc-migrations/mssql-fixture';
import { type PostgresServer, startDebianPostgres } from '@cdc-migrations/postgres-fixture';
import { copyOf, edit, emptyFolder, smallRepo, write } from '../repo.fixture.ts';
import { type CommandRun, finish, runCommand, startCommand } from '../target/cli.fixture.ts';

const PAGE = readFileSync(join(__dirname, '../../../../docs/verify.md'), 'utf8');
const AVANSAS = '0a827150-1332-5167-993b-68db156438cb';
const BLUE = '7b827150-1332-5167-993b-68db156438cb';
const TARGET = 'directory_dev';

/** Columns of every kind of type, with the value of row `i`. */
const COLUMNS = {
  k1: ['integer', 'i'],
  k2: ['varchar(30)', `(ARRAY['a', 'A', 'æ', 'Z', 'b '])[1 + i % 5] || i`],
  c_bool: ['boolean', 'i % 2 = 0'],
  c_small: ['smallint', 'i'],
  c_big: ['bigint', '9007199254740993 + i'],
  c_num: ['numeric(20,4)', '1234567890123456.1 + i'],
  c_any: ['numeric', '1.50 * i'],
  c_money: ['money', '(i + 0.25)::numeric::money'],
  c_real: ['real', '0.1 + i'],
  c_double: ['double precision', '0.1 + i'],
  c_date: ['date', `'2024-02-28'::date + i`],
  c_time: ['time', `'10:11:12.123456'`],
  c_timetz: ['time with time zone', `'10:11:12+02'`],
  c_ts: ['timestamp', `'2024-01-31 10:11:12.123456'`],
  c_ts3: ['timestamp(3)', `'2024-01-31 10:11:12.12'`],
  c_tstz: ['timestamptz', `'2024-01-31 10:11:12.5+02'`],
  c_char: ['char(10)', `'pad' || i`],
  c_varchar: ['varchar(50)', `'Døv, "quoted" \\ and (more) ' || i`],
  c_text: ['text', `E'line\\nline\\t' || repeat('å', i)`],
  c_empty: ['text', `CASE WHEN i % 2 = 0 THEN '' END`],
  c_large: ['text', `repeat('large ', 2000)`],
  c_bytea: ['bytea', `decode('00ff', 'hex')`],
  c_uuid: ['uuid', `'${AVANSAS}'`],
  c_json: ['json', `'{"b": 1, "a":  2}'`],
  c_jsonb: ['jsonb', `'{"b": 1, "a":  2}'`],
  c_xml: ['xml', `'<a>é</a>'`],
  c_bit: ['bit(8)', `B'00000101'`],
  c_varbit: ['bit varying(8)', `B'101'`],
  c_inet: ['inet', `'10.0.0.1/8'`],
  c_ints: ['integer[]', 'ARRAY[1, i, NULL]'],
  c_texts: ['text[]', `ARRAY['a,b', NULL, '']`],
  c_mood: ['mood', `'fine'`],
  c_email: ['email', `'a@b.no'`],
} as const;

/** Differences: the expected kind or column, a description, and the change in the target. */
const KINDS: readonly (readonly [string, string, string])[] = [
  ['missing', 'a missing row', 'DELETE'],
  ['extra', 'an extra row', 'k1 = k1 + 10000'],
  ['extra', 'a key with a trailing blank', `k2 = k2 || ' '`],
  ['c_varchar', 'a trailing blank', `c_varchar = c_varchar || ' '`],
  ['c_big', 'a digit beyond 2^53', 'c_big = c_big + 1'],
  ['c_tstz', 'a time zone', `c_tstz = c_tstz + interval '2 hours'`],
  ['c_uuid', 'a NULL', 'c_uuid = NULL'],
  ['c_large', 'a large object', `c_large = c_large || '!'`],
  ['c_ts', 'a microsecond', `c_ts = c_ts + interval '1 microsecond'`],
  ['c_num', 'a sign', 'c_num = -c_num'],
  ['c_text', 'the case of letters', 'c_text = upper(c_text)'],
  ['c_xml', 'a normal form of Unicode', `c_xml = E'<a>e\\u0301</a>'`],
  ['c_empty', 'empty for NULL', `c_empty = CASE WHEN c_empty IS NULL THEN '' END`],
  ['c_double', 'the last bit of a float', `c_double = c_double + 1e-12`],
  ['c_real', 'the sign of a float', `c_real = c_real * -1`],
  ['c_bytea', 'a byte', `c_bytea = '\\x00fe'`],
  ['c_any', 'a number behind the point', 'c_any = c_any + 0.0000000001'],
  ['c_date', 'a day', 'c_date = c_date + 1'],
  ['c_ints', 'an element of an array', 'c_ints = ARRAY[1]'],
  ['c_bool', 'a truth value', 'c_bool = NOT c_bool'],
];
const PER_KIND = 10;
const ROWS = KINDS.length * PER_KIND + 100;

const SERVICE = `adopus:
  source:
    validation_database: AdOpusTest
    validation_env: nonprod
    tables:
      dbo.everything: {}
      dbo.keyless: {}
      dbo.gone: { ignore_columns: [secret] }
  sinks:
    sink_asma.directory:
      tables:
        adopus.everything: { from: dbo.everything, target_exists: false }
        adopus.keyless: { from: dbo.keyless, target_exists: false }
        adopus.gone: { from: dbo.gone, target_exists: false, delete_mode: soft }
        public.shared: { from: dbo.gone, target_exists: false, column_templates: [customer_id] }
        public.existing: { from: dbo.gone, target_exists: true, columns: { id: nr, name: navn }, column_templates: [customer_id] }
`;

const SCHEMA = `CREATE SCHEMA dbo;
CREATE TYPE dbo.mood AS ENUM ('fine', 'bad');
CREATE DOMAIN dbo.email AS text;
SET search_path = dbo;
CREATE TABLE everything (${Object.entries(COLUMNS)
  .map(([name, [type]]) => `${name} ${type}`)
  .join(', ')}, PRIMARY KEY (k1, k2));
CREATE TABLE keyless (a int, b text);
CREATE TABLE gone (id int PRIMARY KEY, name text, secret text);
INSERT INTO keyless VALUES (1, 'x'), (1, 'x');
INSERT INTO gone SELECT i, 'name ' || i, 'secret' FROM generate_series(1, 20) AS i;
INSERT INTO everything SELECT ${Object.values(COLUMNS)
  .map(([type, value]) => `(${value})::${type}`)
  .join(', ')} FROM generate_series(1, ${ROWS}) AS i;`;

let server: PostgresServer;
let root: string;
let env: NodeJS.ProcessEnv;
const query = async (database: string, text: string) => {
  const sql = server.connect({ database, max: 1, fetch_types: false, onnotice: () => {} });
  try {
    return (await sql.unsafe(text).simple()) as unknown as readonly Record<string, unknown>[];
  } finally {
    await sql.end();
  }
};
const verify = (...args: readonly string[]): Promise<CommandRun> =>
  runCommand(root, ['verify', '--env', 'nonprod', '--wait', '0', ...args], env);

interface Table {
  readonly schema: string;
  readonly table: string;
  readonly outcome: string;
  readonly rows: { readonly source: number; readonly target: number };
  readonly differences: readonly {
    readonly kind: string;
    readonly key: Readonly<Record<string, string>>;
    readonly columns: readonly string[];
  }[];
  readonly skippedColumns: readonly { readonly name: string }[];
}
const tablesOf = ({ stdout }: CommandRun): readonly Table[] =>
  JSON.parse(stdout).targets.flatMap((one: { tables: readonly Table[] }) => one.tables);

/** Copies the rows of a source table to a final table, like merges of its events. */
async function copyRows(
  database: string,
  from: string,
  to: string,
  extra: object = {},
  into = TARGET,
) {
  const [row] = await query(
    database,
    `SET timezone = 'UTC'; SELECT json_agg(to_jsonb(t) || '${JSON.stringify(extra)}')::text AS rows FROM ${from} AS t`,
  ).then((results) => (results as unknown as (readonly Record<string, string>[])[]).at(-1)!);
  const rows = row!['rows']!.replace(
    /"c_money": "\$([\d.,]+)"/g,
    (_, text: string) => `"c_money": ${text.replaceAll(',', '')}`,
  );
  await query(
    into,
    `INSERT INTO ${to} SELECT * FROM jsonb_populate_recordset(NULL::${to}, '${rows.replaceAll("'", "''")}')`,
  );
}

describe('verify of a PostgreSQL source', () => {
  beforeAll(async () => {
    // Tests search for queries in pg_stat_activity, so their texts must not be cut off.
    server = await startDebianPostgres({ settings: { track_activity_query_size: '16kB' } });
    root = smallRepo();
    for (const name of ['AdOpusTest', 'AdOpusBlue', TARGET]) await server.createDatabase({ name });
    for (const name of ['AdOpusTest', 'AdOpusBlue']) await query(name, SCHEMA);
    edit(root, 'source-groups.yaml', 'type: mssql', 'type: postgres');
    const location =
      "host: '${PG_HOST}', port: '${PG_PORT}', user: '${PG_USER}', sslmode: disable,";
    edit(
      root,
      'source-groups.yaml',
      "host: db.example, port: 1433, user: cdc, password: '${MSSQL_PASSWORD}'",
      `${location} password: '\${POSTGRES_PASSWORD}'`,
    );
    edit(root, 'sink-groups.yaml', 'host: pg.example, port: 5432, user: cdc,', location);
    edit(
      root,
      'source-groups.yaml',
      'customer_id: 00000000-0000-4000-8000-000000000001',
      `customer_id: ${AVANSAS}`,
    );
    edit(
      root,
      'source-groups.yaml',
      'customer_id: 00000000-0000-4000-8000-000000000002',
      `customer_id: ${BLUE}`,
    );
    write(root, 'services/adopus.yaml', SERVICE);
    rmSync(join(root, 'generated'), { recursive: true });
    env = {
      ...{ PG_HOST: server.host, PG_PORT: String(server.port), PG_USER: 'postgres' },
      POSTGRES_PASSWORD: server.password,
    };
    expect(await runCommand(root, ['generate', '--refresh'], env)).toMatchObject({
      exitCode: 0,
      stderr: expect.anything(),
    });
    await query(
      TARGET,
      'CREATE TABLE public.existing (nr bigint, navn text, _customer_id uuid, PRIMARY KEY (nr, _customer_id))',
    );
    expect(await runCommand(root, ['apply', '--env', 'nonprod'], env)).toMatchObject({
      exitCode: 0,
    });
    for (const [database, schema, id] of [
      ['AdOpusTest', 'avansas', AVANSAS],
      ['AdOpusBlue', 'blue', BLUE],
    ] as const) {
      await copyRows(database, 'dbo.everything', `${schema}.everything`, {
        __sync_timestamp: '2024-01-01',
      });
      await query(
        TARGET,
        `INSERT INTO ${schema}.keyless (a, b, __kafka_offset) VALUES (1, 'x', 0), (1, 'x', 1)`,
      );
      // The events of the source contain this text.
      await query(TARGET, `UPDATE ${schema}.everything SET c_json = ${COLUMNS.c_json[1]}`);
      await copyRows(database, 'dbo.gone', `${schema}.gone`, { __sync_timestamp: '2024-01-01' });
      if (schema === 'avansas') {
        const shared = { _customer_id: id, __sync_timestamp: '2024-01-01' };
        await copyRows(database, 'dbo.gone', 'public.shared', shared);
      }
    }
    await query(
      TARGET,
      `INSERT INTO public.shared (id, name, _customer_id) SELECT id, name, '${BLUE}' FROM public.shared;
       INSERT INTO public.existing SELECT id, name, _customer_id FROM public.shared;
       INSERT INTO blue.gone (id, name, __deleted_at) VALUES (99, 'deleted', now())`,
    );
  }, 120_000);
  afterAll(() => server?.stop());

  it('finds no differences in equal tables with all types', async () => {
    const run = await verify('--json');
    const tables = tablesOf(run);
    expect(
      tables.map(({ schema, table, outcome, rows }) => [schema, table, outcome, rows]),
    ).toEqual(
      [
        ['avansas', 'everything', 'equal', ROWS],
        ['blue', 'everything', 'equal', ROWS],
        ['avansas', 'gone', 'equal', 20],
        ['blue', 'gone', 'equal', 20],
        ['avansas', 'keyless', 'counted', 2],
        ['blue', 'keyless', 'counted', 2],
        ['public', 'shared', 'equal', 20],
        ['public', 'shared', 'equal', 20],
        ['public', 'existing', 'equal', 20],
        ['public', 'existing', 'equal', 20],
      ].map(([schema, table, outcome, rows]) => [
        ...[schema, table, outcome],
        { source: rows, target: rows },
      ]),
    );
    expect(tables.flatMap(({ skippedColumns }) => skippedColumns)).toEqual([]);
    expect(run.exitCode).toBe(0);
  });

  it('runs the commands of docs/verify.md without errors', async () => {
    const commands = [...PAGE.matchAll(/^npx --no-install cdc manage-migrations (verify .+)$/gm)];
    expect(commands.length).toBeGreaterThan(3);
    const page = copyOf(root);
    for (const [, command] of commands) {
      const args = command!.split(' ');
      const run = await runCommand(
        page,
        args.map((arg) => (arg === 'rows.jsonl' ? join(page, arg) : arg)),
        env,
      );
      expect(run.stderr).not.toMatch(/error:|defect|--help/);
      expect(run.exitCode).toBe(0);
    }
  });

  it(`finds each of ${KINDS.length * PER_KIND} differences, and no other`, async () => {
    const expected: string[] = [];
    const keys = (await query('AdOpusTest', 'SELECT k1, k2 FROM dbo.everything')) as readonly {
      readonly k1: number;
      readonly k2: string;
    }[];
    const expectDifference = (kind: string, k1: number, k2: string, column?: string) =>
      expected.push(JSON.stringify([kind, { k1: String(k1), k2 }, column ? [column] : []]));
    let statements = '';
    for (const [n, [kind, what, change]] of KINDS.entries()) {
      const own = `WHERE k1 BETWEEN ${n * PER_KIND + 1} AND ${(n + 1) * PER_KIND}`;
      statements += `/* ${what} */ ${kind === 'missing' ? 'DELETE FROM' : 'UPDATE'} avansas.everything ${kind === 'missing' ? '' : `SET ${change}`} ${own};\n`;
      for (const { k1, k2 } of keys.slice(n * PER_KIND, (n + 1) * PER_KIND)) {
        if (kind === 'missing' || kind === 'extra') expectDifference('missing', k1, k2);
        else expectDifference('different', k1, k2, kind);
        if (change.startsWith('k1')) expectDifference('extra', k1 + 10_000, k2);
        if (change.startsWith('k2')) expectDifference('extra', k1, `${k2} `);
      }
    }
    await query(TARGET, statements);
    const out = join(emptyFolder(), 'rows.jsonl');
    const run = await verify('--table', 'everything', '--json', '--out', out);
    expect(run.exitCode).toBe(1);
    const found = tablesOf(run).flatMap(({ schema, differences }) =>
      differences.map(({ kind, key, columns }) => {
        expect(schema).toBe('avansas');
        return JSON.stringify([kind, key, columns]);
      }),
    );
    expect(found.sort()).toEqual(expected.sort());
    const lines = readFileSync(out, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(found.length);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      schema: 'avansas',
      table: 'everything',
      source: { database: 'AdOpusTest', schema: 'dbo', table: 'everything' },
    });
    const cut = await verify('--table', 'everything', '--customer', 'avansas', '--limit', '3');
    expect(cut.stdout).toMatch(
      /avansas\.everything: .* there are more \(--limit\)\n(    \w.*\n){3}$/,
    );
    expect(cut.exitCode).toBe(1);
  });

  it('compares a sample with about the requested number of rows', async () => {
    const run = await verify(
      '--table',
      'everything',
      '--customer',
      'blue',
      '--sample',
      '100',
      '--json',
    );
    expect(run.exitCode).toBe(0);
    const [{ rows }] = tablesOf(run) as [Table];
    expect(rows.source).toBe(rows.target);
    expect(rows.source).toBeGreaterThan(40);
    expect(rows.source).toBeLessThan(200);
  });

  it('finds missing rows of a customer, soft-deleted rows and extra rows of an existing table', async () => {
    await query(
      TARGET,
      `UPDATE blue.gone SET "__deleted_at" = now() WHERE id = 7;
       DELETE FROM public.shared WHERE id = 5 AND _customer_id = '${BLUE}';
       INSERT INTO public.existing VALUES (500, 'by hand', '${AVANSAS}')`,
    );
    const run = await verify('--table', 'gone', 'shared', 'existing');
    expect(run.stdout).toBe(`sink_asma.directory in nonprod:
  avansas.gone: 20 rows equal
  blue.gone: 20 rows at the source, 19 in the target: 1 missing
    missing {"id":"7"}
  public.shared of avansas: 20 rows equal
  public.shared of blue: 20 rows at the source, 19 in the target: 1 missing
    missing {"id":"5"}
  public.existing of avansas: 20 rows at the source, 21 in the target: 1 extra
    extra {"nr":"500"}
  public.existing of blue: 20 rows equal
`);
    expect(run.exitCode).toBe(1);
  });

  it('compares different rows again after --wait, and reports staged rows', async () => {
    await query(
      TARGET,
      `UPDATE blue.gone SET "__deleted_at" = NULL WHERE id = 7; UPDATE blue.gone SET name = 'old' WHERE id IN (8, 9);
       INSERT INTO blue.stg_gone (id, name, "__cdc_operation", "__kafka_partition", "__kafka_offset") VALUES (9, 'name 9', 'u', 0, 1)`,
    );
    const args = ['--env', 'nonprod', '--table', 'adopus.gone', '--customer', 'blue'];
    const ended = finish(startCommand(root, ['verify', ...args, '--wait', '3s'], env));
    await waitForFirstComparison();
    await query(TARGET, `UPDATE blue.gone SET name = 'name 8' WHERE id = 8`);
    const run = await ended;
    expect(run.stdout).toContain(
      'blue.gone: 20 rows at the source, 20 in the target: 1 staged, 1 of them after a while\n    staged {"id":"9"}: name\n',
    );
    expect(run.exitCode).toBe(1);
  });

  /** Waits until different rows have been read for the first time, as digests or in full. */
  async function waitForFirstComparison() {
    const sql = server.connect({ database: TARGET, max: 1 });
    const compared = `SELECT FROM pg_stat_activity
      WHERE application_name = 'cdc verify' AND state = 'idle' AND query LIKE '% = ANY (''{' || repeat('_', 32) || '%'`;
    while ((await sql.unsafe(compared)).length === 0);
    await sql.end();
  }

  it('compares all different rows again, even if there are more than --limit', async () => {
    const late = `id BETWEEN 11 AND 16`;
    await query(TARGET, `DELETE FROM blue.stg_gone; UPDATE blue.gone SET name = 'name ' || id`);
    const args = ['--env', 'nonprod', '--table', 'adopus.gone', '--customer', 'blue'];
    for (const broken of ['', `UPDATE blue.gone SET name = 'wrong' WHERE id > 18`]) {
      await query(TARGET, `UPDATE blue.gone SET name = 'old' WHERE ${late}; ${broken}`);
      const ended = finish(
        startCommand(root, ['verify', ...args, '--limit', '2', '--wait', '2s'], env),
      );
      await waitForFirstComparison();
      await query(TARGET, `UPDATE blue.gone SET name = 'name ' || id WHERE ${late}`);
      const run = await ended;
      expect(run.stdout).toContain(
        broken
          ? 'blue.gone: 20 rows at the source, 20 in the target: 2 different, 6 of them after a while\n'
          : 'blue.gone: 20 rows equal, 6 of them after a while\n',
      );
      expect(run.exitCode).toBe(broken ? 1 : 0);
    }
    await query(TARGET, `UPDATE blue.gone SET name = 'name ' || id`);
  });

  it('finds duplicate keys in an existing table', async () => {
    const row = `FROM public.existing WHERE nr = 3 AND _customer_id = '${BLUE}'`;
    await query(
      TARGET,
      `ALTER TABLE public.existing DROP CONSTRAINT existing_pkey; INSERT INTO public.existing SELECT * ${row}`,
    );
    const run = await verify('--table', 'existing', '--customer', 'blue');
    await query(TARGET, `DELETE FROM public.existing WHERE ctid = (SELECT max(ctid) ${row})`);
    expect(run.stdout).toContain('20 rows at the source, 21 in the target: 1 duplicate\n');
    expect(run.exitCode).toBe(1);
  });

  it('reports unknown tables and customers after it has compared the others', async () => {
    const run = await verify('--table', 'blue.gone', 'gonee', '--customer', 'blue,bleu');
    expect(run.stdout).toContain('blue.gone: 20 rows equal');
    expect(run.stderr).toContain('verify: no table of gonee, bleu in nonprod\n');
    expect(run.exitCode).toBe(2);
  });

  it('finds the rows of a customer whose id is in upper case in source-groups.yaml', async () => {
    const spelled = copyOf(root);
    edit(spelled, 'source-groups.yaml', BLUE, BLUE.toUpperCase());
    const args = ['verify', '--env', 'nonprod', '--table', 'existing', '--customer', 'blue'];
    const run = await runCommand(spelled, [...args, '--wait', '0'], env);
    expect(run.stdout).toContain('public.existing of blue: 20 rows equal\n');
  });

  it.each<readonly [string, string, string]>([
    ['the source', 'AdOpusBlue', 'dbo.gone'],
    ['the target', TARGET, 'blue.gone'],
  ])('fails if row-level security hides rows of %s from the login', async (_, database, table) => {
    const [schema] = table.split('.');
    await query(
      database,
      `CREATE ROLE reader LOGIN PASSWORD 'reader' IN ROLE pg_read_all_data;
       ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON ${table} USING (id < 5)`,
    );
    const hidden = copyOf(root);
    const file = schema === 'dbo' ? 'source-groups.yaml' : 'sink-groups.yaml';
    edit(hidden, file, "user: '${PG_USER}'", 'user: reader');
    edit(hidden, file, "'${POSTGRES_PASSWORD}'", 'reader');
    const args = ['verify', '--env', 'nonprod', '--table', 'gone', '--customer', 'blue'];
    const run = await runCommand(hidden, [...args, '--wait', '0'], env);
    await query(
      database,
      `DROP POLICY few ON ${table}; ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY; DROP ROLE reader`,
    );
    expect(run.stdout).toContain('row-level security policy for table "gone"');
    expect(run.exitCode).toBe(3);
  });

  it.each<readonly [string, string, string, string, string]>([
    [
      'a table that is missing in the target',
      TARGET,
      'ALTER TABLE blue.gone RENAME TO away',
      'ALTER TABLE blue.away RENAME TO gone',
      'relation "blue.gone" does not exist',
    ],
    [
      'a table that is missing at the source',
      'AdOpusBlue',
      'ALTER TABLE dbo.gone RENAME TO away',
      'ALTER TABLE dbo.away RENAME TO gone',
      'relation "dbo.gone" does not exist',
    ],
    [
      'a login without rights',
      'AdOpusBlue',
      `CREATE ROLE weak LOGIN PASSWORD 'weak'; GRANT USAGE ON SCHEMA dbo TO weak`,
      'DROP OWNED BY weak; DROP ROLE weak',
      'the login is missing a permission (permission denied for table gone)',
    ],
  ])(
    'reports %s, and continues with the other tables',
    async (_, database, before, after, message) => {
      await query(database, before);
      const isWeak = before.includes('weak');
      if (isWeak) {
        edit(root, 'source-groups.yaml', "user: '${PG_USER}'", 'user: weak');
        edit(root, 'source-groups.yaml', "'${POSTGRES_PASSWORD}'", 'weak');
      }
      try {
        const run = await verify('--table', 'keyless', 'gone', '--customer', 'blue');
        expect(run.stdout).toContain('blue.gone: failed: ');
        expect(run.stdout).toContain(message);
        if (!isWeak)
          expect(run.stdout).toContain(
            'blue.keyless: 2 rows at the source, 2 in the target; it has no key',
          );
        expect(run.exitCode).toBe(3);
      } finally {
        await query(database, after);
        if (isWeak) {
          edit(root, 'source-groups.yaml', 'user: weak', "user: '${PG_USER}'");
          edit(root, 'source-groups.yaml', 'password: weak', "password: '${POSTGRES_PASSWORD}'");
        }
      }
    },
  );

  it.each<readonly [string, string, string]>([
    ['the connection to the source is cut', 'cdc manage-migrations', 'the connection was lost'],
    ['the connection to the target is cut', 'cdc verify', 'the connection was lost'],
    ['it is stopped', '', 'stopped by a signal'],
  ])('exits with 3 if %s', async (_, application, message) => {
    const database = application === 'cdc verify' ? TARGET : 'AdOpusBlue';
    const table = application === 'cdc verify' ? 'blue.gone' : 'dbo.gone';
    const holder = server.connect({ database, max: 1 });
    await holder.unsafe(`BEGIN; LOCK TABLE ${table}`).simple();
    const args = ['--env', 'nonprod', '--table', 'adopus.gone', '--customer', 'blue'];
    const child = startCommand(root, ['verify', ...args], env);
    const ended = finish(child);
    const waiting = `FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE 'cdc %'`;
    while ((await query(database, `SELECT 1 ${waiting}`)).length === 0);
    if (application === '') child.kill('SIGINT');
    else await query(database, `SELECT pg_terminate_backend(pid) ${waiting}`);
    const run = await ended;
    await holder.end();
    expect(run.stdout).toContain('blue.gone: failed: ');
    expect(run.stdout).toContain(message);
    expect(run.exitCode).toBe(3);
  });

  it('compares customers of a shared source, and handles overrides and duplicate keys', async () => {
    const shared = copyOf(root);
    rmSync(join(shared, 'generated'), { recursive: true });
    rmSync(join(shared, 'migrations'), { recursive: true });
    write(
      shared,
      'source-groups.yaml',
      readFileSync(join(root, 'source-groups.yaml'), 'utf8')
        .replace('pattern: db-per-tenant', 'pattern: db-shared')
        .replace(
          / {2}sources:[\s\S]*/,
          '  sources: { adopus: { schemas: [dbo], nonprod: { server: default, database: shared_source } } }\n',
        ),
    );
    write(
      shared,
      'sink-groups.yaml',
      readFileSync(join(root, 'sink-groups.yaml'), 'utf8').replaceAll(
        'directory_dev',
        'shared_dev',
      ),
    );
    write(
      shared,
      'services/adopus.yaml',
      `adopus:
  source:
    validation_database: shared_source
    validation_env: nonprod
    tables: { dbo.members: { key_columns: [id] } }
  sinks:
    sink_asma.directory:
      tables:
        adopus.members: { from: dbo.members, target_exists: false, column_templates: [{ template: customer_id, name: customer }] }
`,
    );
    write(
      shared,
      'services/_schemas/_definitions/source-adopus-type-overrides.yaml',
      `tables:
  dbo.members: { columns: { n: smallint, price: 'numeric(6,2)', name: varchar(5) } }
`,
    );
    for (const name of ['shared_source', 'shared_dev']) await server.createDatabase({ name });
    await query(
      'shared_source',
      `CREATE SCHEMA dbo; CREATE TABLE dbo.members (id int NOT NULL, customer uuid NOT NULL, n int, price numeric, name text);
       INSERT INTO dbo.members SELECT i, CASE WHEN i % 2 = 0 THEN '${AVANSAS}'::uuid ELSE '${BLUE}' END, i, i / 4.0, 'name' FROM generate_series(1, 10) AS i`,
    );
    expect(await runCommand(shared, ['generate', '--refresh'], env)).toMatchObject({ exitCode: 0 });
    expect(await runCommand(shared, ['apply', '--env', 'nonprod'], env)).toMatchObject({
      exitCode: 0,
    });
    await copyRows(
      'shared_source',
      'dbo.members',
      'adopus.members',
      { __sync_timestamp: '2024-01-01' },
      'shared_dev',
    );
    const SKIPPED = ['price', 'name']
      .map((name) => `    column "${name}" is not compared: an override changes its values\n`)
      .join('');
    const run = (...args: readonly string[]) =>
      runCommand(shared, ['verify', '--env', 'nonprod', '--wait', '0', ...args], env);
    expect(await run()).toMatchObject({
      exitCode: 0,
      stdout: `sink_asma.directory in nonprod:\n  adopus.members: 10 rows equal\n${SKIPPED}`,
    });
    await query(
      'shared_source',
      `INSERT INTO dbo.members VALUES (2, '${AVANSAS}', 3, 1, 'again'), (11, '${BLUE}', 100000, 12345.678, 'too long a name')`,
    );
    expect((await run('--customer', BLUE)).stdout).toBe(`sink_asma.directory in nonprod:
  adopus.members: 6 rows at the source, 5 in the target: 1 missing
    missing {"id":"11"}
${SKIPPED}`);
    expect((await run('--customer', AVANSAS)).stdout).toBe(`sink_asma.directory in nonprod:
  adopus.members: 6 rows at the source, 5 in the target: 1 duplicate
    duplicate {"id":"2"}: n
${SKIPPED}`);
  });

  it('reports an unknown table, and a target that refuses the connection', async () => {
    expect(await verify('--table', 'Nobody')).toMatchObject({
      exitCode: 2,
      stderr: 'verify: no table of Nobody in nonprod\n',
    });
    const sinks = copyOf(root);
    edit(sinks, 'sink-groups.yaml', "port: '${PG_PORT}'", 'port: 1');
    const run = await runCommand(sinks, ['verify', '--env', 'nonprod'], env);
    expect(run).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('connection refused'),
    });
  });
});

/** SQL Server columns with the value of each row and its value in the target. */
const MSSQL: Readonly<Record<string, readonly [type: string, value: SqlValue, target: string]>> = {
  c_bit: ['bit', 1, 'true'],
  c_tiny: ['tinyint', 255, '255'],
  c_big: ['bigint', 9007199254740993n, '9007199254740993'],
  c_dec: ['decimal(38,10)', '12345678901234567890.1200000000', '12345678901234567890.12'],
  c_money: ['money', '12.5', '12.5'],
  c_smallmoney: ['smallmoney', '-0.0001', '-0.0001'],
  c_real: ['real', 0.1, '0.1'],
  c_float: ['float', 0.1, '0.1'],
  c_date: ['date', '0001-01-01', '0001-01-01'],
  c_time: ['time(7)', '23:59:59.9999999', '23:59:59.999999'],
  c_datetime: ['datetime', '2024-01-31T10:11:12.007', '2024-01-31 10:11:12.007'],
  c_small: ['smalldatetime', '2024-01-31T10:11:00', '2024-01-31 10:11'],
  c_time2: ['datetime2(7)', '9999-12-31T23:59:59.9999999', '9999-12-31 23:59:59.999999'],
  c_time3: ['datetime2(3)', '2024-01-31T10:11:12.120', '2024-01-31 10:11:12.12'],
  c_offset: ['datetimeoffset(7)', '2024-01-01T00:11:12.5000000+02:00', '2023-12-31 22:11:12.5+00'],
  c_char: ['char(5)', 'ab   ', 'ab'],
  c_nchar: ['nchar(5)', 'ø    ', 'ø'],
  c_varchar: ['varchar(20)', 'a "b" \\ ', 'a "b" \\ '],
  c_nvarchar: ['nvarchar(20)', 'Døv \u{1F600}\t', 'Døv \u{1F600}\t'],
  c_max: ['nvarchar(max)', 'å'.repeat(9000), 'å'.repeat(9000)],
  c_empty: ['nvarchar(20)', '', ''],
  c_binary: ['binary(4)', Buffer.from('01020000', 'hex'), '\\x01020000'],
  c_varbinary: ['varbinary(max)', Buffer.from('00ff', 'hex'), '\\x00ff'],
  c_guid: [
    'uniqueidentifier',
    '6F9619FF-8B86-D011-B42D-00C04FC964FF',
    '6f9619ff-8b86-d011-b42d-00c04fc964ff',
  ],
  c_xml: ['xml', '<a>é</a>', '<a>é</a>'],
};

describe('verify of a SQL Server source', () => {
  let mssql: MssqlFixture;
  const ROWS_OF_MSSQL = 60;
  beforeAll(async () => {
    server = await startDebianPostgres();
    mssql = await startMssqlFixture({ databases: { AdOpusTest: readAdopusCatalog() } });
    const database = mssql.database('AdOpusTest');
    database.addTable({
      name: 'dbo.everything',
      columns: [
        { name: 'id', type: 'int', isNullable: false },
        { name: 'Kode', type: 'nvarchar(20)', isNullable: false },
        ...Object.entries(MSSQL).map(([name, [type]]) => ({ name, type })),
      ],
      primaryKey: ['id', 'Kode'],
    });
    const values: Record<string, SqlValue> = {};
    const nulls: Record<string, SqlValue> = {};
    for (const [name, [, value]] of Object.entries(MSSQL)) {
      values[name] = value;
      nulls[name] = null;
    }
    const rows = Array.from({ length: ROWS_OF_MSSQL }, (_, i): Record<string, SqlValue> => ({
      ...{ id: i + 1, Kode: i % 2 === 0 ? `k${i + 1}` : `K${i + 1}` },
      ...(i === ROWS_OF_MSSQL - 1 ? nulls : values),
    }));
    database.insertRows('dbo.everything', rows);
    root = smallRepo();
    rmSync(join(root, 'generated'), { recursive: true });
    edit(
      root,
      'source-groups.yaml',
      'host: db.example, port: 1433, user: cdc,',
      "host: '${MSSQL_HOST}', port: '${MSSQL_PORT}', user: '${MSSQL_USER}', encrypt: false,",
    );
    const location =
      "host: '${PG_HOST}', port: '${PG_PORT}', user: '${PG_USER}', sslmode: disable,";
    edit(root, 'sink-groups.yaml', 'host: pg.example, port: 5432, user: cdc,', location);
    write(
      root,
      'services/adopus.yaml',
      `adopus:
  source: { validation_database: AdOpusTest, validation_env: nonprod, tables: { dbo.everything: {} } }
  sinks: { sink_asma.directory: { tables: { adopus.everything: { from: dbo.everything, target_exists: false } } } }
`,
    );
    env = {
      ...{ PG_HOST: server.host, PG_PORT: String(server.port), PG_USER: 'postgres' },
      POSTGRES_PASSWORD: server.password,
      ...{ MSSQL_HOST: mssql.host, MSSQL_PORT: String(mssql.port) },
      ...{ MSSQL_USER: mssql.login.userName, MSSQL_PASSWORD: mssql.login.password },
    };
    await server.createDatabase({ name: TARGET });
    expect(await runCommand(root, ['generate', '--refresh'], env)).toMatchObject({
      exitCode: 0,
      stderr: expect.anything(),
    });
    const applied = ['apply', '--env', 'nonprod', '--schema', 'avansas'];
    expect(await runCommand(root, applied, env)).toMatchObject({
      exitCode: 0,
      stderr: expect.anything(),
    });
    const names = Object.keys(MSSQL).map((name) => `"${name}"`);
    const list = Object.values(MSSQL).map(([, , text]) => `'${text.replaceAll("'", "''")}'`);
    const key = (first: number, last: number) =>
      `SELECT i, CASE WHEN i % 2 = 1 THEN 'k' ELSE 'K' END || i AS kode FROM generate_series(${first}, ${last}) AS i`;
    await query(
      TARGET,
      `INSERT INTO avansas.everything (id, "Kode", ${names.join(', ')}) SELECT i, kode, ${list.join(', ')} FROM (${key(1, ROWS_OF_MSSQL - 1)}) AS k;
       INSERT INTO avansas.everything (id, "Kode") ${key(ROWS_OF_MSSQL, ROWS_OF_MSSQL)}`,
    );
  }, 120_000);
  afterAll(async () => {
    await server.stop();
    expect(mssql.internalErrors()).toEqual([]);
    await mssql.close();
  });

  const AVANSAS_ONLY = ['--customer', 'avansas', '--json'] as const;

  it('finds no differences in equal tables with all types', async () => {
    const run = await verify(...AVANSAS_ONLY);
    expect(tablesOf(run)).toEqual([
      expect.objectContaining({
        outcome: 'equal',
        rows: { source: ROWS_OF_MSSQL, target: ROWS_OF_MSSQL },
        skippedColumns: [],
      }),
    ]);
    expect(run.exitCode).toBe(0);
  });

  it('finds a difference in each column, and no other', async () => {
    const change: Readonly<Record<string, string>> = {
      c_bit: 'false',
      c_tiny: '254',
      c_big: '9007199254740992',
      c_dec: '12345678901234567890.1200000001',
      c_money: '12.4999',
      c_smallmoney: '0.0001',
      c_real: '0.10000001',
      c_float: '0.10000000000000002',
      c_date: '0001-01-02',
      c_time: '23:59:59.999998',
      c_datetime: '2024-01-31 10:11:12.006',
      c_small: '2024-01-31 10:12',
      c_time2: '9999-12-31 23:59:59.999998',
      c_time3: '2024-01-31 10:11:12.121',
      c_offset: '2024-01-01 00:11:12.5+00',
      c_char: 'AB',
      c_nchar: 'o\u0338',
      c_varchar: 'a "b" \\',
      c_nvarchar: 'Døv \u{1F601}\t',
      c_max: 'å'.repeat(8999),
      c_empty: 'NULL',
      c_binary: '\\x01020001',
      c_varbinary: '\\x00',
      c_guid: '6f9619ff-8b86-d011-b42d-00c04fc964fe',
      c_xml: '<a>e\u0301</a>',
    };
    expect(Object.keys(change)).toEqual(Object.keys(MSSQL));
    const statements = Object.entries(change).map(
      ([name, text], i) =>
        `UPDATE avansas.everything SET "${name}" = ${text === 'NULL' ? text : `'${text}'`} WHERE id = ${i + 1}`,
    );
    statements.push(
      'DELETE FROM avansas.everything WHERE id = 50',
      `UPDATE avansas.everything SET "Kode" = 'k52' WHERE id = 52`,
    );
    await query(TARGET, statements.join(';\n'));
    const run = await verify(...AVANSAS_ONLY);
    const found = tablesOf(run).flatMap(({ differences }) =>
      differences.map(
        ({ kind, key, columns }) => `${kind} ${key['id']} ${key['Kode']} ${columns.join()}`,
      ),
    );
    expect(found.sort()).toEqual(
      [
        ...Object.keys(change).map(
          (name, i) => `different ${i + 1} ${i % 2 === 0 ? 'k' : 'K'}${i + 1} ${name}`,
        ),
        ...['missing 50 K50 ', 'missing 52 K52 ', 'extra 52 k52 '],
      ].sort(),
    );
    expect(run.exitCode).toBe(1);
  });

  it('exits with 3 if the server closes the connection', async () => {
    mssql.addFault({ fault: { kind: 'close', afterRows: 10 }, sql: /everything/, times: 1 });
    const run = await verify('--customer', 'avansas');
    expect(run.stdout).toContain('avansas.everything: failed: AdOpusTest on ');
    expect(run.stdout).toContain('the connection was lost');
    expect(run.exitCode).toBe(3);
  });
});
