import { buildEventLog, chooseSeed } from '@cdc-migrations/event-model';
import {
  describeDebian,
  logPlans,
  type PostgresServer,
  readPlans,
  startDebianPostgres,
} from '@cdc-migrations/postgres-fixture';
import { DELETED_AT, type ReplicatedTable } from '@cdc-migrations/table-defs';
import { applyFiles } from './apply-files.ts';
import { mergeTable, replayDeadLetters } from './merge-table.ts';
import { readAdopus } from './read-repo.ts';
import { renderMigrations } from './render-migrations.ts';
import { stageEvents } from './stage-events.ts';

const OWNER = 'migrator';
const WRITER = 'cdc_writer';
const TENANT = 'avansas';
const CONSTANTS = { _customer_id: '0a827150-1332-5167-993b-68db156438cb' };
const { set, tables } = readAdopus();
const seed = chooseSeed();

/** Every second table keeps its deleted rows. */
const mixed = tables.map((table, n): ReplicatedTable =>
  n % 2 === 0 || table.key === null
    ? table
    : { ...table, columns: [...table.columns, DELETED_AT], deleteMode: 'soft' },
);

describeDebian(`a server that compiles expensive statements, seed ${seed}`, () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startDebianPostgres();
    await server.createRole(OWNER);
    await server.createRole(WRITER);
    await logPlans(server, [OWNER, WRITER]);
  });
  afterAll(() => server.stop());

  it.each([
    ['with its default settings', []],
    [
      'with limits as for tables that are 100 times as large',
      ['jit_above_cost', 'jit_inline_above_cost', 'jit_optimize_above_cost'],
    ],
  ])('%s compiles no statement of apply, staging, merge and replay', async (_, limits) => {
    const database = await server.createDatabase({ owner: OWNER });
    const admin = server.connect({ max: 1 });
    for (const name of limits)
      await admin.unsafe(`ALTER DATABASE "${database}" SET ${name} = 1000`);
    const before = server.log().length;
    const files = renderMigrations({ set, tables: mixed, tenants: [TENANT], role: WRITER });
    for (let again = 0; again < 2; again++)
      await applyFiles(server, { database, user: OWNER, tenants: [TENANT] }, files);
    const [owner, sink] = [OWNER, WRITER].map((user) =>
      server.connect({ database, user, max: 1, fetch_types: false, onnotice: () => {} }),
    ) as [ReturnType<typeof server.connect>, ReturnType<typeof server.connect>];
    for (let round = 0; round < 3; round++) {
      for (const [n, table] of mixed.entries()) {
        const ownSeed = seed + n + 1000 * round;
        const log = buildEventLog(table, { seed: ownSeed, events: 6, constants: CONSTANTS });
        const [first, ...others] = log;
        const bad = { ...first!, values: { ...first!.values, __cdc_operation: null } };
        await stageEvents(sink, TENANT, table, [bad, ...others]);
        if (round === 1) await mergeTable(sink, TENANT, table);
      }
      if (round !== 1) await sink`CALL cdc_management.run_pending_merges()`.simple();
    }
    await owner`UPDATE cdc_management.dead_letter SET payload = payload || '{"__cdc_operation": "c"}'`;
    for (const table of mixed) await replayDeadLetters(owner, TENANT, table);
    expect(await owner`SELECT * FROM cdc_management.merge_error`).toEqual([]);
    const plans = readPlans(server.log().slice(before));
    expect(
      plans.filter(({ query }) => query.includes(`INSERT INTO "${TENANT}"`)).length,
    ).toBeGreaterThan(3 * mixed.length);
    expect(plans.filter(({ isCompiled }) => isCompiled).map(({ query }) => query)).toEqual([]);
  });
});
