import { setTimeout as sleep } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PostgresServer } from '@cdc-migrations/postgres-fixture';
import { copyOf, edit } from '../repo.fixture.ts';
import {
  type ChangedTarget,
  DATABASE,
  openChangedTarget,
} from '../retire/changed-target.fixture.ts';
import { finish, startCommand } from '../target/cli.fixture.ts';
import { small } from '../target/small-target.fixture.ts';

const PAGE = readFileSync(join(__dirname, '../../../../docs/reload.md'), 'utf8');
const AVANSAS = '0a827150-1332-5167-993b-68db156438cb';
const BLUE = '7b827150-1332-5167-993b-68db156438cb';
/** A table with the rows of all customers. */
const TABLES = `        public.Everybody:
          from: dbo.Actor
          target_exists: false
          column_templates: [customer_id]
`;

interface Events {
  readonly schema?: string;
  readonly table?: string;
  readonly keys: readonly [number, number];
  /** Offset of the first event. */
  readonly at: number;
  readonly operation?: string;
  readonly generation?: number;
  readonly customer?: string;
  readonly name?: string;
}

/** Returns an INSERT with an event for each key, in one partition. */
function stage({ schema = 'blue', table = 'Actor', keys: [first, last], ...of }: Events): string {
  const { at, operation = 'c', generation = 0, customer = BLUE, name = "'navn'" } = of;
  return `INSERT INTO "${schema}"."stg_${table}" ("actno", "Navn", "_customer_id", "__source_db", "__source_table",
    "__cdc_operation", "__kafka_partition", "__kafka_offset", "__stream_generation")
  SELECT n, ${name}, '${customer}', 'AdOpus', 'Actor', '${operation}', 0, ${at} + n - ${first}, ${generation}
  FROM pg_catalog.generate_series(${first}, ${last}) AS n`;
}

