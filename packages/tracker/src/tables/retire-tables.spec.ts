import { retireTables, StillDefinedError, type RetireOptions } from './retire-tables.ts';
import type { Migrations } from '../migrations/migrations.ts';
import {
  ACTOR,
  buildMigrations,
  EVERYBODY,
  FRAVER,
  REGION,
  stage,
  startTarget,
  TENANTS,
  type Target,
} from '../target.fixture.ts';

const REST = [FRAVER, REGION, EVERYBODY];
const MIGRATIONS = buildMigrations({ tables: [ACTOR, ...REST] });
const WITHOUT_ACTOR = buildMigrations({ tables: REST });
const ONE = ['avansas'];
const WITHOUT_BLUE = buildMigrations({ tables: [ACTOR, ...REST], tenants: ONE });

describe.each([15, 18] as const)('retire on PostgreSQL %i', (major) => {
  let target: Target;
  beforeAll(async () => {
    target = await startTarget(major);
    await target.apply(MIGRATIONS);
    await target.query(stage({ keys: [1, 5] }));
    await target.query(stage({ schema: 'avansas', keys: [1, 2], source: 'Avansas' }));
    const everybody = { schema: 'public', table: 'Everybody' };
    await target.query(stage({ ...everybody, keys: [1, 3] }));
    await target.query(stage({ ...everybody, keys: [11, 12], source: 'Avansas' }));
    await target.merge();
    await target.save();
  });
  afterAll(() => target?.stop());
  beforeEach(() => target.reset());

  const retire = (migrations: Migrations, options: Partial<RetireOptions> = {}) =>
    retireTables(target.address, migrations, {
      ...{ tenants: TENANTS, discards: false, isDryRun: false },
      ...{ selection: { kind: 'table', names: ['Actor'] }, ...options },
    });
  const retireBlue = () =>
    retire(WITHOUT_BLUE, { tenants: ONE, selection: { kind: 'customer', names: ['blue'] } });

  /** Returns the remaining bookkeeping of tables, without the note that they were retired. */
  async function left(condition: string): Promise<readonly unknown[]> {
    const tables = await target.query<{ relname: string }>(
      `SELECT relname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
      WHERE relnamespace = 'cdc_management'::regnamespace AND relkind = 'r' AND relname <> 'retired_table'
        AND attname = 'schema_name' AND NOT attisdropped`,
    );
    const rows = await target.query(
      tables
        .map(
          ({ relname }) =>
            `SELECT '${relname}' AS name FROM cdc_management."${relname}" WHERE ${condition}`,
        )
        .join(' UNION ALL '),
    );
    return rows.map(({ name }) => name);
  }

  async function expectClean(migrations: Migrations, tenants = TENANTS): Promise<void> {
    expect(await target.apply(migrations, { tenants })).toMatchObject({ failures: [] });
    expect((await target.merge()).tables.filter(({ failure }) => failure !== null)).toEqual([]);
    expect(await target.check(migrations, { tenants })).toEqual([]);
  }

  it('ends the merges of a table that was removed from the configuration, and keeps its rows', async () => {
    const messages = (await target.check(WITHOUT_ACTOR)).map(({ message }) => message);
    expect(messages).toContainEqual(expect.stringContaining('retire --table Actor'));
    const dry = await retire(WITHOUT_ACTOR, { isDryRun: true });
    expect(dry).toMatchObject({
      found: ['Actor'],
      tables: [
        { schema: 'avansas', table: 'Actor', outcome: 'found', left: { rows: 2, staged: 0 } },
        { schema: 'blue', table: 'Actor', outcome: 'found', left: { rows: 5, deadLetters: 0 } },
      ],
    });
    expect(await left(`table_name = 'Actor'`)).toContain('merge_control');
    const done = await retire(WITHOUT_ACTOR);
    expect(done.tables[1]).toMatchObject({
      ...{ schema: 'blue', outcome: 'retired', reason: null },
      left: {
        ...{ staging: 'stg_Actor', streams: 1, sources: ['AdOpus'], rememberedDeletes: 0 },
        routines: [
          'blue.fn_merge_window_actor(tid,tid,integer,integer,integer)',
          'blue.sp_merge_actor()',
        ],
      },
    });
    expect(await left(`table_name = 'Actor'`)).toEqual([]);
    expect(await target.query('SELECT FROM blue."Actor"')).toHaveLength(5);
    await expectClean(WITHOUT_ACTOR);
    const again = await retire(WITHOUT_ACTOR);
    expect(again.tables.map(({ outcome }) => outcome)).toEqual(['before', 'before']);
    await target.query(again.dropSql);
    expect(
      await target.query(`SELECT relname FROM pg_class WHERE relname ~ 'Actor' AND relkind = 'r'`),
    ).toEqual([]);
    await expectClean(WITHOUT_ACTOR);
  });

  it('ends the merges of a removed customer, and reports its rows in shared tables', async () => {
    const messages = (await target.check(WITHOUT_BLUE, { tenants: ONE })).map(
      ({ message }) => message,
    );
    expect(messages).toContainEqual(expect.stringContaining('retire --customer blue'));
    const { shared, dropSql } = await retireBlue();
    expect(shared).toEqual([
      { schema: 'public', table: 'Everybody', sources: ['AdOpus'], rows: 3 },
    ]);
    expect(await left(`schema_name = 'blue'`)).toEqual([]);
    expect(
      await target.query(
        `SELECT DISTINCT source_db FROM cdc_management.stream_coverage WHERE schema_name = 'public'`,
      ),
    ).toEqual([{ source_db: 'Avansas' }]);
    await expectClean(WITHOUT_BLUE, ONE);
    await target.query(dropSql);
    expect(
      await target.query('SELECT DISTINCT "__source_db" AS db FROM public."Everybody"'),
    ).toEqual([{ db: 'Avansas' }]);
    expect(await target.query(`SELECT FROM pg_namespace WHERE nspname = 'blue'`)).toEqual([]);
    await expectClean(WITHOUT_BLUE, ONE);
  });

  it('continues an interrupted retirement, and accepts tables that users dropped', async () => {
    await target.query(`CALL cdc_management.retire_table('blue', 'Actor')`);
    await target.query('DROP TABLE avansas."Actor", avansas."stg_Actor"');
    expect(await left(`table_name = 'Actor'`)).not.toEqual([]);
    expect((await retire(WITHOUT_ACTOR)).tables.map(({ reason }) => reason)).toEqual([null, null]);
    expect(await left(`table_name = 'Actor'`)).toEqual([]);
    await expectClean(WITHOUT_ACTOR);
  });

  // The rest is the same in all versions.
  if (major === 15) return;

  it('allows a retired table to be added again', async () => {
    await retire(WITHOUT_ACTOR);
    expect(await target.apply(MIGRATIONS)).toMatchObject({ failures: [] });
    await target.query(stage({ keys: [6, 6] }));
    await expectClean(MIGRATIONS);
    expect(await target.query('SELECT FROM blue."Actor"')).toHaveLength(6);
    expect(await target.query('SELECT FROM cdc_management.retired_table')).toEqual([]);
  });

  it('refuses while events are not merged, unless `discards` is set', async () => {
    await target.query(stage({ keys: [6, 7] }));
    await target.query(stage({ schema: 'avansas', keys: [6, 6], name: 'NULL', operation: 'x' }));
    await target.merge({ schemas: ['avansas'] });
    const refused = await retire(WITHOUT_ACTOR);
    expect(refused.tables).toMatchObject([
      {
        outcome: 'refused',
        reason: expect.stringContaining(
          'events of avansas."Actor" are not merged: 1 in the dead letters',
        ),
      },
      {
        outcome: 'refused',
        reason: expect.stringContaining('events of blue."Actor" are not merged: 2 staged'),
      },
    ]);
    expect(await target.query('SELECT FROM blue."stg_Actor"')).toHaveLength(2);
    const { tables } = await retire(WITHOUT_ACTOR, { discards: true });
    expect(tables.map(({ outcome }) => outcome)).toEqual(['retired', 'retired']);
    await expectClean(WITHOUT_ACTOR);
  });

  it('waits for a writer, and then refuses because of the events that it staged', async () => {
    const writer = target.connect('writer');
    await writer.unsafe(`BEGIN; ${stage({ keys: [9, 9] })}`).simple();
    const retiring = retire(WITHOUT_ACTOR, { selection: { kind: 'table', names: ['blue.Actor'] } });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await writer.unsafe('COMMIT');
    await writer.end();
    expect((await retiring).tables).toMatchObject([
      { outcome: 'refused', reason: expect.stringContaining('are not merged: 1 staged') },
    ]);
  });

  it('refuses tables and customers in the configuration, and finds nothing for unknown names', async () => {
    await expect(retire(MIGRATIONS)).rejects.toThrow(StillDefinedError);
    await expect(
      retire(MIGRATIONS, { selection: { kind: 'customer', names: ['blue'] } }),
    ).rejects.toThrow(StillDefinedError);
    const unknown = await retire(MIGRATIONS, { selection: { kind: 'table', names: ['Nobody'] } });
    expect(unknown).toMatchObject({ tables: [], found: [] });
  });
});
