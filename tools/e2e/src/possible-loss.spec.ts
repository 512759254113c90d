import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChangeEvent } from '@cdc-migrations/event-model';
import type { PostgresServer } from '@cdc-migrations/postgres-fixture';
import { quoteQualified } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';
import { mergeTable } from './merge-table.ts';
import {
  type MergeTarget,
  orderEvents as orders,
  startMergeTarget,
  TENANT,
} from './merge-target.fixture.ts';
import { ORDER_LINJER, orderTable } from './order-linjer.fixture.ts';
import { stageEvents } from './stage-events.ts';

const LOGGED: ReplicatedTable = { ...orderTable('Logged'), staging: 'logged' };

/** The server after a crash or failover. It can crash again. */
interface Survivor {
  readonly server: PostgresServer;
  crash(): Promise<Survivor>;
}

const stream = (partition: number, generation: number, replayFrom: number) => ({
  table: ORDER_LINJER.name,
  partition,
  generation,
  replay_from: String(replayFrom),
});

/** Kills one backend with SIGKILL. PostgreSQL ends all others and runs crash recovery. */
async function killBackend(server: PostgresServer): Promise<void> {
  const victim = server.connect({ max: 1, fetch_types: false, onnotice: () => {} });
  const [row] = await victim<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
  process.kill(row!.pid, 'SIGKILL');
  await expect(victim`SELECT pg_sleep(60)`).rejects.toThrow();
  await victim.end({ timeout: 0 });
  await waitForRecovery(server);
}

async function waitForRecovery(server: PostgresServer): Promise<void> {
  const sql = server.connect({ max: 1, fetch_types: false, onnotice: () => {} });
  for (let isUp = false; !isUp; await sleep(20)) {
    isUp = await sql`SELECT 1`.then(
      () => true,
      () => false,
    );
  }
  await sql.end({ timeout: 0 });
}

async function killPostmaster(server: PostgresServer): Promise<void> {
  await server.kill('SIGKILL');
  await server.restart();
}

/** The statement in docs/reference/merging.md for an operator who knows that a promotion lost nothing of logged staging. */
const [ACCEPT_PROMOTION = ''] =
  /^DELETE FROM cdc_management\.staging_loss[^;]*new timeline[^;]*;/m.exec(
    readFileSync(join(__dirname, '../../../docs/reference/merging.md'), 'utf8'),
  ) ?? [];

