import { setTimeout as sleep } from 'node:timers/promises';
import { ManualFilesEditedError } from './plan-apply.ts';
import type { ApplyEvent } from './apply-event.ts';
import {
  ACTOR,
  buildMigrations,
  column,
  CUSTOMER,
  FRAVER,
  REGION,
  startTarget,
  TENANTS,
  type SetContents,
  type Target,
} from '../target.fixture.ts';

const OF_TENANT = 6;
const INDEX = 'after/0010-index.sql';
const VIEW = 'repeatable/0010-actors.sql';
const MORE = [...TENANTS, 'cerulean'];
const CONCURRENT_INDEX = `-- cdc: no-transaction\nCREATE INDEX CONCURRENTLY "Actor_Navn" ON "{{SCHEMA}}"."Actor" ("Navn")\n`;
const SOME_VIEW = 'CREATE OR REPLACE VIEW "{{SCHEMA}}".actors AS SELECT 1 AS a;\n';

type Files = Readonly<Record<string, string>>;

describe('hand-written files', () => {
  let target: Target;
  beforeAll(async () => {
    target = await startTarget(15);
    await target.apply(buildMigrations());
    await target.save();
  });
  afterAll(() => target?.stop());
  beforeEach(() => target.reset());

  const apply = (
    files: Files,
    { tenants = TENANTS, ...contents }: SetContents = {},
    options = {},
  ) => target.apply(buildMigrations({ ...contents, files, tenants }), { tenants, ...options });
  const statesOf = async (files: Files, path: string) =>
    (await target.status(buildMigrations({ files }))).schemas.flatMap((of) =>
      of.files.filter((file) => file.path === path).map(({ state }) => state),
    );
  const names = async (query: string) =>
    (await target.query(query)).map((row) => Object.values(row).join(' '));
  const indexes = () =>
    names(`SELECT schemaname FROM pg_indexes WHERE indexname = 'Actor_Navn' ORDER BY 1`);
  const withColumn = (name: string) => [
    { ...ACTOR, columns: [...ACTOR.columns, column(name, 'integer')] },
    FRAVER,
    REGION,
  ];

  /** Expects no pending files and no differences. */
  async function expectSettled(files: Files, contents: SetContents = {}): Promise<void> {
    const { tenants = TENANTS } = contents;
    const migrations = buildMigrations({ ...contents, files });
    expect(await target.check(migrations, { tenants })).toEqual([]);
    expect(await target.apply(migrations, { tenants })).toMatchObject({
      applied: [],
      failures: [],
    });
  }

  it('report the session that blocks them if they run without a transaction', async () => {
    const reader = target.connect('report');
    await reader.unsafe(`BEGIN; UPDATE blue."Actor" SET "Navn" = ''`).simple();
    const events: ApplyEvent[] = [];
    const applying = apply(
      { [INDEX]: CONCURRENT_INDEX },
      {},
      { onEvent: (one: ApplyEvent) => events.push(one) },
    );
    const waits = () => events.filter(({ kind }) => kind === 'file waits');
    while (waits().length === 0) await sleep(20);
    await reader.unsafe('COMMIT').simple();
    await reader.end();
    expect(await applying).toMatchObject({ failures: [] });
    expect(waits()[0]).toEqual({
      ...{ kind: 'file waits', schema: 'blue', path: INDEX },
      reason: expect.stringContaining('it runs outside of a transaction'),
      blockers: [expect.objectContaining({ application: 'report', state: 'idle in transaction' })],
    });
  });

  it('in after/ are applied to existing tenants, and to a new tenant after its tables', async () => {
    const first = { [INDEX]: CONCURRENT_INDEX };
    expect(await statesOf(first, INDEX)).toEqual(['pending', 'pending']);
    expect((await apply(first)).applied).toHaveLength(2);
    const second = { ...first, [VIEW]: SOME_VIEW };
    const { applied } = await apply(second, { tenants: MORE });
    expect(applied.filter(({ schema }) => schema !== '')).toHaveLength(OF_TENANT + 2 + 2);
    const cerulean = applied.filter(({ schema }) => schema === 'cerulean');
    expect(cerulean.slice(-2).map(({ path }) => path)).toEqual([INDEX, VIEW]);
    expect(await indexes()).toEqual(MORE);
    await expectSettled(second, { tenants: MORE });
    for (const text of ['SELECT 1;\n', `SELECT '{{SCHEMA}}';\n`]) {
      await expect(apply({ [INDEX]: text })).rejects.toThrow(ManualFilesEditedError);
    }
    expect(await statesOf({}, INDEX)).toEqual(['missing', 'missing', 'missing']);
  });

  it('can be corrected after a failure in a schema, but not after they were applied in all', async () => {
    await target.query(`INSERT INTO blue."Actor" (actno, "Navn", _customer_id)
      SELECT n, 'twice', '${CUSTOMER}' FROM generate_series(1, 2) AS n`);
    const other = 'CREATE VIEW "{{SCHEMA}}".other AS SELECT 1 AS a;\n';
    const files = {
      [INDEX]: `CREATE UNIQUE INDEX "Actor_Navn" ON "{{SCHEMA}}"."Actor" ("Navn");\n${other}`,
      'after/0020-more.sql': 'CREATE TABLE "{{SCHEMA}}".more ();\n',
      [VIEW]: SOME_VIEW,
      'repeatable/0020-all.sql': 'CREATE OR REPLACE VIEW public.everything AS SELECT 1 AS a;\n',
    };
    const failed = await apply(files);
    expect(failed.failures).toEqual([
      expect.objectContaining({ kind: 'failed', schema: 'blue', path: INDEX, code: '23505' }),
    ]);
    expect(failed.waiting).toEqual([
      { schema: 'blue', path: 'after/0020-more.sql', waitsFor: INDEX },
      { schema: 'blue', path: VIEW, waitsFor: INDEX },
      { schema: '', path: 'repeatable/0020-all.sql', waitsFor: 'blue' },
    ]);
    expect(failed.applied).toHaveLength(3);
    const corrected = {
      ...files,
      [INDEX]: `CREATE INDEX "Actor_Navn" ON "{{SCHEMA}}"."Actor" ("Navn");\n${other}`,
    };
    expect((await apply(corrected)).applied).toHaveLength(4);
    expect(await indexes()).toEqual(TENANTS);
    await expectSettled(corrected);
    await expect(apply({ ...corrected, [INDEX]: `SELECT '{{SCHEMA}}';\n` })).rejects.toThrow(
      ManualFilesEditedError,
    );
  });

  it('in repeatable/ run again if their text, or a table or file that they need, changes', async () => {
    const files = {
      [VIEW]:
        '-- after: Actor\nDROP VIEW IF EXISTS "{{SCHEMA}}".actors CASCADE;\nCREATE VIEW "{{SCHEMA}}".actors AS SELECT * FROM "{{SCHEMA}}"."Actor";\n',
      'repeatable/0020-named.sql':
        '-- after: 0010-actors\nCREATE OR REPLACE VIEW "{{SCHEMA}}".named AS SELECT "Navn" FROM "{{SCHEMA}}".actors;\n',
      'repeatable/0030-absences.sql': `-- after: Fraver\nSELECT '{{SCHEMA}}';\n`,
    };
    expect((await apply(files)).applied).toHaveLength(6);

    const tables = withColumn('Merke');
    // The table, its staging, and the two files that need it.
    expect((await apply(files, { tables })).applied).toHaveLength(2 * 4);
    const columns = `SELECT table_schema FROM information_schema.columns
      WHERE table_name = 'actors' AND column_name = 'Merke' ORDER BY 1`;
    expect(await names(columns)).toEqual(TENANTS);

    const changed = {
      ...files,
      'repeatable/0030-absences.sql': `-- after: Fraver\nSELECT 2, '{{SCHEMA}}';\n`,
    };
    const { applied } = await apply(changed, { tables, tenants: MORE });
    expect(applied.filter(({ schema }) => schema !== '')).toHaveLength(2 + OF_TENANT + 3);
    await expectSettled(changed, { tables, tenants: MORE });
  });

  it('of the whole database run again after all schemas if a customer is added', async () => {
    const files = {
      'repeatable/0010-union.sql': `DO $$ BEGIN
  EXECUTE 'CREATE OR REPLACE VIEW public.all_actors AS ' || (
    SELECT string_agg(format('SELECT actno FROM %s', oid::regclass), ' UNION ALL ' ORDER BY oid)
    FROM pg_class WHERE relname = 'Actor' AND relkind = 'r');
END $$;
`,
    };
    expect((await apply(files, {}, { only: ['blue'] })).applied).toEqual([]);
    expect((await apply(files)).applied).toHaveLength(1);
    const { applied } = await apply(files, { tenants: MORE });
    expect(applied.at(-1)).toMatchObject({ schema: '', path: 'repeatable/0010-union.sql' });
    expect(await names(`SELECT pg_get_viewdef('public.all_actors')`)).toEqual([
      expect.stringContaining('cerulean'),
    ]);
    await expectSettled(files, { tenants: MORE });
  });

  it('of the whole database run before later files of tenants', async () => {
    const files = (n: number) => ({
      'repeatable/0010-global.sql': `SELECT ${n};\n`,
      'repeatable/0020-tenant.sql': `SELECT ${n}, '{{SCHEMA}}';\n`,
    });
    for (const n of [1, 2]) {
      const { applied } = await apply(files(n));
      expect(applied.map(({ schema }) => schema).sort()).toEqual(['', ...TENANTS]);
      expect(applied[0]).toMatchObject({ schema: '' });
    }
    await expectSettled(files(2));
  });

  it('wait for a refused table, unless they need only other tables', async () => {
    const files = {
      [VIEW]: `-- after: Actor\n${SOME_VIEW}`,
      'after/0010-fraver.sql': `-- after: Fraver\nSELECT '{{SCHEMA}}';\n`,
      'after/0020-all.sql': `SELECT '{{SCHEMA}}';\n`,
      'repeatable/0020-last.sql': `-- after: 0010-actors\nSELECT '{{SCHEMA}}';\n`,
    };
    await target.query('ALTER TABLE blue."Actor" ALTER "Navn" TYPE integer USING 1');
    const { failures, waiting } = await apply(files, {}, { again: true });
    expect(failures).toMatchObject([{ kind: 'unsafe', schema: 'blue', path: 'tables/Actor.sql' }]);
    expect(waiting.map(({ path, waitsFor }) => [path, waitsFor])).toEqual([
      ['after/0020-all.sql', 'tables/Actor.sql'],
      [VIEW, 'tables/Actor.sql'],
      ['repeatable/0020-last.sql', VIEW],
    ]);
    expect(
      await names(`SELECT table_name FROM cdc_management.migration_history
        WHERE schema_name = 'blue' AND category IN ('after', 'repeatable') ORDER BY 1`),
    ).toEqual(['0010-fraver']);
    await target.query(
      'ALTER TABLE blue."Actor" ALTER "Navn" TYPE character varying(100) USING NULL',
    );
    expect(await apply(files)).toMatchObject({ failures: [] });
    await expectSettled(files);
  });
});