describe('reload', () => {
  let changed: ChangedTarget;
  let server: PostgresServer;
  let root: string;
  beforeAll(async () => {
    changed = await openChangedTarget(15, {
      configure: (repo) => {
        edit(
          repo,
          'services/adopus.yaml',
          '        public.customer_user:',
          `${TABLES}        public.customer_user:`,
        );
        edit(
          repo,
          'services/adopus.yaml',
          '          from: dbo.Fraver\n          target_exists: false\n',
          '          from: dbo.Fraver\n          target_exists: false\n          delete_mode: soft\n',
        );
        edit(
          repo,
          'source-groups.yaml',
          'customer_id: 00000000-0000-4000-8000-000000000001',
          `customer_id: ${AVANSAS}`,
        );
        edit(
          repo,
          'source-groups.yaml',
          'customer_id: 00000000-0000-4000-8000-000000000002',
          `customer_id: ${BLUE}`,
        );
      },
      async prepare({ run, query, repo }) {
        await query(stage({ keys: [1, 100], at: 0 }));
        await query(stage({ schema: 'avansas', keys: [1, 10], at: 0, customer: AVANSAS }));
        await query(stage({ schema: 'public', table: 'Everybody', keys: [1, 50], at: 0 }));
        await query(
          stage({
            schema: 'public',
            table: 'Everybody',
            keys: [1, 50],
            at: 100,
            customer: AVANSAS,
          }),
        );
        expect(await run(repo.root, 'merge')).toMatchObject({ exitCode: 0 });
      },
    });
    ({ server } = changed);
    ({ root } = changed.repo);
  }, 120_000);
  afterAll(() => server?.stop());
  beforeEach(() => changed.reset());

  const query: ChangedTarget['query'] = (text) => changed.query(text);
  const run = (step: string, ...args: readonly string[]) =>
    finish(startCommand(root, ['reload', ...small(step, ...args)], changed.repo.env(server)));
  const keys = async (table: string, condition = 'true') =>
    (await query(`SELECT count(*)::integer AS n FROM ${table} WHERE ${condition}`))[0]!['n'];

  it('removes rows that the snapshot did not contain, and old events do not insert them again', async () => {
    expect(await run('begin', '--table', 'blue.Actor')).toMatchObject({ exitCode: 0 });
    await query(stage({ keys: [4, 100], at: 200, operation: 'r' }));
    await query(stage({ keys: [101, 101], at: 300 }));
    const dry = await run('finish', '--table', 'Actor', '--dry-run');
    expect(dry).toMatchObject({ exitCode: 5, stderr: '' }); // staged rows do not count yet
    await changed.run(root, 'merge');
    const again = await run('finish', '--table', 'Actor', '--dry-run');
    expect(again).toMatchObject({ exitCode: 0 });
    expect(again.stdout).toContain(
      'blue.Actor: dry run; 97 rows read again, 1 changed, 3 to remove',
    );
    expect(await keys('blue."Actor"')).toBe(101);
    const done = await run('finish', '--table', 'Actor');
    expect(done).toMatchObject({ exitCode: 0, stderr: '' });
    expect(done.stdout).toContain('blue.Actor: finished; 97 rows read again, 1 changed, 3 removed');
    await query(stage({ keys: [1, 100], at: 0 })); // replays the topic
    await changed.run(root, 'merge');
    expect(await keys('blue."Actor"')).toBe(98);
    await query(stage({ keys: [1, 1], at: 400 })); // a row that returns to the source
    await changed.run(root, 'merge');
    expect(await keys('blue."Actor"', 'actno = 1')).toBe(1);
    expect(await run('finish', '--table', 'Actor')).toMatchObject({
      exitCode: 2,
      stderr: 'reload: no open reload of Actor in nonprod\n',
    });
  });

  it('removes a row that an old event inserted after the previous reload', async () => {
    const reload = async (at: number) => {
      await run('begin', '--table', 'blue.Actor');
      await query(stage({ keys: [1, 100], at, operation: 'r' }));
      return run('finish', '--table', 'Actor');
    };
    expect((await reload(200)).stdout).toContain('0 removed');
    await query(stage({ keys: [150, 150], at: 50 })); // below the start position
    await changed.run(root, 'merge');
    expect(await keys('blue."Actor"')).toBe(101);
    expect((await reload(400)).stdout).toContain('100 rows read again, 0 changed, 1 removed');
    expect(await keys('blue."Actor"')).toBe(100);
  });

  it('accepts a new topic, regardless of the offsets of the old one', async () => {
    await query('ALTER TABLE blue."stg_Actor" ALTER COLUMN "__stream_generation" SET DEFAULT 1');
    await run('begin', '--table', 'blue.Actor');
    await query(stage({ keys: [3, 3], at: 500 })); // late, from the old topic
    await query(stage({ keys: [3, 100], at: 0, operation: 'r', generation: 1 }));
    const done = await run('finish', '--table', 'Actor');
    expect(done.stdout).toContain('98 rows read again, 0 changed, 2 removed');
  });

  it('accepts a source database that was renamed', async () => {
    await run('begin', '--table', 'blue.Actor');
    const read = stage({ keys: [3, 100], at: 0, operation: 'r', generation: 1 });
    await query(read.replace("'AdOpus'", "'AdOpusRenamed'"));
    const done = await run('finish', '--table', 'Actor');
    expect(done.stdout).toContain('98 rows read again, 0 changed, 2 removed');
  });

  it('fills a new column despite an interrupted snapshot, and reports which rows are unread', async () => {
    await query(`INSERT INTO cdc_management.added_column (schema_name, table_name, column_name, since)
      VALUES ('blue', 'Actor', 'Navn', clock_timestamp())`);
    const unfilled = async () =>
      (await query('SELECT unfilled_rows::integer AS n FROM cdc_management.backfill_needed'))[0]?.[
        'n'
      ];
    expect(await unfilled()).toBe(100);
    await run('begin', '--table', 'blue.Actor');
    const read = async (first: number, last: number, at: number) => {
      await query(stage({ keys: [first, last], at, operation: 'r', name: "'ny'" }));
      await changed.run(root, 'merge');
    };
    await read(1, 60, 200);
    const status = await run('status', '--table', 'Actor', '--json');
    expect(status.exitCode).toBe(1);
    const [{ counts }] = JSON.parse(status.stdout).targets[0].reloads;
    expect(counts).toEqual({ read: 60, changed: 0, unread: 40 });
    expect(await unfilled()).toBe(40);
    expect(await run('finish', '--table', 'Actor')).toMatchObject({ exitCode: 5 }); // 40% would be removed
    await read(1, 99, 300); // again, from the beginning
    await query(stage({ keys: [100, 100], at: 250, operation: 'u', name: "'ny'" })); // changed between the snapshots
    await changed.run(root, 'merge');
    expect(await run('status')).toMatchObject({ exitCode: 0 });
    expect(await unfilled()).toBeUndefined();
    expect(await run('finish', '--table', 'Actor')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('99 rows read again, 1 changed, 0 removed'),
    });
    expect(await keys('blue."Actor"', `"Navn" = 'ny'`)).toBe(100);
  });

  it('reloads the rows of one customer in a shared table', async () => {
    const begun = await run(
      'begin',
      '--table',
      'Actor',
      'Everybody',
      '--customer',
      'blue',
      '--json',
    );
    expect(begun.exitCode).toBe(0);
    expect(
      JSON.parse(begun.stdout).targets[0].reloads.map((one: object) => ({ ...one, begunAt: null })),
    ).toEqual([
      expect.objectContaining({
        schema: 'public',
        table: 'Everybody',
        customer: BLUE,
        customerColumn: '_customer_id',
      }),
      expect.objectContaining({ schema: 'blue', table: 'Actor', customer: null, outcome: 'begun' }),
    ]);
    await query(
      stage({ schema: 'public', table: 'Everybody', keys: [2, 50], at: 200, operation: 'r' }),
    );
    await query(stage({ keys: [2, 100], at: 200, operation: 'r' }));
    const done = await run('finish', '--table', 'Everybody', '--customer', 'blue');
    expect(done.stdout).toContain(
      `public.Everybody of ${BLUE}: finished; 49 rows read again, 0 changed, 1 removed`,
    );
    expect(await keys('public."Everybody"', `_customer_id = '${AVANSAS}'`)).toBe(50);
    expect(await run('cancel', '--table', 'Actor')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('blue.Actor: cancelled'),
    });
    expect(await keys('blue."Actor"')).toBe(100);
  });

  it('finds the dead letters of a customer, regardless of the case of its id', async () => {
    const spelled = await changed.edited('source-groups.yaml', BLUE, BLUE.toUpperCase());
    const of = ['--table', 'public.Everybody', '--customer', 'blue'];
    expect(await changed.run(spelled, 'reload begin', ...of)).toMatchObject({ exitCode: 0 });
    const read = { schema: 'public', table: 'Everybody', operation: 'r' } as const;
    await query(stage({ ...read, keys: [2, 50], at: 200 }));
    await query(stage({ ...read, keys: [1, 1], at: 300, name: `repeat('x', 1000)` }));
    const refused = await changed.run(spelled, 'reload finish', ...of);
    expect(refused.stdout).toContain('since the reload began: 1 dead letters and 0 refused events');
    expect(refused.exitCode).toBe(5);
  });

  it('refuses to finish a shared table if the rows of one customer were not read', async () => {
    await run('begin', '--table', 'Everybody');
    await query(
      stage({ schema: 'public', table: 'Everybody', keys: [1, 50], at: 200, operation: 'r' }),
    );
    const refused = await run('finish', '--table', 'Everybody', '--max-share', '100');
    expect(refused).toMatchObject({ exitCode: 5 });
    expect(refused.stdout).toContain(`no row of a snapshot of ${AVANSAS} has arrived`);
    expect(await keys('public."Everybody"')).toBe(100);
  });

  it('refuses to remove too many rows of one customer from a shared table', async () => {
    await query(
      stage({ schema: 'public', table: 'Everybody', keys: [51, 1000], at: 300 }), // so that the total share is low
    );
    expect(await changed.run(root, 'merge')).toMatchObject({ exitCode: 0 });
    await run('begin', '--table', 'Everybody');
    const read = { schema: 'public', table: 'Everybody', operation: 'r' } as const;
    await query(stage({ ...read, keys: [1, 1000], at: 2000 }));
    await query(stage({ ...read, keys: [1, 20], at: 4000, customer: AVANSAS }));
    const refused = await run('finish', '--table', 'Everybody');
    expect(refused).toMatchObject({ exitCode: 5 });
    expect(refused.stdout).toContain(`30 rows of ${AVANSAS} would be removed, 60% of all`);
    expect(await keys('public."Everybody"')).toBe(1050);
  });

  it('refuses to remove too many rows, and to finish before a snapshot arrives', async () => {
    await run('begin', '--table', 'blue.Actor');
    const none = await run('finish', '--table', 'Actor', '--max-share', '100');
    expect(none).toMatchObject({ exitCode: 5 });
    expect(none.stdout).toContain('no row of a snapshot has arrived since the reload began');
    await query(stage({ keys: [11, 100], at: 200, operation: 'r' }));
    const refused = await run('finish', '--table', 'Actor');
    expect(refused).toMatchObject({ exitCode: 5 });
    expect(refused.stdout).toContain('10 rows would be removed, 10% of all, more than 5%');
    expect(await keys('blue."Actor"')).toBe(100);
    expect(await run('status')).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/blue\.Actor +\S+Z +postgres +90 +0 +10/),
    });
    expect(await run('finish', '--table', 'Actor', '--max-share', '10')).toMatchObject({
      exitCode: 0,
    });
    expect(await run('status')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('no open reloads'),
    });
  });

  it('removes all rows with --without-reads if the table is empty at the source', async () => {
    await run('begin', '--table', 'blue.Actor');
    const args = ['--table', 'Actor', '--max-share', '100', '--without-reads'];
    expect(await run('finish', ...args)).toMatchObject({ exitCode: 0 });
    expect(await keys('blue."Actor"')).toBe(0);
  });

  it('refuses to finish while a row of the snapshot may be a dead letter', async () => {
    await run('begin', '--table', 'blue.Actor');
    await query(stage({ keys: [2, 100], at: 200, operation: 'r' }));
    await query(stage({ keys: [1, 1], at: 300, operation: 'r' }).replace(`'${BLUE}'`, 'NULL'));
    const refused = await run('finish', '--table', 'Actor');
    expect(refused).toMatchObject({ exitCode: 5 });
    expect(refused.stdout).toContain('since the reload began: 1 dead letters and 0 refused events');
    await query(
      `UPDATE cdc_management.dead_letter SET payload = payload || '{"_customer_id": "${BLUE}"}'`,
    );
    expect(await changed.run(root, 'merge', '--replay-dead-letters')).toMatchObject({
      exitCode: 0,
    });
    expect(await run('finish', '--table', 'Actor')).toMatchObject({ exitCode: 0 });
    expect(await keys('blue."Actor"')).toBe(100);
  });

  it('refuses to finish while staged rows of the snapshot may be lost', async () => {
    await run('begin', '--table', 'blue.Actor');
    await query(stage({ keys: [2, 100], at: 200, operation: 'r' }));
    await query(stage({ keys: [1, 1], at: 300, operation: 'r' }));
    await query('TRUNCATE blue."stg_Actor", cdc_management.crash_canary');
    await query(stage({ keys: [2, 100], at: 200, operation: 'r' }));
    const refused = await run('finish', '--table', 'Actor');
    expect(refused).toMatchObject({ exitCode: 5 });
    expect(refused.stdout).toContain('staged events may be lost (crash)');
    await query(stage({ keys: [1, 1], at: 300, operation: 'r' }));
    expect(await run('finish', '--table', 'Actor', '--replayed')).toMatchObject({ exitCode: 0 });
    expect(await keys('blue."Actor"')).toBe(100);
  });

  it('marks unread rows as deleted in a table with soft deletes', async () => {
    const events = (first: number, at: number, operation: string) => `
      INSERT INTO blue."stg_Fraver" ("FraverId", "__source_db", "__source_table", "__cdc_operation", "__kafka_partition", "__kafka_offset")
      SELECT n, 'AdOpus', 'Fraver', '${operation}', 0, ${at} + n FROM pg_catalog.generate_series(${first}, 40) AS n`;
    await query(events(1, 0, 'c'));
    await changed.run(root, 'merge');
    await run('begin', '--table', 'blue.Fraver');
    await query(events(2, 100, 'r'));
    expect(await run('finish', '--table', 'Fraver')).toMatchObject({ exitCode: 0 });
    expect(await keys('blue."Fraver"', '"__deleted_at" IS NOT NULL')).toBe(1);
    await query(events(1, 0, 'c'));
    await changed.run(root, 'merge');
    expect(await keys('blue."Fraver"', '"__deleted_at" IS NOT NULL')).toBe(1);
  });

  it('continues after finish was killed', async () => {
    await query(stage({ keys: [101, 20_000], at: 1000 }));
    await changed.run(root, 'merge');
    await run('begin', '--table', 'blue.Actor');
    // The snapshot contains neither every tenth of the first 1000 rows nor the last row.
    await query(
      `${stage({ keys: [1, 19_999], at: 50_000, operation: 'r' })} WHERE n > 1000 OR n % 10 > 0`,
    );
    await changed.run(root, 'merge');
    const holder = server.connect({ database: DATABASE, max: 1 });
    await holder.unsafe('BEGIN; SELECT FROM blue."Actor" WHERE actno = 20000 FOR UPDATE').simple();
    const child = startCommand(
      root,
      ['reload', ...small('finish', '--table', 'Actor')],
      changed.repo.env(server),
    );
    const ended = finish(child);
    while ((await keys('cdc_management.reload', 'swept > 0')) === 0) await sleep(20);
    child.kill('SIGKILL');
    await ended;
    await query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cdc reload'`,
    ); // it would continue when the row is unlocked
    await holder.unsafe('ROLLBACK');
    await holder.end();
    const done = await run('finish', '--table', 'Actor');
    expect(done).toMatchObject({ exitCode: 0 });
    expect(done.stdout).toMatch(/1 removed, 100 removed by an earlier run/);
    expect(await keys('blue."Actor"')).toBe(19_899);
  });

  it('fails if a trigger keeps rows, and handles special characters in source names', async () => {
    const name = `'O''B "{final}" \\ %s {'`;
    await query(stage({ keys: [101, 200], at: 1000 }).replace("'AdOpus'", name));
    await changed.run(root, 'merge');
    await run('begin', '--table', 'blue.Actor');
    await query(stage({ keys: [1, 100], at: 200, operation: 'r' }));
    await query(stage({ keys: [102, 200], at: 2000, operation: 'r' }).replace("'AdOpus'", name));
    await query(`CREATE FUNCTION blue.keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER keep BEFORE DELETE ON blue."Actor" FOR EACH ROW EXECUTE FUNCTION blue.keep()`);
    const kept = await run('finish', '--table', 'Actor');
    expect(kept).toMatchObject({ exitCode: 3 });
    expect(kept.stdout).toContain('failed: rows to remove remain: a trigger or a policy');
    expect(await query('SELECT FROM cdc_management.tombstone')).toEqual([]);
    await query('DROP TRIGGER keep ON blue."Actor"');
    const done = await run('finish', '--table', 'Actor');
    expect(done.stdout).toContain('199 rows read again, 0 changed, 1 removed');
    expect(await keys('blue."Actor"', 'actno = 101')).toBe(0);
  });

  it('waits for a merge, and a merge with an older transaction snapshot starts again later', async () => {
    await run('begin', '--table', 'blue.Actor');
    await query(stage({ keys: [4, 100], at: 200, operation: 'r' }));
    await changed.run(root, 'merge');
    const sweep = () =>
      query(
        `SELECT cdc_management.sweep_unread(reload_id, 'blue."Actor"'::regclass, 0, 256, false)::integer AS swept FROM cdc_management.reload`,
      );
    const merger = server.connect({ database: DATABASE, max: 1 });
    const begin = (text: string) =>
      merger.unsafe(`BEGIN ISOLATION LEVEL REPEATABLE READ; ${text}`).simple();
    await begin(`SELECT cdc_management.claim_merge('blue', 'Actor', NULL)`);
    const waiting = sweep();
    await sleep(200);
    expect(await keys('blue."Actor"')).toBe(100);
    await merger.unsafe('ROLLBACK');
    expect(await waiting).toEqual([{ swept: 3 }]);
    await query(`${stage({ keys: [100, 100], at: 500, operation: 'u' })}; UPDATE cdc_management.reload
      SET mark = replace(mark::text, ', 100]', ', 300]')::jsonb`); // all rows are removed
    await query(stage({ keys: [4, 4], at: 200, operation: 'r' })); // an old event of a row that is removed
    await begin('SELECT count(*) FROM blue."Actor"');
    expect(await sweep()).toEqual([{ swept: 97 }]);
    const [step] = await merger.unsafe(
      `SELECT p_pass AS pass, done, events FROM cdc_management.merge_step('blue', 'Actor', '{"lane": null}')`,
    );
    expect(step).toEqual({ pass: { lane: null, attempts: 1 }, done: false, events: '0' }); // tries again later
    await merger.end();
    await changed.run(root, 'merge');
    expect(await keys('blue."Actor"')).toBe(1);
  });

  it('continues with the other tables if one is missing', async () => {
    await run('begin', '--table', 'blue.Actor', 'blue.Fraver');
    await query(stage({ keys: [2, 100], at: 200, operation: 'r' }));
    await query('ALTER TABLE blue."Actor" RENAME TO "Away"');
    const status = await run('status');
    expect(status.exitCode).toBe(3);
    expect(status.stdout).toMatch(
      /blue\.Actor: cannot be counted: relation "blue\.Actor" does not exist/i,
    );
    expect(status.stdout).toMatch(/blue\.Fraver +\S+Z +postgres +0 +0 +0/);
    await query('DROP TABLE blue."Away", blue."stg_Actor"');
    const done = await run('finish', '--table', 'Actor', 'Fraver');
    expect(done.exitCode).toBe(3);
    expect(done.stdout).toContain('blue.Actor: failed: ');
    expect(done.stdout).toContain('blue.Fraver: finished');
    expect(await run('cancel', '--table', 'Actor')).toMatchObject({ exitCode: 0 });
  });

  it('ends only once if two sessions end it at the same time', async () => {
    await run('begin', '--table', 'blue.Actor');
    const end = (outcome: string) =>
      `SELECT cdc_management.end_reload(reload_id, '${outcome}') FROM cdc_management.reload`;
    const first = server.connect({ database: DATABASE, max: 1 });
    await first.unsafe(`BEGIN; ${end('finished')}`).simple();
    const second = query(end('cancelled'));
    await sleep(100);
    await first.unsafe('COMMIT');
    await first.end();
    await expect(second).rejects.toMatchObject({ code: 'CD005' });
    expect(await query('SELECT outcome FROM cdc_management.reload')).toEqual([
      { outcome: 'finished' },
    ]);
  });

  it('begins once, and reports tables that are unknown or cannot be reloaded', async () => {
    await run('begin', '--table', 'Actor', '--schema', 'blue');
    const again = await run('begin', '--table', 'Actor');
    expect(again).toMatchObject({ exitCode: 0 });
    expect(again.stdout).toMatch(
      /avansas\.Actor: begun at .*\n.*blue\.Actor: open since .*, begun by postgres/,
    );
    expect(await run('begin', '--table', 'Nobody')).toMatchObject({
      exitCode: 2,
      stderr: 'reload: no table of Nobody in nonprod\n',
    });
    expect(await run('begin', '--table', 'Actor', 'Actr', '--customer', 'blue,bleu')).toMatchObject(
      {
        exitCode: 2,
        stdout: expect.stringContaining('blue.Actor: open since'),
        stderr: 'reload: no table of Actr, bleu in nonprod\n',
      },
    );
    expect(
      await run('signal', '--kafka', '--table', 'Actor', 'Actr', '--customer', 'blue,bleu'),
    ).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining('reload: no table of Actr, bleu in nonprod'),
    });
    expect(await run('cancel', '--table', 'avansas.Actor', 'blue.Fraver')).toMatchObject({
      exitCode: 2,
      stdout: expect.stringContaining('avansas.Actor: cancelled'),
      stderr: 'reload: no open reload of blue.Fraver in nonprod\n',
    });
    await query(`UPDATE cdc_management.merge_control SET facts = NULL WHERE table_name = 'Fraver'`);
    const older = await run('begin', '--table', 'blue.Fraver');
    expect(older).toMatchObject({ exitCode: 5 });
    expect(older.stdout).toContain(
      'the staging file of blue."Fraver" was applied by an earlier version',
    );
    const refused = await run('begin', '--table', 'blue.Region');
    expect(refused).toMatchObject({ exitCode: 5 });
    expect(refused.stdout).toContain('has no key: rows that are read again would be duplicates');
  });

  it('prints the signals that request a snapshot from the connectors', async () => {
    const args = ['--table', 'Actor', '--customer', 'blue'];
    expect(await run('signal', ...args)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(
        'source-groups.yaml: expected signal_table: <schema>.<table> in adopus',
      ),
    });
    const [message] = (await run('signal', ...args, '--kafka')).stdout.split('\n');
    const data = { 'data-collections': ['AdOpusBlue.dbo.Actor'], type: 'INCREMENTAL' };
    expect(message!.split('|')[0]).toBe('adopus-nonprod');
    expect(JSON.parse(message!.split('|')[1]!)).toEqual({ type: 'execute-snapshot', data });
    const ofSchema = await run('signal', '--kafka', '--table', 'blue.Actor'); // as begin takes it
    expect(JSON.parse(ofSchema.stdout.split('|')[1]!)).toEqual({ type: 'execute-snapshot', data });
    const signalling = await changed.edited(
      'source-groups.yaml',
      '  type: mssql\n',
      '  type: mssql\n  signal_table: dbo.debezium_signal\n',
    );
    const printed = await finish(
      startCommand(
        signalling,
        ['reload', ...small('signal', ...args, '--blocking')],
        changed.repo.env(server),
      ),
    );
    expect(printed.stdout).toMatch(
      /^-- in AdOpusBlue\nINSERT INTO \[dbo\]\.\[debezium_signal\] \(\[id\], \[type\], \[data\]\) VALUES \(N'[0-9a-f-]{36}', N'execute-snapshot', N'\{"data-collections":\["AdOpusBlue\.dbo\.Actor"\],"type":"BLOCKING"\}'\);\n$/,
    );
  });

  const COMMANDS = [
    ...PAGE.matchAll(/^ *npx --no-install cdc manage-migrations reload (\w+) (.+)$/gm),
  ];

  it('runs the commands of the page in order, and sends the signals to the sources', async () => {
    const page = copyOf(root);
    const source = 'source-groups.yaml';
    edit(
      page,
      source,
      '  type: mssql\n',
      '  type: postgres\n  signal_table: public.debezium_signal\n',
    );
    edit(
      page,
      source,
      "host: db.example, port: 1433, user: cdc, password: '${MSSQL_PASSWORD}'",
      "host: '${PG_HOST}', port: '${PG_PORT}', user: '${PG_USER}', password: '${POSTGRES_PASSWORD}', sslmode: disable",
    );
    const [, table] = /^(CREATE TABLE debezium_signal .*)$/m.exec(PAGE)!;
    const sources = ['AdOpusTest', 'AdOpusBlue'];
    const inSource = async (name: string, text: string) => {
      const sql = server.connect({ database: name, max: 1 });
      const rows = await sql.unsafe(text);
      await sql.end();
      return rows;
    };
    for (const name of sources) {
      await server.createDatabase({ name });
      await inSource(name, table!);
    }
    expect(COMMANDS.length).toBeGreaterThan(5);
    for (const [, step, args] of COMMANDS) {
      const { exitCode, stderr } = await finish(
        startCommand(page, ['reload', step!, ...args!.split(' ')], changed.repo.env(server)),
      );
      expect(stderr).not.toMatch(/error:|defect|--help/);
      const expected = { begin: 0, signal: 0, status: 1, finish: 5, cancel: 0 }[step!];
      expect({ step, exitCode, stderr }).toMatchObject({ step, exitCode: expected });
    }
    for (const name of sources)
      expect(await inSource(name, 'SELECT type, data FROM debezium_signal')).toEqual([
        {
          type: 'execute-snapshot',
          data: '{"data-collections":["dbo.Actor"],"type":"INCREMENTAL"}',
        },
      ]);
    await inSource('AdOpusBlue', 'DROP TABLE debezium_signal');
    const args = ['reload', ...small('signal', '--table', 'Actor', '--send')];
    expect(await finish(startCommand(page, args, changed.repo.env(server)))).toMatchObject({
      exitCode: 3,
      stdout: expect.stringMatching(/^AdOpusTest: sent signal [0-9a-f-]{36}\n$/),
      stderr: expect.stringContaining('relation "public.debezium_signal" does not exist'),
    });
  });
});
