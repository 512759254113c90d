import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { quoteIdentifier, quoteQualified } from '@cdc-migrations/sql-text';
import { DELETED_AT, type ReplicatedTable } from '@cdc-migrations/table-defs';
import { buildTable } from '@cdc-migrations/table-fixture';
import type { Sql } from 'postgres';
import { mergeTable, replayDeadLetters } from './merge-table.ts';
import {
  type MergeTarget,
  orderEvent,
  readNumber,
  startMergeTarget,
  TENANT,
} from './merge-target.fixture.ts';
import { ORDER_LINJER, orderTable } from './order-linjer.fixture.ts';
import { stageEvents } from './stage-events.ts';

const soft = {
  ...orderTable('Soft'),
  columns: [...ORDER_LINJER.columns, DELETED_AT],
  deleteMode: 'soft',
} as const;
const appended = buildTable({
  ...{ name: 'Appended', key: [] },
  columns: ORDER_LINJER.columns.filter(({ role }) => role !== 'metadata'),
});
const TABLES: readonly ReplicatedTable[] = [orderTable('Hard'), soft, appended].flatMap((table) => {
  const logged = { ...table, ...orderTable(`${table.name} logged`), columns: table.columns };
  return [table, { ...logged, key: table.key, deleteMode: table.deleteMode, staging: 'logged' }];
});

const PUBLICATIONS = {
  'FOR ALL TABLES': 'CREATE PUBLICATION %P FOR ALL TABLES',
  'FOR TABLES IN SCHEMA': `CREATE PUBLICATION %P FOR TABLES IN SCHEMA cdc_management, "${TENANT}"`,
};

