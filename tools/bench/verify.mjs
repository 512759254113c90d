/**
 * Measures `cdc manage-migrations verify` of a table with 25 columns that is equal in a PostgreSQL source and target,
 * with all rows and with a sample, and the memory of the command.
 *
 *     npm run bench:verify -- [--source postgres|mssql] [--rows 1000000] [--rounds 3] [--write]
 *
 * With `--source mssql` the source is the SQL Server fixture in this process. It is no real server, so only the
 * command's time and memory are meaningful: how fast it reads and hashes rows.
 *
 * `--write` updates the table in `BENCHMARKS.md`. It needs `npm run build` and Debian's `postgresql-15` with stock
 * settings.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { startMssqlFixture } from '@cdc-migrations/mssql-fixture';
import { startDebianPostgres } from '@cdc-migrations/postgres-fixture';
import { describeMachine, renderTable, writeSection } from './report.mjs';

const ROOT = join(import.meta.dirname, '../..');
const CDC = join(ROOT, 'packages/cli/bin/cdc.js');
// VmHWM, because the peak in the resource usage includes the size of this process before the exec.
const REPORT = `import { readFileSync } from 'node:fs';
process.on('exit', () => {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  const [, peak] = /VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'));
  console.error('maxRSS ' + peak + ' cpu ' + (userCPUTime + systemCPUTime) / 1e6);
});`;
const TARGET_S = 60;

const { values } = parseArgs({
  options: {
    source: { type: 'string', default: 'postgres' },
    rows: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    write: { type: 'boolean', default: false },
  },
});

const IS_MSSQL = values.source === 'mssql';

/** SQL Server types for PostgreSQL types. */
const OF_MSSQL = {
  integer: 'int',
  numeric: 'decimal',
  'double precision': 'float',
  'timestamp(3)': 'datetime2(3)',
  boolean: 'bit',
  uuid: 'uniqueidentifier',
  text: 'nvarchar(max)',
  bytea: 'varbinary(max)',
};

/** Type and value of row `i`, by column. */
const COLUMNS = [
  ['id', 'integer', 'i'],
  ...['a', 'b', 'c', 'd'].map((name) => [name, 'integer', 'i % 1000']),
  ...['e', 'f'].map((name) => [name, 'bigint', '9007199254740993 + i']),
  ...['g', 'h', 'j'].map((name) => [name, 'numeric(18,4)', 'i / 8.0']),
  ...['k', 'l'].map((name) => [name, 'double precision', IS_MSSQL ? 'i / 8.0' : 'i / 3.0']),
  ...['m', 'n', 'o'].map((name) => [
    name,
    'timestamp(3)',
    `timestamp '2020-01-01' + i * interval '1 s'`,
  ]),
  ['p', 'date', `date '2020-01-01' + i % 1000`],
  ['q', 'boolean', 'i % 2 = 0'],
  ['r', 'uuid', 'md5(i::text)::uuid'],
  ...['s', 't', 'u', 'v', 'w'].map((name) => [name, 'varchar(50)', `'a text of a row ' || i`]),
  ['x', 'text', `repeat('a longer text ', 4)`],
  ['y', 'bytea', `decode(md5(i::text), 'hex')`],
];

const server = await startDebianPostgres();
const mssql = IS_MSSQL ? await startMssqlFixture({ databases: { source: {} } }) : undefined;
const root = mkdtempSync(join(tmpdir(), 'cdc-verify-'));
try {
  writeRepo();
  if (mssql) fillMssql(mssql.database('source'));
  else
    await run(
      'source',
      `CREATE TABLE big (${COLUMNS.map(([name, type]) => `${name} ${type}`).join(', ')}, PRIMARY KEY (id))`,
    );
  await server.createDatabase({ name: 'target' });
  await cdc(['generate', '--refresh']);
  await cdc(['apply', '--env', 'prod']);
  const names = COLUMNS.map(([name]) => name).join(', ');
  const rows = `SELECT ${COLUMNS.map(([, type, value]) => `(${value})::${type}`).join(', ')} FROM generate_series(1, ${values.rows}) AS i`;
  if (!IS_MSSQL) await run('source', `INSERT INTO big ${rows}`);
  await run('target', `INSERT INTO main.big (${names}) ${rows}`);
  for (const database of IS_MSSQL ? ['target'] : ['source', 'target'])
    await run(database, 'VACUUM ANALYZE; CHECKPOINT');
  const lines = [
    await measure('all rows', [], IS_MSSQL ? '' : `at most ${TARGET_S} s, 50 MB`),
    await measure('a sample of 10,000 rows', ['--sample', '10000'], ''),
    await measure('--help, for comparison', ['--help'], ''),
  ];
  const head = ['command', 'median s', 'min', 'max', 'cpu s', 'memory MB', 'aim'];
  const section = [
    `### \`verify\` of ${Number(values.rows).toLocaleString('en')} equal rows of ${COLUMNS.length} columns, ${IS_MSSQL ? 'SQL Server fixture' : 'PostgreSQL'} to PostgreSQL`,
    '',
    ...renderTable([head, ...lines]),
    '',
    `${describeMachine()}, Debian's PostgreSQL 15 with stock settings, ${values.rounds} rounds. CPU and memory are those of the command, including Node.${IS_MSSQL ? ' The source is not a real SQL Server but the fixture, which uses one of the two cores. The time with a real server is therefore unknown, and only the CPU time of the command is meaningful.' : ''}`,
  ].join('\n');
  console.log(section);
  if (values.write)
    writeSection(join(ROOT, 'BENCHMARKS.md'), IS_MSSQL ? 'verify-mssql' : 'verify', section);
} finally {
  await mssql?.close();
  await server.stop();
  rmSync(root, { recursive: true });
}

