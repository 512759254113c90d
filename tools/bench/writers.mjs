/**
 * Measures writers of single rows in parallel with a merge of many events, and with a runner that polls every second.
 * Then compares a single writer to a staging table with and without the staging trigger.
 *
 *     node tools/bench/writers.mjs [--events 1000000] [--seconds 30] [--rate 4000] [--write]
 *
 * `--rate` is the number of rows per second of all writers together under steady load. `--write` updates the tables in
 * `BENCHMARKS.md`. It needs `npm run build` and Debian's `postgresql-15`.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SERVER, startMergeBench, TENANT } from './merge-target.mjs';
import { describeMachine, renderSection, renderTable, writeSection } from './report.mjs';

/** @import { Run } from './measure.mjs' */
/** @typedef {ReturnType<import('@cdc-migrations/postgres-fixture').PostgresServer['connect']>} Sql */

const WRITERS = 16;
/** Rounds with one writer, and seconds per run. */
const PAIRS = 5;
const PAIR_SECONDS = 3;
const STAGING = `${TENANT}."stg_Order"`;

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '30' },
    rate: { type: 'string', default: '4000' },
    write: { type: 'boolean', default: false },
  },
});
const [events, seconds, rate] = [values.events, values.seconds, values.rate].map(Number);

const { server, createTemplate, createRun } = await startMergeBench();
try {
  await createTemplate({ name: 'staged', rows: 0, events: events ?? 0 });
  await createTemplate({ name: 'empty', rows: 0, events: 0 });
  const alone = await beside('empty', (_sql, isOver) => sleep(5000).then(isOver));
  const merging = await beside('staged', (sql, isOver) => run(sql).then(isOver));
  const steady = await beside('empty', watch, (rate ?? 0) / WRITERS);
  const section = render(alone, merging, steady);
  const trigger = await measureTrigger();
  console.log(`${section}\n${trigger}`);
  if (values.write) {
    const file = join(import.meta.dirname, '../../BENCHMARKS.md');
    writeSection(file, 'writers', `${section}\n${trigger}\n${describeMachine()}, ${SERVER}.`);
  }
} finally {
  await server.stop();
}

/**
 * @typedef {object} Figures
 * @property {number} rows
 * @property {number} seconds
 * @property {readonly number[]} latenciesMs in order
 * @property {readonly string[]} waits of more than a millisecond for a lock, as the server's log has them
 * @property {readonly string[]} lengthening those for the lock to make the table longer, which is held for a page
 * @property {number} [oldestSeconds] age of the oldest event that was staged at any look
 * @property {number} [leftSeconds] the same when the load ends
 * @property {number} [largestBytes] of the staging table
 */

/**
 * Inserts rows one by one in parallel with some work.
 *
 * @param {string} template
 * @param {(sql: Sql, isOver: () => void) => Promise<void | Partial<Figures>>} work
 * @param {number} [perSecond] rows of one writer; without it as many as it can
 * @returns {Promise<Figures>}
 */
async function beside(template, work, perSecond) {
  const name = `writers_${template}`;
  const sql = await createRun(template, name);
  await sql.unsafe(`ALTER DATABASE ${name} SET log_lock_waits = on`);
  await sql.unsafe(`ALTER DATABASE ${name} SET deadlock_timeout = '1ms'`);
  const writers = Array.from({ length: WRITERS }, () =>
    server.connect({ database: name, max: 1, fetch_types: false }),
  );
  const pids = await Promise.all(
    writers.map(async (writer) => (await writer`SELECT pg_backend_pid() AS pid`)[0]?.['pid']),
  );
  const runner = Number((await sql`SELECT pg_backend_pid() AS pid`)[0]?.['pid']);
  const logBefore = server.log().length;
  /** @type {number[]} */
  const latenciesMs = [];
  let isOn = true;
  const start = performance.now();
  const working = work(sql, () => void (isOn = false)).finally(() => (isOn = false));
  await Promise.all(
    writers.map(async (writer, n) => {
      for (let row = 0; isOn; row++) {
        const before = performance.now();
        await insert(writer, n, row);
        latenciesMs.push(performance.now() - before);
        if (perSecond !== undefined)
          await sleep(Math.max(0, start + ((row + 1) * 1000) / perSecond - performance.now()));
      }
    }),
  );
  const elapsed = (performance.now() - start) / 1000;
  const found = await working;
  const [waits, lengthening] = readWaits(server.log().slice(logBefore), new Set(pids), runner);
  await check(sql, latenciesMs.length + (template === 'staged' ? (events ?? 0) : 0));
  await Promise.all([sql, ...writers].map((session) => session.end()));
  latenciesMs.sort((a, b) => a - b);
  return { rows: latenciesMs.length, seconds: elapsed, latenciesMs, waits, lengthening, ...found };
}

