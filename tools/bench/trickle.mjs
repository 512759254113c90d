/**
 * Measures a runner that finds one event in each of the 39 tables of a tenant, with and without JIT. Then measures runs
 * without an event, with one, and with one per table, for one tenant and for 26, and the size of a tenant in the system
 * catalogs.
 *
 *     node tools/bench/trickle.mjs [--rounds 10] [--write]
 *
 * `--write` updates the table in `BENCHMARKS.md`. It needs `npm run build` and Debian's `postgresql-15` with stock
 * settings.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startDebianPostgres } from '@cdc-migrations/postgres-fixture';
import { parseManifest } from '@cdc-migrations/table-defs';
import { readBackendCpu } from './merge-target.mjs';
import { describeMachine, renderSection, writeSection } from './report.mjs';

/** @import { Sql } from 'postgres' */
/** @import { Run } from './measure.mjs' */

const ROOT = join(import.meta.dirname, '../..');
const MIGRATIONS = join(ROOT, 'fixtures/adopus/migrations');
const TABLES = 39;
/** Schemas that the fixture creates. */
const TENANTS = [
  ...readFileSync(join(MIGRATIONS, 'schemas/create-schemas.sql'), 'utf8').matchAll(
    /^CREATE SCHEMA IF NOT EXISTS "(?!cdc_management")(.+)";$/gm,
  ),
].map(([, name]) => name ?? '');
const [TENANT = ''] = TENANTS;
/** Number of staged events, and the next offset. */
const sent = { events: 0, offset: 0 };

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    write: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);

const server = await startDebianPostgres();
try {
  const database = await server.createDatabase();
  const sql = server.connect({ database, max: 1, fetch_types: false, onnotice: () => {} });
  await install(sql, TENANT);
  const tables = await readTables(sql);
  if (tables.length !== TABLES)
    throw new Error(`expected ${TABLES} tables, found ${tables.length}`);
  const runs = await measureJit(sql, database, tables);
  const sections = [
    renderSection(
      `One event in each of ${TABLES} tables: \`run_pending_merges()\` in a new session`,
      [
        { name: 'jit = off', runs: runs.off, tables: TABLES },
        {
          ...{ name: 'jit = on, the default', runs: runs.on, baseline: runs.off, tables: TABLES },
          aim: 'ratio at most 1.5',
        },
      ],
    ),
    await measureMany(sql, tables),
  ];
  for (const section of sections) console.log(section);
  if (values.write) {
    const text = `${sections.join('\n')}\n${describeMachine()}, Debian's PostgreSQL 15 with stock settings, ${rounds} rounds.`;
    writeSection(join(ROOT, 'BENCHMARKS.md'), 'trickle', text);
  }
} finally {
  await server.stop();
}

/**
 * @param {Sql} sql
 * @param {string} database
 * @param {readonly Table[]} tables
 */
async function measureJit(sql, database, tables) {
  /** @type {Record<'on' | 'off', Run[]>} */
  const runs = { off: [], on: [] };
  // The first round is a warm-up.
  for (let round = 0; round <= rounds; round++) {
    for (const jit of /** @type {const} */ (['off', 'on'])) {
      await stage(sql, tables);
      const run = await mergeAll(database, jit);
      if (round > 0) runs[jit].push(run);
    }
  }
  await check(sql);
  return runs;
}

/**
 * Measures runs with no event, one event, and one event per table, for one tenant and for all.
 *
 * @param {Sql} sql
 * @param {readonly Table[]} tables
 */
async function measureMany(sql, tables) {
  const few = await measureRuns(sql, tables, TABLES, 1);
  const before = await readBytes(sql);
  for (const tenant of TENANTS.slice(1)) await install(sql, tenant);
  const mib = ((await readBytes(sql)) - before) / (TENANTS.length - 1) / 2 ** 20;
  const all = await readTables(sql);
  const section = renderSection('`run_pending_merges()` in a session that has merged before', [
    ...few,
    ...(await measureRuns(sql, all, all.length, TENANTS.length)),
  ]);
  await check(sql);
  return `${section}\nA tenant with ${TABLES} tables uses ${mib.toFixed(2)} MiB in the system catalogs.\n`;
}

/**
 * @param {Sql} sql
 * @param {readonly Table[]} tables
 * @param {number} count
 * @param {number} tenants
 */
async function measureRuns(sql, tables, count, tenants) {
  const cases = [
    { what: 'no event', staged: [], aim: '' },
    {
      ...{ what: 'one event', staged: tables.slice(0, 1) },
      aim: tenants === 1 ? 'at most 3 ms of server CPU' : '',
    },
    { what: 'one event in each', staged: tables, aim: tenants === 1 ? '' : 'at most 4 s' },
  ];
  const lines = cases.map(({ what, staged, aim }) => ({
    ...{ name: '', what, staged, aim, runs: /** @type {Run[]} */ ([]), tables: staged.length },
    walBytes: 0,
  }));
  for (let round = 0; round <= rounds; round++) {
    for (const line of lines) {
      await stage(sql, line.staged);
      const [wal, cpu, start] = [await readWal(sql), await readBackendCpu(sql), performance.now()];
      await sql.unsafe('CALL cdc_management.run_pending_merges()').simple();
      const wall = (performance.now() - start) / 1000;
      if (round === 0) continue;
      line.runs.push({ wall, cpu: (await readBackendCpu(sql)) - cpu });
      line.walBytes += (await readWal(sql)) - wal;
    }
  }
  for (const line of lines) {
    const perEvent = Math.round(line.walBytes / Math.max(1, line.tables * rounds));
    line.name = `${line.what}, ${count} tables${line.tables > 0 ? `: ${perEvent} bytes of WAL per event` : ''}`;
  }
  return lines;
}

