import { createHash } from 'node:crypto';
import {
  buildEventLog,
  buildFinalRows,
  type ChangeEvent,
  chooseSeed,
} from '@cdc-migrations/event-model';
import {
  describeDebian,
  type PostgresServer,
  startDebianPostgres,
} from '@cdc-migrations/postgres-fixture';
import type { MigrationSet, ReplicatedTable } from '@cdc-migrations/table-defs';
import {
  applyMigrations,
  checkTarget,
  openSession,
  runMerges,
  type MigrationFile,
  type Migrations,
  type TargetAddress,
} from '@cdc-migrations/tracker';
import { compareFinalTable } from './compare-final-table.ts';
import { buildVersions } from './hostile-settings.fixture.ts';
import { renderMigrations } from './render-migrations.ts';
import { stageEvents } from './stage-events.ts';

const OWNER = 'migrator';
const SINK = 'cdc_writer';
const TENANT = 'kunde-å';
const SET: MigrationSet = {
  ...{ name: 'sink_test.target', folder: 'migrations', sourceGroup: 'test' },
  ...{ pattern: 'db-per-tenant', services: ['adopus'], literalSchemas: [] },
};
const seed = chooseSeed();
const { first, last } = buildVersions();

const FIRST = buildMigrations(first);
const LAST = buildMigrations(last);
const LOGS = last.map((table, n) => {
  const log = buildEventLog(table, { seed: seed + n, events: 60 });
  return {
    table,
    log,
    bad: badEvents(table, log.length),
    final: [...buildFinalRows(table, log).rows],
  };
});

/** A row whose unchanged array is omitted in its newest event. */
const LEFT_OUT = buildLeftOut(last[0]!);
LOGS[0]!.final.push({ deleted: false, upsert: LEFT_OUT.row });

interface Hostile {
  /** SQL that the superuser runs in the database. */
  readonly prepare?: string;
  /**
   * Roles with the setting. The default is all. `merger`: the sink's role except while staging, because the setting
   * changes what it sends.
   */
  readonly of?: 'owner' | 'merger';
  /** Set if it contradicts other settings. */
  readonly alone?: true;
}