describe('a crash while staging holds events', () => {
  let target: MergeTarget;
  let standbys: PostgresServer[] = [];
  beforeEach(async () => {
    target = await startMergeTarget({ wal_level: 'replica', max_wal_senders: '2' });
    await target.apply(ORDER_LINJER, LOGGED);
  });
  afterEach(async () => {
    for (const standby of standbys) await standby.stop();
    standbys = [];
    await target.stop();
  });

  const inPlace = (crash: (server: PostgresServer) => Promise<void>): Survivor => ({
    server: target.server,
    async crash() {
      await crash(target.server);
      return this;
    },
  });

  /** Sets up synchronous replication, so that the standby has everything that was merged. */
  async function withStandby(): Promise<Survivor> {
    const standby = await target.server.startStandby();
    standbys.push(standby);
    const admin = target.server.connect({ max: 1, fetch_types: false });
    await admin`ALTER SYSTEM SET synchronous_standby_names = 'standby'`;
    await admin`SELECT pg_reload_conf()`;
    const promoted: Survivor = {
      server: standby,
      crash: () => killPostmaster(standby).then(() => promoted),
    };
    return {
      server: target.server,
      async crash() {
        await target.server.kill('SIGKILL');
        await standby.promote();
        return promoted;
      },
    };
  }

  /** Expected reports for logged staging. A promoted standby may be behind its primary, although this one is not. */
  it.each<[string, readonly object[], () => Survivor | Promise<Survivor>]>([
    ['kill -9 of a backend', [], () => inPlace(killBackend)],
    ['kill -9 of the postmaster', [], () => inPlace(killPostmaster)],
    ['promotion of a standby', [{ replay_from: '100', cause: 'new timeline' }], withStandby],
  ])('%s: is reported with the offsets to replay from', async (_how, ofLogged, prepare) => {
    let survivor = await prepare();
    let sessions: { owner: Sql; sink: Sql };
    const open = ({ server }: Survivor) => {
      const connect = (user: string) =>
        server.connect({
          ...{ user, database: target.database, max: 1, fetch_types: false },
          onnotice: () => {},
        });
      return { owner: connect('migrator'), sink: connect('cdc_writer') };
    };
    const stage = (events: readonly ChangeEvent[], table = ORDER_LINJER) =>
      stageEvents(sessions.sink, TENANT, table, events);
    const merge = async () => {
      for (const table of [ORDER_LINJER, LOGGED]) await mergeTable(sessions.sink, TENANT, table);
    };
    const losses = () =>
      sessions.sink`
        SELECT table_name AS table, kafka_partition AS partition, stream_generation AS generation,
          replay_from
        FROM cdc_management.possible_loss WHERE table_name = ${ORDER_LINJER.name} ORDER BY 1, 2, 3`;
    const lossesOfLogged = () =>
      sessions.sink`
        SELECT replay_from, cause FROM cdc_management.possible_loss WHERE table_name = ${LOGGED.name}`;
    const count = async ({ name }: ReplicatedTable) => {
      const final = quoteQualified(TENANT, name);
      const [row] = await sessions.owner.unsafe(`SELECT count(*)::integer AS n FROM ${final}`);
      return row?.['n'];
    };

    sessions = open(survivor);
    await stage(orders(0, 0, 99));
    await stage(orders(2, 50, 59));
    await merge();
    expect(await losses()).toEqual([]);
    await stage(orders(0, 100, 149));
    await stage(orders(1, 500, 509));
    await stage(orders(2, 40, 49));
    await stage(orders(2, 0, 9, 1));
    await stage(orders(0, 0, 99), LOGGED);
    survivor = await survivor.crash();

    sessions = open(survivor);
    const expected = [stream(0, 0, 100), stream(1, 0, 500), stream(2, 0, 40), stream(2, 1, 0)];
    expect(await losses()).toEqual(expected);
    await stage(orders(0, 150, 199));
    await merge();
    expect(await losses()).toEqual(expected);
    expect(await lossesOfLogged()).toEqual(ofLogged);
    expect([await count(ORDER_LINJER), await count(LOGGED)]).toEqual([160, 100]);
    await stage([...orders(0, 100, 199), ...orders(1, 500, 509), ...orders(2, 40, 59)]);
    await merge();
    expect(await losses()).toEqual([stream(2, 1, 0)]);
    await stage(orders(2, 0, 9, 1));
    await merge();
    expect(await losses()).toEqual([]);
    expect(await count(ORDER_LINJER)).toBe(240);

    await stage(orders(0, 200, 209));
    survivor = await survivor.crash();
    sessions = open(survivor);
    const after = [stream(0, 0, 200), stream(1, 0, 510), stream(2, 0, 60), stream(2, 1, 10)];
    expect(await losses()).toEqual(after);
    await stage(orders(0, 200, 209));
    await merge();
    expect(await losses()).toEqual(after.slice(1));
    expect(await count(ORDER_LINJER)).toBe(250);

    expect(await lossesOfLogged()).toEqual(ofLogged);
    await sessions.owner.unsafe(ACCEPT_PROMOTION);
    expect(await lossesOfLogged()).toEqual([]);
    expect(await losses()).toEqual(after.slice(1));
  });

  it('views can be read on a hot standby', async () => {
    await stageEvents(target.sink, TENANT, ORDER_LINJER, orders(0, 7, 9));
    const { server } = await withStandby();
    await stageEvents(target.sink, TENANT, ORDER_LINJER, orders(1, 7, 9));
    expect(server).toBe(target.server);
    const [standby] = standbys;
    const sink = standby!.connect({ user: 'cdc_writer', database: target.database, max: 1 });
    const views = await sink<{ name: string }[]>`
      SELECT viewname::text AS name FROM pg_views WHERE schemaname = 'cdc_management'`;
    expect(views.length).toBeGreaterThan(8);
    for (const { name } of views) await sink.unsafe(`SELECT * FROM cdc_management.${name}`);
    expect(await sink`SELECT * FROM cdc_management.possible_loss`).toEqual([]);
  });

  it('is reported if the writer uses synchronous_commit = off', async () => {
    const admin = target.server.connect({ max: 1, fetch_types: false });
    await admin`ALTER SYSTEM SET wal_writer_delay = '10s'`;
    await admin`SELECT pg_reload_conf()`;
    await target.sink`SET synchronous_commit = off`;
    await stageEvents(target.sink, TENANT, ORDER_LINJER, orders(0, 7, 9));
    await killPostmaster(target.server);
    expect(await admin`SHOW wal_writer_delay`).toEqual([{ wal_writer_delay: '10s' }]);
    const sink = target.connectSink();
    expect(await sink`SELECT replay_from FROM cdc_management.possible_loss`).toEqual([
      { replay_from: '7' },
    ]);
  });
});
