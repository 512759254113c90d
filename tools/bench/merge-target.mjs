import { readFileSync } from 'node:fs';
import { renderInfrastructure, renderSchemas, renderTable } from '@cdc-migrations/ddl-render';
import { startDebianPostgres } from '@cdc-migrations/postgres-fixture';
import { renderStaging } from '@cdc-migrations/staging-render';
import { buildTable } from '@cdc-migrations/table-fixture';

/** @import { ColumnDefinition, MigrationSet, ReplicatedTable } from '@cdc-migrations/table-defs' */
/** @import { Sql } from 'postgres' */

/** Settings that users change on Debian's server for such a load. Everything else is as shipped by the package. */
const SETTINGS = {
  // A quarter of the memory of a machine with 8 GB, as the manual recommends.
  shared_buffers: '2GB',
  // Recommended by the server's log: with 1 GB a checkpoint is forced every few seconds.
  max_wal_size: '8GB',
};

/** Description of the server in benchmarks. */
export const SERVER = `Debian's PostgreSQL 15 with stock settings, but ${Object.entries(SETTINGS)
  .map(([name, value]) => `${name} ${value}`)
  .join(' and ')}`;

/**
 * Order of the keys of events. `random`: few versions of a key are in one batch. `log`: about in the order of creation,
 * with the versions of a key within some 10,000 events.
 *
 * @typedef {'random' | 'log'} EventOrder
 */

/** @type {MigrationSet} */
const SET = {
  name: 'sink_bench.target',
  folder: 'migrations',
  sourceGroup: 'bench',
  pattern: 'db-per-tenant',
  services: ['bench'],
  literalSchemas: [],
};

/** Values of an event by column type. */
const SOURCE_COLUMNS = /** @type {const} */ ([
  ['integer', 'int', 5, '(event.k * 7 + n)::integer % 100000'],
  ['bigint', 'bigint', 2, 'event.k * 1000 + n'],
  ['character varying(100)', 'nvarchar(100)', 7, "'text ' || md5((event.k + n)::text)"],
  ['numeric(18,2)', 'decimal(18,2)', 3, '((event.k * 31 + n) % 1000000)::numeric / 100'],
  [
    'timestamp(6) without time zone',
    'datetime2(7)',
    3,
    "timestamp '2020-01-01' + event.k * interval '1 second'",
  ],
  ['boolean', 'bit', 2, 'event.k % 3 = 0'],
  [
    'uuid',
    'uniqueidentifier',
    1,
    "('00000000-0000-4000-8000-' || lpad(to_hex(event.k), 12, '0'))::uuid",
  ],
  ['text', 'nvarchar(max)', 1, "'note ' || md5(event.k::text)"],
]);

/** The large text column, and the placeholder of an unchanged value. */
const LARGE = 'text_0';
const UNAVAILABLE = '__debezium_unavailable_value';

/** 25 columns of a source, and their expressions over `event.k` and the number `n` of the column. */
const columns = [
  { name: 'id', type: 'bigint', sourceType: 'bigint', value: 'event.k' },
  ...SOURCE_COLUMNS.flatMap(([type, sourceType, count, value]) =>
    Array.from({ length: count }, (_, n) => ({
      name: `${type.replace(/\W.*/, '')}_${n}`,
      type,
      sourceType,
      value: value.replaceAll('n)', `${n})`).replaceAll('+ n', `+ ${n}`),
    })),
  ),
];

/**
 * Kind of table and events. `soft`: soft deletes. `large`: versions of a key after the first omit the large text, as
 * Debezium does for unchanged values. `epochs`, `debezium`: times, or times and decimals, as Debezium sends them to
 * Bento.
 *
 * @typedef {'plain' | 'soft' | 'large' | 'epochs' | 'debezium'} Variant
 */

/** Form of an event and its value, by the type of the column. */
const FORMS = {
  'timestamp(6) without time zone': {
    form: /** @type {const} */ ('nanoseconds'),
    variants: ['epochs', 'debezium'],
    value: (/** @type {string} */ value) => `(extract(epoch FROM ${value}) * 1000000000)::bigint`,
  },
  'numeric(18,2)': {
    form: /** @type {const} */ ('decimal_base64(2)'),
    variants: ['debezium'],
    value: (/** @type {string} */ value) => `encode(int4send((${value} * 100)::integer), 'base64')`,
  },
};

/**
 * @param {string} type
 * @param {Variant} variant
 */
function formOf(type, variant) {
  const found = type in FORMS ? FORMS[/** @type {keyof typeof FORMS} */ (type)] : undefined;
  return found?.variants.includes(variant) ? found : undefined;
}

/** @param {Variant} variant */
function buildVariant(variant) {
  return buildTable({
    set: SET.name,
    service: 'bench',
    source: { database: 'Bench', schema: 'dbo', table: 'Order' },
    name: 'Order',
    deleteMode: variant === 'soft' ? 'soft' : 'hard',
    columns: columns.map(
      /** @returns {ColumnDefinition} */
      ({ name, type, sourceType }) => {
        const { form } = formOf(type, variant) ?? {};
        return {
          name,
          role: 'source',
          type,
          nullable: name !== 'id',
          source: { name, type: sourceType },
          exactness: 'exact',
          ...(form && { form }),
        };
      },
    ),
  });
}

