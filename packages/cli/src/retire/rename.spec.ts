import type { PostgresServer } from '@cdc-migrations/postgres-fixture';
import { copyOf, edit, write } from '../repo.fixture.ts';
import { finish, runCommand, startCommand, untilSays } from '../target/cli.fixture.ts';
import { small, type SmallTarget, stageActors } from '../target/small-target.fixture.ts';
import { type ChangedTarget, DATABASE, openChangedTarget } from './changed-target.fixture.ts';

describe.each([15, 18] as const)('a rename on PostgreSQL %i', (major) => {
  let changed: ChangedTarget;
  let server: PostgresServer;
  let target: SmallTarget;
  beforeAll(async () => {
    changed = await openChangedTarget(major, {
      async prepare({ run, query, repo }) {
        await query(stageActors('blue', [1, 5]));
        await query(deletes('blue', 3, 6));
        expect(await run(repo.root, 'merge')).toMatchObject({ exitCode: 0 });
        await query(stageActors('blue', [7, 8]));
      },
    });
    ({ server, repo: target } = changed);
  }, 120_000);
  afterAll(() => server?.stop());
  beforeEach(() => changed.reset());

  const run: ChangedTarget['run'] = (...args) => changed.run(...args);
  const query: ChangedTarget['query'] = (text) => changed.query(text);
  const edited: ChangedTarget['edited'] = (...args) => changed.edited(...args);

  const green = () => edited('source-groups.yaml', '    blue:', '    green:');
  const person = () => edited('services/adopus.yaml', 'adopus.Actor:', 'adopus.Person:');

  /** Replays older events, then stages newer ones. Deleted rows must stay deleted and nothing may be missing. */
  async function expectMergesContinue(root: string, schema: string, table: string): Promise<void> {
    await query(stage(schema, table, [1, 5]));
    await query(stage(schema, table, [9, 9]));
    expect(await run(root, 'merge')).toMatchObject({ exitCode: 0 });
    const rows = await query(`SELECT actno FROM "${schema}"."${table}" ORDER BY 1`);
    expect(rows.map(({ actno }) => Number(actno))).toEqual([1, 2, 4, 5, 7, 8, 9]);
    expect(
      await query(
        `SELECT schema_name, table_name, first_offset FROM cdc_management.unseen_offsets`,
      ),
    ).toEqual([]);
    expect(await query('SELECT * FROM cdc_management.possible_loss')).toEqual([]);
    expect(await query('SELECT * FROM cdc_management.merge_problems')).toEqual([]);
    await expectUpToDate(root);
  }

  async function expectUpToDate(root: string): Promise<void> {
    expect(await run(root, 'apply')).toMatchObject({ exitCode: 0 });
    const [check, status] = await Promise.all([run(root, 'check'), run(root, 'status')]);
    expect(check).toMatchObject({ exitCode: 0 });
    expect(status).toMatchObject({ exitCode: 0 });
  }

  /** Returns the bookkeeping table of each row with this name. */
  async function kept(column: 'schema_name' | 'table_name', name: string) {
    const tables =
      await query(`SELECT relname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
      WHERE relnamespace = 'cdc_management'::regnamespace AND relkind = 'r' AND attname = '${column}' AND NOT attisdropped`);
    const counts = await query(
      tables
        .map(
          ({ relname }) =>
            `SELECT '${String(relname)}' AS name FROM cdc_management."${String(relname)}" WHERE ${column} = '${name}'`,
        )
        .join(' UNION ALL '),
    );
    return counts.map((row) => row['name']);
  }

  it('of a customer moves its bookkeeping and staged events to the new name', async () => {
    const root = await green();
    expect(await run(root, 'rename', '--customer', 'blue', '--to', 'green')).toMatchObject({
      exitCode: 0,
      stdout: 'sink_asma.directory in nonprod: schema blue to green (3 tables): renamed\n',
    });
    expect(await kept('schema_name', 'blue')).toEqual([]);
    await expectMergesContinue(root, 'green', 'Actor');
    expect(await run(root, 'rename', '--customer', 'blue', '--to', 'green')).toMatchObject({
      exitCode: 0,
      stdout: 'sink_asma.directory in nonprod: no bookkeeping under the name blue\n',
    });
  });

  it('of a table moves its bookkeeping and staged events to the new name', async () => {
    const root = await person();
    expect(await run(root, 'rename', '--table', 'Actor', '--to', 'Person')).toMatchObject({
      exitCode: 0,
      stdout: `sink_asma.directory in nonprod: avansas.Actor to avansas.Person: renamed
sink_asma.directory in nonprod: blue.Actor to blue.Person: renamed\n`,
    });
    expect(await kept('table_name', 'Actor')).toEqual([]);
    await expectMergesContinue(root, 'blue', 'Person');
  });

  // The rest is the same in all versions.
  if (major === 15) return;

  it('of a customer by hand is reported by check and status, and rename moves its bookkeeping', async () => {
    const root = await green();
    await query('ALTER SCHEMA blue RENAME TO green');
    expect(await run(root, 'apply')).toMatchObject({ exitCode: 0 });
    const hint = 'cdc manage-migrations rename --customer blue --to green';
    const reported = { exitCode: 1, stdout: expect.stringContaining(hint) };
    const [check, status] = await Promise.all([run(root, 'check'), run(root, 'status')]);
    expect(check).toMatchObject(reported);
    expect(status).toMatchObject(reported);
    await query(stageActors('green', [9, 9]));
    expect((await run(root, 'merge')).exitCode).not.toBe(2);
    expect(await run(root, 'rename', '--customer', 'blue', '--to', 'green')).toMatchObject({
      exitCode: 0,
    });
    expect(await kept('schema_name', 'blue')).toEqual([]);
    await expectMergesContinue(root, 'green', 'Actor');
  });

  it.each([
    ['--customer', 'blue', 'green', ['source-groups.yaml', '    blue:', '    green:']],
    ['--table', 'Actor', 'Person', ['services/adopus.yaml', 'adopus.Actor:', 'adopus.Person:']],
  ] as const)(
    'of %s %s reports hand-written files with the old name, and accepts the new name in them',
    async (what, from, to, [path, before, after]) => {
      const root = copyOf(target.root);
      const files = {
        'manual/0010-own': `CREATE TABLE IF NOT EXISTS public.${from}_note (n integer);\n`,
        'after/0010-index': `-- For reports.\nCREATE INDEX "Actor_Navn" ON blue."Actor" ("Navn");\n`,
        'repeatable/0010-view': `CREATE OR REPLACE VIEW public.names AS SELECT "Navn" FROM blue."Actor";\n`,
      };
      const put = async (swap: (text: string) => string) => {
        for (const [name, text] of Object.entries(files))
          write(root, `migrations/${name}.sql`, swap(text));
        expect(await runCommand(root, ['generate'])).toMatchObject({ exitCode: 0 });
      };
      await put((text) => text);
      expect(await run(root, 'apply')).toMatchObject({ exitCode: 0 });
      edit(root, path, before, after);
      expect(await runCommand(root, ['generate'])).toMatchObject({ exitCode: 0 });
      const rename = () => run(root, 'rename', what, from, '--to', to);
      const first = await rename();
      expect(first.exitCode).toBe(0);
      const warned = first.stderr.match(/warning: \S+: has the old name \w+; write \w+ there/g);
      expect(warned).toEqual(
        ['after/0010-index.sql:2', 'repeatable/0010-view.sql:1'].map(
          (place) => `warning: ${place}: has the old name ${from}; write ${to} there`,
        ),
      );
      await put((text) => text.replaceAll(new RegExp(`(["' ])${from}(["'.])`, 'g'), `$1${to}$2`));
      expect(await run(root, 'apply')).toMatchObject({
        exitCode: 6,
        stderr: expect.stringContaining('after/0010-index.sql: changed after it was applied'),
      });
      const again = await rename();
      expect(again).toMatchObject({ exitCode: 0 });
      expect(again.stderr).toBe(
        `sink_asma.directory in nonprod: after/0010-index.sql: has ${to} in place of ${from}, and counts as applied\n`,
      );
      await expectUpToDate(root);

      // A new database accepts the corrected files.
      await query(
        'DROP VIEW public.names; DROP SCHEMA avansas CASCADE; DROP SCHEMA cdc_management CASCADE',
      );
      await query(`DROP SCHEMA ${what === '--customer' ? 'green' : 'blue'} CASCADE`);
      expect(await run(root, 'apply')).toMatchObject({ exitCode: 0 });
    },
  );

  it('waits for a writer, and moves the events that it staged', async () => {
    const root = await green();
    const writer = server.connect({
      database: DATABASE,
      max: 1,
      connection: { application_name: 'writer' },
    });
    await writer.unsafe(`BEGIN; ${stageActors('blue', [9, 9])}`);
    const args = small('rename', '--customer', 'blue', '--to', 'green');
    const child = startCommand(root, args, target.env(server));
    const renaming = finish(child);
    await untilSays(child, /green waits: .*lock timeout; held by pid \d+, application "writer"/);
    await writer.unsafe('COMMIT');
    await writer.end();
    expect(await renaming).toMatchObject({ exitCode: 0 });
    expect(await kept('schema_name', 'blue')).toEqual([]);
    await expectMergesContinue(root, 'green', 'Actor');
  });

  it('is refused until the configuration and the target match the new name', async () => {
    const rename = (root: string, ...args: readonly string[]) => run(root, 'rename', ...args);
    expect(await rename(target.root, '--customer', 'blue', '--to', 'green')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('customer blue is in source-groups.yaml'),
    });
    expect(await rename(target.root, '--table', 'Actor', '--to', 'Person')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('table avansas.Actor is in services/'),
    });
    const root = await green();
    expect(await rename(root, '--customer', 'blue', '--to', 'red')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('customer red is not in source-groups.yaml'),
    });
    expect(await run(root, 'apply')).toMatchObject({ exitCode: 0 });
    expect(await rename(root, '--customer', 'blue', '--to', 'green')).toMatchObject({
      exitCode: 5,
      stdout: expect.stringContaining('DROP SCHEMA green CASCADE'),
    });
    await query('DROP SCHEMA green CASCADE');
    expect(await rename(root, '--customer', 'blue', '--to', 'green')).toMatchObject({
      exitCode: 0,
    });
    await expectMergesContinue(root, 'green', 'Actor');
  });
});

function stage(schema: string, table: string, keys: readonly [number, number]): string {
  return stageActors(schema, keys).replace('"stg_Actor"', `"stg_${table}"`);
}

function deletes(schema: string, key: number, offset: number): string {
  return `INSERT INTO "${schema}"."stg_Actor" ("actno", "__source_db", "__source_table", "__cdc_operation",
    "__kafka_partition", "__kafka_offset") VALUES (${key}, 'AdOpus', 'Actor', 'd', 0, ${offset})`;
}
