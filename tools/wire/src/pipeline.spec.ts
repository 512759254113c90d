import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import type { Sql } from 'postgres';
import { lintPipeline, type PlayedRecord, runPipeline } from './pipeline.ts';
import { BUILT_WITHIN_MS, describeWire } from './programs.ts';
import { renderDsn } from './writers.ts';

/** Inserts rows into a table, and refused rows into another one as bytes. */
const CONFIG = `
input:
  kafka_franz:
    seed_brokers: ["\${BROKER}"]
    topics: [events]
    consumer_group: sink
    commit_period: 100ms
    batching: { count: 100 }
output:
  fallback:
    - sql_insert: &row
        driver: postgres
        dsn: "\${DSN}"
        table: '"events"'
        columns: ['"id"', '"at"', '"payload"', '"offset"', '"partition"', '"key"']
        args_mapping: |
          let row = content().string().parse_json(use_number: true)
          root = [
            $row.id,
            $row.at,
            $row.payload.decode("base64"),
            @kafka_offset,
            @kafka_partition,
            @kafka_key,
          ]
    - sql_insert: *row
      processors: [ split: { size: 1 } ]
    - sql_raw:
        driver: postgres
        dsn: "\${DSN}"
        query: INSERT INTO refused VALUES ($1, $2, $3)
        args_mapping: root = [ @kafka_offset, content(), @fallback_error ]
logger: { level: WARN }
`;

const HUGE = '9007199254740993';

function event(offset: number, at = '2024-01-01'): string {
  return `{"id":${HUGE},"at":"${at}","payload":"3q2+7w==","n":${offset}}`;
}

describeWire('a pipeline of Bento', () => {
  let server: PostgresServer;
  let sql: Sql;
  let env: Record<string, string>;

  beforeAll(async () => {
    server = await startPostgres({ major: 15 });
    const database = await server.createDatabase();
    sql = server.connect({ database, max: 1, onnotice: () => {} });
    const { port, password } = server;
    env = { BROKER: '127.0.0.1:1', DSN: renderDsn({ port, database, user: 'postgres', password }) };
    await lintPipeline({ config: CONFIG, env });
  }, BUILT_WITHIN_MS);

  beforeEach(async () => {
    await sql`DROP TABLE IF EXISTS events, refused`;
    await sql`CREATE TABLE events
      (id bigint, at date, payload bytea, "offset" bigint, partition int, key text)`;
    await sql`CREATE TABLE refused ("offset" bigint, value bytea, error text)`;
  });

  afterAll(() => server?.stop());

  const play = (values: readonly string[]): PlayedRecord[] =>
    values.map((value, offset) => ({
      ...{ topic: 'events', partition: 1, offset, timestampMs: 0, key: `k${offset}`, value },
    }));

  it('passes values from Bloblang to lib/pq unchanged', async () => {
    await runPipeline({ config: CONFIG, env, records: play([event(0)]) });
    expect(await sql`SELECT *, id::text, at::text FROM events`).toEqual([
      {
        ...{ id: HUGE, at: '2024-01-01', payload: Buffer.from('deadbeef', 'hex') },
        ...{ offset: '0', partition: 1, key: 'k0' },
      },
    ]);
  });

  it('stores a refused row, and writes the other rows of its batch', async () => {
    const records = play([event(0), event(1, '20241301'), event(2)]);
    await runPipeline({ config: CONFIG, env, records });
    expect(await sql`SELECT "offset" FROM events ORDER BY 1`).toEqual([
      { offset: '0' },
      { offset: '2' },
    ]);
    expect(await sql`SELECT * FROM refused`).toEqual([
      {
        offset: '1',
        value: Buffer.from(event(1, '20241301')),
        error: expect.stringContaining('date/time field value out of range'),
      },
    ]);
  });

  it('is stuck without an output for refused rows', async () => {
    const config = CONFIG.replace(/ {4}- sql_raw:[^]*(?=logger)/, '');
    const run = runPipeline(
      { config, env, records: play([event(0, '20241301')]) },
      { withinMs: 3000 },
    );
    await expect(run).rejects.toThrow(/stuck[^]*date\/time field value out of range/);
  });

  it('reports problems in a configuration', async () => {
    expect(await lintPipeline({ config: CONFIG, env })).toBe('');
    const config = CONFIG.replace('columns:', 'colums:');
    expect(await lintPipeline({ config, env })).toContain('field colums not recognised');
  });
});