describe('a target database with a publication', () => {
  let target: MergeTarget;
  let owner: Sql;
  let sink: Sql;
  let superuser: Sql;
  let next: MergeTarget | undefined;
  beforeAll(async () => {
    target = await startMergeTarget({ wal_level: 'logical', max_wal_senders: '10' });
    ({ owner, sink } = target);
    superuser = target.server.connect({ database: target.database, max: 1, onnotice: () => {} });
  });
  afterAll(async () => {
    await next?.stop();
    await target.stop();
  });

  let published = 0;
  const publish = (statement: string) =>
    superuser.unsafe(statement.replace('%P', `of_all_${++published}`));
  let offset = 0;
  /** Stages events of every kind. A table without a key only gets kinds that it supports. */
  const stage = async (table: ReplicatedTable) => {
    const at = () => ({ __kafka_offset: String(++offset) });
    const events = [
      orderEvent({ OrderID: '1', __cdc_operation: 'c', ...at() }),
      orderEvent({ OrderID: '2', __cdc_operation: 'c', ...at() }),
      orderEvent({ OrderID: '3', __cdc_operation: 'c', Tekst: 'eleven long', ...at() }),
      orderEvent({ OrderID: '4', __cdc_operation: null, ...at() }),
    ];
    const changes = [
      orderEvent({ OrderID: '1', Status: 'changed', ...at() }),
      orderEvent({ OrderID: '2', __cdc_operation: 'd', ...at() }),
    ];
    await stageEvents(sink, TENANT, table, table.key ? [...events, ...changes] : events);
  };
  /** Runs merges and everything else that changes rows. */
  const expectAllWorks = async () => {
    for (const table of TABLES) await stage(table);
    await sink`CALL cdc_management.run_pending_merges()`.simple();
    for (const table of TABLES) {
      await stage(table);
      await mergeTable(sink, TENANT, table);
      await replayDeadLetters(owner, TENANT, table);
    }
    expect(await owner`SELECT table_name, message FROM cdc_management.merge_error`).toEqual([]);
    for (const { names } of TABLES) {
      const staging = quoteQualified(TENANT, names.staging);
      expect(await readNumber(owner, `SELECT count(*) AS n FROM ${staging}`)).toBe(0);
    }
  };
  /** Finds tables whose rows cannot be changed. */
  const readFrozen = async () => {
    const tables = await owner<{ schema: string; name: string; column: string }[]>`
      SELECT nspname AS schema, relname AS name, attname AS column
      FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
      JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND attidentity = '' AND NOT attisdropped
      WHERE nspname IN ('cdc_management', ${TENANT}) AND relkind IN ('r', 'p')
      ORDER BY 1, 2, attnum`;
    const first = new Map(tables.toReversed().map((row) => [`${row.schema}.${row.name}`, row]));
    expect(first.size).toBeGreaterThan(20);
    const frozen: string[] = [];
    for (const [label, { schema, name, column }] of first) {
      const [table, set] = [quoteQualified(schema, name), quoteIdentifier(column)];
      for (const statement of [`UPDATE ${table} SET ${set} = ${set}`, `DELETE FROM ${table}`])
        await owner
          .unsafe(`${statement} WHERE false`)
          .catch(({ message }: Error) => frozen.push(`${label}: ${message}`));
    }
    return frozen;
  };

  it.each(Object.entries(PUBLICATIONS))(
    '%s merges, and allows changes of every table',
    async (_what, statement) => {
      await target.apply();
      await publish(statement.replace(`, "${TENANT}"`, ''));
      await target.apply(...TABLES);
      await expectAllWorks();
      expect(await readFrozen()).toEqual([]);
      await owner`UPDATE cdc_management.setting SET value = '0' WHERE name LIKE '%retention'`;
      await sink`CALL cdc_management.run_pending_merges()`.simple();
      await owner`UPDATE cdc_management.setting SET value = '1 day' WHERE name LIKE '%retention'`;
    },
  );

  it('sets the same replica identities on earlier tables when its files are applied again', async () => {
    const identities = () => owner`
      SELECT relname, relreplident FROM pg_class
      WHERE relnamespace IN ('cdc_management'::regnamespace, ${quoteIdentifier(TENANT)}::regnamespace) AND relkind = 'r'
      ORDER BY 1`;
    await target.apply(...TABLES);
    const before = await identities();
    const full = before.filter(({ relreplident: identity }) => identity === 'f');
    for (const { relname: name } of full) {
      for (const schema of ['cdc_management', TENANT]) {
        await owner.unsafe(
          `ALTER TABLE IF EXISTS ${quoteQualified(schema, String(name))} REPLICA IDENTITY DEFAULT`,
        );
      }
    }
    expect(await readFrozen()).not.toEqual([]);
    await target.apply(...TABLES);
    expect(await identities()).toEqual(before);
    await expectAllWorks();
  });

  it('replicates all rows to a newer server that subscribes, while merges run', async () => {
    await target.apply(...TABLES);
    next = await startMergeTarget({}, 18);
    await next.apply(...TABLES);
    const subscriber = next.server.connect({ database: next.database, max: 1, onnotice: () => {} });
    const tables = await subscriber<{ name: string }[]>`
      SELECT oid::regclass AS name FROM pg_class
      WHERE relnamespace IN ('cdc_management'::regnamespace, ${quoteIdentifier(TENANT)}::regnamespace)
        AND relkind = 'r' AND relpersistence = 'p' ORDER BY 1`;
    const names = tables.map(({ name }) => name);
    await subscriber.unsafe(`TRUNCATE ${names.join(', ')}`);
    const [name] = await publish('CREATE PUBLICATION %P FOR ALL TABLES').then(
      () =>
        superuser<
          { pubname: string }[]
        >`SELECT pubname FROM pg_publication WHERE puballtables ORDER BY oid DESC`,
    );
    const { server, database } = target;
    await subscriber.unsafe(`
      CREATE SUBSCRIPTION upgrade
      CONNECTION 'host=${server.host} port=${server.port} user=postgres password=${server.password} dbname=${database}'
      PUBLICATION ${name!.pubname}`);
    await expectAllWorks();
    const read = async (sql: Sql) => {
      const rows: Record<string, unknown> = {};
      for (const table of names) {
        [rows[table]] = await sql.unsafe(
          `SELECT count(*) AS n, md5(string_agg(t::text, ',' ORDER BY t::text COLLATE "C")) FROM ${table} AS t`,
        );
      }
      return rows;
    };
    const published = await read(superuser);
    for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(200)) {
      if (isDeepStrictEqual(await read(subscriber), published)) break;
    }
    expect(await read(subscriber)).toEqual(published);
    await subscriber`DROP SUBSCRIPTION upgrade`;
  });

  it('does not wait for readers when files without changes are applied again', async () => {
    await target.apply(...TABLES);
    const reader = target.server.connect({ database: target.database, max: 1 });
    await reader`BEGIN`;
    for (const { name, names } of TABLES) {
      for (const table of [name, names.staging])
        await reader.unsafe(`SELECT count(*) FROM ${quoteQualified(TENANT, table)}`);
    }
    const own = await reader<{ name: string }[]>`
      SELECT oid::regclass AS name FROM pg_class WHERE relnamespace = 'cdc_management'::regnamespace AND relkind = 'r'`;
    for (const { name } of own) await reader.unsafe(`SELECT count(*) FROM ${name}`);
    await target.apply(...TABLES);
    await reader`ROLLBACK`;
    await reader.end();
  });
});
