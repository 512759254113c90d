import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { copyOf, edit, emptyFolder, read, write } from '../repo.fixture.ts';
import {
  type ChangedTarget,
  DATABASE,
  openChangedTarget,
} from '../retire/changed-target.fixture.ts';
import { finish, runCommand, startCommand, untilSays } from '../target/cli.fixture.ts';
import { small, stageActors } from '../target/small-target.fixture.ts';

const PAGE = readFileSync(join(__dirname, '../../../../docs/backfill.md'), 'utf8');
/** The line that the page adds to the service file. */
const [, LINE] = /^ {2}(backfill_from_default: .*)$/m.exec(PAGE)!;
const SERVICE = 'services/adopus.yaml';
const SNAPSHOT = 'generated/schemas/AdOpusTest.dbo.yaml';
const ASMA = join(__dirname, '../../../../fixtures/asma');
const ASMA_FILES = ['source-groups.yaml', 'sink-groups.yaml'];
const CHAT = 'services/chat.yaml';
const ROOMS = '        chat.rooms:\n          from: public.rooms\n          target_exists: false\n';
const ACTOR = '          column_templates: [customer_id]\n';
const NAVN = '      - { name: Navn, type: nvarchar, length: 100, nullable: true }\n';
const LAND = `${NAVN}      - { name: Land, type: nvarchar, length: 2, nullable: false, default: "('NO')" }\n`;
const LIST = `${ACTOR}          backfill_from_default: [Land]\n`;

