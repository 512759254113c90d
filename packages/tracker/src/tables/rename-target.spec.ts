import { NotDefinedError, renameTarget, type Renaming, type RenameWait } from './rename-target.ts';
import { StillDefinedError } from './retire-tables.ts';
import type { Migrations } from '../migrations/migrations.ts';
import {
  ACTOR,
  buildMigrations,
  FRAVER,
  REGION,
  stage,
  startTarget,
  TENANTS,
  type Target,
} from '../target.fixture.ts';
import { buildNames } from '@cdc-migrations/table-fixture';

const MIGRATIONS = buildMigrations();
/** The customer `blue` is renamed to `green`. */
const GREEN = { tenants: ['avansas', 'green'] };
const WITH_GREEN = buildMigrations(GREEN);
/** The table `Actor` is renamed to `Person`. */
const PERSON = { ...ACTOR, name: 'Person', names: buildNames('Person') };
const WITH_PERSON = buildMigrations({ tables: [PERSON, FRAVER, REGION] });

const TO_GREEN: Renaming = { kind: 'customer', from: 'blue', to: 'green' };
const TO_PERSON: Renaming = { kind: 'table', from: 'Actor', to: 'Person' };

describe.each([15, 18] as const)('a rename on PostgreSQL %i', (major) => {
  let target: Target;
  beforeAll(async () => {
    target = await startTarget(major);
    await target.apply(MIGRATIONS);
    await target.query(stage({ keys: [1, 5] }));
    await target.query(stage({ keys: [3, 3], at: 6, operation: 'd' }));
    await target.merge();
    await target.query(stage({ keys: [7, 8] }));
    await target.save();
  });
  afterAll(() => target?.stop());
  beforeEach(() => target.reset());

  const rename = (
    migrations: Migrations,
    renaming: Renaming,
    options: {
      readonly tenants?: readonly string[];
      readonly isDryRun?: boolean;
      readonly onWait?: (wait: RenameWait) => void;
    } = {},
  ) =>
    renameTarget(target.address, migrations, {
      ...{ tenants: TENANTS, renaming, isDryRun: false, ...options },
    });
  const toGreen = (options = {}) => rename(WITH_GREEN, TO_GREEN, { ...GREEN, ...options });
  const toPerson = () => rename(WITH_PERSON, TO_PERSON);

  /** Replays older events, then stages newer ones. Deleted rows must stay deleted and nothing may be missing. */
  async function expectMergesContinue(migrations: Migrations, schema: string, table: string) {
    const tenants = schema === 'green' ? GREEN.tenants : TENANTS;
    await target.query(stage({ schema, table, keys: [1, 5] }));
    await target.query(stage({ schema, table, keys: [9, 9] }));
    await target.merge();
    const rows = await target.query(`SELECT actno FROM "${schema}"."${table}" ORDER BY 1`);
    expect(rows.map(({ actno }) => Number(actno))).toEqual([1, 2, 4, 5, 7, 8, 9]);
    expect(await target.query('SELECT FROM cdc_management.unseen_offsets')).toEqual([]);
    expect(await target.concerns()).toMatchObject({ lostStaging: [], mergeProblems: [] });
    expect(await target.apply(migrations, { tenants })).toMatchObject({ failures: [] });
    expect(await target.check(migrations, { tenants })).toEqual([]);
  }

  /** Returns the bookkeeping table of each row with this name. */
  async function kept(column: 'schema_name' | 'table_name', name: string) {
    const tables = await target.query<{ relname: string }>(
      `SELECT relname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
      WHERE relnamespace = 'cdc_management'::regnamespace AND relkind = 'r' AND attname = '${column}' AND NOT attisdropped`,
    );
    const rows = await target.query(
      tables
        .map(
          ({ relname }) =>
            `SELECT '${relname}' AS name FROM cdc_management."${relname}" WHERE ${column} = '${name}'`,
        )
        .join(' UNION ALL '),
    );
    return rows.map((row) => row['name']);
  }

  it('of a customer moves its bookkeeping and staged events to the new name', async () => {
    const tables = ['Actor', 'Fraver', 'Region'];
    expect(await toGreen()).toEqual([
      { schema: 'green', tables, outcome: 'renamed', reason: null },
    ]);
    expect(await kept('schema_name', 'blue')).toEqual([]);
    await expectMergesContinue(WITH_GREEN, 'green', 'Actor');
    expect(await toGreen()).toEqual([]);
  });

  it('of a table moves its bookkeeping and staged events to the new name', async () => {
    const of = { tables: ['Actor'], outcome: 'renamed', reason: null };
    expect(await toPerson()).toEqual(TENANTS.map((schema) => ({ schema, ...of })));
    expect(await kept('table_name', 'Actor')).toEqual([]);
    await expectMergesContinue(WITH_PERSON, 'blue', 'Person');
  });

  it('continues where it was interrupted', async () => {
    const writer = target.connect('writer');
    await writer.unsafe(`BEGIN; ${stage({ keys: [9, 9] })}`).simple();
    const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'cdc rename' AND datname = current_database()`;
    let ending: Promise<unknown> | undefined;
    const [ended] = await Promise.allSettled([
      rename(WITH_PERSON, TO_PERSON, { onWait: () => void (ending ??= target.query(end)) }),
    ]);
    await ending;
    const outcomes = ended.status === 'fulfilled' ? ended.value.map(({ outcome }) => outcome) : [];
    expect(outcomes).not.toEqual(['renamed', 'renamed']);
    expect(
      await target.query(
        `SELECT to_regclass('avansas."Person"')::text AS done, to_regclass('blue."Actor"')::text AS left`,
      ),
    ).toEqual([{ done: 'avansas."Person"', left: 'blue."Actor"' }]);
    await writer.unsafe('COMMIT');
    await writer.end();
    expect(await toPerson()).toMatchObject([{ schema: 'blue', outcome: 'renamed' }]);
    expect(await kept('table_name', 'Actor')).toEqual([]);
    await expectMergesContinue(WITH_PERSON, 'blue', 'Person');
  });

  // The rest is the same in all versions.
  if (major === 15) return;

  it('changes nothing in a dry run', async () => {
    expect(await toGreen({ isDryRun: true })).toMatchObject([
      { schema: 'green', outcome: 'found' },
    ]);
    expect(await kept('schema_name', 'blue')).not.toEqual([]);
    expect(await target.check(MIGRATIONS)).toEqual([]);
  });

  it.each([
    [
      'a customer',
      { ...GREEN, change: 'ALTER SCHEMA blue RENAME TO green', schema: 'green', table: 'Actor' },
      WITH_GREEN,
      TO_GREEN,
    ],
    [
      'a table',
      {
        ...{ tenants: TENANTS, schema: 'blue', table: 'Person' },
        change: TENANTS.map((of) => `ALTER TABLE ${of}."Actor" RENAME TO "Person"`).join('; '),
      },
      WITH_PERSON,
      TO_PERSON,
    ],
  ] as const)(
    'of %s by hand is reported by check, and rename moves its bookkeeping',
    async (_, { tenants, change, schema, table }, migrations, renaming) => {
      await target.query(change);
      await target.apply(migrations, { tenants });
      const { kind, from, to } = renaming;
      const hint = expect.stringContaining(`rename --${kind} ${from} --to ${to}`);
      expect((await target.check(migrations, { tenants })).map(({ message }) => message)).toEqual(
        expect.arrayContaining([hint]),
      );
      const outcomes = (await rename(migrations, renaming, { tenants })).map(
        ({ outcome }) => outcome,
      );
      expect(new Set(outcomes)).toEqual(new Set(['renamed']));
      expect(await kept(kind === 'table' ? 'table_name' : 'schema_name', from)).toEqual([]);
      await expectMergesContinue(migrations, schema, table);
    },
  );

  it('loses nothing in parallel with merges and a writer', async () => {
    const end = new AbortController();
    const merging = target.merge({ everyMs: 50, signal: end.signal });
    const writer = target.connect('writer');
    let schema = 'blue';
    let isRenamed = false;
    const writing = (async () => {
      for (let key = 9; key < 300 || !isRenamed; key++) {
        try {
          await writer.unsafe(stage({ schema, keys: [key, key] }));
        } catch (error) {
          expect([schema, (error as { code?: string }).code]).toEqual(['blue', '42P01']);
          schema = 'green';
          key--;
        }
      }
    })();
    const renamed = await toGreen();
    isRenamed = true;
    await writing;
    await writer.end();
    end.abort();
    await merging;
    expect(renamed).toMatchObject([{ outcome: 'renamed' }]);
    // A merge that waited for the rename records that its table is missing.
    await target.query('DELETE FROM cdc_management.merge_error');
    expect(await kept('schema_name', 'blue')).toEqual([]);
    await target.merge();
    const [row] = await target.query(
      'SELECT count(*)::integer AS rows, max(actno)::integer AS last FROM green."Actor"',
    );
    // All except the deleted key 3, and 6, which is the offset of its delete.
    expect(row).toEqual({ rows: Number(row!['last']) - 2, last: row!['last'] });
    expect(await target.query('SELECT FROM cdc_management.unseen_offsets')).toEqual([]);
    expect(await target.query('SELECT FROM cdc_management.dead_letter')).toEqual([]);
  });

  it('waits for a writer, and moves the events that it staged', async () => {
    const writer = target.connect('writer');
    await writer.unsafe(`BEGIN; ${stage({ keys: [9, 9] })}`).simple();
    const waits: RenameWait[] = [];
    const renaming = toGreen({
      onWait: (wait: RenameWait) => {
        waits.push(wait);
        if (waits.length === 1) void writer.unsafe('COMMIT').then(() => writer.end());
      },
    });
    expect(await renaming).toMatchObject([{ outcome: 'renamed' }]);
    expect(waits[0]).toEqual({
      ...{ schema: 'green', reason: 'canceling statement due to lock timeout' },
      blockers: [expect.objectContaining({ application: 'writer' })],
    });
    expect(await kept('schema_name', 'blue')).toEqual([]);
    await expectMergesContinue(WITH_GREEN, 'green', 'Actor');
  });

  it.each([
    ['a customer that is still configured', MIGRATIONS, TO_GREEN, TENANTS, StillDefinedError],
    ['a table that is still configured', MIGRATIONS, TO_PERSON, TENANTS, StillDefinedError],
    [
      'a customer to a name that is not configured',
      WITH_GREEN,
      { ...TO_GREEN, to: 'red' },
      GREEN.tenants,
      NotDefinedError,
    ],
    [
      'a table to a name that is not configured',
      WITH_PERSON,
      { ...TO_PERSON, to: 'Pers' },
      TENANTS,
      NotDefinedError,
    ],
  ] as const)('of %s is refused', async (_, migrations, renaming, tenants, error) => {
    await expect(rename(migrations, renaming, { tenants })).rejects.toThrow(error);
    expect(await target.check(MIGRATIONS)).toEqual([]);
  });

  it('to an existing schema is refused, and reports the statement that drops the schema', async () => {
    await target.apply(WITH_GREEN, GREEN);
    expect(await toGreen()).toMatchObject([
      { outcome: 'refused', reason: expect.stringContaining('DROP SCHEMA green CASCADE') },
    ]);
    await target.query('DROP SCHEMA green CASCADE');
    expect(await toGreen()).toMatchObject([{ outcome: 'renamed' }]);
    await expectMergesContinue(WITH_GREEN, 'green', 'Actor');
  });
});
