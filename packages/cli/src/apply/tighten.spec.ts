import { setTimeout as sleep } from 'node:timers/promises';
import { finish, runCommand, startCommand } from '../target/cli.fixture.ts';
import { small } from '../target/small-target.fixture.ts';
import {
  type ChangedTarget,
  DATABASE,
  openChangedTarget,
} from '../retire/changed-target.fixture.ts';

const SNAPSHOT = 'generated/schemas/AdOpusTest.dbo.yaml';
const NAVN = '- { name: Navn, type: nvarchar, length: 100, nullable: ';
const CUSTOMER = '0a827150-1332-5167-993b-68db156438cb';

/** Returns an INSERT of `Actor` in both schemas, with or without a name. */
const row = (actno: number, name: string) =>
  ['blue', 'avansas']
    .map(
      (schema) =>
        `INSERT INTO ${schema}."Actor" (actno, "Navn", "_customer_id") VALUES (${actno}, ${name}, '${CUSTOMER}')`,
    )
    .join('; ');

describe.each([15, 18] as const)('columns that become NOT NULL, on PostgreSQL %i', (major) => {
  let target: ChangedTarget;
  /** The repo whose source has `Navn` as NOT NULL. */
  let strict: string;

  beforeAll(async () => {
    target = await openChangedTarget(major, {
      prepare: async ({ query }) => void (await query(row(1, `'navn'`))),
    });
    strict = await target.edited(SNAPSHOT, `${NAVN}true`, `${NAVN}false`);
  });
  afterAll(() => target?.server.stop());
  beforeEach(() => target.reset());

  const apply = async () => {
    const { exitCode, stdout, stderr } = await target.run(strict, 'apply');
    expect([exitCode, stderr]).toEqual([0, expect.any(String)]);
    return stdout.split('\n').filter((line) => line.includes('NOT NULL'));
  };
  const says = (schema: string) =>
    `${schema}.Actor: "Navn" is NOT NULL now, because every row has a value`;
  const notes = () =>
    target.query(`SELECT schema_name AS schema, state FROM cdc_management.column_note ORDER BY 1`);
  const nullable = async () =>
    (
      await target.query(`SELECT attrelid::regclass::text AS at FROM pg_attribute
        WHERE attname = 'Navn' AND attrelid::regclass::text LIKE '%."Actor"' AND NOT attnotnull ORDER BY 1`)
    ).map(({ at }) => at);
  const check = async () => (await target.run(strict, 'check')).exitCode;
  const constraints = () =>
    target.query(
      `SELECT conrelid::regclass::text AS at FROM pg_constraint WHERE conname = 'cdc_tighten'`,
    );

  it('are by the apply that brings the change, where every row has a value', async () => {
    expect(await apply()).toEqual([says('avansas'), says('blue')]);
    expect([await nullable(), await notes(), await constraints()]).toEqual([[], [], []]);
    expect(await check()).toBe(0);
    expect(await apply()).toEqual([]);
  });

  it('are by a later apply, when the rows without a value have one or are gone', async () => {
    await target.query(row(2, 'NULL'));
    expect(await apply()).toEqual([]);
    expect((await target.run(strict, 'status')).stdout).toMatch(/blue\.Actor.*to tighten/);
    await target.query('DELETE FROM blue."Actor" WHERE actno = 2');
    expect(await apply()).toEqual([says('blue')]);
    expect(await nullable()).toEqual(['avansas."Actor"']);
    await target.query(`UPDATE avansas."Actor" SET "Navn" = ''`);
    const { stdout } = await target.run(strict, 'apply', '--schema', 'blue', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ targets: [{ tightened: [] }] });
    expect(await apply()).toEqual([says('avansas')]);
    expect(await check()).toBe(0);
  });

  it('are not while somebody has locked the table, who is not waited for', async () => {
    await target.query(row(2, 'NULL'));
    expect(await apply()).toEqual([]);
    await target.query('DELETE FROM blue."Actor" WHERE actno = 2');
    const reader = target.server.connect({ database: DATABASE, max: 1 });
    await reader.unsafe('BEGIN; SELECT FROM blue."Actor"').simple();
    expect((await target.run(strict, 'apply')).stderr).toMatch(
      /blue\.Actor: Navn stays nullable until the next apply, as its table is locked; held by pid \d+, .* idle in transaction/,
    );
    expect(await nullable()).toContain('blue."Actor"');
    await reader.unsafe('COMMIT');
    await reader.end();
    expect(await constraints()).toEqual([]);
    expect(await apply()).toEqual([says('blue')]);
  });

  it('are by the next apply where one was killed in between, and what it left is told by check and removed', async () => {
    await target.query(row(2, 'NULL'));
    expect(await apply()).toEqual([]);
    await target.query('DELETE FROM blue."Actor" WHERE actno = 2');
    const half = (schema: string) =>
      `ALTER TABLE ${schema}."Actor" ADD CONSTRAINT cdc_tighten CHECK ("Navn" IS NOT NULL) NOT VALID`;
    await target.query(`${half('blue')}; ${half('avansas')}`);
    expect(await apply()).toEqual([says('blue')]);
    expect(await constraints()).toEqual([]);
    await target.query(half('blue'));
    expect((await target.run(strict, 'check')).stdout).toContain('cdc_tighten');
    expect(await apply()).toEqual([]);
    expect(await constraints()).toEqual([]);
  });

  it('are made so beside writers, and one without a value is refused by the merge', async () => {
    await target.query(`INSERT INTO blue."Actor" (actno, "Navn", "_customer_id")
      SELECT n, 'navn', '${CUSTOMER}' FROM generate_series(10, 200000) AS n`);
    const env = target.repo.env(target.server);
    const child = startCommand(strict, small('apply'), env);
    const end = finish(child);
    let writes = 0;
    const writer = target.server.connect({ database: DATABASE, max: 1 });
    await writer`SELECT 1`;
    while (child.exitCode === null) {
      await writer.unsafe(
        `UPDATE blue."Actor" SET "Navn" = 'x' WHERE actno = ${10 + (writes % 1000)}`,
      );
      writes++;
      await sleep(1);
    }
    await writer.end();
    expect((await end).exitCode).toBe(0);
    expect(await nullable()).toEqual([]);
    expect(writes).toBeGreaterThan(10);
    await target.query(`INSERT INTO blue."stg_Actor" ("actno", "Navn", "_customer_id", "__cdc_operation",
      "__kafka_partition", "__kafka_offset") VALUES (7, NULL, '${CUSTOMER}', 'c', 0, 1)`);
    expect((await runCommand(strict, small('merge'), env)).exitCode).toBe(0);
    expect(await target.query('SELECT reason FROM cdc_management.dead_letter')).toEqual([
      { reason: expect.stringContaining('Navn') },
    ]);
  });
});
