import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { copyOf, edit, write } from '../repo.fixture.ts';
import { type ChangedTarget, openChangedTarget } from '../retire/changed-target.fixture.ts';
import { type CommandRun, runCommand } from '../target/cli.fixture.ts';

const SNAPSHOT = 'generated/schemas/AdOpusTest.dbo.yaml';
const CUSTOMER = '0a827150-1332-5167-993b-68db156438cb';

/** Nested views, materialized views, SQL-body functions, policies and a view of all customers. */
const FILES = {
  'repeatable/0010-actors.sql': `-- Drops nothing.
CREATE OR REPLACE VIEW "{{SCHEMA}}".actors AS SELECT actno, "Navn" FROM "{{SCHEMA}}"."Actor";
`,
  'repeatable/0020-named.sql': `CREATE OR REPLACE VIEW "{{SCHEMA}}".named AS SELECT * FROM "{{SCHEMA}}".actors WHERE "Navn" <> '';
DROP MATERIALIZED VIEW IF EXISTS "{{SCHEMA}}".kept;
CREATE MATERIALIZED VIEW "{{SCHEMA}}".kept AS SELECT actno, count(*) FROM "{{SCHEMA}}".named GROUP BY actno;
CREATE UNIQUE INDEX kept_actno ON "{{SCHEMA}}".kept (actno);
`,
  'repeatable/0030-first.sql': `-- after: Actor, 0010-actors
CREATE OR REPLACE FUNCTION "{{SCHEMA}}".first_name() RETURNS text LANGUAGE sql
BEGIN ATOMIC SELECT "Navn" FROM "{{SCHEMA}}"."Actor" ORDER BY actno LIMIT 1; END;
CREATE OR REPLACE FUNCTION "{{SCHEMA}}".all_actors() RETURNS SETOF "{{SCHEMA}}".actors LANGUAGE sql
AS 'SELECT * FROM "{{SCHEMA}}".actors';
`,
  'repeatable/0040-policy.sql': `-- after: Actor
DROP POLICY IF EXISTS named ON "{{SCHEMA}}"."Actor";
CREATE POLICY named ON "{{SCHEMA}}"."Actor" FOR SELECT USING ("Navn" <> '');
`,
  'repeatable/0050-union.sql': `CREATE OR REPLACE VIEW public.everybody AS
  SELECT actno, "Navn" FROM avansas."Actor" UNION ALL SELECT actno, "Navn" FROM blue."Actor";
`,
};

const NEW_CUSTOMER = `    gull:
      schemas: [dbo]
      nonprod: { customer_id: 00000000-0000-4000-8000-000000000003, server: default, database: AdOpusGull }
    avansas:`;