/**
 * Returns the size of the system catalogs with their indexes.
 *
 * @param {Sql} sql
 */
async function readBytes(sql) {
  const [row] = await sql`SELECT sum(pg_total_relation_size(oid))::float8 AS bytes FROM pg_class
    WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'`;
  return Number(row?.['bytes']);
}

/** @param {Sql} sql */
async function readWal(sql) {
  const [row] = await sql`SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS bytes`;
  return Number(row?.['bytes']);
}

/**
 * Installs the files of a tenant, each in its own transaction, and those of the database before the first tenant.
 *
 * @param {Sql} sql
 * @param {string} tenant
 */
async function install(sql, tenant) {
  const read = (/** @type {string} */ path) => readFileSync(join(MIGRATIONS, path), 'utf8');
  const { files } = parseManifest(read('manifest.yaml'), 'manifest.yaml');
  const left = ['validation/', ...(tenant === TENANT ? [] : ['schemas/', 'infrastructure/'])];
  for (const { path } of files.filter(
    (file) => !left.some((folder) => file.path.startsWith(folder)),
  )) {
    const text = read(path).replaceAll('{{SCHEMA}}', tenant);
    await sql.begin((transaction) => transaction.unsafe(text).simple());
  }
}

/**
 * A staging table with the required columns of an event and their types in the final table.
 *
 * @typedef {{ readonly schema: string, readonly staging: string, readonly columns: readonly { name: string, type:
 * string }[] }} Table
 */

/**
 * @param {Sql} sql
 * @returns {Promise<readonly Table[]>}
 */
async function readTables(sql) {
  const rows = await sql`
    SELECT control.schema_name AS schema, control.staging_name AS staging, coalesce(jsonb_agg(jsonb_build_object('name', attname,
      'type', format_type(atttypid, atttypmod)) ORDER BY attnum) FILTER (WHERE attname IS NOT NULL), '[]') AS columns
    FROM cdc_management.merge_control AS control
    LEFT JOIN pg_attribute ON attrelid = format('%I.%I', schema_name, table_name)::regclass AND attnum > 0
      AND NOT attisdropped AND attnotnull AND NOT atthasdef
    GROUP BY 1, 2 ORDER BY 1, 2`;
  return rows.map(({ schema, staging, columns }) => ({ schema, staging, columns }));
}

/**
 * Stages one more event in each table.
 *
 * @param {Sql} sql
 * @param {readonly Table[]} tables
 */
async function stage(sql, tables) {
  if (tables.length === 0) return;
  const text = tables.map((table) => renderInsert(table, sent.offset)).join(';\n');
  await sql.unsafe(text).simple();
  sent.events += tables.length;
  sent.offset++;
}

/**
 * Renders an event with new keys.
 *
 * @param {Table} table
 * @param {number} n
 */
function renderInsert({ schema, staging, columns }, n) {
  const names = columns.map(({ name }) => `"${name}"`);
  const event = columns.map(({ type }) => renderValue(type, n + 1));
  return `INSERT INTO "${schema}"."${staging}" (${[...names, '"__source_db"', '"__source_table"'].join(', ')},
    "__cdc_operation", "__kafka_partition", "__kafka_offset")
  VALUES (${[...event, "'AdOpus'", "'Table'"].join(', ')}, 'c', 0, ${n})`;
}

/**
 * @param {string} type
 * @param {number} n
 */
function renderValue(type, n) {
  if (type === 'uuid') return `'00000000-0000-4000-8000-${String(n).padStart(12, '0')}'`;
  if (type === 'boolean') return 'true';
  if (type === 'bytea') return `'\\x${String(n).padStart(4, '0')}'`;
  if (/^(date|timestamp)/.test(type)) return `'2020-01-01'::date + ${n}`;
  const length = Number(/^character.*\((\d+)\)/.exec(type)?.[1] ?? Infinity);
  return `'${String(n).slice(0, length)}'`;
}

/**
 * @param {string} database
 * @param {'on' | 'off'} jit
 * @returns {Promise<Run>}
 */
async function mergeAll(database, jit) {
  const session = server.connect({ database, max: 1, fetch_types: false, connection: { jit } });
  const cpuBefore = await readBackendCpu(session);
  const start = performance.now();
  await session.unsafe('CALL cdc_management.run_pending_merges()').simple();
  const wall = (performance.now() - start) / 1000;
  const cpu = (await readBackendCpu(session)) - cpuBefore;
  await session.end();
  return { wall, cpu };
}

/**
 * Checks that all events were merged and there are no dead letters.
 *
 * @param {Sql} sql
 */
async function check(sql) {
  const [row] = await sql`SELECT sum(merged)::int AS merged FROM cdc_management.processing_log`;
  const [letter] = await sql`SELECT table_name, reason FROM cdc_management.dead_letter LIMIT 1`;
  if (letter) throw new Error(`${letter['table_name']}: ${letter['reason']}`);
  if (row?.['merged'] !== sent.events)
    throw new Error(`${row?.['merged']} of ${sent.events} events were merged`);
}
