/**
 * Measures a merge of staged events against one unguarded upsert of the same events (the floor), and against COPY.
 * Repeats it with soft deletes, with omitted large values and with other forms of values. Compares it with the methods
 * of other tools.
 *
 *     node tools/bench/merge.mjs [--rounds 3] [--events 1000000] [--rows 5000000] [--scale] [--write]
 *
 * `--scale` adds one run with a quarter of the events and one with four times as many. `--write` updates the tables in
 * `BENCHMARKS.md`. It needs `npm run build`, Debian's `postgresql-15`, and about 20 GB for temporary files with the
 * default sizes.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  CREATE_RAW,
  MERGE_RANKED,
  READ_EVENTS,
  readBackendCpu,
  renderFloor,
  SERVER,
  startMergeBench,
  TENANT,
  TYPE_AND_DEDUPLICATE,
  UPSERT_ONE,
} from './merge-target.mjs';
import { describeMachine, renderSection, writeSection } from './report.mjs';

/** @import { Sql } from 'postgres' */
/** @import { Run } from './measure.mjs' */
/** @import { EventOrder, Variant } from './merge-target.mjs' */
/** @import { Line } from './report.mjs' */

const FILE = join(import.meta.dirname, '../../BENCHMARKS.md');
const CALL_MERGE = `CALL ${TENANT}.sp_merge_order()`;
/** Batch size of Debezium's JDBC sink. */
const BATCH = 500;
/** Interval of the checks during a merge, in milliseconds. */
const LOOK_EACH_MS = 50;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    events: { type: 'string', default: '1000000' },
    rows: { type: 'string', default: '5000000' },
    scale: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const [rounds, events, rows] = [values.rounds, values.events, values.rows].map(Number);

/**
 * A way to move staged events into the final table. It returns the maximum memory of the session in MiB, and the
 * processor seconds of other processes, if there are any.
 *
 * @typedef {{ readonly memoryMib?: number, readonly otherCpu?: number }} Measured
 * @typedef {{ readonly name: string, readonly prepare?: (sql: Sql) => Promise<void>, readonly run: (sql: Sql) =>
 * Promise<Measured> }} Way
 */

/** @type {Way} */
const FLOOR = {
  name: 'floor: one upsert',
  run: (sql) => sql.unsafe(renderFloor()).then(() => ({})),
};
/** @type {Way} */
const MERGE = {
  name: 'merge',
  run: async (sql) => ({
    memoryMib: await watchMemory(sql, () => sql.unsafe(CALL_MERGE)),
  }),
};
/** @type {Way} */
const TWO_MERGES = {
  name: 'two sessions in two lanes',
  prepare: async (sql) => {
    await sql`UPDATE cdc_management.merge_control SET lanes = 2, lane_count = 2, lane_generation = 0`;
  },
  run: async (sql) => {
    const other = server.connect({ database: 'run', max: 1, fetch_types: false });
    const before = await readBackendCpu(other);
    await Promise.all([sql.unsafe(CALL_MERGE), other.unsafe(CALL_MERGE)]);
    const otherCpu = (await readBackendCpu(other)) - before;
    await other.end();
    return { otherCpu };
  },
};
/** @type {Way} */
const COPY = {
  name: 'COPY into a table without keys',
  prepare: prepareCopy,
  run: async (sql) => {
    await sql.unsafe(`COPY bench.copied FROM '${await eventsFile(sql)}'`);
    return {};
  },
};

/** @type {readonly Way[]} */
const OTHERS = [
  {
    name: 'MERGE from raw JSON with rank()',
    prepare: (sql) => sql.unsafe(CREATE_RAW).then(() => {}),
    run: (sql) => sql.unsafe(MERGE_RANKED).then(() => ({})),
  },
  {
    name: 'raw JSON: typed, row_number(), delete and insert',
    prepare: (sql) => sql.unsafe(CREATE_RAW).then(() => {}),
    run: async (sql) => {
      await sql.begin(async (transaction) => {
        for (const statement of TYPE_AND_DEDUPLICATE) await transaction.unsafe(statement);
      });
      return {};
    },
  },
  {
    name: `single prepared upserts, ${BATCH} in a transaction`,
    run: async (sql) => {
      const reader = server.connect({ database: 'run', max: 1, fetch_types: false });
      for await (const rows of reader.unsafe(READ_EVENTS).values().cursor(BATCH)) {
        await sql.begin(async (transaction) => {
          const each = rows.map((row) => transaction.unsafe(UPSERT_ONE, row, { prepare: true }));
          await Promise.all(each);
        });
      }
      await reader.end();
      return {};
    },
  },
];