describe.each([15, 18] as const)(
  'views that use a column whose type changes, on PostgreSQL %i',
  (major) => {
    let target: ChangedTarget;
    let root: string;

    beforeAll(async () => {
      target = await openChangedTarget(major, {
        configure: (small) => {
          for (const [path, text] of Object.entries(FILES))
            write(small, `migrations/${path}`, text);
        },
        prepare: async ({ query }) =>
          void (await query(`CREATE ROLE reader; CREATE ROLE reporting;
          INSERT INTO blue."Actor" (actno, "Navn", "_customer_id") VALUES (1, 'Kari', '${CUSTOMER}');
          GRANT SELECT ON blue.actors TO reader WITH GRANT OPTION;
          GRANT SELECT (actno) ON blue.named TO reader;
          REVOKE ALL ON FUNCTION blue.first_name() FROM PUBLIC;
          GRANT EXECUTE ON FUNCTION blue.first_name() TO reader;
          COMMENT ON VIEW blue.actors IS 'all of them';
          COMMENT ON COLUMN blue.actors.actno IS 'number';
          ALTER VIEW blue.named OWNER TO reporting;
          GRANT SELECT ON blue.actors TO reporting`)),
      });
    });
    afterAll(() => target?.server.stop());
    beforeEach(async () => {
      await target.reset();
      root = copyOf(target.repo.root);
    });

    const run = (command: string, ...args: readonly string[]) => target.run(root, command, ...args);
    const generate = async () =>
      expect(await runCommand(root, ['generate'])).toMatchObject({ exitCode: 0 });
    const one = async (query: string) => Object.values((await target.query(query))[0] ?? {})[0];
    const typeOf = (name: string, schema = 'blue') =>
      one(`SELECT format_type(atttypid, atttypmod) FROM pg_attribute
      WHERE attrelid = '${schema}."Actor"'::regclass AND attname = '${name}'`);

    async function put(path: string, text: string): Promise<void> {
      write(root, `migrations/${path}`, text);
      await generate();
    }

    /** Widens the columns `Navn` and `actno` of the source. */
    async function widen(): Promise<void> {
      edit(
        root,
        SNAPSHOT,
        'name: Navn, type: nvarchar, length: 100',
        'name: Navn, type: nvarchar, length: 200',
      );
      edit(root, SNAPSHOT, 'name: actno, type: int', 'name: actno, type: bigint');
      await generate();
    }

    /** Reads the definitions, owners and privileges of the objects. */
    const readAll = () =>
      target.query(`SELECT pg_identify_object_as_address(class, oid, 0)::text AS object, owner::regrole::text, acl, comment
      FROM (
        SELECT 'pg_class'::regclass AS class, oid, relowner AS owner, relacl::text || coalesce((
            SELECT string_agg(attname || attacl::text || coalesce(col_description(attrelid, attnum), ''), ',') FROM pg_attribute
            WHERE attrelid = pg_class.oid AND (attacl IS NOT NULL OR col_description(attrelid, attnum) <> '')), '') AS acl,
          obj_description(oid) AS comment
        FROM pg_class WHERE relkind IN ('v', 'm', 'i') AND relname IN ('actors', 'named', 'kept', 'kept_actno', 'everybody')
        UNION ALL
        SELECT 'pg_proc'::regclass, oid, proowner, proacl::text, NULL FROM pg_proc WHERE proname IN ('first_name', 'all_actors')
        UNION ALL
        SELECT 'pg_policy'::regclass, oid, 0, NULL, NULL FROM pg_policy
      ) AS object ORDER BY 1`);

    const expectDone = ({ exitCode, stdout }: CommandRun) =>
      expect(exitCode === 0 ? '' : stdout).toBe('');

    async function expectSettled(): Promise<void> {
      const check = await run('check', '--exclude', 'public.*');
      expect([check.exitCode, check.stdout]).toEqual([
        0,
        expect.stringContaining('matches the definitions'),
      ]);
      expect((await run('apply')).stdout).toContain('files: 0 applied');
    }

    it('of the repo are dropped and created again with their owners, privileges and comments', async () => {
      const before = await readAll();
      expect(before.length).toBeGreaterThan(14);
      await widen();
      const apply = await run('apply');
      expectDone(apply);
      expect([await typeOf('actno'), await typeOf('Navn')]).toEqual([
        'bigint',
        'character varying(200)',
      ]);
      expect(await readAll()).toEqual(before);
      expect(await one('SELECT blue.first_name()')).toBe('Kari');
      expect(await one('SELECT pg_typeof(actno)::text FROM public.everybody')).toBe('bigint');
      await expectSettled();
    });

    it('of a renamed and a new customer are dropped and created again', async () => {
      edit(root, 'source-groups.yaml', '    blue:', '    green:');
      edit(root, 'source-groups.yaml', '    avansas:', NEW_CUSTOMER);
      const union = FILES['repeatable/0050-union.sql'].replaceAll('blue', 'green');
      await put('repeatable/0050-union.sql', union);
      expectDone(await run('rename', '--customer', 'blue', '--to', 'green'));
      expectDone(await run('apply'));
      const before = await readAll();
      await widen();
      expectDone(await run('apply'));
      for (const schema of ['green', 'gull', 'avansas'])
        expect([schema, await typeOf('Navn', schema)]).toEqual([schema, 'character varying(200)']);
      expect(await readAll()).toEqual(before);
      expect(await one('SELECT green.first_name()')).toBe('Kari');
      await expectSettled();
    });

    it('allow the steps of docs/change-tables.md', async () => {
      const page = readFileSync(join(__dirname, '../../../../docs/change-tables.md'), 'utf8');
      const [, add, change, repair] = page.split('\n## ');
      for (const path of Object.keys(FILES)) rmSync(join(root, 'migrations', path));
      await target.query(
        `DROP VIEW public.everybody; DROP POLICY named ON blue."Actor"; DROP POLICY named ON avansas."Actor"`,
      );
      for (const schema of ['blue', 'avansas'])
        await target.query(`DROP MATERIALIZED VIEW ${schema}.kept; DROP FUNCTION ${schema}.all_actors(), ${schema}.first_name();
        DROP VIEW ${schema}.named, ${schema}.actors`);
      const follow = async (
        section: string | undefined,
        exits: Readonly<Record<string, number>> = {},
      ) => {
        const commands = [...section!.matchAll(/^npx --no-install cdc manage-migrations (.+)$/gm)];
        for (const [, command] of commands) {
          const args =
            command === 'check --env nonprod'
              ? [...command.split(' '), '--exclude', 'public.*']
              : command!.split(' ');
          const run = await runCommand(root, args, target.repo.env(target.server));
          expect({ command, ...run }).toMatchObject({ command, exitCode: exits[command!] ?? 0 });
        }
        return commands.length;
      };
      const sqlOf = (section: string | undefined) =>
        [...section!.matchAll(/```sql\n([^`]+)```/g)].map(([, text]) =>
          text!.replaceAll(/^ {2}/gm, ''),
        );
      const [index, view] = sqlOf(add);
      write(root, 'migrations/after/0010-actor-navn.sql', index!);
      write(root, 'migrations/repeatable/0010-actors.sql', view!);
      expect(await follow(add)).toBe(3);

      await target.query('CREATE VIEW blue.names AS SELECT "Navn" FROM blue."Actor"');
      edit(
        root,
        SNAPSHOT,
        'name: Navn, type: nvarchar, length: 100',
        'name: Navn, type: nvarchar, length: 200',
      );
      for (const text of sqlOf(change)) write(root, /migrations\/\S+/.exec(text)![0], text);
      expect(await follow(change, { 'diff --target nonprod': 1 })).toBe(4);
      expect(await typeOf('Navn')).toBe('character varying(200)');

      await target.query(
        'ALTER TABLE blue."Actor" DROP CONSTRAINT "pk_Actor"; CREATE TABLE blue.mine (); ALTER TABLE blue.mine OWNER TO reporting',
      );
      const { stdout } = await run('check', '--schema', 'blue', '--exclude', 'public.*');
      for (const [line] of repair!.matchAll(/^(?:missing|extra) .+$/gm))
        expect(stdout).toContain(line);
      expect(
        await follow(repair!.replace('--exclude blue.mine', '--exclude blue.mine public.*')),
      ).toBe(2);
    });

    it('are reported by diff and the plan, and recreated by the script of a dry run', async () => {
      await target.query('CREATE VIEW avansas.mine AS SELECT "Navn" FROM avansas."Actor"');
      edit(
        root,
        SNAPSHOT,
        'name: Navn, type: nvarchar, length: 100',
        'name: Navn, type: nvarchar, length: 200',
      );
      const diff = await runCommand(
        root,
        ['diff', '--target', 'nonprod'],
        target.repo.env(target.server),
      );
      expect(diff.exitCode).toBe(1);
      expect(diff.stdout).toMatch(
        /blue\.Actor\.Navn .*view blue\.actors \(made by repeatable\/0010-actors\.sql\).* drops it and creates it again\n/,
      );
      expect(diff.stdout).toMatch(
        /avansas\.Actor\.Navn .*view avansas\.mine \(owner postgres\).* is refused\n/,
      );
      const json = await runCommand(
        root,
        ['diff', '--target', 'nonprod', '--json'],
        target.repo.env(target.server),
      );
      expect(JSON.parse(json.stdout).obstacles).toEqual([
        expect.objectContaining({
          schema: 'avansas',
          table: 'Actor',
          column: 'Navn',
          isRecreated: false,
        }),
        expect.objectContaining({
          target: 'sink_asma.directory in nonprod',
          schema: 'blue',
          isRecreated: true,
        }),
      ]);
      await generate();
      const plan = join(root, 'plan.json');
      expect(await run('apply', '--plan-out', plan)).toMatchObject({
        exitCode: 5,
      });
      const { schemas } = JSON.parse(readFileSync(plan, 'utf8')).targets[0];
      expect(
        schemas.map(({ files }: { files: readonly { class: string }[] }) => files[0]!.class),
      ).toEqual(['unsafe', 'free']);
      expect(schemas[1].files[0].changes[1]).toContain('recreates the objects that use "Navn": ');
      await target.query('DROP VIEW avansas.mine');
      const before = await readAll();
      const script = await run('apply', '--dry-run');
      await target.query(script.stdout.replaceAll(/^\\.*$/gm, ''));
      expect(await typeOf('Navn')).toBe('character varying(200)');
      expect(await readAll()).toEqual(before);
      await expectSettled();
    });

    it('roll everything back if their file no longer compiles, and apply names the file', async () => {
      await put(
        'repeatable/0005-doubled.sql',
        `CREATE OR REPLACE FUNCTION "{{SCHEMA}}".doubled(n integer) RETURNS integer LANGUAGE sql AS 'SELECT 2 * n';\n`,
      );
      await put(
        'repeatable/0020-named.sql',
        FILES['repeatable/0020-named.sql'].replace(
          'SELECT *',
          'SELECT actno, "Navn", "{{SCHEMA}}".doubled(actno)',
        ),
      );
      expect((await run('apply')).exitCode).toBe(0);
      const before = await readAll();
      await widen();
      const failed = await run('apply');
      expect(failed.exitCode).toBe(3);
      expect(failed.stdout).toContain(
        'blue repeatable/0020-named.sql: function blue.doubled(bigint) does not exist',
      );
      expect(failed.stdout).toContain(
        'Its objects are dropped and created again for a change of type in tables/Actor.sql. All of it is rolled back.',
      );
      expect(failed.stdout).toMatch(
        /blue skipped: tables\/Actor\.sql and \d+ more files, because of repeatable\/0020-named\.sql/,
      );
      expect([await typeOf('actno'), await typeOf('Navn')]).toEqual([
        'integer',
        'character varying(100)',
      ]);
      expect(await readAll()).toEqual(before);
      await put(
        'repeatable/0005-doubled.sql',
        `CREATE OR REPLACE FUNCTION "{{SCHEMA}}".doubled(n bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 2 * n';\n`,
      );
      expectDone(await run('apply'));
      expect(await readAll()).toEqual(before);
      await expectSettled();
    });

    it('of other users are reported with their owner, and the solution in the message works', async () => {
      await target.query(`GRANT USAGE, CREATE ON SCHEMA blue TO reporting; GRANT SELECT ON blue."Actor" TO reporting;
      SET ROLE reporting; CREATE VIEW blue.mine AS SELECT a."Navn" FROM blue.actors AS a`);
      await widen();
      const refused = await run('apply');
      expect(refused.exitCode === 5 ? '' : refused.stdout).toBe('');
      expect(refused.stdout).toContain('view blue.mine (owner reporting)');
      expect(refused.stdout).toContain('view blue.actors (made by repeatable/0010-actors.sql)');
      expect(refused.stdout).toContain('DROP VIEW blue.mine');
      expect(refused.stdout).not.toContain('--scaffold-manual');
      expect([await typeOf('Navn'), await typeOf('Navn', 'avansas')]).toEqual([
        'character varying(100)',
        'character varying(200)',
      ]);
      await put('manual/0001-mine.sql', 'DROP VIEW IF EXISTS "{{SCHEMA}}".mine;\n');
      await put(
        'repeatable/0060-mine.sql',
        'CREATE OR REPLACE VIEW "{{SCHEMA}}".mine AS SELECT a."Navn" FROM "{{SCHEMA}}".actors AS a;\n',
      );
      expectDone(await run('apply'));
      await expectSettled();
    });

    it('that no file creates any more are kept, and the type change is refused', async () => {
      await put(
        'repeatable/0010-actors.sql',
        'CREATE OR REPLACE VIEW "{{SCHEMA}}".actors2 AS SELECT actno FROM "{{SCHEMA}}"."Actor";\n',
      );
      await put('repeatable/0020-named.sql', `SELECT '{{SCHEMA}}';\n`);
      await put('repeatable/0030-first.sql', `SELECT '{{SCHEMA}}';\n`);
      await widen();
      const refused = await run('apply');
      expect(refused.exitCode === 5 ? '' : refused.stdout).toBe('');
      expect(refused.stdout).toMatch(
        /blue tables\/Actor\.sql: view blue\.actors \(made by repeatable\/0010-actors\.sql\) prevents a type change, and no file in migrations\/repeatable\/ recreates it/,
      );
      expect(await typeOf('Navn')).toBe('character varying(100)');
      expect(await one('SELECT count(*)::integer FROM blue.named')).toBe(1);
    });

    it('with an index that a user added are kept, and the type change is refused', async () => {
      await target.query('CREATE INDEX by_hand ON blue.kept (count)');
      await widen();
      const refused = await run('apply');
      expect(refused.exitCode === 5 ? '' : refused.stdout).toBe('');
      expect(refused.stdout).toContain('index blue.by_hand prevents a type change');
      expect(refused.stdout).toContain(': DROP INDEX blue.by_hand.');
      expect(await typeOf('Navn')).toBe('character varying(100)');
      await target.query('DROP INDEX blue.by_hand');
      expectDone(await run('apply'));
      await expectSettled();
    });

    it('are recreated if the column is also renamed, including a view of a staging table', async () => {
      await put(
        'repeatable/0070-staged.sql',
        '-- after: Actor\nCREATE OR REPLACE VIEW "{{SCHEMA}}".staged AS SELECT actno FROM "{{SCHEMA}}"."stg_Actor";\n',
      );
      expectDone(await run('apply'));
      edit(
        root,
        SNAPSHOT,
        'name: actno, type: int',
        'name: number, type: decimal, precision: 20, scale: 0',
      );
      edit(root, SNAPSHOT, 'columns: [actno]', 'columns: [number]');
      edit(
        root,
        'services/adopus.yaml',
        'column_templates: [customer_id]',
        'column_templates: [customer_id]\n          renames: { actno: number }',
      );
      // A view of all customers can use the new name only after all of them have it.
      write(
        root,
        'migrations/manual/0001-everybody.sql',
        'DROP VIEW IF EXISTS public.everybody;\n',
      );
      for (const [path, text] of Object.entries(FILES))
        write(root, `migrations/${path}`, text.replaceAll(/(?<!kept_)actno/g, 'number'));
      write(
        root,
        'migrations/repeatable/0070-staged.sql',
        '-- after: Actor\nCREATE OR REPLACE VIEW "{{SCHEMA}}".staged AS SELECT number FROM "{{SCHEMA}}"."stg_Actor";\n',
      );
      await generate();
      expectDone(await run('apply'));
      expect(await typeOf('number')).toBe('numeric(20,0)');
      await expectSettled();
    });
  },
);
