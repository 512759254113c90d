import {
  type ChangedTarget,
  DATABASE,
  openChangedTarget,
} from '../retire/changed-target.fixture.ts';

const SNAPSHOT = 'generated/schemas/AdOpusTest.dbo.yaml';
const NAVN = '- { name: Navn, type: nvarchar, length: 100, nullable: ';

let target: ChangedTarget;
beforeAll(async () => {
  target = await openChangedTarget(15, { prepare: async () => {} });
});
afterAll(() => target?.server.stop());

// Other tests of these columns are in packages/tracker/src/apply/tighten-columns.spec.ts.
it('apply reports tightened columns and locked tables, and status reports columns still to tighten', async () => {
  const strict = await target.edited(SNAPSHOT, `${NAVN}true`, `${NAVN}false`);
  const insert = (schema: string, name: string) =>
    `INSERT INTO ${schema}."Actor" (actno, "Navn", "_customer_id") VALUES (2, ${name}, gen_random_uuid())`;
  await target.query(`${insert('avansas', "'navn'")}; ${insert('blue', 'NULL')}`);
  const apply = () => target.run(strict, 'apply');
  const lineOf = (schema: string) =>
    `${schema}.Actor: "Navn" is NOT NULL now, because every row has a value`;
  const first = await apply();
  expect(first).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(lineOf('avansas')) });
  expect(first.stdout).not.toContain(lineOf('blue'));
  expect((await target.run(strict, 'status')).stdout).toMatch(/blue\.Actor.*to tighten/);
  await target.query('DELETE FROM blue."Actor" WHERE actno = 2');
  const reader = target.server.connect({ database: DATABASE, max: 1 });
  await reader.unsafe('BEGIN; SELECT FROM blue."Actor"').simple();
  expect((await apply()).stderr).toMatch(
    /blue\.Actor: Navn stays nullable until the next apply, as its table is locked; held by pid \d+, .* idle in transaction/,
  );
  await reader.unsafe('COMMIT');
  await reader.end();
  const { stdout } = await target.run(strict, 'apply', '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    targets: [{ tightened: [{ schema: 'blue', table: 'Actor', column: 'Navn' }] }],
  });
});