export const TABLE = buildVariant('plain');

export const TENANT = 'bench';

/** Starts a server with template databases for measurements. */
export async function startMergeBench() {
  const server = await startDebianPostgres({ settings: SETTINGS });
  return { server, createTemplate, createRun };

  /**
   * Creates a database with a final table of `rows` rows and `events` staged events, with 1.3 versions per key. If
   * there are rows, a fifth of the keys is updated and a twentieth deleted.
   *
   * @param {{ name: string, rows: number, events: number, order?: EventOrder, variant?: Variant }} options
   */
  async function createTemplate({ name, rows, events, order = 'random', variant = 'plain' }) {
    await server.createDatabase({ name });
    const sql = server.connect({ database: name, max: 1, fetch_types: false });
    const table = buildVariant(variant);
    await installTable(sql, table);
    if (rows > 0) {
      await sql.unsafe(
        `INSERT INTO ${TENANT}."Order" SELECT ${renderFinalRow(variant)} FROM generate_series(1::bigint, ${rows}) AS event (k)`,
      );
    }
    await sql.unsafe(`INSERT INTO ${TENANT}."stg_Order" (${renderStagingColumns()})
      SELECT ${renderStagedRow(variant)} FROM (${renderKeys(rows, events, order)}) AS event (k, o, op, is_later) ORDER BY event.o`);
    await sql.unsafe('VACUUM ANALYZE');
    await sql.end();
  }

  /**
   * Copies a template.
   *
   * @param {string} template
   * @param {string} name
   */
  async function createRun(template, name) {
    const sql = server.connect({ max: 1, onnotice: () => {} });
    await sql.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await sql.unsafe(`CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`);
    const run = server.connect({ database: name, max: 1, fetch_types: false, onnotice: () => {} });
    // The merge detects a copy as a restored database and scans all staged events once. That is not measured.
    await run
      .unsafe(
        `SELECT cdc_management.notice_loss();
      SELECT cdc_management.look_past_staged(control) FROM cdc_management.merge_control AS control`,
      )
      .simple();
    await sql.unsafe('CHECKPOINT');
    await sql.end();
    return run;
  }
}

/**
 * @param {Sql} sql
 * @param {ReplicatedTable} table
 */
async function installTable(sql, table) {
  const files = [
    renderSchemas(SET, [TENANT], 'postgres'),
    renderInfrastructure(SET, 'postgres'),
    renderTable(table, 'tables/Order.sql'),
    renderStaging(table, { path: 'staging/Order-staging.sql', role: 'postgres' }),
  ];
  for (const { text } of files) {
    await sql.begin((transaction) =>
      transaction.unsafe(text.replaceAll('{{SCHEMA}}', TENANT)).simple(),
    );
  }
}

/**
 * Renders events in the order of their offsets: key, offset, operation, and whether the key has an earlier version.
 *
 * @param {number} rows
 * @param {number} events
 * @param {EventOrder} order
 */
function renderKeys(rows, events, order) {
  const keys = Math.round(events / 1.3);
  const place = (/** @type {string} */ key) =>
    order === 'log' ? `(${key}) / 10 + (hashint8(e) & 1023)` : 'hashint8(e)';
  const oldKey = `(n * 104729 + 1) % ${Math.max(rows, 1)} + 1`;
  const isOld = rows > 0 ? 'n % 20 < 5' : 'false';
  return `SELECT CASE WHEN ${isOld} THEN ${oldKey} ELSE ${rows} + n + 1 END, o,
      CASE WHEN ${rows > 0 ? 'n % 20 = 4' : 'false'} THEN 'd' ELSE 'u' END,
      ${isOld} OR o > min(o) OVER (PARTITION BY n)
    FROM (
      SELECT e % ${keys} AS n, row_number() OVER (ORDER BY ${place(`e % ${keys}`)}, e) AS o
      FROM generate_series(0::bigint, ${events - 1}) AS e
    ) AS shuffled`;
}

const METADATA = {
  __source: "'cdc'",
  __source_db: "'Bench'",
  __source_table: "'Order'",
  __source_ts_ms: '1767225600000',
};

/** @param {Variant} variant */
function renderFinalRow(variant) {
  const metadata = {
    __sync_timestamp: 'now()',
    ...METADATA,
    __cdc_operation: "'r'",
    __stream_generation: '0',
    __kafka_partition: '0',
    __kafka_offset: '-1',
    ...(variant === 'soft' && { __deleted_at: 'NULL' }),
  };
  return [...columns.map(({ value }) => value), ...Object.values(metadata)].join(', ');
}