/** Settings of the roles that apply, stage, merge and check. */
const SETTINGS: Readonly<Record<string, Hostile>> = {
  'quote_all_identifiers = on': {},
  'xmloption = document': {},
  'xmlbinary = hex': {},
  'DateStyle = SQL, DMY': {},
  'DateStyle = German': {},
  'IntervalStyle = sql_standard': {},
  'IntervalStyle = iso_8601': {},
  'TimeZone = Asia/Kathmandu': {},
  'bytea_output = escape': {},
  'extra_float_digits = -15': {},
  'standard_conforming_strings = off': {},
  'backslash_quote = off': {},
  'escape_string_warning = on': {},
  'array_nulls = off': { of: 'merger' },
  'transform_null_equals = on': {},
  'client_encoding = LATIN1': {},
  'lc_monetary = C.utf8; lc_numeric = C.utf8; lc_time = C.utf8': {},
  'search_path = nowhere': {},
  [`search_path = "${TENANT}", cdc_management`]: {},
  'search_path = evil, pg_catalog': {
    prepare: `CREATE SCHEMA evil; GRANT USAGE ON SCHEMA evil TO PUBLIC;
      CREATE DOMAIN evil.text AS pg_catalog.text CHECK (false);
      CREATE DOMAIN evil.integer AS pg_catalog.int4 CHECK (false);
      CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz';
      CREATE FUNCTION evil.format(text, VARIADIC text[]) RETURNS text LANGUAGE sql AS 'SELECT NULL';
      CREATE FUNCTION evil.lower(text) RETURNS text LANGUAGE sql AS 'SELECT NULL';
      CREATE TABLE evil.pg_class (oid oid);
      GRANT SELECT ON evil.pg_class TO PUBLIC`,
  },
  'default_tablespace = elsewhere': {},
  'temp_tablespaces = elsewhere': {},
  'default_table_access_method = another': {
    prepare: 'CREATE ACCESS METHOD another TYPE TABLE HANDLER heap_tableam_handler',
  },
  'default_toast_compression = pglz': {},
  'default_transaction_isolation = repeatable read': {},
  'default_transaction_isolation = serializable': {},
  'default_transaction_deferrable = on': {},
  'default_transaction_read_only = on': { of: 'merger' },
  'synchronous_commit = off; commit_delay = 1000': {},
  'session_replication_role = replica': {},
  'check_function_bodies = off': {},
  'plpgsql.variable_conflict = use_variable': {},
  'plpgsql.variable_conflict = use_column': {},
  'plpgsql.extra_errors = all': {},
  'plpgsql.extra_warnings = all': {},
  'plpgsql.check_asserts = off': {},
  'lock_timeout = 500ms': {},
  'statement_timeout = 30s': {},
  'idle_in_transaction_session_timeout = 100ms': {},
  'row_security = off': {},
  'role = owners': {
    prepare: `GRANT owners TO ${OWNER}`,
    of: 'owner',
    alone: true,
  },
  'work_mem = 64kB; maintenance_work_mem = 1MB; temp_buffers = 800kB; hash_mem_multiplier = 1': {},
  'temp_file_limit = 0': { alone: true },
  'max_stack_depth = 1MB': {},
  'max_parallel_workers = 0; max_parallel_workers_per_gather = 0': {},
  'max_parallel_workers_per_gather = 8; parallel_setup_cost = 0; min_parallel_table_scan_size = 0':
    {},
  'force_parallel_mode = regress': {},
  'force_parallel_mode = on; parallel_leader_participation = off': {},
  'plan_cache_mode = force_custom_plan': {},
  'plan_cache_mode = force_generic_plan': {},
  'from_collapse_limit = 1; join_collapse_limit = 1': {},
  'geqo_threshold = 2; geqo_seed = 0.5': {},
  'cursor_tuple_fraction = 1; default_statistics_target = 1; gin_fuzzy_search_limit = 1': {},
  'random_page_cost = 1000; cpu_tuple_cost = 1000; constraint_exclusion = on': {},
  'jit_above_cost = 0; jit_optimize_above_cost = 0': {},
  ...Object.fromEntries(
    [
      ['hashjoin', 'mergejoin'],
      ['nestloop', 'memoize', 'material'],
      ['indexscan', 'indexonlyscan', 'bitmapscan', 'tidscan'],
      ['seqscan', 'sort', 'hashagg', 'incremental_sort', 'partition_pruning'],
    ].map((methods) => [methods.map((name) => `enable_${name} = off`).join('; '), {}]),
  ),
  'enable_partitionwise_join = on; enable_partitionwise_aggregate = on': {},
  'client_min_messages = error': {},
  'client_min_messages = debug5': {},
  'log_statement = all; log_min_messages = debug1; log_min_error_statement = debug5': {},
  'track_functions = all; track_activities = off; application_name = somebody': {},
  'wal_compression = on': {},
};

/** Number of settings that are tried together. `CDC_SETTINGS=single` tries each by itself. */
const TOGETHER = process.env['CDC_SETTINGS'] === 'single' ? 1 : 10;

/** Groups the settings. A group has each name once, and only settings of the same roles. */
function groupSettings(): readonly (readonly [settings: string, Hostile])[] {
  const groups: { settings: string[]; names: Set<string>; hostile: Hostile }[] = [];
  for (const [setting, hostile] of Object.entries(SETTINGS)) {
    const names = setting.split('; ').map((one) => one.replace(/ = .*/s, ''));
    const group = groups.find(
      (each) =>
        !hostile.alone &&
        !each.hostile.alone &&
        each.settings.length < TOGETHER &&
        each.hostile.of === hostile.of &&
        !names.some((name) => each.names.has(name)),
    );
    if (!group) {
      groups.push({ settings: [setting], names: new Set(names), hostile });
      continue;
    }
    group.settings.push(setting);
    for (const name of names) group.names.add(name);
    const prepare = [group.hostile.prepare, hostile.prepare].filter(Boolean).join('; ');
    group.hostile = { ...group.hostile, ...(prepare && { prepare }) };
  }
  return groups.map(({ settings, hostile }) => [settings.join('; '), hostile]);
}

