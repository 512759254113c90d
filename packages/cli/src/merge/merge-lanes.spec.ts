import { setTimeout as sleep } from 'node:timers/promises';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { copyAdopus, finish, runCommand, sinkEnv, startCommand } from '../target/cli.fixture.ts';

const BLUE = ['--env', 'prod', '--schema', 'blue'];

let server: PostgresServer;
let repo: ReturnType<typeof copyAdopus>;
let env: NodeJS.ProcessEnv;
let sql: ReturnType<PostgresServer['connect']>;

beforeAll(async () => {
  server = await startPostgres({ major: 15 });
  await server.createDatabase({ name: 'directory' });
  repo = copyAdopus('directory');
  env = sinkEnv(server);
  sql = server.connect({ database: 'directory', max: 1, onnotice: () => {}, fetch_types: false });
  expect((await runCommand(repo.root, ['apply', ...BLUE], env)).exitCode).toBe(0);
  await sql.unsafe(`CREATE FUNCTION blue.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE 'disk full' USING ERRCODE = 'disk_full'; END $$`);
}, 120_000);

afterAll(async () => {
  await server?.stop();
  repo?.remove();
});

beforeEach(async () => {
  await sql`TRUNCATE blue."Distrikt", blue."stg_Distrikt", cdc_management.pending_merge`;
  await sql`UPDATE cdc_management.merge_control SET lanes = 2, lane_count = 2, lane_generation = 0
    WHERE table_name = 'Distrikt'`;
});

/** Stages ten events in two partitions. */
async function stage(generation = 0): Promise<void> {
  await sql.unsafe(`INSERT INTO blue."stg_Distrikt" ("DistriktID", "Navn", "_customer_id", "__source_db",
      "__source_table", "__cdc_operation", "__kafka_partition", "__kafka_offset", "__stream_generation")
    SELECT n, 'navn', '0a827150-1332-5167-993b-68db156438cb', 'AdOpus', 'Distrikt', 'c', n % 2, n, ${generation}
    FROM generate_series(1, 10) AS n`);
}

async function countOf(table: string): Promise<number> {
  const [row] = await sql.unsafe(`SELECT count(*)::int AS n FROM blue."${table}"`);
  return row!['n'] as number;
}

async function untilMerged(count: number): Promise<void> {
  for (const deadline = Date.now() + 30_000; (await countOf('Distrikt')) < count;) {
    if (Date.now() > deadline) throw new Error('it was not merged in 30 s');
    await sleep(20);
  }
}

/** Merges and returns the output and the exit code. */
async function merge() {
  const { exitCode, stdout } = await runCommand(repo.root, ['merge', ...BLUE, '--json'], env);
  const { targets } = JSON.parse(stdout) as {
    targets: { tables: { merged: number; failure: string | null }[] }[];
  };
  return { exitCode, ...targets[0]!.tables[0] };
}

const refuseLane = () =>
  sql.unsafe(`CREATE TRIGGER refuse BEFORE INSERT ON blue."Distrikt" FOR EACH ROW
    WHEN (NEW."__kafka_partition" = 0) EXECUTE FUNCTION blue.refuse()`);
const acceptLane = () => sql`DROP TRIGGER refuse ON blue."Distrikt"`;

describe('merge of a table with lanes', () => {
  it('fails when a lane fails, and merges the others', async () => {
    await stage();
    await refuseLane();
    const run = await merge();
    await acceptLane();
    expect(run).toMatchObject({ exitCode: 3, merged: 5, failure: 'disk full (SQLSTATE 53100)' });
    expect(await countOf('stg_Distrikt')).toBe(5);
    expect(await merge()).toMatchObject({ exitCode: 0, merged: 5, failure: null });
  });

  it('fails when it cannot have the whole table for events of no lane', async () => {
    await stage(1);
    await sql`UPDATE cdc_management.setting SET value = '100ms' WHERE name = 'merge_lock_timeout'`;
    const other = server.connect({ database: 'directory', max: 1, fetch_types: false });
    await other`BEGIN`.simple();
    await other`SELECT FROM cdc_management.merge_lane WHERE lane = 1 FOR UPDATE`;
    const run = await merge();
    await other.end();
    await sql`UPDATE cdc_management.setting SET value = '5s' WHERE name = 'merge_lock_timeout'`;
    expect(run).toMatchObject({ exitCode: 3, failure: expect.stringContaining('55P03') });
    expect(await countOf('stg_Distrikt')).toBe(10);
    expect(await merge()).toMatchObject({ exitCode: 0, merged: 10, failure: null });
  });

  it('forgets the failure of a lane that was merged later, while it watches', async () => {
    await stage();
    await refuseLane();
    const child = startCommand(
      repo.root,
      ['merge', ...BLUE, '--watch', '--interval', '50ms', '--json'],
      env,
    );
    const end = finish(child);
    try {
      await untilMerged(5);
      await acceptLane();
      await untilMerged(10);
      await sleep(500);
    } finally {
      child.kill('SIGTERM');
    }
    const { exitCode, stdout } = await end;
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      targets: [{ tables: [{ table: 'Distrikt', merged: 10, failure: null }] }],
    });
  });
});
