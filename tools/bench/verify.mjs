/**
 * Measures `cdc manage-migrations verify` of a table of 25 columns that is equal in a source and a target of PostgreSQL, with
 * all rows and with a sample, and the memory that the command takes.
 *
 *     npm run bench:verify -- [--rows 1000000] [--rounds 3] [--write]
 *
 * `--write` puts the table into `BENCHMARKS.md`. Needs `npm run build` and Debian's `postgresql-15`, which is as it ships.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startDebianPostgres } from '@cdc-migrations/postgres-fixture';
import { describeMachine, renderTable, writeSection } from './report.mjs';

const ROOT = join(import.meta.dirname, '../..');
const CDC = join(ROOT, 'packages/cli/bin/cdc.js');
const REPORT = 'process.on("exit",()=>console.error("maxRSS "+process.resourceUsage().maxRSS))';
const TARGET_S = 60;

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    write: { type: 'boolean', default: false },
  },
});

/** Type and value of row `i`, by column. */
const COLUMNS = [
  ['id', 'integer', 'i'],
  ...['a', 'b', 'c', 'd'].map((name) => [name, 'integer', 'i % 1000']),
  ...['e', 'f'].map((name) => [name, 'bigint', '9007199254740993 + i']),
  ...['g', 'h', 'j'].map((name) => [name, 'numeric(18,4)', 'i / 8.0']),
  ...['k', 'l'].map((name) => [name, 'double precision', 'i / 3.0']),
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
const root = mkdtempSync(join(tmpdir(), 'cdc-verify-'));
try {
  writeRepo();
  await run(
    'source',
    `CREATE TABLE big (${COLUMNS.map(([name, type]) => `${name} ${type}`).join(', ')}, PRIMARY KEY (id))`,
  );
  await server.createDatabase({ name: 'target' });
  cdc(['generate', '--refresh']);
  cdc(['apply', '--env', 'prod']);
  const names = COLUMNS.map(([name]) => name).join(', ');
  const rows = `SELECT ${COLUMNS.map(([, type, value]) => `(${value})::${type}`).join(', ')} FROM generate_series(1, ${values.rows}) AS i`;
  await run('source', `INSERT INTO big ${rows}`);
  await run('target', `INSERT INTO main.big (${names}) ${rows}`);
  for (const database of ['source', 'target']) await run(database, 'VACUUM ANALYZE; CHECKPOINT');
  const lines = [
    measure('all rows', [], `at most ${TARGET_S} s, 50 MB`),
    measure('a sample of 10,000 rows', ['--sample', '10000'], ''),
    measure('--help, for its memory', ['--help'], ''),
  ];
  const head = ['command', 'median s', 'min', 'max', 'memory MB', 'aim'];
  const section = [
    `### \`verify\` of ${Number(values.rows).toLocaleString('en')} equal rows of ${COLUMNS.length} columns, PostgreSQL to PostgreSQL`,
    '',
    ...renderTable([head, ...lines]),
    '',
    `${describeMachine()}, Debian's PostgreSQL 15 as it ships, ${values.rounds} rounds. Memory is the peak of the command, Node included.`,
  ].join('\n');
  console.log(section);
  if (values.write) writeSection(join(ROOT, 'BENCHMARKS.md'), 'verify', section);
} finally {
  await server.stop();
  rmSync(root, { recursive: true });
}

/**
 * @param {string} name
 * @param {readonly string[]} args
 * @param {string} aim
 */
function measure(name, args, aim) {
  const runs = Array.from({ length: Number(values.rounds) }, () => {
    const start = performance.now();
    const { stderr } = cdc(['verify', '--env', 'prod', ...args]);
    const seconds = (performance.now() - start) / 1000;
    return { seconds, memory: Number(/maxRSS (\d+)/.exec(stderr)?.[1]) / 1024 };
  });
  const seconds = runs.map((one) => one.seconds).sort((a, b) => a - b);
  const shown = [seconds[Math.floor(seconds.length / 2)], seconds[0], seconds.at(-1)];
  const memory = Math.max(...runs.map((one) => one.memory));
  return [name, ...shown.map((value = 0) => value.toFixed(3)), memory.toFixed(0), aim];
}

/** @param {readonly string[]} args */
function cdc(args) {
  const run = spawnSync(process.execPath, [CDC, 'manage-migrations', '--root', root, ...args], {
    encoding: 'utf8',
    env: {
      ...process.env,
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(REPORT)}`,
      PG_PASSWORD: server.password,
    },
  });
  if (run.status !== 0) throw new Error(`cdc ${args.join(' ')}: ${run.stdout}${run.stderr}`);
  return run;
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

/** An implementation repo of one service with one table. */
function writeRepo() {
  mkdirSync(join(root, 'services'), { recursive: true });
  const place = `{ host: ${server.host}, port: ${server.port}, user: postgres, password: '\${PG_PASSWORD}', sslmode: disable }`;
  const files = {
    'source-groups.yaml': `main:
  pattern: db-per-tenant
  type: postgres
  servers: { default: ${place} }
  sources: { main: { schemas: [public], prod: { server: default, database: source } } }
`,
    'sink-groups.yaml': `sink:
  source_group: main
  pattern: db-shared
  type: postgres
  servers: { default: ${place} }
  sources: { target: { schemas: [public], prod: { server: default, database: target } } }
`,
    'services/main.yaml': `main:
  source: { validation_database: source, validation_env: prod, tables: { public.big: {} } }
  sinks: { sink.target: { tables: { main.big: { from: public.big, target_exists: false } } } }
`,
  };
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text);
}