let server: PostgresServer;
/** The result without any of these settings. */
let expected: EndState;

describeDebian('apply, staging and merges with unusual settings', () => {
  beforeAll(async () => {
    server = await startDebianPostgres();
    for (const role of [OWNER, SINK]) await server.createRole(role);
    const admin = server.connect({ max: 1, onnotice: () => {} });
    await admin`CREATE ROLE owners`;
    await admin`SET allow_in_place_tablespaces = on`;
    await admin`CREATE TABLESPACE elsewhere LOCATION ''`;
    await admin`GRANT CREATE ON TABLESPACE elsewhere TO PUBLIC`;
    await admin.end();
    expected = await carryOut('', {});
  });
  afterAll(() => server?.stop());

  it('produce rows in every table, and dead letters', () => {
    expect(Math.min(...Object.values(expected.rows))).toBeGreaterThan(0);
    expect(Object.values(expected.rows).reduce((sum, rows) => sum + rows)).toBeGreaterThan(20);
    expect(expected.deadLetters.length).toBeGreaterThan(5);
  });

  it.each(groupSettings())('have the same result with %s', async (setting, hostile) => {
    expect(await carryOut(setting, hostile)).toEqual(expected);
  });
});

interface EndState {
  readonly rows: Readonly<Record<string, number>>;
  readonly deadLetters: readonly object[];
  /** Objects of each file, as recorded in the history. */
  readonly created: readonly object[];
}

/** Applies, stages, merges, replays and checks in sessions with a setting, and in other sessions in between. */
async function carryOut(setting: string, { prepare, of }: Hostile): Promise<EndState> {
  const database = await server.createDatabase({
    owner: setting.startsWith('role') ? 'owners' : OWNER,
  });
  const plain = server.connect({ database, max: 1, fetch_types: false, onnotice: () => {} });
  if (prepare) await plain.unsafe(prepare).simple();
  const set = async (role: string) => {
    for (const one of setting.split('; ')) {
      const [name, value] = one.split(/ = (.*)/s) as [string, string];
      const list = name === 'search_path' ? value : `'${value}'`;
      await plain.unsafe(`ALTER ROLE ${role} IN DATABASE "${database}" SET ${name} = ${list}`);
    }
  };
  if (setting !== '') await set(OWNER);
  if (setting !== '' && of === undefined) await set(SINK);
  const address = (user: string): TargetAddress => {
    const { host, port } = server;
    return {
      server: { name: 'test', host, port, user, password: user, sslmode: 'disable' },
      database,
    };
  };
  const apply = async (migrations: Migrations, again = false) => {
    const { failures, applied } = await applyMigrations(address(OWNER), migrations, {
      ...{ tenants: [TENANT], again },
    });
    expect(failures).toEqual([]);
    return applied.length;
  };
  await apply(FIRST);
  await apply(LAST);

  const sink = server.connect({
    database,
    user: SINK,
    max: 1,
    fetch_types: false,
    onnotice: () => {},
  });
  const stage = async (part: (log: readonly ChangeEvent[]) => readonly ChangeEvent[]) => {
    for (const { table, log, bad } of LOGS)
      await stageEvents(sink, TENANT, table, part([...log, ...bad]));
  };
  await stage((log) => log.filter((_, n) => n % 3 === 0));
  if (of === 'merger') await set(SINK);
  const merger = server.connect({
    database,
    user: SINK,
    max: 1,
    fetch_types: false,
    onnotice: () => {},
  });
  const { tables, lost } = await runMerges(address(SINK), { jobs: 1 });
  expect(lost).toBeNull();
  expect(tables.map(({ failure }) => failure)).toEqual(last.map(() => null));
  await stage((log) => log.filter((_, n) => n % 3 === 1));
  await plain`CALL cdc_management.run_pending_merges()`.simple();
  await stage((log) => log.filter((_, n) => n % 3 === 2));
  await stageEvents(sink, TENANT, last[0]!, [LEFT_OUT.before, LEFT_OUT.after]);
  await merger`CALL cdc_management.run_pending_merges()`.simple();
  const deadLetters = await plain`
    SELECT table_name, kafka_offset, reason, payload::text FROM cdc_management.dead_letter
    ORDER BY 1, kafka_partition, 2, dead_letter_id`;
  await stage((log) => log.toReversed().filter((_, n) => n % 2 === 0));
  await merger`CALL cdc_management.run_pending_merges()`.simple();
  await stage((log) => log.toReversed().filter((_, n) => n % 2 === 1));
  await plain`CALL cdc_management.run_pending_merges()`.simple();
  expect(await plain`SELECT * FROM cdc_management.merge_error`).toEqual([]);

  expect(await check(address(OWNER))).toEqual([]);
  await plain.unsafe(`ALTER ROLE ${OWNER} IN DATABASE "${database}" RESET ALL`);
  expect(await check(address(OWNER))).toEqual([]);
  if (setting !== '') await set(OWNER);
  await apply(LAST, true);
  expect(await check(address(OWNER))).toEqual([]);
  expect(await apply(LAST)).toBe(0);
  const rows: Record<string, number> = {};
  for (const { table, final } of LOGS) {
    expect(await compareFinalTable(plain, TENANT, table, final, ['__sync_timestamp'])).toEqual([]);
    rows[table.name] = final.length;
  }
  const created = await plain`
    SELECT category, table_name, made FROM cdc_management.migration_history ORDER BY 1, 2`;
  await Promise.all([plain, sink, merger].map((sql) => sql.end()));
  return { rows, deadLetters, created };
}

