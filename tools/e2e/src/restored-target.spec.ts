import {
  describeDebian,
  type PostgresServer,
  startDebianPostgres,
} from '@cdc-migrations/postgres-fixture';
import { quoteQualified } from '@cdc-migrations/sql-text';
import type { Sql } from 'postgres';
import { mergeTable } from './merge-table.ts';
import {
  type MergeTarget,
  openMergeTarget,
  orderEvents,
  OWNER,
  readNumber,
  SINK,
  TENANT,
} from './merge-target.fixture.ts';
import { ORDER_LINJER, orderTable } from './order-linjer.fixture.ts';
import { stageEvents } from './stage-events.ts';

const LOGGED = { ...orderTable('Logged'), staging: 'logged' } as const;
const TABLES = [LOGGED, ORDER_LINJER];

/** A database restored to an earlier state. */
interface Restored {
  readonly server: PostgresServer;
  readonly database: string;
}

describeDebian('a target that is restored to an earlier time', () => {
  let target: MergeTarget;
  let others: PostgresServer[] = [];
  beforeEach(async () => {
    // Point-in-time recovery needs an archive.
    target = await openMergeTarget(await startDebianPostgres({ settings: { archive_mode: 'on' } }));
    await target.apply(...TABLES);
    await stage(target.sink, 0, 99);
    await merge(target.sink);
    expect(await readLosses(target.sink)).toEqual([]);
    await stage(target.sink, 100, 149);
  }, 60_000);
  afterEach(async () => {
    for (const server of others) await server.stop();
    others = [];
    await target.stop();
  });

  const stage = async (sink: Sql, first: number, last: number) => {
    for (const table of TABLES) await stageEvents(sink, TENANT, table, orderEvents(0, first, last));
  };
  const merge = async (sink: Sql) => {
    for (const table of TABLES) await mergeTable(sink, TENANT, table);
  };
  const readLosses = async (sink: Sql) =>
    (
      await sink`SELECT table_name, replay_from, cause FROM cdc_management.possible_loss ORDER BY table_name`
    ).map((row) => [row['table_name'], Number(row['replay_from']), row['cause']]);
  const dump = (...args: readonly string[]) => {
    const file = 'database.dump'; // in the folder of the server
    target.server.run('pg_dump', ['-Fc', '-f', file, ...args, target.database]);
    return file;
  };

  /** Ways to restore. The result does not contain the events from offset 150, which are staged and merged later. */
  const RESTORES: readonly [string, string, (later: () => Promise<void>) => Promise<Restored>][] = [
    [
      'point-in-time recovery',
      'new timeline',
      async (later) => {
        const backup = await target.server.takeBackup();
        await backup.mark('before');
        await later();
        const server = await backup.restore('before');
        others.push(server);
        return { server, database: target.database };
      },
    ],
    [
      'a restore of a dump to another database',
      'restored copy',
      async (later) => {
        const file = dump();
        await later();
        const database = await target.server.createDatabase({ owner: OWNER });
        target.server.run('pg_restore', ['-d', database, file]);
        return { server: target.server, database };
      },
    ],
    [
      'a restore of a dump to the same database',
      'restored copy',
      async (later) => {
        const file = dump();
        await later();
        target.server.run('pg_restore', ['-c', '-d', target.database, file]);
        return { server: target.server, database: target.database };
      },
    ],
    [
      'a restore of a dump without unlogged data',
      'restored copy',
      async (later) => {
        const file = dump('--no-unlogged-table-data');
        await later();
        const database = await target.server.createDatabase({ owner: OWNER });
        target.server.run('pg_restore', ['-d', database, file]);
        return { server: target.server, database };
      },
    ],
  ];

  it.each(RESTORES)(
    'reports losses after %s, also for logged staging tables',
    async (_, cause, restore) => {
      const { server, database } = await restore(async () => {
        await stage(target.sink, 150, 199);
        await merge(target.sink);
      });
      const [sink, owner] = [SINK, OWNER].map((user) =>
        server.connect({ database, user, max: 1, fetch_types: false, onnotice: () => {} }),
      ) as [Sql, Sql];
      const count = (name: string) =>
        readNumber(owner, `SELECT count(*) AS n FROM ${quoteQualified(TENANT, name)}`);
      const isKept = (await count(ORDER_LINJER.names.staging)) > 0;
      expect(await count(LOGGED.names.staging)).toBe(50);

      expect(await readLosses(sink)).toEqual([
        ['Logged', 100, cause],
        ['Order-Linjer', 100, cause],
      ]);
      await merge(sink);
      expect(await readLosses(sink)).toEqual([
        ['Logged', 150, cause],
        ['Order-Linjer', isKept ? 150 : 100, cause],
      ]);
      await stage(sink, 200, 249);
      await merge(sink);
      expect(await readLosses(sink)).toHaveLength(2);
      await stage(sink, isKept ? 150 : 100, 199);
      await merge(sink);
      expect(await readLosses(sink)).toEqual([]);
      expect(await Promise.all(TABLES.map(({ name }) => count(name)))).toEqual([250, 250]);
    },
  );
});
