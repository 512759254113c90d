import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { copyOf, edit } from '../repo.fixture.ts';
import { finish, startCommand, untilSays } from '../target/cli.fixture.ts';
import { small } from '../target/small-target.fixture.ts';
import {
  type ChangedTarget,
  DATABASE,
  openChangedTarget,
} from '../retire/changed-target.fixture.ts';
import { runCommand } from '../target/cli.fixture.ts';

const PAGE = readFileSync(join(__dirname, '../../../../docs/indexes.md'), 'utf8');
const SERVICE = 'services/adopus.yaml';
const ACTOR = '          column_templates: [customer_id]\n';
const CUSTOMER = '0a827150-1332-5167-993b-68db156438cb';

const rows = (schema: string, names: readonly string[]) =>
  `INSERT INTO ${schema}."Actor" (actno, "Navn", "_customer_id") VALUES ${names
    .map((name, at) => `(${at + 1}, ${name}, '${CUSTOMER}')`)
    .join(', ')}`;

describe.each([15, 18] as const)('declared indexes, on PostgreSQL %i', (major) => {
  let target: ChangedTarget;

  /** Schema `avansas` has no rows. */
  beforeAll(async () => {
    target = await openChangedTarget(major, {
      prepare: async ({ query }) => void (await query(rows('blue', [`'a'`, `'b'`, `NULL`]))),
    });
  });
  afterAll(() => target?.server.stop());
  beforeEach(() => target.reset());

  /** Writes the repo with a YAML list of indexes. */
  const declared = (...indexes: readonly string[]) =>
    target.edited(
      SERVICE,
      ACTOR,
      `${ACTOR}          indexes:\n${indexes.map((index) => `            - ${index}\n`).join('')}`,
    );
  const apply = async (root: string, ...args: readonly string[]) => {
    const { exitCode, stdout, stderr } = await target.run(root, 'apply', ...args);
    return {
      exitCode,
      lines: stdout.split('\n').filter((line) => / index /.test(line)),
      stdout,
      stderr,
    };
  };
  const check = async (root: string) => (await target.run(root, 'check')).exitCode;
  const found = async () =>
    (
      await target.query(`SELECT schemaname || ' ' || regexp_replace(indexdef, '^CREATE (UNIQUE )?INDEX "?\\w+"? ON ', '\\1') AS index
        FROM pg_indexes WHERE tablename = 'Actor' AND indexname LIKE 'idx\\_Actor\\_Navn%' ORDER BY 1`)
    ).map(({ index }) => index);
  const names = async () =>
    (
      await target.query(
        `SELECT DISTINCT indexname FROM pg_indexes WHERE indexname LIKE 'idx\\_Actor\\_Navn%' ORDER BY 1`,
      )
    ).map(({ indexname }) => String(indexname));

  it('are created in tables with and without rows, replaced when changed, and dropped when removed', async () => {
    const one = await declared('{ columns: [Navn] }');
    const first = await apply(one);
    expect(first).toMatchObject({ exitCode: 0 });
    const [name] = await names();
    expect(name).toMatch(/^idx_Actor_Navn_[0-9a-f]{8}$/);
    expect(first.lines).toEqual([`blue.Actor: index "${name}" created`]);
    expect(await found()).toEqual(
      ['avansas', 'blue'].map((schema) => `${schema} ${schema}."Actor" USING btree ("Navn")`),
    );
    expect([await check(one), (await apply(one)).lines]).toEqual([0, []]);

    const two = await declared('{ columns: [Navn], unique: true, where: "actno > 1" }');
    const second = await apply(two);
    const [other] = (await names()).filter((index) => index !== name);
    expect(await names()).toEqual([other]);
    expect(second.lines).toEqual(
      expect.arrayContaining(
        ['avansas', 'blue'].map((schema) => `${schema}.Actor: index "${name}" dropped`),
      ),
    );
    expect(await found()).toEqual(
      ['avansas', 'blue'].map(
        (schema) => `${schema} UNIQUE ${schema}."Actor" USING btree ("Navn") WHERE (actno > 1)`,
      ),
    );
    expect([await check(two), (await apply(two)).lines]).toEqual([0, []]);

    await target.query(`CREATE INDEX "idx_Actor_Navn_mine" ON blue."Actor" ("Navn")`);
    const none = await apply(target.repo.root);
    expect(none.lines).toHaveLength(2);
    expect(await names()).toEqual(['idx_Actor_Navn_mine']);
  });

  it('are repaired by the next apply if one is invalid, was dropped or has no mark', async () => {
    const root = await declared('{ columns: [Navn] }');
    expect((await apply(root)).exitCode).toBe(0);
    const [name] = await names();
    await target.query(`UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'blue."${name}"'::regclass;
      DROP INDEX avansas."${name}"`);
    const reported = await target.run(root, 'check');
    expect(reported.exitCode).toBe(1);
    expect(reported.stdout).toMatch(new RegExp(`index "${name}" is not valid`));
    expect(reported.stdout).toMatch(new RegExp(`missing.*index "${name}"`, 's'));
    expect((await apply(root)).lines).toEqual([
      `avansas.Actor: index "${name}" created`,
      `blue.Actor: index "${name}" created`,
    ]);
    expect(await check(root)).toBe(0);
    // Killed after the creation and before the comment that marks the index as ours.
    await target.query(`COMMENT ON INDEX blue."${name}" IS NULL`);
    expect((await apply(root)).lines).toEqual([]);
    expect((await apply(target.repo.root)).lines).toHaveLength(2);
    expect(await names()).toEqual([]);
  });

  it('are created again after the session that built one was terminated', async () => {
    const root = await declared('{ columns: [Navn] }');
    const writer = target.server.connect({ database: DATABASE, max: 1 });
    await writer.unsafe(`BEGIN; UPDATE blue."Actor" SET "Navn" = 'x' WHERE actno = 1`).simple();
    let isOver = false;
    const ended = apply(root).finally(() => (isOver = true));
    // The index of the other schema is built in parallel and does not wait for the writer.
    const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_progress_create_index
      WHERE relid = 'blue."Actor"'::regclass`;
    while (!isOver && (await target.query(end)).length === 0) await sleep(50);
    expect((await ended).exitCode).not.toBe(0);
    await writer.unsafe('COMMIT');
    await writer.end();
    const [name] = await names();
    expect(await target.query(`SELECT FROM pg_index WHERE NOT indisvalid`)).toHaveLength(1);
    expect((await target.run(root, 'check')).stdout).toContain(`index "${name}" is not valid`);
    expect((await apply(root)).lines).toEqual([`blue.Actor: index "${name}" created`]);
    expect(await check(root)).toBe(0);
  });

  it('that duplicate rows prevent are an error of their table, which is still merged', async () => {
    await target.query(rows('avansas', [`'same'`, `'same'`]));
    const root = await declared('{ columns: [Navn], unique: true }', '{ columns: [actno, Navn] }');
    const end = await apply(root);
    expect(end.exitCode).toBe(3);
    expect(end.stdout).toMatch(/avansas tables\/Actor\.sql: index of Actor: .*SQLSTATE 23505/);
    expect(end.stdout).toContain('Key ("Navn")=(same) is duplicated');
    expect(end.stdout).toContain('Remove the duplicates at the source');
    expect(await target.query(`SELECT FROM pg_index WHERE NOT indisvalid`)).toEqual([]);
    // The other index exists.
    expect(
      end.lines.filter((line) => line.includes('avansas.Actor: index "idx_Actor_actno_Navn_')),
    ).toHaveLength(1);
    expect((await found()).filter((index) => /^blue UNIQUE/.test(String(index)))).toHaveLength(1);
    await target.query(`INSERT INTO avansas."stg_Actor" ("actno", "Navn", "_customer_id", "__cdc_operation",
      "__kafka_partition", "__kafka_offset") VALUES (2, 'other', '${CUSTOMER}', 'u', 0, 1)`);
    expect((await target.run(root, 'merge')).exitCode).toBe(0);
    const json = await target.run(root, 'apply', '--json');
    expect(json.exitCode).toBe(0);
    expect(JSON.parse(json.stdout)).toMatchObject({
      targets: [{ indexes: [{ schema: 'avansas', table: 'Actor', action: 'created' }] }],
    });
    expect(await check(root)).toBe(0);
  });

  it('are created without blocking writers, and wait only for open transactions', async () => {
    const root = await declared('{ columns: [Navn], method: hash }');
    const connection = { application_name: 'writer' };
    const writer = target.server.connect({ database: DATABASE, max: 1, connection });
    await writer.unsafe(`BEGIN; UPDATE blue."Actor" SET "Navn" = 'x' WHERE actno = 1`).simple();
    const child = startCommand(root, small('apply'), target.repo.env(target.server));
    const ended = finish(child);
    const building = async () =>
      (await target.query('SELECT FROM pg_stat_progress_create_index')).length > 0;
    while (!(await building())) await sleep(50);
    await untilSays(
      child,
      /blue\.Actor: the index waits until other transactions end; held by pid \d+, application "writer", .* idle in transaction/,
    );
    // With a lock against writers this would wait for the transaction.
    await target.query(
      `SET lock_timeout = '2s'; UPDATE blue."Actor" SET "Navn" = 'y' WHERE actno = 2`,
    );
    await writer.unsafe('COMMIT');
    await writer.end();
    expect((await ended).exitCode).toBe(0);
    expect(await found()).toEqual(
      ['avansas', 'blue'].map((schema) => `${schema} ${schema}."Actor" USING hash ("Navn")`),
    );
  });

  it('are renamed with their table and customer, and not created again', async () => {
    const ours = async (schema = 'blue') =>
      target.query(`SELECT indrelid::regclass::text AS table, indexrelid::integer AS id, relname AS name
        FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE relnamespace = '${schema}'::regnamespace AND relname ~ '^idx_(Actor|Person)_' ORDER BY id`);
    // The last one has the same column as the index that every final table has.
    const root = await declared('{ columns: [Navn] }', '{ columns: [__sync_timestamp] }');
    expect((await apply(root)).lines).toHaveLength(2);
    const before = await ours();
    expect(before).toHaveLength(3);
    const person = copyOf(root);
    edit(person, SERVICE, 'adopus.Actor:', 'adopus.Person:');
    const nonprod = 'schemas: [dbo]\n      nonprod: { server: default, database: AdOpusRed }';
    edit(person, 'source-groups.yaml', '    blue:', `    red:\n      ${nonprod}\n    green:`);
    expect(await runCommand(person, ['generate'])).toMatchObject({ exitCode: 0 });
    for (const [what, from, to] of [
      ['--customer', 'blue', 'green'],
      ['--table', 'Actor', 'Person'],
    ] as const) {
      const end = await target.run(person, 'rename', what, from, '--to', to);
      expect(end).toMatchObject({ exitCode: 0 });
    }
    expect(await ours('green')).toEqual(
      before.map(({ id, name }) => ({
        ...{ table: 'green."Person"', id, name: String(name).replace('Actor', 'Person') },
      })),
    );
    expect(await apply(person)).toMatchObject({ exitCode: 0, lines: [] });
    expect(await check(person)).toBe(0);
    // A new customer has indexes with the same names.
    const names = async (schema: string) => (await ours(schema)).map(({ name }) => name).sort();
    expect(await names('red')).toEqual(await names('green'));
  });

  it('are created by the commands of the documentation page', async () => {
    const root = copyOf(target.repo.root);
    const [, yaml] = /^ {2}indexes:\n([^]*?)^```/m.exec(PAGE)!;
    edit(
      root,
      SERVICE,
      ACTOR,
      `${ACTOR}          indexes:\n${yaml!.replaceAll(/^ {2}/gm, '          ')}`,
    );
    const commands = [
      ...PAGE.matchAll(/^npx --no-install cdc manage-migrations (\w+)( --env nonprod)?$/gm),
    ];
    expect(commands).toHaveLength(3);
    for (const [, command, isOfTarget] of commands) {
      const end = await (isOfTarget ? target.run(root, command!) : runCommand(root, [command!]));
      expect([command, end.exitCode]).toEqual([command, 0]);
    }
    const found = await target.query(
      `SELECT indexname FROM pg_indexes WHERE schemaname = 'blue' AND indexname LIKE 'idx\\_Actor%\\_________'`,
    );
    expect(found).toHaveLength(3);
  });

  it('are refused if the search_path changes what a name in their condition refers to', async () => {
    await target.query(`CREATE SCHEMA other;
      CREATE FUNCTION other.upper(text) RETURNS text IMMUTABLE LANGUAGE sql RETURN 'x';
      CREATE FUNCTION other.upper(character varying) RETURNS text IMMUTABLE LANGUAGE sql RETURN 'x';
      ALTER DATABASE ${DATABASE} SET search_path = other, pg_catalog`);
    const root = await declared(`{ columns: [Navn], where: "upper(\\"Navn\\") <> ''" }`);
    const end = await apply(root);
    expect(end.exitCode).toBe(3);
    expect(end.stdout).toMatch(
      /blue tables\/Actor\.sql: index of Actor: the condition has names that the search_path/,
    );
    expect(await names()).toHaveLength(1); // in avansas, created by the table file
    const way = await declared(`{ columns: [Navn], where: "pg_catalog.upper(\\"Navn\\") <> ''" }`);
    expect((await apply(way)).exitCode).toBe(0);
    expect(await found()).toContain(
      `blue blue."Actor" USING btree ("Navn") WHERE (pg_catalog.upper(("Navn")::text) <> ''::text)`,
    );
    expect(await check(way)).toBe(0);
  });
});
