import {
  buildEventLog,
  buildFinalRows,
  deliverEvents,
  chooseSeed,
} from '@cdc-migrations/event-model';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { quoteQualified } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';
import { applyFiles } from './apply-files.ts';
import { compareFinalTable } from './compare-final-table.ts';
import { mergeTable } from './merge-table.ts';
import { readProcessingLog } from './read-processing-log.ts';
import { readAdopus } from './read-repo.ts';
import { renderMigrations } from './render-migrations.ts';
import { stageEvents } from './stage-events.ts';

const OWNER = 'migrator';
const WRITER = 'cdc_writer';
const TENANT = 'avansas';
const EVENTS = 1000;
const BATCHES = 8;
const CONSTANTS = { _customer_id: '0a827150-1332-5167-993b-68db156438cb' };
const { set, tables } = readAdopus();
const seed = chooseSeed();

/** Builds the log of a table. Every table has a different log. */
function logOf(table: ReplicatedTable) {
  const ownSeed = seed + tables.indexOf(table);
  return buildEventLog(table, { seed: ownSeed, events: EVENTS, constants: CONSTANTS });
}

describe(`1,000 events for each table of adopus, seed ${seed}`, () => {
  let server: PostgresServer;
  let owner: Sql;
  let sinks: readonly [Sql, Sql];
  let mergers: readonly [Sql, Sql];

  beforeAll(async () => {
    server = await startPostgres({ major: 15 });
    await server.createRole(OWNER);
    await server.createRole(WRITER);
    const database = await server.createDatabase({ owner: OWNER });
    const files = renderMigrations({ set, tables, tenants: [TENANT], role: WRITER });
    await applyFiles(server, { database, user: OWNER, tenants: [TENANT] }, files);
    const connect = (user: string) =>
      server.connect({ database, user, max: 1, fetch_types: false });
    owner = connect(OWNER);
    sinks = [connect(WRITER), connect(WRITER)];
    mergers = [connect(WRITER), connect(WRITER)];
  });
  afterAll(() => server.stop());

  /** Two sinks insert the remaining batches while two sessions merge. Then everything is merged. */
  async function stageAndMerge(table: ReplicatedTable, deliverySeed: number): Promise<number> {
    const log = logOf(table);
    const batches = deliverEvents(log, { seed: deliverySeed, batches: BATCHES });
    const queue = [...batches];
    const stage = async (sink: Sql) => {
      for (let batch = queue.shift(); batch; batch = queue.shift()) {
        await stageEvents(sink, TENANT, table, batch);
      }
    };
    await stageEvents(sinks[0], TENANT, table, queue.shift() ?? []);
    let staging = true;
    const merge = async (merger: Sql) => {
      while (staging) await mergeTable(merger, TENANT, table);
    };
    const merging = mergers.map(merge);
    await Promise.all(sinks.map(stage)).finally(() => (staging = false));
    await Promise.all(merging);
    await mergeTable(mergers[0], TENANT, table);
    return batches.flat().length;
  }

  async function countStaged(table: ReplicatedTable): Promise<number> {
    const [row] = await owner.unsafe<{ n: number }[]>(
      `SELECT count(*)::integer AS n FROM ${quoteQualified(TENANT, table.names.staging)}`,
    );
    return row?.n ?? NaN;
  }

  /** Returns a digest of all of a table's rows and columns. */
  async function digest(table: ReplicatedTable): Promise<unknown> {
    return await owner.unsafe(
      `SELECT count(*)::integer, md5(string_agg(t::text, E'\\n' ORDER BY t::text)) AS digest
       FROM ${quoteQualified(TENANT, table.name)} AS t`,
    );
  }

  describe.each(tables.map((table) => [table.name, table] as const))('%s', (_name, table) => {
    const log = logOf(table);
    const { rows, dead } = buildFinalRows(table, log);
    let delivered: number;

    it('contains the final row of each key', async () => {
      delivered = await stageAndMerge(table, seed);
      expect(await compareFinalTable(owner, TENANT, table, rows)).toEqual([]);
      expect(await countStaged(table)).toBe(0);
      expect(rows.length).toBeGreaterThan(0);
    });

    it('counts every event once in the processing log', async () => {
      const totals = await readProcessingLog(owner, TENANT, table.name);
      const deadDelivered = totals.dead;
      expect(totals).toMatchObject({ events: delivered, wrongRows: 0 });
      expect(totals.merged).toBeGreaterThanOrEqual(rows.filter(({ deleted }) => !deleted).length);
      if (table.key) expect(deadDelivered).toBe(0);
      else expect(deadDelivered).toBeGreaterThanOrEqual(dead.length);
      const [deadLetters] = await owner<{ n: number }[]>`
        SELECT count(*)::integer AS n FROM cdc_management.dead_letter
        WHERE schema_name = ${TENANT} AND table_name = ${table.name}`;
      expect(deadLetters?.n).toBe(deadDelivered);
    });

    it('is unchanged after a replay of the whole log in another order', async () => {
      const before = await digest(table);
      await stageAndMerge(table, seed + 1);
      expect(await digest(table)).toEqual(before);
      expect(await countStaged(table)).toBe(0);
    });
  });

  it.each([
    ['read a final table', 'SELECT FROM avansas."Actor"'],
    ['write a final table', 'DELETE FROM avansas."Actor"'],
    ['read staging', 'SELECT FROM avansas."stg_Actor"'],
    ['delete from staging', 'DELETE FROM avansas."stg_Actor"'],
    ['update staging', 'UPDATE avansas."stg_Actor" SET actno = 1'],
    ['truncate staging', 'TRUNCATE avansas."stg_Actor"'],
    ['drop staging', 'DROP TABLE avansas."stg_Actor"'],
    ['drop the merge', 'DROP PROCEDURE avansas.sp_merge_actor()'],
    ['create a table', 'CREATE TABLE avansas.own (n int)'],
    [
      'call the window function',
      "SELECT avansas.fn_merge_window_actor('(0,0)', '(1,0)', NULL, NULL, NULL)",
    ],
    ['change the processing log', 'DELETE FROM cdc_management.processing_log'],
    ['read dead letters', 'SELECT FROM cdc_management.dead_letter'],
    ['change settings', "UPDATE cdc_management.setting SET value = '1'"],
  ])('does not allow the role of the sink to %s', async (_what, statement) => {
    await expect(sinks[0].unsafe(statement)).rejects.toMatchObject({ code: '42501' });
  });
});
