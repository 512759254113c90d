import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { copyOf, edit, write } from '../repo.fixture.ts';
import {
  type ChangedTarget,
  DATABASE,
  openChangedTarget,
} from '../retire/changed-target.fixture.ts';
import { runCommand } from '../target/cli.fixture.ts';
import { stageActors } from '../target/small-target.fixture.ts';

const PAGE = readFileSync(join(__dirname, '../../../../docs/partitions.md'), 'utf8');
const SNAPSHOT = 'generated/schemas/AdOpusTest.dbo.yaml';
const SERVICE = 'services/adopus.yaml';
const INDEX = 'migrations/after/0001-mine.sql';
const ACTOR = '          column_templates: [customer_id]\n';

describe.each([15, 18] as const)('declared partitions, on PostgreSQL %i', (major) => {
  let target: ChangedTarget;

  /** Rows 1 to 4 in `blue`, none in `avansas`. */
  beforeAll(async () => {
    target = await openChangedTarget(major, {
      prepare: async ({ query, run, repo }) => {
        await query(stageActors('blue', [1, 4]));
        expect((await run(repo.root, 'merge')).exitCode).toBe(0);
      },
    });
  });
  afterAll(() => target?.server.stop());
  beforeEach(() => target.reset());

  const declared = (yaml: string, indexes = '') =>
    target.edited(SERVICE, ACTOR, `${ACTOR}${indexes}          partition_by: ${yaml}\n`);
  const range = (...partitions: readonly string[]) =>
    `{ range: [actno], partitions: [${partitions.join(', ')}] }`;
  const LOW = '{ name: low, to: [3] }';
  const HIGH = '{ name: high, from: [3], to: [100] }';
  const REST = '{ name: rest }';

  const partitions = async (schema: string) =>
    (
      await target.query(`SELECT relation.relname || ' ' || pg_get_expr(relation.relpartbound, relation.oid) AS text
        FROM pg_inherits JOIN pg_class AS relation ON relation.oid = inhrelid
        WHERE inhparent = '${schema}."Actor"'::regclass ORDER BY 1`)
    ).map(({ text }) => text);
  const rows = async (table: string) =>
    (await target.query(`SELECT actno FROM ${table} ORDER BY 1`)).map(({ actno }) => actno);
  const passes = async (root: string) => {
    const runs = [];
    for (const command of ['apply', 'check', 'apply']) runs.push(await target.run(root, command));
    const [, check, again] = runs;
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    expect(check!.stdout).not.toMatch(/extra|missing|different/);
    expect(again!.stdout).toContain('files: 0 applied');
  };
  /** Runs the commands of a section of the page. Returns their exit codes. */
  const follow = async (section: number, root: string) => {
    const commands = PAGE.split('\n## ')[section]!.matchAll(
      /^npx --no-install cdc manage-migrations (.+)$/gm,
    );
    const runs = [];
    for (const [, command] of commands) {
      const args = command!.split(' ').filter((word) => !['--env', 'nonprod'].includes(word));
      const isOfTarget = command!.includes('--env');
      runs.push(
        isOfTarget
          ? await target.run(root, args[0]!, ...args.slice(1))
          : await runCommand(root, args),
      );
    }
    return runs;
  };
  /** Copies the repo with the YAML of the page, without generating its files. */
  const edited = () => {
    const root = copyOf(target.repo.root);
    const [, yaml] = /^ {2}partition_by:\n([^]*?)```/m.exec(PAGE)!;
    edit(
      root,
      SERVICE,
      ACTOR,
      `${ACTOR}          partition_by:\n${yaml!.replaceAll(/^ {2}/gm, '          ')}`,
    );
    return root;
  };

  /** Empties the database, so that all tenants are new. */
  const emptied = async () => {
    await target.query(
      'DROP SCHEMA blue CASCADE; DROP SCHEMA avansas CASCADE; DROP SCHEMA cdc_management CASCADE',
    );
  };

  it('are created for new tenants, and accept inserts, deletes and replayed events', async () => {
    await emptied();
    const root = await declared(range(LOW, HIGH, REST));
    // The script of a dry run has the same effect as apply.
    const { stdout: script } = await target.run(root, 'apply', '--dry-run');
    expect(script.match(/^\) PARTITION BY .*$/gm)).toEqual(
      ['avansas', 'blue'].map(() => ') PARTITION BY RANGE ("actno");'),
    );
    await target.query(script.replaceAll(/^\\.*$/gm, ''));
    await passes(root);
    expect(await partitions('blue')).toEqual([
      'Actor_high FOR VALUES FROM (3) TO (100)',
      'Actor_low FOR VALUES FROM (MINVALUE) TO (3)',
      'Actor_rest DEFAULT',
    ]);
    const events = `${stageActors('blue', [1, 4])};
      INSERT INTO blue."stg_Actor" ("actno", "Navn", "__source_db", "__source_table", "__cdc_operation", "__kafka_partition", "__kafka_offset")
      VALUES (2, NULL, 'AdOpus', 'Actor', 'd', 0, 20), (500, 'x', 'AdOpus', 'Actor', 'c', 0, 21)`;
    for (const times of [1, 2]) {
      await target.query(events.replace("(500, 'x'", `(500, 'x${times}'`));
      expect((await target.run(root, 'merge')).exitCode).toBe(0);
      expect(await rows('blue."Actor"')).toEqual([1, 3, 4]);
    }
    // The event of row 500 has no customer, so it is a dead letter. With a customer, a row is in the default partition.
    await target.query(stageActors('blue', [600, 600]));
    expect((await target.run(root, 'merge')).exitCode).toBe(0);
    expect(await rows('blue."Actor_rest"')).toEqual([600]);
  });

  it('are refused for a table with rows until the steps of docs/partitions.md rewrite it', async () => {
    const root = edited();
    const [diff, ...rest] = await follow(1, root);
    expect(diff!.stdout).toMatch(/partitions by RANGE \("actno"\), before none +unsafe/);
    expect(rest.map(({ exitCode }) => exitCode)).toEqual([0, 5, 1]);
    expect(rest[1]!.stdout).toMatch(
      /blue tables\/Actor\.sql: table blue\."Actor": is not partitioned, expected RANGE \(actno\).*CALL cdc_management\.repartition_table\('blue', 'Actor'/s,
    );

    const again = edited();
    await target.query(`CREATE INDEX mine ON blue."Actor" ("Navn");
      CREATE ROLE reader; GRANT SELECT ON blue."Actor" TO reader;
      CREATE VIEW blue.names AS SELECT "Navn" FROM blue."Actor"`);
    const stopped = await follow(2, again);
    expect(stopped.map(({ exitCode }) => exitCode)).toEqual([1, 0, 5, 1]);
    expect(stopped[2]!.stdout).toMatch(
      /cannot be rewritten into partitions because of view blue\.names/,
    );
    expect(await rows('ONLY blue."Actor"')).toEqual([1, 2, 3, 4]);
    await target.query('DROP VIEW blue.names');
    await target.query('CREATE TABLE blue.moved AS SELECT 1');
    expect((await target.run(again, 'apply')).exitCode).toBe(0);
    expect(await rows('blue."Actor_low"')).toEqual([1, 2, 3, 4]);
    expect(
      await target.query(`SELECT has_table_privilege('reader', 'blue."Actor"', 'SELECT') AS reads,
        to_regclass('blue.mine')::text AS index`),
    ).toEqual([{ reads: true, index: 'blue.mine' }]);
    await target.query(
      'DROP TABLE blue.moved; DROP INDEX blue.mine; DROP OWNED BY reader; DROP ROLE reader',
    );
    await passes(again);
    // Nothing counts as lost.
    expect(await target.query('SELECT * FROM cdc_management.possible_loss')).toEqual([]);
    await target.query(stageActors('blue', [1, 6], "'again'"));
    expect((await target.run(again, 'merge')).exitCode).toBe(0);
    expect(await rows('blue."Actor"')).toEqual([1, 2, 3, 4, 5, 6]);

    // A new tenant has the same partitions as the others.
    await target.query('DROP SCHEMA avansas CASCADE');
    await target.query(`CALL cdc_management.clean_up_schema('avansas')`);
    await passes(again);
    expect(await partitions('avansas')).toEqual(await partitions('blue'));
  });

  it('are reported by check if they are missing, and follow a renamed customer and table', async () => {
    await emptied();
    const hash = '{ hash: [actno], count: 2 }';
    const root = await declared(hash);
    await passes(root);
    await target.query(
      'ALTER TABLE blue."Actor" DETACH PARTITION blue."Actor_p1"; DROP TABLE blue."Actor_p1"',
    );
    const reported = await target.run(root, 'check');
    expect(reported.stdout).toMatch(
      /missing +blue\.Actor: partition "Actor_p1" FOR VALUES WITH \(MODULUS 2, REMAINDER 1\).*repair: .*apply .*--again/,
    );
    expect((await target.run(root, 'apply', '--again')).exitCode).toBe(0);
    await target.query(stageActors('blue', [1, 4]));
    expect((await target.run(root, 'merge')).exitCode).toBe(0);

    const renamed = copyOf(root);
    edit(renamed, 'source-groups.yaml', '    blue:', '    green:');
    edit(renamed, SERVICE, 'adopus.Actor:', 'adopus.Person:');
    expect((await runCommand(renamed, ['generate'])).exitCode).toBe(0);
    for (const [what, from, to] of [
      ['--customer', 'blue', 'green'],
      ['--table', 'Actor', 'Person'],
    ] as const) {
      expect((await target.run(renamed, 'rename', what, from, '--to', to)).exitCode).toBe(0);
    }
    await passes(renamed);
    expect(await rows('green."Person"')).toEqual([1, 2, 3, 4]);
    expect(await rows('green."Person_p0" UNION ALL SELECT actno FROM green."Person_p1"')).toEqual([
      1, 2, 3, 4,
    ]);
  });

  describe('created by users, if the type of the key column changes', () => {
    const BY_HAND = `{"method": "RANGE", "columns": ["actno"],
      "partitions": [["low", "FOR VALUES FROM (MINVALUE) TO (3)"], ["Actor_rest", "DEFAULT"]]}`;
    const YAML = `          partition_by: { range: [actno], partitions: [{ name: low, to: [3] }, { name: rest }] }\n`;
    let root: string;
    beforeEach(async () => {
      await target.query(`CALL cdc_management.repartition_table('blue', 'Actor', '${BY_HAND}')`);
      root = copyOf(target.repo.root);
      await passes(root);
      edit(root, SNAPSHOT, 'name: actno, type: int', 'name: actno, type: bigint');
    });
    const generate = async () => expect((await runCommand(root, ['generate'])).exitCode).toBe(0);
    const typeOf = async (schema: string) =>
      (
        await target.query(`SELECT format_type(atttypid, NULL) AS type FROM pg_attribute
          WHERE attrelid = '${schema}."Actor"'::regclass AND attname = 'actno'`)
      )[0]!['type'];

    it('are rewritten by the statement in the hint of apply, and check reports the old type', async () => {
      await generate();
      const refused = await target.run(root, 'apply');
      expect(refused.exitCode).toBe(5);
      expect(await typeOf('avansas')).toBe('bigint');
      const [, statement, everybody] =
        /hint: PostgreSQL cannot change the type of a column in a partition key\..*migrations\/manual\/<NNNN>-<name>\.sql: (CALL cdc_management\.repartition_table\('blue', .*\);) To run it for all customers, write ('\{\{SCHEMA\}\}') instead of 'blue'/.exec(
          refused.stdout,
        )!;
      expect(refused.stdout).not.toContain('scaffold-manual');
      expect((await target.run(root, 'check')).stdout).toMatch(
        /blue\.Actor: column "actno" is integer, expected bigint .*repair: apply refuses it, because PostgreSQL cannot change the type of a column in a partition key/,
      );
      write(
        root,
        'migrations/manual/0001-actno.sql',
        `${statement!.replace("'blue'", everybody!)}\n`,
      );
      await generate();
      await passes(root);
      expect(await typeOf('blue')).toBe('bigint');
      expect(await partitions('blue')).toEqual([
        'Actor_rest DEFAULT',
        "low FOR VALUES FROM (MINVALUE) TO ('3')",
      ]);
      expect(await rows('blue."Actor"')).toEqual(['1', '2', '3', '4']);
    });

    it('are rewritten by a draft of diff --scaffold-manual if partition_by declares them', async () => {
      edit(root, SERVICE, ACTOR, `${ACTOR}${YAML}`);
      expect((await runCommand(root, ['diff', '--scaffold-manual'])).exitCode).toBe(1);
      await generate();
      await passes(root);
      for (const schema of ['blue', 'avansas']) {
        expect(await typeOf(schema)).toBe('bigint');
        expect(await partitions(schema)).toEqual([
          "Actor_low FOR VALUES FROM (MINVALUE) TO ('3')",
          'Actor_rest DEFAULT',
        ]);
      }
      expect(await rows('blue."Actor"')).toEqual(['1', '2', '3', '4']);
    });
  });

  it('refuse CREATE INDEX CONCURRENTLY for old and new customers, and lint reports it', async () => {
    await emptied();
    const index = 'CREATE INDEX CONCURRENTLY mine ON "{{SCHEMA}}"."Actor" ("Navn");';
    const root = copyOf(await declared(range(LOW, HIGH)));
    const lint = () => runCommand(root, ['lint']);
    await passes(root);
    await target.query('DROP SCHEMA avansas CASCADE');
    await target.query(`CALL cdc_management.clean_up_schema('avansas')`);
    write(root, INDEX, `-- cdc: no-transaction\n${index}\n`);
    expect((await runCommand(root, ['generate'])).exitCode).toBe(0);
    expect((await lint()).stdout).toMatch(
      /^migrations\/after\/0001-mine\.sql:2 cdc-partitioned: PostgreSQL refuses CREATE INDEX CONCURRENTLY for Actor/,
    );
    const refused = await target.run(root, 'apply');
    expect(refused.exitCode).toBe(3);
    for (const schema of ['avansas', 'blue'])
      expect(refused.stdout).toMatch(
        new RegExp(
          `^${schema} after/0001-mine\\.sql: cannot create index on partitioned table "Actor" concurrently`,
          'm',
        ),
      );

    // Both solutions that the message suggests.
    write(root, INDEX, '-- cdc: no-transaction\n' + index.replace(' CONCURRENTLY', '') + '\n');
    expect((await runCommand(root, ['generate'])).exitCode).toBe(0);
    await passes(root);
    expect((await lint()).stdout).toContain('declare it in indexes of the table in the YAML');
    rmSync(join(root, INDEX));
    edit(root, SERVICE, ACTOR, `${ACTOR}          indexes: [{ columns: [Navn] }]\n`);
    expect((await runCommand(root, ['generate'])).exitCode).toBe(0);
    expect((await target.run(root, 'apply')).exitCode).toBe(0);
    expect((await lint()).stdout).toBe('0 files, 0 findings\n');
  });

  it('are rewritten with their rows by a draft when the type of their key column changes', async () => {
    await emptied();
    const root = copyOf(await declared(range(LOW, HIGH)));
    await passes(root);
    await target.query(stageActors('blue', [1, 4]));
    expect((await target.run(root, 'merge')).exitCode).toBe(0);
    edit(root, SNAPSHOT, 'name: actno, type: int', 'name: actno, type: bigint');
    const diff = await runCommand(root, ['diff', '--scaffold-manual']);
    expect(diff.stdout).toMatch(/column "actno": integer to bigint +unsafe/);
    expect((await runCommand(root, ['generate'])).exitCode).toBe(0);
    await passes(root);
    expect(await rows('blue."Actor_low"')).toEqual(['1', '2']);
    expect(
      await target.query(`SELECT relname AS name FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'blue'::regnamespace AND relkind IN ('r', 'p') AND attname = 'actno' AND atttypid = 'bigint'::regtype
        ORDER BY relname COLLATE "C"`),
    ).toEqual(['Actor', 'Actor_high', 'Actor_low', 'stg_Actor'].map((name) => ({ name })));
    await target.query(stageActors('blue', [1, 6], "'again'").replace('0, n', '0, n + 10'));
    expect((await target.run(root, 'merge')).exitCode).toBe(0);
    expect(await rows('blue."Actor"')).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  // The rest is the same in all versions.
  if (major === 18) return;

  it('are added, and partitions of users and of an earlier configuration are kept', async () => {
    await emptied();
    const one = await declared(range(LOW));
    await passes(one);
    await target.query(
      `CREATE TABLE blue.mine PARTITION OF blue."Actor" FOR VALUES FROM (1000) TO (2000)`,
    );
    const two = await declared(range(LOW, HIGH));
    await passes(two);
    expect(await partitions('blue')).toEqual([
      'Actor_high FOR VALUES FROM (3) TO (100)',
      'Actor_low FOR VALUES FROM (MINVALUE) TO (3)',
      'mine FOR VALUES FROM (1000) TO (2000)',
    ]);
    await passes(one);
    expect(await partitions('blue')).toHaveLength(3);
    const renamed = await declared(range('{ name: first, to: [3] }', HIGH));
    await passes(renamed);
    expect(await partitions('blue')).toContain('Actor_first FOR VALUES FROM (MINVALUE) TO (3)');

    const overlap = await declared(range(LOW, '{ name: more, from: [1500], to: [1600] }'));
    const end = await target.run(overlap, 'apply');
    expect(end.exitCode).toBe(5);
    expect(end.stdout).toMatch(/partition "?Actor_more"?: .*would overlap partition "mine"/);
    const other = await target.run(await declared(range('{ name: first, to: [2] }')), 'apply');
    expect(other.stdout).toMatch(
      /partition "Actor_first": has FOR VALUES FROM \(MINVALUE\) TO \(3\), expected FOR VALUES FROM \(MINVALUE\) TO \('2'\)/,
    );
  });

  it('by list store rows with NULL only in a partition that users created', async () => {
    await emptied();
    const region =
      '        adopus.Region:\n          from: dbo.Region\n          target_exists: false\n';
    const list = (...values: readonly string[]) =>
      `${region}          partition_by: { list: [__source_db], partitions: [{ name: one, in: [${values.join(', ')}] }] }\n`;
    const nothing = copyOf(target.repo.root);
    edit(nothing, SERVICE, region, list('AdOpus', 'null'));
    expect(await runCommand(nothing, ['generate'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(
        /services\/adopus\.yaml:\d+ .*partitions\.0\.in\.1: expected a value, found nothing/,
      ),
    });
    // The text "NULL" is not the value NULL.
    const root = await target.edited(SERVICE, region, list('AdOpus', '"NULL"'));
    await passes(root);
    const stage = (...sources: readonly string[]) =>
      target.query(`INSERT INTO blue."stg_Region" ("Kode", "__source_db", "__source_table", "__cdc_operation", "__kafka_partition", "__kafka_offset")
        VALUES ${sources.map((source, at) => `('K${at}', ${source}, 'Region', 'c', 0, ${at})`).join(', ')}`);
    const found = async () =>
      (
        await target.query(
          `SELECT tableoid::regclass || ' ' || "Kode" AS text FROM blue."Region" ORDER BY 1`,
        )
      ).map(({ text }) => text);
    const events = ["'AdOpus'", "'NULL'", 'NULL'];
    await stage(...events);
    expect((await target.run(root, 'merge')).exitCode).toBe(0);
    expect(await found()).toEqual(['blue."Region_one" K0', 'blue."Region_one" K1']);
    expect(await target.query('SELECT reason FROM cdc_management.dead_letter')).toEqual([
      { reason: expect.stringMatching(/no partition/) },
    ]);
    await target.query(
      'CREATE TABLE blue."Region_none" PARTITION OF blue."Region" FOR VALUES IN (NULL)',
    );
    await passes(root);
    await stage(...events);
    expect((await target.run(root, 'merge')).exitCode).toBe(0);
    expect(await found()).toEqual([
      'blue."Region_none" K2',
      'blue."Region_one" K0',
      'blue."Region_one" K1',
    ]);
    await target.query('DROP TABLE blue."Region_none"');
    await target.query(
      'ALTER TABLE blue."Region" DETACH PARTITION blue."Region_one"; DROP TABLE blue."Region_one"',
    );
    await target.query(
      `CREATE TABLE blue."Region_one" PARTITION OF blue."Region" FOR VALUES IN ('AdOpus', NULL)`,
    );
    expect((await target.run(root, 'check')).stdout).toMatch(
      /blue\.Region: partition "Region_one".*FOR VALUES IN \('AdOpus', NULL\).*FOR VALUES IN \('AdOpus', 'NULL'\)/,
    );
  });

  it.each([
    [true, `FOR VALUES IN ('b', 'a', NULL)`, `FOR VALUES IN (NULL, 'a', 'b')`, 'text'],
    [false, `FOR VALUES IN ('a', NULL)`, `FOR VALUES IN ('a', 'NULL')`, 'text'],
    [false, `FOR VALUES IN ('a', 'b')`, `FOR VALUES IN ('a,b')`, 'text'],
    [true, `FOR VALUES FROM (3) TO (MAXVALUE)`, `FOR VALUES FROM ('3') TO (MAXVALUE)`, 'integer'],
    [false, `FOR VALUES FROM (MINVALUE) TO ('a')`, `FOR VALUES FROM ('MINVALUE') TO ('a')`, 'text'],
  ])('are compared by their bounds: %s for %s and %s', async (isSame, one, other, type) => {
    const normal = (bounds: string) =>
      `cdc_management.normal_bounds('${bounds.replaceAll("'", "''")}', ARRAY['${type}'])`;
    expect(await target.query(`SELECT ${normal(one)} = ${normal(other)} AS same`)).toEqual([
      { same: isSame },
    ]);
  });

  it('get declared indexes, partition by partition, while other sessions write', async () => {
    await emptied();
    const indexes =
      '          indexes: [{ columns: [Navn], where: "lower(\\"Navn\\") <> \'\'" }]\n';
    const plain = await declared(range(LOW, HIGH));
    await passes(plain);
    await target.query(stageActors('blue', [1, 4]));
    expect((await target.run(plain, 'merge')).exitCode).toBe(0);
    const root = await declared(range(LOW, HIGH), indexes);
    const writer = target.server.connect({ database: DATABASE, max: 1 });
    await writer.unsafe(`BEGIN; UPDATE blue."Actor" SET "Navn" = 'x' WHERE actno = 1`).simple();
    // Apply waits for the writer one second at a time, so that other sessions can write.
    const ended = target.run(root, 'apply');
    const waits = `SELECT FROM pg_locks WHERE NOT granted AND relation = 'blue."Actor"'::regclass`;
    while ((await target.query(waits)).length === 0) await sleep(50);
    await target.query(
      `SET lock_timeout = '5s'; UPDATE blue."Actor" SET "Navn" = 'y' WHERE actno = 2`,
    );
    await writer.unsafe('COMMIT');
    await writer.end();
    expect((await ended).exitCode).toBe(0);
    await passes(root);
    expect(
      await target.query(`SELECT count(*)::integer AS n, bool_and(indisvalid) AS valid FROM pg_index
        JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE relname LIKE 'idx\\_Actor\\_Navn%' AND nspname = 'blue'`),
    ).toEqual([{ n: 3, valid: true }]);

    // The state that an interrupted apply leaves.
    const [{ name }] = (await target.query(
      `SELECT indexname AS name FROM pg_indexes WHERE schemaname = 'blue' AND tablename = 'Actor' AND indexname LIKE 'idx\\_Actor\\_Navn%'`,
    )) as unknown as readonly [{ readonly name: string }];
    await target.query(`DROP INDEX blue."${name}";
      CREATE INDEX "${name}" ON ONLY blue."Actor" ("Navn") WHERE lower("Navn") <> ''`);
    expect((await target.run(root, 'check')).stdout).toContain(`index "${name}" is not valid`);
    expect((await target.run(root, 'apply')).stdout).toContain(`index "${name}" created`);
    await passes(root);
    await passes(plain);
  });
});