const stagedMetadata = {
  ...METADATA,
  __cdc_operation: 'event.op',
  __stream_generation: '0',
  __kafka_partition: '(event.k % 4)::integer',
  __kafka_offset: 'row_number() OVER (PARTITION BY event.k % 4 ORDER BY event.o)',
  __kafka_timestamp: 'now()',
};

function renderStagingColumns() {
  return [...columns.map(({ name }) => name), ...Object.keys(stagedMetadata)].join(', ');
}

/** @param {Variant} variant */
function renderStagedRow(variant) {
  const staged = columns.map(({ name, type, value }) => {
    if (variant === 'large' && name === LARGE)
      return `CASE WHEN event.is_later THEN '${UNAVAILABLE}' ELSE ${value} END`;
    return formOf(type, variant)?.value(value) ?? value;
  });
  return [...staged, ...Object.values(stagedMetadata)].join(', ');
}

/** Renders the floor: the newest event of each key, unguarded, in one statement. Staging is unchanged. */
export function renderFloor() {
  const names = TABLE.columns.map(({ name }) => `"${name}"`);
  const values = TABLE.columns.map(({ name, type }) =>
    name === '__sync_timestamp' ? 'now()' : `staged."${name}"::${type}`,
  );
  return `INSERT INTO ${TENANT}."Order" (${names.join(', ')})
    SELECT DISTINCT ON (staged.id) ${values.join(', ')}
    FROM ${TENANT}."stg_Order" AS staged
    ORDER BY staged.id, staged."__kafka_offset" DESC
    ON CONFLICT (id) DO UPDATE SET ${names
      .filter((name) => name !== '"id"')
      .map((name) => `${name} = excluded.${name}`)
      .join(', ')}`;
}

/** Events as JSON, as written by pipelines with one raw table for everything. */
export const CREATE_RAW = `CREATE TABLE bench.raw AS
  SELECT "__kafka_offset" AS position, "__cdc_operation" AS operation, to_jsonb(staged) AS payload
  FROM ${TENANT}."stg_Order" AS staged ORDER BY ctid`;

const names = TABLE.columns.map(({ name }) => `"${name}"`);
const update = names.filter((name) => name !== '"id"');
const typed = TABLE.columns.map(({ name, type }) =>
  name === '__sync_timestamp'
    ? `now() AS "${name}"`
    : `(payload->>'${name}')::${type} AS "${name}"`,
);

/** MERGE from a raw table of JSON, ranked by key, as replication tools do. */
export const MERGE_RANKED = `WITH ranked AS (
    SELECT payload, operation, rank() OVER (PARTITION BY (payload->>'id')::bigint ORDER BY position DESC) AS place FROM bench.raw
  )
  MERGE INTO ${TENANT}."Order" AS stored
  USING (SELECT operation, ${typed.join(', ')} FROM ranked WHERE place = 1) AS event ON stored."id" = event."id"
  WHEN NOT MATCHED AND event.operation <> 'd' THEN INSERT (${names.join(', ')})
    VALUES (${names.map((name) => `event.${name}`).join(', ')})
  WHEN MATCHED AND event.operation <> 'd' THEN UPDATE SET ${update.map((name) => `${name} = event.${name}`).join(', ')}
  WHEN MATCHED THEN DELETE`;

/**
 * Statements that cast all raw events, deduplicate them with row_number(), then delete and insert, as loaders of raw
 * JSON do.
 */
export const TYPE_AND_DEDUPLICATE = [
  `CREATE TABLE bench.typed AS SELECT position, operation, ${typed.join(', ')} FROM bench.raw`,
  `DELETE FROM bench.typed WHERE ctid IN (
    SELECT ctid FROM (SELECT ctid, row_number() OVER (PARTITION BY id ORDER BY position DESC) AS place FROM bench.typed) AS numbered
    WHERE place > 1)`,
  `DELETE FROM ${TENANT}."Order" AS stored USING bench.typed AS event WHERE stored.id = event.id`,
  `INSERT INTO ${TENANT}."Order" (${names.join(', ')}) SELECT ${names.join(', ')} FROM bench.typed WHERE operation <> 'd'`,
];

/** The statement that a JDBC sink prepares. Values are text in the order of the columns. */
export const UPSERT_ONE = `INSERT INTO ${TENANT}."Order" (${names.join(', ')})
  VALUES (${names.map((_, n) => `$${n + 1}`).join(', ')})
  ON CONFLICT (id) DO UPDATE SET ${update.map((name) => `${name} = excluded.${name}`).join(', ')}`;

/** Events in the order of their offsets, for `UPSERT_ONE`. */
export const READ_EVENTS = `SELECT ${names
  .map((name) => (name === '"__sync_timestamp"' ? 'now()::text' : `${name}::text`))
  .join(', ')} FROM ${TENANT}."stg_Order" ORDER BY ctid`;

/**
 * Returns the processor time of a backend in seconds.
 *
 * @param {Sql} sql
 */
export async function readBackendCpu(sql) {
  const [row] = await sql`SELECT pg_backend_pid() AS pid`;
  const fields = readFileSync(`/proc/${row?.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