const { server, createTemplate, createRun } = await startMergeBench();
try {
  const sections = [];
  for (const { order, aims } of /** @type {const} */ ([
    { order: 'log', aims: ['ratio at most 1', 'ratio at most 1.11'] },
    { order: 'random', aims: ['ratio at most 1.25', 'ratio at most 1.33'] },
  ])) {
    const keys = order === 'log' ? 'keys in log order' : 'random keys';
    const options = { events: events ?? 0, order };
    const empty = await measure({ ...options, rows: 0, ways: [FLOOR, MERGE, TWO_MERGES, COPY] });
    const large = await measure({ ...options, rows: rows ?? 0, ways: [FLOOR, MERGE, TWO_MERGES] });
    sections.push(
      render(`Merge of ${count(events)} events into an empty table, ${keys}`, empty, aims[0]),
      render(
        `Merge of ${count(events)} events into ${count(rows)} rows: 20% updates, 5% deletes, ${keys}`,
        large,
        aims[1],
      ),
    );
  }
  for (const [variant, what] of /** @type {const} */ ([
    ['soft', 'deletes mark rows'],
    ['large', 'a large value is omitted from all versions of a key except the first'],
  ])) {
    const options = { events: events ?? 0, rows: rows ?? 0, variant, ways: [FLOOR, MERGE] };
    const title = `Merge of ${count(events)} events into ${count(rows)} rows, keys in log order: ${what}`;
    sections.push(render(title, await measure({ ...options, order: 'log' }), 'ratio at most 1.43'));
  }
  sections.push(await measureForms(), await measureOthers());
  if (values.scale) sections.push(await measureScale());
  for (const section of sections) console.log(section);
  if (values.write) {
    const note =
      'Rows have 25 columns and 9 metadata columns. Each key has 1.3 versions on average. In log order, new keys are ascending, and the versions of a key are within about 10,000 events. Events for older rows can change any row of the table. ' +
      'A ratio of 1.25 means 0.8 times as many rows per second. Events are in four partitions, and each key stays in its partition. ' +
      `${describeMachine()}, ${SERVER}, ${rounds} rounds.`;
    writeSection(FILE, 'merge', `${sections.join('\n')}\n${note}`);
  }
} finally {
  await server.stop();
}

/**
 * Runs each way in turn, each on its own copy of the same database.
 *
 * @param {{ readonly rows: number, readonly events: number, readonly ways: readonly Way[], readonly order?: EventOrder,
 * readonly variant?: Variant, readonly times?: number }} options
 * @returns {Promise<readonly { readonly name: string, readonly runs: Run[], memoryMib: number }[]>}
 */
async function measure({
  rows: stored,
  events: staged,
  ways,
  order = 'random',
  variant = 'plain',
  times = rounds ?? 1,
}) {
  await createTemplate({ name: 'template_of_runs', rows: stored, events: staged, order, variant });
  const measured = ways.map(({ name }) => ({
    name,
    runs: /** @type {Run[]} */ ([]),
    memoryMib: 0,
  }));
  for (let round = 0; round < times; round++) {
    for (const [index, way] of ways.entries()) {
      const sql = await createRun('template_of_runs', 'run');
      await way.prepare?.(sql);
      const cpuBefore = await readBackendCpu(sql);
      const start = performance.now();
      const { memoryMib = 0, otherCpu = 0 } = await way.run(sql);
      const wall = (performance.now() - start) / 1000;
      const line = measured[index];
      line?.runs.push({ wall, cpu: (await readBackendCpu(sql)) - cpuBefore + otherCpu });
      if (line) line.memoryMib = Math.max(line.memoryMib, memoryMib);
      await sql.end();
    }
  }
  const sql = server.connect({ max: 1, onnotice: () => {} });
  await sql.unsafe('DROP DATABASE IF EXISTS run WITH (FORCE)');
  await sql.unsafe('DROP DATABASE template_of_runs WITH (FORCE)');
  await sql.end();
  return measured;
}