describe.each([15, 18] as const)('backfill_from_default on PostgreSQL %i', (major) => {
  let target: ChangedTarget;
  /** The repo with the new column, without and with `backfill_from_default`. */
  let plain: string;
  let filled: string;

  /** Schema `blue` has the rows 1 to 4 and staged events for 4 and 5, `avansas` has none. */
  beforeAll(async () => {
    target = await openChangedTarget(major, {
      prepare: async ({ query, run, repo }) => {
        await query(stageActors('blue', [1, 4]));
        expect((await run(repo.root, 'merge')).exitCode).toBe(0);
        await query(stageActors('blue', [5, 5]));
      },
    });
    plain = await target.edited(SNAPSHOT, NAVN, LAND);
    filled = copyOf(plain);
    edit(filled, SERVICE, ACTOR, LIST);
    expect((await runCommand(filled, ['generate'])).exitCode).toBe(0);
  });
  afterAll(() => target?.server.stop());
  beforeEach(() => target.reset());

  const lands = async (schema = 'blue') =>
    (
      await target.query(
        `SELECT actno || ' ' || coalesce("Land", 'NULL') AS text FROM ${schema}."Actor" ORDER BY actno`,
      )
    ).map(({ text }) => text);
  const structure = async (schema: string) =>
    target.query(`SELECT attname, attnotnull, atthasdef, format_type(atttypid, atttypmod) AS type FROM pg_attribute
      WHERE attrelid = '${schema}."Actor"'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname`);
  const backfill = () => target.query('SELECT column_name FROM cdc_management.backfill_needed');
  const deadLetters = () => target.query('SELECT reason FROM cdc_management.dead_letter');
  /** Runs commands, all of which must succeed. Returns the last one's result. */
  const passes = async (root: string, ...commands: readonly string[]) => {
    let last;
    for (const command of commands) {
      last = await target.run(root, command);
      expect(last.exitCode === 0 ? 0 : last.stderr + last.stdout).toBe(0);
    }
    return last;
  };
  /** Expects that `check` finds no differences, and that `apply` applies no files. */
  const settled = async (root: string) => {
    const [check, apply] = await Promise.all([passes(root, 'check'), passes(root, 'apply')]);
    expect(check!.stdout).not.toMatch(/extra|missing|different/);
    expect(apply!.stdout).toContain('files: 0 applied');
  };
  const isLike = async (schema: string, other = 'avansas') =>
    expect(await structure(schema)).toEqual(await structure(other));
  /** Runs the commands of a section of the page. Returns their exit codes. */
  const follow = async (section: number, root: string) => {
    const commands = PAGE.split('\n## ')[section]!.matchAll(
      /^npx --no-install cdc manage-migrations (.+)$/gm,
    );
    const codes = [];
    for (const [, command] of commands) {
      const [name = '', ...args] = command!.split(' ');
      const run = args.includes('--env') ? target.run(root, name) : runCommand(root, [name]);
      codes.push((await run).exitCode);
    }
    return codes;
  };

  it('fills rows and events as the page describes, until the declaration is removed', async () => {
    const root = copyOf(target.repo.root);
    edit(root, SNAPSHOT, NAVN, LAND);
    edit(root, SERVICE, ACTOR, `${ACTOR}          ${LINE}\n`);
    const node = () => target.query(`SELECT pg_relation_filenode('blue."Actor"') AS node`);
    const before = await node();
    expect(await follow(1, root)).toEqual([1, 0, 0, 0]);
    expect(await node()).toEqual(before);
    expect(await lands()).toEqual(['1 NO', '2 NO', '3 NO', '4 NO']);
    await passes(root, 'merge');
    expect(await lands()).toEqual(['1 NO', '2 NO', '3 NO', '4 NO', '5 NO']);
    expect([await backfill(), await deadLetters()]).toEqual([[], []]);
    await isLike('blue');
    expect(await structure('blue')).toContainEqual({
      ...{ attname: 'Land', attnotnull: true, atthasdef: false, type: 'character varying(2)' },
    });

    // An event without a value keeps the stored value. Renamed and new customers have the same structure.
    await target.query(`UPDATE blue."Actor" SET "Land" = 'SE' WHERE actno = 2;
      ${stageActors('blue', [1, 6]).replace('0, n', '0, n + 100')}`);
    await target.query(`DROP SCHEMA avansas CASCADE`);
    await target.query(`CALL cdc_management.clean_up_schema('avansas')`);
    const renamed = copyOf(root);
    edit(renamed, 'source-groups.yaml', '    blue:', '    green:');
    expect((await runCommand(renamed, ['generate'])).exitCode).toBe(0);
    const rename = await target.run(renamed, 'rename', '--customer', 'blue', '--to', 'green');
    expect(rename.exitCode).toBe(0);
    await target.query(stageActors('green', [2, 7]).replace('0, n', '0, n + 200'));
    await passes(renamed, 'apply', 'merge');
    await settled(renamed);
    const all = ['1 NO', '2 SE', '3 NO', '4 NO', '5 NO', '6 NO', '7 NO'];
    expect(await lands('green')).toEqual(all);
    await isLike('green');

    edit(renamed, SERVICE, `          ${LINE}\n`, '');
    expect(await follow(2, renamed)).toEqual([0, 0, 0]);
    await target.query(stageActors('green', [8, 8]).replace('0, n', '0, n + 300'));
    await passes(renamed, 'merge');
    await settled(renamed);
    expect(await deadLetters()).toEqual([{ reason: expect.stringMatching(/"Land".*23502/) }]);
    expect(await lands('green')).toEqual(all);
    await isLike('green');
  });

  it('fills a column that was applied earlier, and needs --allow-rewrite if the table is too large', async () => {
    await passes(plain, 'apply', 'merge');
    await settled(plain);
    expect(await lands()).toEqual(['1 NULL', '2 NULL', '3 NULL', '4 NULL', '5 NULL']);
    expect(await backfill()).toEqual([{ column_name: 'Land' }]);
    await target.query(
      `UPDATE cdc_management.setting SET value = '0' WHERE name = 'rewrite_limit_bytes'`,
    );
    const refused = await target.run(filled, 'apply');
    expect(refused.exitCode).toBe(5);
    expect(refused.stdout).toMatch(
      /column "?Land"?: setting 'NO' in rows without a value rewrites a table.*--allow-rewrite/s,
    );
    expect(await lands()).toEqual(['1 NULL', '2 NULL', '3 NULL', '4 NULL', '5 NULL']);
    const { exitCode, stdout } = await target.run(filled, 'apply', '--allow-rewrite');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('blue.Actor: "Land" is NOT NULL now');
    expect(await lands()).toEqual(['1 NO', '2 NO', '3 NO', '4 NO', '5 NO']);
    await settled(filled);
    expect(await backfill()).toEqual([]);
    await isLike('blue');
  });

  it('loses no event if apply ends between the table and staging files, and waits for a lock', async () => {
    const connection = { application_name: 'pipeline' };
    const holder = target.server.connect({ database: DATABASE, max: 1, connection });
    const lock = () =>
      holder.unsafe('BEGIN; LOCK TABLE blue."stg_Actor" IN ROW EXCLUSIVE MODE').simple();
    /** Starts an apply, and returns when its staging file waits for the lock. */
    const untilWaiting = async () => {
      const child = startCommand(filled, small('apply'), target.repo.env(target.server));
      const end = finish(child);
      await untilSays(
        child,
        /blue staging\/Actor-staging\.sql waits: .*; held by pid \d+, application "pipeline", .* idle in transaction/,
      );
      return { end };
    };
    await lock();
    const { end } = await untilWaiting();
    const terminate = `SELECT pg_terminate_backend(pid) FROM pg_locks
        WHERE NOT granted AND relation = 'blue."stg_Actor"'::regclass`;
    while ((await target.query(terminate)).length === 0) await sleep(20);
    expect((await end).exitCode).not.toBe(0);
    await holder.unsafe('COMMIT');
    expect(await lands()).toEqual(['1 NO', '2 NO', '3 NO', '4 NO']);
    // The earlier merge function does not know the column.
    await passes(filled, 'merge');
    expect([await lands(), await deadLetters()]).toEqual([
      ['1 NO', '2 NO', '3 NO', '4 NO', '5 NO'],
      [],
    ]);
    await lock();
    const again = await untilWaiting();
    await target.query(
      `SET lock_timeout = '5s'; ${stageActors('blue', [6, 6])}`, // Waits for at most one lock attempt of `apply`.
    );
    await holder.unsafe('COMMIT');
    await holder.end();
    expect((await again.end).exitCode).toBe(0);
    await passes(filled, 'merge');
    await settled(filled);
    expect(await lands()).toEqual(['1 NO', '2 NO', '3 NO', '4 NO', '5 NO', '6 NO']);
    await isLike('blue');
  });

  it('fills the rows of all customers that share a table', async () => {
    const root = emptyFolder();
    for (const entry of ['services', 'generated', 'migrations', 'existing', ...ASMA_FILES])
      cpSync(join(ASMA, entry), join(root, entry), { recursive: true });
    const sinks = read(root, 'sink-groups.yaml');
    write(
      root,
      'sink-groups.yaml',
      sinks.replaceAll(/^( +)password: .*$/gm, '$&\n$1sslmode: disable'),
    );
    edit(root, CHAT, 'public.rooms: {}', 'public.rooms: { ignore_columns: [kind] }');
    const { host, port, password } = target.server;
    const variables = { HOST: host, PORT: String(port), USER: 'postgres', PASSWORD: password };
    const env = Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [`WAREHOUSE_DEFAULT_${name}`, value]),
    );
    const run = async (command: string, ...more: readonly string[]) => {
      const only = ['--env', 'dev', '--sink', 'sink_warehouse.analytics', ...more];
      const end = await runCommand(
        root,
        command === 'generate' ? [command] : [command, ...only],
        env,
      );
      expect(end.exitCode === 0 ? 0 : end.stderr + end.stdout).toBe(0);
      return end.stdout;
    };
    const database = await target.server.createDatabase({ name: `analytics_dev` });
    const sql = target.server.connect({ database, max: 1, onnotice: () => {} });
    const stage = (first: number, last: number, offset: number) =>
      sql.unsafe(`INSERT INTO chat.stg_rooms (id, customer_id, created_at, "__source_db", "__source_table",
            "__cdc_operation", "__kafka_partition", "__kafka_offset")
          SELECT lpad(n::text, 32, '0')::uuid, lpad((n % 2)::text, 32, 'c')::uuid, now(), 'chat_dev', 'rooms', 'c', 0, n + ${offset}
          FROM generate_series(${first}, ${last}) AS n`);
    const kinds = async () =>
      (
        await sql.unsafe(
          `SELECT right(customer_id::text, 1) || ' ' || coalesce(kind::text, 'NULL') AS text FROM chat.rooms ORDER BY id`,
        )
      ).map(({ text }) => String(text));
    await run('generate');
    await run('apply', '--schema', 'chat');
    await stage(1, 4, 0);
    await run('merge');
    await stage(5, 5, 0);
    edit(root, CHAT, 'public.rooms: { ignore_columns: [kind] }', 'public.rooms: {}');
    edit(root, CHAT, ROOMS, `${ROOMS}          backfill_from_default: [kind]\n`);
    await run('generate');
    await run('apply', '--schema', 'chat');
    expect(await kinds()).toEqual(['1 0', '0 0', '1 0', '0 0']);
    await sql.unsafe(
      'UPDATE chat.rooms SET kind = 7 WHERE id = (SELECT min(id::text)::uuid FROM chat.rooms)',
    );
    await stage(1, 2, 100);
    await run('merge');
    expect(await kinds()).toEqual(['1 7', '0 0', '1 0', '0 0', '1 0']);
    expect(await sql`SELECT FROM cdc_management.dead_letter`).toHaveLength(0);
    expect(await run('check', '--schema', 'chat')).not.toMatch(/extra|missing|different/);
    expect(await run('apply', '--schema', 'chat')).toContain('files: 0 applied');
    await sql.end();
  });

  // The other tests do not depend on the version of the server.
  if (major === 18) return;

  it('is suggested by diff and generate --dry-run, and diff --sql shows its SQL', async () => {
    const root = copyOf(target.repo.root);
    edit(root, SNAPSHOT, NAVN, LAND);
    const warning =
      /warning: adopus\.Actor: the rows of tables have no value in the new column "Land"; .* backfill_from_default: \["Land"\]/;
    const [diff, dryRun] = await Promise.all([
      runCommand(root, ['diff']),
      runCommand(root, ['generate', '--dry-run']),
    ]);
    expect(diff.stderr).toMatch(warning);
    expect(dryRun.stderr).toMatch(warning);
    edit(root, SERVICE, ACTOR, `${ACTOR}          ${LINE}\n`);
    const sql = (await runCommand(root, ['diff', '--sql'])).stdout;
    expect(sql).toContain(`ADD COLUMN "Land" character varying(2) DEFAULT 'NO' NOT NULL`);
    expect(sql).toContain('ALTER COLUMN "Land" DROP DEFAULT');
  });

  it('refuses unknown, nullable and key columns, and defaults that are not constant', async () => {
    const root = copyOf(plain);
    edit(
      root,
      SERVICE,
      ACTOR,
      `${ACTOR}          backfill_from_default: [land, actno, Navn, Land]\n`,
    );
    edit(root, SNAPSHOT, `"('NO')"`, '(getdate())');
    const { exitCode, stderr } = await runCommand(root, ['generate']);
    expect(exitCode).toBe(2);
    expect(
      stderr.split('\n').map((line) => line.replace(/^.*backfill_from_default\./, '')),
    ).toEqual(
      expect.arrayContaining([
        '0: expected a column of the source, found "land"; did you mean "Land"?',
        '1: "actno": expected a column outside of the key, found a key column',
        '2: "Navn": expected a column that is NOT NULL at the source, found one that can be NULL; without a value it is NULL',
        '3: "Land": expected a constant default at the source that character varying(2) stores exactly, found (getdate()); remove the column here, and fill it with a reload',
      ]),
    );
  });
});