/**
 * @param {string} name
 * @param {readonly string[]} args
 * @param {string} aim
 */
async function measure(name, args, aim) {
  const runs = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    const start = performance.now();
    const { stderr } = await cdc(['verify', '--env', 'prod', ...args]);
    const seconds = (performance.now() - start) / 1000;
    const [, memory, cpu] = /maxRSS (\d+) cpu ([\d.]+)/.exec(stderr) ?? [];
    runs.push({ seconds, memory: Number(memory) / 1024, cpu: Number(cpu) });
  }
  const seconds = runs.map((one) => one.seconds).sort((a, b) => a - b);
  const shown = [seconds[Math.floor(seconds.length / 2)], seconds[0], seconds.at(-1)];
  const memory = Math.max(...runs.map((one) => one.memory));
  const cpu = Math.max(...runs.map((one) => one.cpu));
  const figures = [...shown, cpu].map((value = 0) => value.toFixed(3));
  return [name, ...figures, memory.toFixed(0), aim];
}

/** @param {readonly string[]} args */
function cdc(args) {
  return promisify(execFile)(
    process.execPath,
    [CDC, 'manage-migrations', '--root', root, ...args],
    {
      env: {
        ...process.env,
        NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(REPORT)}`,
        PG_PASSWORD: server.password,
        ...(mssql && { MSSQL_PASSWORD: mssql.login.password }),
      },
    },
  );
}

/** @param {import('@cdc-migrations/mssql-fixture').MssqlDatabase} database */
function fillMssql(database) {
  const typeOf = (type = '') => type.replace(/^varchar/, 'nvarchar').replace(/^numeric/, 'decimal');
  database.addTable({
    name: 'dbo.big',
    columns: COLUMNS.map(([name = '', type = '']) => ({
      name,
      type: OF_MSSQL[/** @type {keyof typeof OF_MSSQL} */ (type)] ?? typeOf(type),
      isNullable: name !== 'id',
    })),
    primaryKey: ['id'],
  });
  const start = Date.UTC(2020, 0, 1);
  const rows = Array.from({ length: Number(values.rows) }, (_, at) => {
    const i = at + 1;
    const digest = createHash('md5').update(String(i)).digest();
    const hex = digest.toString('hex').toUpperCase();
    const uuid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    const time = new Date(start + i * 1000).toISOString().slice(0, -1);
    const date = new Date(start + (i % 1000) * 86_400_000).toISOString().slice(0, 10);
    const ofType = {
      integer: i % 1000,
      bigint: 9007199254740993n + BigInt(i),
      'numeric(18,4)': (i / 8).toFixed(4),
      'double precision': i / 8,
      'timestamp(3)': time,
      date,
      boolean: i % 2 === 0 ? 1 : 0,
      uuid,
      'varchar(50)': `a text of a row ${i}`,
      text: 'a longer text '.repeat(4),
      bytea: digest,
    };
    const entries = COLUMNS.map(([name = '', type = '']) => [
      name,
      ofType[/** @type {keyof typeof ofType} */ (type)],
    ]);
    return { ...Object.fromEntries(entries), id: i };
  });
  database.insertRows('dbo.big', rows);
}

/**
 * @param {string} database
 * @param {string} text
 */
async function run(database, text) {
  if (database === 'source') await server.createDatabase({ name: 'source' }).catch(() => undefined);
  const sql = server.connect({ database, max: 1, onnotice: () => {} });
  for (const statement of text.split('; ')) await sql.unsafe(statement).simple();
  await sql.end();
}

/** Writes an implementation repo of one service with one table. */
function writeRepo() {
  mkdirSync(join(root, 'services'), { recursive: true });
  const place = `{ host: ${server.host}, port: ${server.port}, user: postgres, password: '\${PG_PASSWORD}', sslmode: disable }`;
  const schema = mssql ? 'dbo' : 'public';
  const sourcePlace = mssql
    ? `{ host: ${mssql.host}, port: ${mssql.port}, user: ${mssql.login.userName}, password: '\${MSSQL_PASSWORD}', encrypt: false }`
    : place;
  const files = {
    'source-groups.yaml': `main:
  pattern: db-per-tenant
  type: ${mssql ? 'mssql' : 'postgres'}
  servers: { default: ${sourcePlace} }
  sources: { main: { schemas: [${schema}], prod: { server: default, database: source } } }
`,
    'sink-groups.yaml': `sink:
  source_group: main
  pattern: db-shared
  type: postgres
  servers: { default: ${place} }
  sources: { target: { schemas: [public], prod: { server: default, database: target } } }
`,
    'services/main.yaml': `main:
  source: { validation_database: source, validation_env: prod, tables: { ${schema}.big: {} } }
  sinks: { sink.target: { tables: { main.big: { from: ${schema}.big, target_exists: false } } } }
`,
  };
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text);
}
