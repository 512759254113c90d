import { setTimeout as sleep } from 'node:timers/promises';
import type { ApplyEvent } from './apply-event.ts';
import {
  ACTOR,
  buildMigrations,
  column,
  CUSTOMER,
  startTarget,
  TENANTS,
  type Target,
} from '../target.fixture.ts';

const LOOSE = buildMigrations({ tables: [ACTOR] });
/** The same table after `Navn` became NOT NULL at the source. */
const STRICT = buildMigrations({
  tables: [
    {
      ...ACTOR,
      columns: ACTOR.columns.map((one) =>
        one.name === 'Navn' ? column('Navn', one.type, { nullable: false }) : one,
      ),
    },
  ],
});

/** Returns an INSERT of `Actor` in both schemas, with or without a name. */
const row = (actno: number, name: string) =>
  TENANTS.map(
    (schema) =>
      `INSERT INTO ${schema}."Actor" (actno, "Navn", "_customer_id") VALUES (${actno}, ${name}, '${CUSTOMER}')`,
  ).join('; ');

describe.each([15, 18] as const)('columns that become NOT NULL, on PostgreSQL %i', (major) => {
  let target: Target;
  beforeAll(async () => {
    target = await startTarget(major);
    await target.apply(LOOSE);
    await target.query(row(1, `'navn'`));
    await target.save();
  });
  afterAll(() => target?.stop());
  beforeEach(() => target.reset());

  const apply = async (options = {}) => {
    const { failures, tightened } = await target.apply(STRICT, options);
    expect(failures).toEqual([]);
    return tightened;
  };
  const ofSchemas = (...schemas: readonly string[]) =>
    schemas.map((schema) => ({ schema, table: 'Actor', column: 'Navn' }));
  const nullable = async () =>
    (
      await target.query(`SELECT attrelid::regclass::text AS at FROM pg_attribute
        WHERE attname = 'Navn' AND attrelid::regclass::text LIKE '%."Actor"' AND NOT attnotnull ORDER BY 1`)
    ).map(({ at }) => at);
  const constraints = () =>
    target.query(
      `SELECT conrelid::regclass::text AS at FROM pg_constraint WHERE conname = 'cdc_tighten'`,
    );
  const notes = async () => (await target.concerns()).columns;

  it('are tightened by the first apply if every row has a value', async () => {
    expect(await apply()).toEqual(ofSchemas('avansas', 'blue'));
    expect([await nullable(), await notes(), await constraints()]).toEqual([[], [], []]);
    expect(await target.check(STRICT)).toEqual([]);
    expect(await apply()).toEqual([]);
  });

  it('are tightened by a later apply after rows without a value were updated or deleted', async () => {
    await target.query(row(2, 'NULL'));
    expect(await apply()).toEqual([]);
    expect(await notes()).toMatchObject(
      ofSchemas('avansas', 'blue').map((of) => ({ ...of, state: 'to tighten' })),
    );
    await target.query('DELETE FROM blue."Actor" WHERE actno = 2');
    expect(await apply()).toEqual(ofSchemas('blue'));
    expect(await nullable()).toEqual(['avansas."Actor"']);
    await target.query(`UPDATE avansas."Actor" SET "Navn" = ''`);
    expect(await apply({ only: ['blue'] })).toEqual([]);
    expect(await apply()).toEqual(ofSchemas('avansas'));
    expect(await target.check(STRICT)).toEqual([]);
  });

  it('are tightened in a renamed schema, and NOT NULL from the start in a new one', async () => {
    await target.query(row(2, 'NULL'));
    await apply();
    await target.query(`CALL cdc_management.rename_schema('blue', 'green');
      DELETE FROM green."Actor" WHERE actno = 2`);
    const tenants = ['avansas', 'green', 'red'];
    const { failures, tightened } = await target.apply(STRICT, { tenants });
    expect([failures, tightened]).toEqual([[], ofSchemas('green')]);
    expect(await nullable()).toEqual(['avansas."Actor"']);
    expect(await target.check(STRICT, { tenants })).toEqual([]);
  });

  it('are not tightened while a session locks the table, and apply does not wait for it', async () => {
    await target.query(row(2, 'NULL'));
    await apply();
    await target.query('DELETE FROM blue."Actor" WHERE actno = 2');
    const reader = target.connect('report');
    await reader.unsafe('BEGIN; SELECT FROM blue."Actor"').simple();
    const events: ApplyEvent[] = [];
    expect(await apply({ onEvent: (event: ApplyEvent) => events.push(event) })).toEqual([]);
    expect(events.filter(({ kind }) => kind === 'column waits')).toEqual([
      {
        ...{ kind: 'column waits', schema: 'blue', table: 'Actor', column: 'Navn' },
        blockers: [
          expect.objectContaining({ application: 'report', state: 'idle in transaction' }),
        ],
      },
    ]);
    expect(await nullable()).toContain('blue."Actor"');
    await reader.unsafe('COMMIT');
    await reader.end();
    expect(await constraints()).toEqual([]);
    expect(await apply()).toEqual(ofSchemas('blue'));
  });

  it('are tightened after a killed apply, whose constraint is reported by check and removed', async () => {
    await target.query(row(2, 'NULL'));
    await apply();
    await target.query('DELETE FROM blue."Actor" WHERE actno = 2');
    const half = (schema: string) =>
      `ALTER TABLE ${schema}."Actor" ADD CONSTRAINT cdc_tighten CHECK ("Navn" IS NOT NULL) NOT VALID`;
    await target.query(TENANTS.map(half).join('; '));
    expect(await apply()).toEqual(ofSchemas('blue'));
    expect(await constraints()).toEqual([]);
    await target.query(half('blue'));
    expect((await target.check(STRICT)).map(({ message }) => message)).toContain(
      'constraint "cdc_tighten"',
    );
    expect(await apply()).toEqual([]);
    expect(await constraints()).toEqual([]);
  });

  it('are tightened in parallel with writers, and later events without a value are dead letters', async () => {
    await target.query(`INSERT INTO blue."Actor" (actno, "Navn", "_customer_id")
      SELECT n, 'navn', '${CUSTOMER}' FROM generate_series(10, 200000) AS n`);
    const writer = target.connect('writer');
    await writer`SELECT 1`;
    let isOver = false;
    let writes = 0;
    const writing = (async () => {
      while (!isOver) {
        await writer.unsafe(
          `UPDATE blue."Actor" SET "Navn" = 'x' WHERE actno = ${10 + (writes++ % 1000)}`,
        );
        await sleep(1);
      }
    })();
    await apply();
    isOver = true;
    await writing;
    await writer.end();
    expect(await nullable()).toEqual([]);
    expect(writes).toBeGreaterThan(10);
    await target.query(`INSERT INTO blue."stg_Actor" ("actno", "Navn", "_customer_id", "__cdc_operation",
      "__kafka_partition", "__kafka_offset") VALUES (7, NULL, '${CUSTOMER}', 'c', 0, 1)`);
    await target.merge();
    expect(await target.query('SELECT reason FROM cdc_management.dead_letter')).toEqual([
      { reason: expect.stringContaining('Navn') },
    ]);
  });
});
