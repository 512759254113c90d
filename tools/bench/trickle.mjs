/**
 * Measures a runner that finds one event in each of the 39 tables of a tenant, with JIT and without.
 *
 *     node tools/bench/trickle.mjs [--rounds 10] [--write]
 *
 * `--write` puts the table into `BENCHMARKS.md`. Needs `npm run build` and Debian's `postgresql-15`, which is as it
 * ships.
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
const TENANT = 'blue';
const TABLES = 39;

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
  await install(sql);
  const tables = await readTables(sql);
  /** @type {Record<'on' | 'off', Run[]>} */
  const runs = { off: [], on: [] };
  let events = 0;
  // The first round is not counted.
  for (let round = 0; round <= rounds; round++) {
    for (const jit of /** @type {const} */ (['off', 'on'])) {
      await sql.unsafe(tables.map((table) => renderInsert(table, events)).join(';\n')).simple();
      events++;
      const run = await mergeAll(database, jit);
      if (round > 0) runs[jit].push(run);
    }
  }
  await check(sql, events * TABLES);
  const section = renderSection(
    `One event in each of ${TABLES} tables: \`run_pending_merges()\` in a new session`,
    [
      { name: 'jit = off', runs: runs.off, tables: TABLES },
      {
        ...{ name: 'jit = on, as it ships', runs: runs.on, baseline: runs.off, tables: TABLES },
        aim: 'ratio at most 1.5',
      },
    ],
  );
  console.log(section);
  if (values.write) {
    const text = `${section}\n${describeMachine()}, Debian's PostgreSQL 15 as it ships, ${rounds} rounds.`;
    writeSection(join(ROOT, 'BENCHMARKS.md'), 'trickle', text);
  }
} finally {
  await server.stop();
}

/**
 * Files of a tenant, each in a transaction.
 *
 * @param {Sql} sql
 */
async function install(sql) {
  const read = (/** @type {string} */ path) => readFileSync(join(MIGRATIONS, path), 'utf8');
  const { files } = parseManifest(read('manifest.yaml'), 'manifest.yaml');
  for (const { path } of files.filter((file) => !file.path.startsWith('validation/'))) {
    const text = read(path).replaceAll('{{SCHEMA}}', TENANT);
    await sql.begin((transaction) => transaction.unsafe(text).simple());
  }
}

/**
 * A staging table and the columns that an event must have, with their types in the final table.
 *
 * @typedef {{ readonly staging: string, readonly columns: readonly { name: string, type: string }[] }} Table
 */

/**
 * @param {Sql} sql
 * @returns {Promise<readonly Table[]>}
 */
async function readTables(sql) {
  const rows = await sql`
    SELECT control.staging_name AS staging, coalesce(jsonb_agg(jsonb_build_object('name', attname,
      'type', format_type(atttypid, atttypmod)) ORDER BY attnum) FILTER (WHERE attname IS NOT NULL), '[]') AS columns
    FROM cdc_management.merge_control AS control
    LEFT JOIN pg_attribute ON attrelid = format('%I.%I', schema_name, table_name)::regclass AND attnum > 0
      AND NOT attisdropped AND attnotnull AND NOT atthasdef
    GROUP BY 1`;
  if (rows.length !== TABLES) throw new Error(`expected ${TABLES} tables, found ${rows.length}`);
  return rows.map(({ staging, columns }) => ({ staging, columns }));
}

/**
 * An event with keys of its own.
 *
 * @param {Table} table
 * @param {number} n
 */
function renderInsert({ staging, columns }, n) {
  const names = columns.map(({ name }) => `"${name}"`);
  const event = columns.map(({ type }) => renderValue(type, n + 1));
  return `INSERT INTO ${TENANT}."${staging}" (${[...names, '"__source_db"', '"__source_table"'].join(', ')},
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
 * Nothing was left, and nothing was a dead letter.
 *
 * @param {Sql} sql
 * @param {number} sent
 */
async function check(sql, sent) {
  const [row] = await sql`SELECT sum(merged)::int AS merged FROM cdc_management.processing_log`;
  const [letter] = await sql`SELECT table_name, reason FROM cdc_management.dead_letter LIMIT 1`;
  if (letter) throw new Error(`${letter['table_name']}: ${letter['reason']}`);
  if (row?.['merged'] !== sent) throw new Error(`${row?.['merged']} of ${sent} events were merged`);
}
