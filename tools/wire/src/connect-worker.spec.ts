import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  renderSnapshotData,
  type SignalledTable,
  type SnapshotKind,
} from '@cdc-migrations/introspect';
import {
  describeDebian,
  type PostgresServer,
  startDebianPostgres,
} from '@cdc-migrations/postgres-fixture';
import type { Sql } from 'postgres';
import { type ConnectWorker, startConnectWorker } from './connect-worker.ts';
import { type KafkaBroker, type KafkaRecord, startKafkaBroker } from './kafka-broker.ts';
import { BUILT_WITHIN_MS, describeWire } from './programs.ts';

const DIRECTORY = join(__dirname, '../../postgres-fixture/data/directory.sql');
const CUSTOMER = '6fa459ea-ee8a-3ca4-894e-db77e160355e';
const USER = '11111111-2222-3333-4444-555555555555';

/** Inserts a row in each table of the service `directory`. */
const ROWS = `
  INSERT INTO customers VALUES ('${CUSTOMER}', 'Døv "AS"', '123456789', '{"a": 1.50}', '{x,"y z"}', '2024-01-01 10:23:45.123456+02');
  INSERT INTO users (user_id, customer_id, person_no, email, score, last_ip, created_at)
    VALUES ('${USER}', '${CUSTOMER}', '12345678901', 'a@b.no', -12.5, '10.0.0.0/8', '2024-01-01 00:00:00+00');
  INSERT INTO customer_user VALUES ('${CUSTOMER}', '${USER}', -1, 'a', NULL, '${USER}');
  INSERT INTO roles (customer_id, name, permissions, valid) VALUES ('${CUSTOMER}', 'r', B'101', '[2024-01-01,2024-02-01)');
  INSERT INTO customer_user_settings VALUES ('${CUSTOMER}', '${USER}', 'k', 'null');
  INSERT INTO features (customer_id, "Feature Name", rollout, starts, window_len)
    VALUES ('${CUSTOMER}', 'f', 0.1, '23:59:59.999999', '1 mon 2 days');
  INSERT INTO logs.users_log (customer_id, payload, at) VALUES ('${CUSTOMER}', '\\x00ff', '1969-12-31 23:59:59.999');
`;

/** Expected key and value of the event of each row, with the connector's defaults. */
const EVENTS: Readonly<Record<string, readonly [key: object, value: object]>> = {
  'public.customers': [
    { customer_id: CUSTOMER },
    {
      ...{ customer_id: CUSTOMER, name: 'Døv "AS"', org_no: '123456789', settings: '{"a": 1.50}' },
      ...{ tags: ['x', 'y z'], created_at: '2024-01-01T08:23:45.123456Z', updated_at: null },
    },
  ],
  'public.users': [
    { user_id: USER },
    {
      ...{ user_id: USER, customer_id: CUSTOMER, person_no: '12345678901', email: 'a@b.no' },
      ...{ status: 'active', score: 'zyw=', last_ip: '10.0.0.0/8' },
      created_at: '2024-01-01T00:00:00.000000Z',
    },
  ],
  'public.customer_user': [
    { customer_id: CUSTOMER, user_id: USER },
    {
      ...{ customer_id: CUSTOMER, user_id: USER, adopus_actno: -1, user_name: 'a', email: null },
      external_id: USER,
    },
  ],
  'public.roles': [
    { role_id: 1 },
    {
      ...{ role_id: 1, customer_id: CUSTOMER, name: 'r', permissions: 'BQ==' },
      valid: '[2024-01-01,2024-02-01)',
    },
  ],
  'public.customer_user_settings': [
    { customer_id: CUSTOMER, user_id: USER, key: 'k' },
    { customer_id: CUSTOMER, user_id: USER, key: 'k', value: 'null' },
  ],
  'public.features': [
    { id: 1 },
    {
      ...{ id: 1, customer_id: CUSTOMER, 'Feature Name': 'f', enabled: false, rollout: 0.1 },
      ...{ starts: 86399999999, window_len: 2802600000000 },
    },
  ],
  'logs.users_log': [
    { log_id: 1 },
    { log_id: 1, customer_id: CUSTOMER, user_id: null, action: null, payload: 'AP8=', at: -1 },
  ],
};

/** Table names that a regular expression or a list of names would misinterpret, by the end of their topics. */
const ODD_NAMES: Readonly<Record<string, string>> = {
  pri_e: 'pri$e',
  c_d: 'c+d',
  'e.f': 'e.f',
  g_h: 'g(h',
  i_j: 'i j',
  // The patterns above would match these.
  ccd: 'ccd',
  exf: 'exf',
};