async function check(address: TargetAddress) {
  const session = openSession(address, 'check');
  try {
    return await checkTarget(session, LAST, { tenants: [TENANT] });
  } finally {
    await session.close();
  }
}

/** Builds events that must be kept completely in the dead letters with every setting: two per staged part. */
function badEvents(table: ReplicatedTable, count: number): readonly ChangeEvent[] {
  return [0, 1, 2, 3, 4, 5].map((n) => {
    const [event] = buildEventLog(table, { seed: seed + 1000 + n, events: 1, after: 10 * count });
    const isRefused = n > 2;
    return {
      ...event!,
      values: {
        ...event!.values,
        __kafka_offset: String(100_000 + n),
        __cdc_operation: isRefused ? 'c' : 'x',
        ...(isRefused && { Wider: 'x'.repeat(30) }),
      },
    };
  });
}

function buildLeftOut(table: ReplicatedTable) {
  const log = buildEventLog(table, { seed: seed + 2000, events: 60 });
  const event = log.find(({ kind }) => kind === 'upsert'); // A delete has NULLs, which become defaults.
  const at = (offset: number, operation: string, array: string): ChangeEvent => ({
    ...event!,
    kind: 'upsert',
    values: {
      ...event!.values,
      ...{ id: '1717171717', 'a text[]': array, __cdc_operation: operation },
      ...{ __kafka_offset: String(200_000 + offset), __kafka_partition: '0' },
    },
  });
  const [array, unavailable] = ['{a,NULL,"NULL"}', '{__debezium_unavailable_value}'];
  return { before: at(1, 'c', array), after: at(2, 'u', unavailable), row: at(2, 'u', array) };
}

function buildMigrations(tables: readonly ReplicatedTable[]): Migrations {
  const files = renderMigrations({ set: SET, tables, tenants: [TENANT], role: SINK });
  return {
    ...{ set: SET, role: SINK, tables, validation: [], problems: [] },
    files: files.map(({ path, category, scope, text }): MigrationFile => {
      const name = path.replace(/^.*\//, '').replace(/(-staging)?\.sql$/, '');
      const table = tables.find((of) => of.name === name);
      return {
        ...{ path, name, text, category: category as MigrationFile['category'] },
        scope: scope === 'tenant' ? 'tenant' : 'database',
        checksum: createHash('sha256').update(text).digest('hex'),
        ...(table && { table, service: table.service }),
      };
    }),
  };
}