/**
 * @param {Sql} writer
 * @param {number} n
 * @param {number} row
 */
async function insert(writer, n, row) {
  const key = 1_000_000_000 + row * WRITERS + n;
  await writer.unsafe(`INSERT INTO ${STAGING} ("id", "character_0", "__source_db", "__source_table",
      "__source_ts_ms", "__cdc_operation", "__kafka_partition", "__kafka_offset", "__kafka_timestamp")
    VALUES (${key}, 'text of ${key}', 'Bench', 'Order', 1767225600000, 'c', ${100 + n}, ${row}, clock_timestamp())`);
}

/** @param {Sql} sql */
async function run(sql) {
  await sql.unsafe('CALL cdc_management.run_pending_merges()').simple();
}

/**
 * Runs a runner that polls every second, and a session that observes it.
 *
 * @param {Sql} sql
 * @param {() => void} isOver
 */
async function watch(sql, isOver) {
  const other = server.connect({ database: 'writers_empty', max: 1, fetch_types: false });
  const end = performance.now() + (seconds ?? 0) * 1000;
  const found = { oldestSeconds: 0, leftSeconds: 0, largestBytes: 0 };
  const look = async () => {
    const [row] = await other.unsafe(`SELECT pg_relation_size('${STAGING}') AS bytes,
      coalesce(extract(epoch FROM clock_timestamp() - min(__kafka_timestamp)), 0) AS age FROM ${STAGING}`);
    found.largestBytes = Math.max(found.largestBytes, Number(row?.['bytes']));
    found.leftSeconds = Number(row?.['age']);
    found.oldestSeconds = Math.max(found.oldestSeconds, found.leftSeconds);
  };
  const looking = (async () => {
    for (; performance.now() < end; await sleep(250)) await look();
  })();
  for (; performance.now() < end; await sleep(1000)) await run(sql);
  await looking;
  await look();
  isOver();
  await other.end();
  return found;
}

/**
 * Checks that all sent rows arrive.
 *
 * @param {Sql} sql
 * @param {number} sent
 */
async function check(sql, sent) {
  await run(sql);
  const [row] = await sql.unsafe(
    `SELECT sum(events)::bigint AS n FROM cdc_management.processing_log`,
  );
  if (Number(row?.['n']) !== sent) throw new Error(`${row?.['n']} of ${sent} events were merged`);
}

/**
 * @param {string} log
 * @param {ReadonlySet<number>} pids of the writers
 * @param {number} runner
 * @returns {[string[], string[]]} all waits but those to lengthen the table, and those
 */
function readWaits(log, pids, runner) {
  const holders = new Map(
    [
      ...log.matchAll(
        /process (\d+) still waiting .*\n.*DETAIL: +Process(?:es)? holding the lock: (\d+)/g,
      ),
    ].map(([, pid, holder]) => [Number(pid), Number(holder)]),
  );
  const nameOf = /** @param {number | undefined} pid */ (pid) =>
    pid === undefined
      ? 'nobody'
      : pid === runner
        ? 'the runner'
        : pids.has(pid)
          ? 'a writer'
          : 'vacuum';
  const waits = [...log.matchAll(/process (\d+) acquired (.+) after ([\d.]+) ms\b/g)]
    .filter(([, pid]) => pids.has(Number(pid)))
    .map(
      ([, pid, lock, ms]) =>
        `${ms} ms for ${lock?.replace(/ of database .*/, '')}, held by ${nameOf(holders.get(Number(pid)))}`,
    );
  const isLengthening = /** @param {string} wait */ (wait) =>
    wait.includes('extension of relation');
  return [waits.filter((wait) => !isLengthening(wait)), waits.filter(isLengthening)];
}