describeWire('Kafka Connect with Debezium', () => {
  describeDebian('on a PostgreSQL of Debian', () => {
    let server: PostgresServer;
    let broker: KafkaBroker;
    let worker: ConnectWorker;
    let sql: Sql;

    beforeAll(async () => {
      server = await startDebianPostgres({ settings: { wal_level: 'logical' } });
      broker = await startKafkaBroker();
      sql = server.connect({ max: 1 });
      await sql.unsafe(readFileSync(DIRECTORY, 'utf8')).simple();
      await sql`CREATE TABLE debezium_signal (id varchar(100) PRIMARY KEY, type varchar(32), data text)`;
      for (const name of Object.values(ODD_NAMES))
        await sql.unsafe(`CREATE TABLE "${name}" (id int PRIMARY KEY)`);
      worker = await startConnectWorker({
        broker: broker.address,
        connectors: [{ name: 'directory', config: renderConfig(server) }],
      });
    }, BUILT_WITHIN_MS);

    afterAll(async () => {
      await worker?.stop();
      await broker?.stop();
      await server?.stop();
    });

    it('sends a row of each table with its key', async () => {
      await sql.unsafe(ROWS).simple();
      for (const [table, [key, value]] of Object.entries(EVENTS)) {
        const [record] = await waitForRecords(table, 1);
        expect(parse(record?.key)).toEqual(key);
        expect(parse(record?.value)).toEqual({ ...value, ...METADATA, __op: 'c' });
      }
    }, 120_000);

    it('reads the tables of a signal again, even if their names have special characters', async () => {
      for (const name of Object.values(ODD_NAMES))
        await sql.unsafe(`INSERT INTO "${name}" VALUES (1), (2)`);
      const signal = async (kind: SnapshotKind, ...tables: readonly SignalledTable[]) => {
        const data = renderSnapshotData(tables, { type: 'postgres', kind });
        await sql`INSERT INTO debezium_signal VALUES (${randomUUID()}, 'execute-snapshot', ${data})`;
      };
      const table = (name: string) => ({ name: ['public', name] });
      await signal('INCREMENTAL', ...['pri$e', 'c+d', 'e.f', 'g(h'].map(table));
      for (const topic of ['pri_e', 'c_d', 'e.f', 'g_h'])
        expect(await readsOf(topic, 2)).toEqual([1, 2]);
      const filter = '"id" IN (2)';
      await signal('INCREMENTAL', { ...table('pri$e'), filter });
      expect(await readsOf('pri_e', 3)).toEqual([1, 2, 2]);
      await signal('BLOCKING', { ...table('i j'), filter });
      expect(await readsOf('i_j', 1)).toEqual([2]);
      await signal('BLOCKING', table('g(h'), table('c+d'));
      expect(await readsOf('c_d', 4)).toEqual([1, 1, 2, 2]);
      expect(await readsOf('g_h', 4)).toEqual([1, 1, 2, 2]);
      for (const topic of ['ccd', 'exf']) expect(await readsOf(topic, 0)).toEqual([]);
    }, 120_000);

    /** Waits until a topic has enough snapshot rows. Returns their keys. */
    async function readsOf(topic: string, count: number): Promise<readonly number[]> {
      for (const deadline = Date.now() + 30_000; ;) {
        const records = await broker.read(`asma.public.${topic}`);
        const values = records.map(({ value }) => parse(value) as { id: number; __op: string });
        const ids = values.flatMap(({ id, __op: operation }) => (operation === 'r' ? [id] : []));
        if (ids.length >= count) return ids.toSorted((a, b) => a - b);
        if (Date.now() > deadline)
          throw new Error(`${topic}: ${ids.length} rows of ${count}\n${worker.log().slice(-4000)}`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }

    it('sends the changes that it missed after a kill, without another snapshot', async () => {
      // Waits until the worker has written its offsets, which it does periodically. Without them it repeats the
      // snapshot.
      await new Promise((resolve) => setTimeout(resolve, 10_000));
      await worker.kill('SIGKILL');
      await sql`UPDATE customers SET name = 'new'`;
      await sql`DELETE FROM customer_user_settings`;
      await worker.restart();
      const [, updated] = await waitForRecords('public.customers', 2);
      expect(parse(updated?.value)).toMatchObject({ name: 'new', __op: 'u' });
      const [, deleted] = await waitForRecords('public.customer_user_settings', 2);
      expect(parse(deleted?.value)).toMatchObject({ key: 'k', __deleted: 'true', __op: 'd' });
      expect(await worker.readTasks('directory')).toEqual([
        expect.objectContaining({ state: 'RUNNING' }),
      ]);
    }, 240_000);

    it('reports why a connector fails', async () => {
      const config = { ...renderConfig(server), 'slot.name': 'second', 'database.password': 'no' };
      const connectors = [{ name: 'wrong', config }];
      await expect(startConnectWorker({ broker: broker.address, connectors })).rejects.toThrow(
        'password authentication failed',
      );
    }, 240_000);

    /** Reads a table's topic without duplicates: a killed worker sends again from its last offset. */
    async function waitForRecords(table: string, count: number): Promise<KafkaRecord[]> {
      for (;;) {
        const records = await broker.read(`asma.${table}`);
        const seen = new Map(records.map((record) => [String(record.value), record]));
        if (seen.size >= count) return [...seen.values()];
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  });
});

/** Fields that the transforms add to each event. */
const METADATA = {
  ...{ __deleted: 'false', __source_db: 'postgres', __source_ts_ms: expect.any(Number) },
  sent_by: 'directory',
};

function renderConfig(server: PostgresServer): Record<string, string> {
  return {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'database.hostname': server.host,
    'database.port': String(server.port),
    'database.user': 'postgres',
    'database.password': server.password,
    'database.dbname': 'postgres',
    'topic.prefix': 'asma',
    'plugin.name': 'pgoutput',
    'slot.name': 'asma',
    'signal.data.collection': 'public.debezium_signal',
    transforms: 'unwrap,sender',
    'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
    'transforms.unwrap.delete.tombstone.handling.mode': 'rewrite',
    'transforms.unwrap.add.fields': 'op,source.db,source.ts_ms',
    'transforms.sender.type': 'org.apache.kafka.connect.transforms.InsertField$Value',
    'transforms.sender.static.field': 'sent_by',
    'transforms.sender.static.value': 'directory',
  };
}

function parse(bytes: Buffer | null | undefined): unknown {
  return JSON.parse(String(bytes));
}