/** Measures values that PostgreSQL reads directly and values as Debezium sends them to Bento, in turn. */
async function measureForms() {
  const forms = /** @type {const} */ ([
    ['plain', 'values in the input format of PostgreSQL'],
    ['epochs', '3 of 25 columns in nanoseconds since 1970'],
    ['debezium', 'the same, and 3 columns with decimals in base64'],
  ]);
  const lines = forms.map(([, name]) => ({ name, runs: /** @type {Run[]} */ ([]) }));
  for (let round = 0; round < (rounds ?? 1); round++) {
    for (const [index, [variant]] of forms.entries()) {
      const options = { rows: 0, events: events ?? 0, variant, ways: [MERGE], times: 1 };
      const [merge] = await measure({ ...options, order: 'log' });
      lines[index]?.runs.push(...(merge?.runs ?? []));
    }
  }
  const [plain] = lines;
  return renderSection(
    `Merge of ${count(events)} events into an empty table, keys in log order: forms of values`,
    lines.map((line, index) =>
      index === 0 ? line : { ...line, baseline: plain?.runs ?? [], aim: 'ratio at most 1.11' },
    ),
  );
}

/**
 * Measures methods of other tools with the same events. They keep no order across batches, no dead letters and no log.
 */
async function measureOthers() {
  const staged = Math.round((events ?? 0) / 4);
  const ways = [MERGE, FLOOR, ...OTHERS];
  const [merge, ...others] = await measure({ rows: 0, events: staged, order: 'log', ways });
  return renderSection(
    `Methods of other tools: ${count(staged)} events into an empty table, keys in log order`,
    [
      { name: 'merge', runs: merge?.runs ?? [] },
      ...others.map(({ name, runs }) => ({ name, runs, baseline: merge?.runs ?? [] })),
    ],
  );
}

/** Measures how the time of a merge grows with the number of events. */
async function measureScale() {
  /** @type {Line[]} */
  const lines = [];
  for (const factor of [0.25, 1, 4]) {
    const staged = Math.round((events ?? 0) * factor);
    const [floor, merge] = await measure({
      rows: 0,
      events: staged,
      ways: [FLOOR, MERGE],
      times: 1,
    });
    const perSecond = Math.round(staged / (merge?.runs[0]?.wall ?? 1) / 1000);
    lines.push({ name: `floor, ${count(staged)} events`, runs: floor?.runs ?? [] });
    lines.push({
      name: `merge, ${count(staged)} events: ${perSecond},000 a second`,
      runs: merge?.runs ?? [],
      baseline: floor?.runs ?? [],
      aim: 'linear',
    });
  }
  return renderSection('Merge into an empty table, by number of events, random keys', lines);
}

/**
 * @param {string} title
 * @param {Awaited<ReturnType<typeof measure>>} measured
 * @param {string} aim
 */
function render(title, measured, aim) {
  const [floor] = measured;
  const lines = measured.map(({ name, runs, memoryMib }) => ({
    name: memoryMib > 0 ? `${name}, at most ${memoryMib} MiB of memory` : name,
    runs,
    ...(name !== FLOOR.name && { baseline: floor?.runs ?? [] }),
    aim: name === MERGE.name ? aim : name === TWO_MERGES.name ? 'ratio under 1' : '',
  }));
  return renderSection(title, lines);
}

/** @param {Sql} sql */
async function prepareCopy(sql) {
  const staging = `${TENANT}."stg_Order"`;
  await sql.unsafe(`CREATE TABLE bench.copied (LIKE ${staging})`);
  await sql.unsafe(`COPY ${staging} TO '${await eventsFile(sql)}'`);
}

/** @param {Sql} sql */
async function eventsFile(sql) {
  const [row] = await sql`SELECT current_setting('data_directory') AS folder`;
  return `${row?.folder}/events.copy`;
}

/**
 * Returns the maximum private memory of a session during some work, in MiB.
 *
 * @param {Sql} sql
 * @param {() => Promise<unknown>} work
 */
async function watchMemory(sql, work) {
  const [row] = await sql`SELECT pg_backend_pid() AS pid`;
  let largestKib = 0;
  const timer = setInterval(() => {
    const status = readFileSync(`/proc/${row?.pid}/status`, 'utf8');
    largestKib = Math.max(largestKib, Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0));
  }, LOOK_EACH_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return Math.round(largestKib / 1024);
}

/** @param {number | undefined} number */
function count(number = 0) {
  return number.toLocaleString('en-US');
}
