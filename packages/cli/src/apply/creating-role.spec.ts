import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  describeDebian,
  type PostgresServer,
  startDebianPostgres,
  startPostgres,
} from '@cdc-migrations/postgres-fixture';
import { copyAdopus, finish, runCommand, sinkEnv, startCommand } from '../target/cli.fixture.ts';
import { isSprung, setTraps } from './traps.fixture.ts';

const BLUE = ['--env', 'prod', '--schema', 'blue'];
const SINK = 'cdc_sink';
const MALLORY = 'mallory';
/** Timeout of creating some 45,000 objects on a busy machine. */
const TRAPS_TIMEOUT_MS = 600_000;
/** With `CDC_TRAPS=all` the traps are set on PostgreSQL 18 too, whose rules for finding functions are the same. */
const describeTraps18 = process.env['CDC_TRAPS'] === 'all' ? describe : describe.skip;

describeDebian('a role that may create objects, on Debian', () =>
  attack(() => startDebianPostgres(), describe),
);
describe('a role that may create objects, on PostgreSQL 18', () =>
  attack(() => startPostgres({ major: 18 }), describeTraps18));

/**
 * Tests a target that a superuser applies to and merges, and an attacker role with CREATE on the database and on
 * `public`.
 */
function attack(start: () => Promise<PostgresServer>, describeTraps: jest.Describe): void {
  let server: PostgresServer;
  let repo: ReturnType<typeof copyAdopus>;
  let env: NodeJS.ProcessEnv;
  let sql: ReturnType<PostgresServer['connect']>;
  let mallory: ReturnType<PostgresServer['connect']>;

  beforeAll(async () => {
    server = await start();
    await server.createRole(SINK);
    await server.createRole(MALLORY);
    repo = copyAdopus('directory');
    env = sinkEnv(server);
    const generate = await runCommand(repo.root, ['generate'], { CDC_DB_USER: SINK });
    expect(generate.exitCode).toBe(0);
  });
  afterAll(async () => {
    await server?.stop();
    repo?.remove();
  });

  const open = async (template?: string) => {
    await server.createDatabase({ name: 'directory', ...(template && { template }) });
    const options = { database: 'directory', max: 1, fetch_types: false, onnotice: () => {} };
    sql = server.connect({ ...options, connection: { search_path: 'pg_catalog' } });
    mallory = server.connect({ ...options, user: MALLORY });
    await sql.unsafe(`GRANT CREATE ON SCHEMA public TO ${MALLORY}`);
    await sql.unsafe(`GRANT CREATE ON DATABASE directory TO ${MALLORY}`);
  };
  afterEach(async () => {
    await Promise.all([sql.end(), mallory.end()]);
    const admin = server.connect({ max: 1 });
    await admin.unsafe('DROP DATABASE directory WITH (FORCE)');
    await admin.end();
  });

  const run = (...args: readonly string[]) => runCommand(repo.root, args, env);

  describeTraps(
    'with functions, operators, types and views that shadow those of PostgreSQL',
    () => {
      beforeAll(async () => {
        await open();
        await setTraps(mallory);
        await Promise.all([sql.end(), mallory.end()]);
        const admin = server.connect({ max: 1 });
        await admin`ALTER DATABASE directory RENAME TO trapped`;
        await admin.end();
      }, TRAPS_TIMEOUT_MS);
      beforeEach(() => open('trapped'));

      it('has none of them called by commands, procedures or views', async () => {
        await sql`ALTER DATABASE directory SET search_path = public, pg_catalog`;
        const careless = server.connect({ database: 'directory', max: 1, onnotice: () => {} });
        const stage = (offset: number) =>
          careless.unsafe(`INSERT INTO blue."stg_Distrikt" ("__kafka_partition", "__kafka_offset", "__cdc_operation", "__source_db",
          "__source_table", "DistriktID", "Navn", "_customer_id")
          SELECT 0, n, o, 'Blue', 'Distrikt', n, 'Nord', '0a827150-1332-5167-993b-68db156438cb'
          FROM (VALUES (${offset}, 'c'), (${offset + 1}, 'x'), (${offset + 2}, 'd')) AS event (n, o)`);
        const apply = await run('apply', ...BLUE);
        expect(apply).toMatchObject({
          exitCode: 0,
          stderr: expect.not.stringContaining('trapped'),
        });
        await stage(1);
        expect(await run('merge', '--env', 'prod')).toMatchObject({ exitCode: 0 });
        await stage(11);
        await careless`CALL blue.sp_merge_distrikt()`.simple();
        await stage(21);
        await careless`CALL cdc_management.run_pending_merges()`.simple();
        await run('merge', '--env', 'prod', '--replay-dead-letters');
        expect((await run('status', ...BLUE)).stdout).toContain('all applied');
        expect(await run('apply', ...BLUE, '--again')).toMatchObject({ exitCode: 0 });
        expect(await run('check', ...BLUE)).toMatchObject({ exitCode: 0 });
        const views = await sql<
          { view: string }[]
        >`SELECT viewname::text AS view FROM pg_catalog.pg_views
        WHERE schemaname = 'cdc_management'`;
        for (const { view } of views) await careless.unsafe(`SELECT * FROM cdc_management.${view}`);
        await careless`CALL cdc_management.clean_up_schema('nobody')`.simple();
        await careless.end();
        const [found] = await sql`SELECT
        (SELECT count(*)::integer FROM cdc_management.merge_error) AS errors,
        (SELECT count(*)::integer FROM cdc_management.dead_letter WHERE reason NOT LIKE 'unknown operation%') AS others`;
        expect(found).toEqual({ errors: 0, others: 0 });
        expect(await isSprung(sql)).toBe(false);
      });

      it('has none of them called by SQL files that another client applies one by one', async () => {
        await sql`ALTER DATABASE directory SET search_path = public, pg_catalog`;
        const careless = server.connect({ database: 'directory', max: 1, onnotice: () => {} });
        const files = [
          'schemas/create-schemas',
          'infrastructure/cdc-management',
          'tables/Distrikt',
          'staging/Distrikt-staging',
        ];
        for (const file of files) {
          const text = readFileSync(join(repo.root, 'migrations', `${file}.sql`), 'utf8');
          await careless
            .unsafe(`BEGIN;\n${text.replaceAll('{{SCHEMA}}', 'blue')};\nCOMMIT`)
            .simple();
        }
        for (const file of ['adopus_AdgangLinjer', 'customer_user'])
          await careless
            .unsafe(readFileSync(join(repo.root, 'migrations/validation', `${file}.sql`), 'utf8'))
            .simple();
        await careless.end();
        expect(await isSprung(sql)).toBe(false);
      });
    },
  );

  describe('with objects of its own', () => {
    beforeEach(() => open());

    it.each([
      [
        'cdc_management',
        'CREATE SCHEMA cdc_management',
        'schema cdc_management',
        'SCHEMA cdc_management',
      ],
      ['the schema of a tenant', 'CREATE SCHEMA blue', 'schema blue', 'SCHEMA blue'],
    ])(
      'makes apply and check refuse %s created by the role',
      async (_what, statement, object, way) => {
        await mallory.unsafe(statement);
        const refusal =
          `${object} belongs to role mallory, expected postgres or a superuser; look at what mallory made there, then ` +
          `ALTER ${way} OWNER TO postgres, or drop it`;
        for (const command of [['apply'], ['apply', '--dry-run']])
          expect(await run(...command, ...BLUE)).toEqual({
            exitCode: 2,
            stdout: '',
            stderr: `sink_asma.directory in prod: ${refusal}\n`,
          });
        const check = await run('check', ...BLUE);
        expect(check.exitCode).not.toBe(0);
        expect(check.stdout + check.stderr).toContain(refusal);
        await sql.unsafe(`ALTER ${way} OWNER TO postgres`);
        expect((await run('apply', ...BLUE)).exitCode).toBe(0);
        expect((await run('check', ...BLUE)).exitCode).toBe(0);
      },
    );

    it.each([
      ['a final table', 'CREATE TABLE blue."Distrikt" ()', 'table blue."Distrikt"'],
      ['a staging table', 'CREATE TABLE blue."stg_Distrikt" ()', 'table blue."stg_Distrikt"'],
      [
        'the function that writes a final table',
        `CREATE FUNCTION blue.fn_merge_window_distrikt(tid, tid, integer, integer, integer) RETURNS integer LANGUAGE sql RETURN 1`,
        'function blue.fn_merge_window_distrikt(pg_catalog.tid,pg_catalog.tid,integer,integer,integer)',
      ],
      [
        'a merge procedure',
        'CREATE PROCEDURE blue.sp_merge_distrikt() LANGUAGE sql AS $$$$',
        'procedure blue.sp_merge_distrikt()',
      ],
    ])(
      'makes apply refuse %s created by the role in the schema of a tenant',
      async (_what, statement, object) => {
        await sql`CREATE SCHEMA blue`;
        await sql.unsafe(`GRANT CREATE, USAGE ON SCHEMA blue TO ${MALLORY}`);
        await mallory.unsafe(statement);
        const refusal = `${object} belongs to role mallory, expected postgres or a superuser`;
        const apply = await run('apply', ...BLUE);
        expect(apply).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(refusal) });
        expect(await sql`SELECT to_regnamespace('cdc_management') IS NULL AS untouched`).toEqual([
          { untouched: true },
        ]);
        await mallory.unsafe(`DROP OWNED BY ${MALLORY}`);
        expect((await run('apply', ...BLUE)).exitCode).toBe(0);
        const check = await run('check', ...BLUE);
        expect(check).toMatchObject({ exitCode: 0 });
      },
    );

    it.each([
      ['has applied all files itself', true],
      ['may create objects in cdc_management', false],
    ])(
      'makes commands refuse to run, without running its code, if it %s',
      async (_what, isOwner) => {
        const own = { ...env, POSTGRES_PROD_USER: MALLORY, POSTGRES_PROD_PASSWORD: MALLORY };
        const apply = await runCommand(repo.root, ['apply', ...BLUE], isOwner ? own : env);
        expect(apply).toMatchObject({ exitCode: 0 });
        await sql`CREATE SEQUENCE public.trap`;
        await sql`GRANT ALL ON SEQUENCE public.trap TO PUBLIC`;
        if (!isOwner)
          await sql.unsafe(`GRANT CREATE, USAGE ON SCHEMA cdc_management TO ${MALLORY}`);
        // Creates an overload with closer types if the role is not the owner of the function, and a replacement if it is.
        await mallory
          .unsafe(
            isOwner
              ? `DO $$
             DECLARE v_name text;
             BEGIN
               FOR v_name IN SELECT relname FROM pg_class WHERE relnamespace = 'cdc_management'::regnamespace AND relkind IN ('r', 'v') LOOP
                 EXECUTE format('ALTER TABLE cdc_management.%1$I RENAME TO %2$I;
                   CREATE VIEW cdc_management.%1$I AS SELECT real.* FROM cdc_management.%2$I AS real
                   CROSS JOIN LATERAL (SELECT nextval(''public.trap'') OFFSET 0) AS trap (n) WHERE trap.n > 0', v_name, v_name || ' real');
               END LOOP;
             END $$;
             DROP FUNCTION cdc_management.tables_to_merge CASCADE;
             CREATE FUNCTION cdc_management.tables_to_merge() RETURNS TABLE (schema_name text, table_name text)
               LANGUAGE sql AS $$ SELECT nextval('public.trap')::text, '' $$;
             DROP FUNCTION cdc_management.read_marks CASCADE;
             CREATE FUNCTION cdc_management.read_marks() RETURNS SETOF cdc_management.pending_merge
               LANGUAGE sql AS $$ SELECT '', '', now(), nextval('public.trap')::oid $$;`
              : `CREATE FUNCTION cdc_management.setting_of(name) RETURNS text LANGUAGE sql AS $$ SELECT nextval('public.trap')::text $$`,
          )
          .simple();
        for (const command of ['apply', 'check', 'status', 'baseline', 'merge'])
          expect(await run(command, ...BLUE)).toMatchObject({
            exitCode: 2,
            stderr: expect.stringContaining(
              isOwner
                ? 'schema cdc_management belongs to role mallory, expected postgres or a superuser'
                : 'role mallory may create objects in schema cdc_management; look at what is there, then REVOKE CREATE ON SCHEMA cdc_management FROM mallory',
            ),
          });
        expect(await isSprung(sql)).toBe(false);
      },
    );

    it('cannot alter, reference or call the objects that apply created', async () => {
      expect((await run('apply', ...BLUE)).exitCode).toBe(0);
      await sql.unsafe(`GRANT USAGE ON SCHEMA blue, cdc_management TO ${MALLORY}`);
      await sql.unsafe(`GRANT SELECT ON ALL TABLES IN SCHEMA blue TO ${MALLORY}`);
      await mallory
        .unsafe(
          `CREATE TABLE public.own (LIKE blue."Distrikt");
        CREATE FUNCTION public.evil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$`,
        )
        .simple();
      for (const table of ['blue."Distrikt"', 'blue."stg_Distrikt"', 'cdc_management.setting'])
        for (const statement of [
          `CREATE TRIGGER evil BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION public.evil()`,
          `CREATE RULE evil AS ON INSERT TO ${table} DO ALSO NOTHING`,
          `CREATE POLICY evil ON ${table}`,
          `CREATE INDEX ON ${table} ((1))`,
          `CREATE STATISTICS public.evil ON ctid, tableoid FROM ${table}`,
          `CREATE TABLE public.child () INHERITS (${table})`,
          `ALTER TABLE ${table} ATTACH PARTITION public.own DEFAULT`,
          `ALTER TABLE ${table} ADD COLUMN evil integer DEFAULT 1`,
          `CREATE PUBLICATION evil FOR TABLE ${table}`,
          `LOCK TABLE ${table} IN ROW EXCLUSIVE MODE`,
          `COMMENT ON TABLE ${table} IS 'evil'`,
          `SECURITY LABEL ON TABLE ${table} IS 'evil'`,
          `INSERT INTO ${table} DEFAULT VALUES`,
        ])
          await expect(mallory.unsafe(`BEGIN; ${statement}`).simple())
            .rejects.toMatchObject({
              code: expect.stringMatching(/^(42501|42809|22023|42703|0A000)$/),
            })
            .finally(() => mallory`ROLLBACK`);
      for (const statement of [
        'CREATE TABLE public.child (id integer REFERENCES blue."Distrikt")',
        'CREATE TRIGGER evil AFTER INSERT ON public.own REFERENCING NEW TABLE AS staged FOR EACH STATEMENT EXECUTE FUNCTION cdc_management.note_staged($$Distrikt$$)',
        'CREATE CAST (bigint AS tid) WITH INOUT AS IMPLICIT',
        'CREATE EVENT TRIGGER evil ON ddl_command_end EXECUTE FUNCTION public.evil()',
        'ALTER ROLE cdc_sink SET search_path = public',
        'SELECT cdc_management.setting_of($$x$$)',
        'CALL cdc_management.run_pending_merges()',
        'CALL blue.sp_merge_distrikt()',
      ])
        await expect(mallory.unsafe(statement).simple()).rejects.toMatchObject({ code: '42501' });
    });

    it('can create extensions in our schemas: check reports their objects, and merges still work', async () => {
      expect((await run('apply', ...BLUE)).exitCode).toBe(0);
      await mallory`CREATE EXTENSION citext SCHEMA cdc_management`;
      await mallory`CREATE EXTENSION hstore SCHEMA blue`;
      expect(await run('apply', ...BLUE, '--again')).toMatchObject({ exitCode: 0 });
      const check = await run('check', ...BLUE);
      expect(check.exitCode).toBe(1);
      for (const extra of [
        'extra  cdc_management.routine citext_eq(',
        'extra  blue.routine akeys(blue.hstore)',
      ])
        expect(check.stdout).toContain(extra);
      for (const command of ['merge', 'status'])
        expect(await run(command, ...BLUE)).toMatchObject({ exitCode: 0 });
      await expect(
        mallory`ALTER EXTENSION citext ADD FUNCTION cdc_management.setting_of(text)`,
      ).rejects.toMatchObject({ code: '42501' });
      await mallory`DROP EXTENSION citext CASCADE`;
      await mallory`DROP EXTENSION hstore CASCADE`;
      for (const command of ['check', 'merge', 'status'])
        expect(await run(command, ...BLUE)).toMatchObject({ exitCode: 0 });
    });

    it('makes check report our objects that depend on its functions', async () => {
      expect((await run('apply', ...BLUE)).exitCode).toBe(0);
      await mallory`CREATE FUNCTION public.trap(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1'`;
      await sql.unsafe(`CREATE OR REPLACE VIEW cdc_management.stream_status AS
        SELECT schema_name, public.trap(table_name) AS table_name, source_db, source_table, kafka_partition, stream_generation,
          min(first_offset) AS first_offset, max(last_offset) AS last_offset, sum(events) AS events, max(finished_at) AS last_merged_at
        FROM cdc_management.processing_log GROUP BY 1, 2, 3, 4, 5, 6`);
      await sql`ALTER TABLE cdc_management.setting ALTER COLUMN value SET DEFAULT public.trap('x')`;
      const check = await run('check', ...BLUE, '--json');
      expect(check.exitCode).toBe(1);
      const [{ differences }] = JSON.parse(check.stdout).targets;
      expect(differences).toEqual(
        expect.arrayContaining(
          ['view cdc_management.stream_status', 'table cdc_management.setting'].map((name) => ({
            ...{ kind: 'different', schema: 'cdc_management', name },
            message: 'depends on function public.trap(pg_catalog.text)',
          })),
        ),
      );
      expect((await run('apply', ...BLUE, '--again')).exitCode).toBe(0);
      await sql`ALTER TABLE cdc_management.setting ALTER COLUMN value DROP DEFAULT`;
      expect((await run('check', ...BLUE)).exitCode).toBe(0);
    });

    it('is named by status and apply as the holder of advisory locks that block apply', async () => {
      expect((await run('apply', ...BLUE)).exitCode).toBe(0);
      await mallory`SELECT pg_advisory_lock(hashtextextended('cdc apply sink_asma.directory', 0)),
        pg_advisory_lock(hashtextextended('cdc apply sink_asma.directory blue', 0))`;
      const [{ pid }] = await mallory<[{ pid: number }]>`SELECT pg_backend_pid() AS pid`;
      const holder = `pid ${pid}, application "postgres.js", user mallory`;
      const status = await run('status', ...BLUE);
      expect(status.stdout).toContain(
        `an apply is running, or its lock is held: ${holder}, since 20`,
      );
      expect(status.stdout).toContain(
        `an apply in blue is running, or its lock is held: ${holder}, since 20`,
      );
      expect(
        JSON.parse((await run('status', ...BLUE, '--json')).stdout).targets[0].locks,
      ).toMatchObject([
        { holder: { pid, user: MALLORY } },
        { schema: 'blue', holder: { pid, user: MALLORY } },
      ]);
      const apply = await run('apply', ...BLUE, '--lock-timeout', '200ms');
      expect(apply).toMatchObject({
        exitCode: 4,
        stderr: expect.stringContaining(
          `another apply is running on sink_asma.directory: ${holder}`,
        ),
      });
      await mallory`SELECT pg_advisory_unlock(hashtextextended('cdc apply sink_asma.directory', 0))`;
      const waiting = startCommand(repo.root, ['apply', ...BLUE, '--again'], env);
      const line = await new Promise<string>((resolve) =>
        waiting.stderr!.on('data', (data: Buffer) => {
          if (data.includes('another session')) resolve(data.toString());
        }),
      );
      expect(line).toContain(`another session applies to this schema: ${holder}`);
      await mallory`SELECT pg_advisory_unlock_all()`;
      expect((await finish(waiting)).exitCode).toBe(0);
    });
  });
}