/** Runs pgbench with one client in pairs: without and with our trigger. */
async function measureTrigger() {
  const folder = mkdtempSync(join(tmpdir(), 'bench-writers-'));
  chmodSync(folder, 0o755);
  try {
    const sql = await createRun('empty', 'writers_trigger');
    await sql.unsafe(`CREATE UNLOGGED TABLE bench.plain (LIKE ${STAGING} INCLUDING ALL)`);
    const lines = [];
    for (const { name, rows, mode, aim } of [
      { name: 'single rows, prepared', rows: 1, mode: 'prepared', aim: 'ratio at most 1.67' },
      { name: 'statements of 100 rows', rows: 100, mode: 'simple', aim: 'ratio at most 1.18' },
    ]) {
      const [plain, staging] = /** @type {[Run[], Run[]]} */ ([[], []]);
      for (let pair = 0; pair < PAIRS; pair++) {
        for (const [table, runs] of /** @type {const} */ ([
          ['bench.plain', plain],
          [STAGING, staging],
        ])) {
          const script = join(folder, `${rows}.sql`);
          writeFileSync(script, renderScript(table, rows), { mode: 0o644 });
          const printed = server.run('pgbench', [
            ...['--no-vacuum', `--time=${PAIR_SECONDS}`, `--protocol=${mode}`, '-D', 'o=0'],
            ...[`--file=${script}`, 'writers_trigger'],
          ]);
          const perSecond = Number(/^tps = ([\d.]+)/m.exec(printed)?.[1]) * rows;
          runs.push({ wall: 1e6 / perSecond, cpu: undefined });
          await sql.unsafe(`TRUNCATE ${table}`);
        }
      }
      lines.push({ name: `${name}, without the staging trigger`, runs: plain });
      lines.push({ name: `${name}, staging`, runs: staging, baseline: plain, aim });
    }
    await sql.end();
    return `${renderSection('Seconds for 1,000,000 rows of one writer', lines)}\nA ratio of 1.67 means 0.6 times as many rows per second, and 1.18 means 0.85 times as many.\n`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * @param {string} table
 * @param {number} rows
 */
function renderScript(table, rows) {
  const row = (/** @type {number} */ n) =>
    `(:o + ${n}, 'text', 'Bench', 'Order', 1767225600000, 'c', 0, :o + ${n}, clock_timestamp())`;
  const tuples = Array.from({ length: rows }, (_, n) => row(n));
  return `INSERT INTO ${table} (id, character_0, __source_db, __source_table, __source_ts_ms, __cdc_operation, __kafka_partition, __kafka_offset, __kafka_timestamp) VALUES ${tuples.join(', ')};
\\set o :o + ${rows}
`;
}

/**
 * @param {Figures} alone
 * @param {Figures} merging
 * @param {Figures} steady
 */
function render(alone, merging, steady) {
  const head = [
    'writers',
    'rows',
    'rows/s',
    'median ms',
    '99% ms',
    'longest ms',
    'waits for locks',
    'waits to extend the table',
  ];
  const rows = [
    ['alone', alone],
    [`in parallel with a merge of ${events} events`, merging],
    [`${rate} rows/s for ${seconds} s beside a runner`, steady],
  ].map(([name, figures]) => renderRow(String(name), /** @type {Figures} */ (figures)));
  const waits = [alone, merging, steady].flatMap(({ waits: found }) => found).slice(0, 5);
  return [
    `### ${WRITERS} writers of single rows into one staging table`,
    '',
    ...renderTable([head, ...rows]),
    '',
    `Under steady load, the oldest staged event was at most ${steady.oldestSeconds?.toFixed(1)} s old, ` +
      `and ${steady.leftSeconds?.toFixed(1)} s old at the end. The staging table had at most ` +
      `${((steady.largestBytes ?? 0) / 2 ** 20).toFixed(1)} MiB.`,
    ...(waits.length > 0 ? ['', `Waits: ${waits.join('; ')}.`] : []),
    '',
  ].join('\n');
}

/**
 * @param {string} name
 * @param {Figures} figures
 */
function renderRow(name, { rows, seconds: elapsed, latenciesMs, waits, lengthening }) {
  const at = /** @param {number} part */ (part) =>
    (
      latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * part))] ?? 0
    ).toFixed(1);
  const cells = [rows, Math.round(rows / elapsed), at(0.5), at(0.99), at(1)];
  return [name, ...cells, waits.length, lengthening.length].map(String);
}
