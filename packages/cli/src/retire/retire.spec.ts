import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PostgresServer } from '@cdc-migrations/postgres-fixture';
import { copyOf, edit } from '../repo.fixture.ts';
import { runCommand } from '../target/cli.fixture.ts';
import { type SmallTarget, stageActors } from '../target/small-target.fixture.ts';
import { type ChangedTarget, openChangedTarget } from './changed-target.fixture.ts';

const SERVICE = 'services/adopus.yaml';
const BLUE = `    blue:
      schemas: [dbo]
      nonprod: { customer_id: 00000000-0000-4000-8000-000000000002, server: default, database: AdOpusBlue }
`;
const PAGE = readFileSync(join(__dirname, '../../../../docs/retire-and-rename.md'), 'utf8');
/** A table with rows of all customers. */
const SHARED = `        public.Everybody:
          from: dbo.Actor
          target_exists: false
          column_templates: [customer_id]
`;

describe.each([15, 18] as const)('retire on PostgreSQL %i', (major) => {
  let changed: ChangedTarget;
  let server: PostgresServer;
  let target: SmallTarget;
  beforeAll(async () => {
    changed = await openChangedTarget(major, {
      configure: (root) =>
        edit(
          root,
          SERVICE,
          '        public.customer_user:',
          `${SHARED}        public.customer_user:`,
        ),
      async prepare({ run, query, repo }) {
        await query(stageActors('blue', [1, 5]));
        await query(stageActors('avansas', [1, 2]).replace("'AdOpus'", "'Avansas'"));
        await query(stageActors('public', [1, 3]).replace('stg_Actor', 'stg_Everybody'));
        await query(
          stageActors('public', [11, 12])
            .replace('stg_Actor', 'stg_Everybody')
            .replace("'AdOpus'", "'Avansas'"),
        );
        expect(await run(repo.root, 'merge')).toMatchObject({ exitCode: 0 });
      },
    });
    ({ server, repo: target } = changed);
  }, 120_000);
  afterAll(() => server?.stop());
  beforeEach(() => changed.reset());

  const run: ChangedTarget['run'] = (...args) => changed.run(...args);
  const query: ChangedTarget['query'] = (text) => changed.query(text);
  const edited: ChangedTarget['edited'] = (...args) => changed.edited(...args);

  const withoutActor = () =>
    edited(
      SERVICE,
      `        adopus.Actor:
          from: dbo.Actor
          target_exists: false
          column_templates: [customer_id]
`,
      '',
    );
  const withoutBlue = () => edited('source-groups.yaml', BLUE, '');

  /** Returns the bookkeeping tables with matching rows, except the record of retired tables. */
  async function remaining(condition: string): Promise<readonly unknown[]> {
    const tables =
      await query(`SELECT relname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
      WHERE relnamespace = 'cdc_management'::regnamespace AND relkind = 'r' AND relname <> 'retired_table'
        AND attname = 'schema_name' AND NOT attisdropped`);
    const rows = await query(
      tables
        .map(
          ({ relname }) =>
            `SELECT '${String(relname)}' AS name FROM cdc_management."${String(relname)}" WHERE ${condition}`,
        )
        .join(' UNION ALL '),
    );
    return rows.map(({ name }) => name);
  }

  async function expectClean(root: string): Promise<void> {
    expect(await run(root, 'apply')).toMatchObject({ exitCode: 0 });
    const [merge, check, status] = await Promise.all([
      run(root, 'merge'),
      run(root, 'check'),
      run(root, 'status'),
    ]);
    expect(merge).toMatchObject({ exitCode: 0 });
    expect(check).toMatchObject({ exitCode: 0 });
    expect(status).toMatchObject({ exitCode: 0 });
  }

  it('retires a removed table, and keeps its rows until --drop', async () => {
    const root = await withoutActor();
    const expected = {
      exitCode: 1,
      stdout: expect.stringContaining('cdc manage-migrations retire --table Actor'),
    };
    const [check, status] = await Promise.all([run(root, 'check'), run(root, 'status')]);
    expect(check).toMatchObject(expected);
    expect(status).toMatchObject(expected);
    const dry = await run(root, 'retire', '--table', 'Actor', '--dry-run');
    expect(dry).toMatchObject({ exitCode: 0 });
    expect(dry.stdout).toMatch(/blue\.Actor +5 +\d+ +0 +0 +0 +to retire/);
    expect(await remaining(`table_name = 'Actor'`)).toContain('merge_control');
    const done = await run(root, 'retire', '--table', 'Actor');
    expect(done).toMatchObject({ exitCode: 0, stderr: '' });
    expect(done.stdout).toContain(
      'blue.Actor: removed staging table stg_Actor, blue.fn_merge_window_actor(tid,tid,integer,integer,integer), blue.sp_merge_actor(), positions of 1 stream, 0 remembered deletes, history',
    );
    expect(await remaining(`table_name = 'Actor'`)).toEqual([]);
    expect(await query('SELECT count(*)::integer AS n FROM blue."Actor"')).toEqual([{ n: 5 }]);
    await expectClean(root);
    const again = await run(root, 'retire', '--table', 'Actor', '--drop');
    expect(again.exitCode).toBe(0);
    await query(again.stdout);
    expect(
      await query(`SELECT relname FROM pg_class WHERE relname ~ 'Actor' AND relkind = 'r'`),
    ).toEqual([]);
    await expectClean(root);
  });

  it('retires a removed customer, and reports its rows in shared tables', async () => {
    const root = await withoutBlue();
    const expected = {
      exitCode: 1,
      stdout: expect.stringContaining('cdc manage-migrations retire --customer blue'),
    };
    const [check, status] = await Promise.all([run(root, 'check'), run(root, 'status')]);
    expect(check).toMatchObject(expected);
    expect(status).toMatchObject(expected);
    const done = await run(root, 'retire', '--customer', 'blue');
    expect(done).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('public.Everybody: 3 rows of AdOpus stay'),
    });
    expect(await remaining(`schema_name = 'blue'`)).toEqual([]);
    expect(
      await query(
        `SELECT DISTINCT source_db FROM cdc_management.stream_coverage WHERE schema_name = 'public'`,
      ),
    ).toEqual([{ source_db: 'Avansas' }]);
    await expectClean(root);
    const { stdout } = await run(root, 'retire', '--customer', 'blue', '--drop');
    await query(stdout);
    expect(await query('SELECT DISTINCT "__source_db" AS db FROM public."Everybody"')).toEqual([
      { db: 'Avansas' },
    ]);
    expect(await query(`SELECT FROM pg_namespace WHERE nspname = 'blue'`)).toEqual([]);
    await expectClean(root);
  });

  // The remaining tests do not depend on the version of PostgreSQL.
  if (major === 15) return;

  it('refuses a table with unmerged events, unless --discard-events is set', async () => {
    const root = await withoutActor();
    await query(stageActors('blue', [6, 7]));
    await query(stageActors('avansas', [6, 6], 'NULL').replace("'c'", "'x'"));
    await run(root, 'merge', '--schema', 'avansas');
    const refused = await run(root, 'retire', '--table', 'Actor', '--json');
    expect(refused.exitCode).toBe(5);
    expect(
      JSON.parse(refused.stdout).targets[0].tables.map((one: { reason: string }) => one.reason),
    ).toEqual([
      expect.stringContaining('events of avansas."Actor" are not merged: 1 in the dead letters'),
      expect.stringContaining('events of blue."Actor" are not merged: 2 staged'),
    ]);
    expect(await query('SELECT count(*)::integer AS n FROM blue."stg_Actor"')).toEqual([{ n: 2 }]);
    expect(await run(root, 'retire', '--table', 'Actor', '--discard-events')).toMatchObject({
      exitCode: 0,
    });
    await expectClean(root);
  });

  it('runs the commands of docs/retire-and-rename.md without errors', async () => {
    const root = copyOf(target.root);
    const [, retireTable, retireCustomer, rename] = PAGE.split('\n## ');
    const follow = async (section: string | undefined) => {
      const commands = [...section!.matchAll(/^ *npx --no-install cdc manage-migrations (.+)$/gm)];
      expect(commands.length).toBeGreaterThan(2);
      for (const [, command] of commands) {
        const { exitCode, stderr } = await runCommand(
          root,
          command!.split(' '),
          target.env(server),
        );
        expect({ command, exitCode, stderr }).toMatchObject({ exitCode: 0 });
      }
    };
    edit(
      root,
      SERVICE,
      '        adopus.Region:\n          from: dbo.Region\n          target_exists: false\n',
      '',
    );
    await follow(retireTable);
    edit(root, 'source-groups.yaml', BLUE, '');
    await follow(retireCustomer);
    edit(root, 'source-groups.yaml', '    avansas:', '    avansas2:');
    edit(root, SERVICE, 'adopus.Fraver:', 'adopus.Absence:');
    await follow(rename);
  });

  it('refuses configured tables and customers, and reports an unknown table', async () => {
    const { root } = target;
    expect(await run(root, 'retire', '--table', 'Actor')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('table avansas.Actor is in services/: remove it'),
    });
    expect(await run(root, 'retire', '--customer', 'blue')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('customer blue is in source-groups.yaml: remove it'),
    });
    expect(await run(root, 'retire', '--table', 'Nobody')).toMatchObject({
      exitCode: 2,
      stderr: 'no bookkeeping of Nobody\n',
    });
  });
});
