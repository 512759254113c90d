import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { edit, emptyFolder, read, write } from '../repo.fixture.ts';
import { finish, runCommand, startCommand } from '../target/cli.fixture.ts';
import { small, type SmallTarget } from '../target/small-target.fixture.ts';
import { generateRollout, openRollout, type Rollout } from './rollout.fixture.ts';

const WAVES = [
  '{ name: first, customers: [c001], stop_after: 9 }',
  '{ name: rest, jobs: 1, stop_after: 9 }',
];
/** Number of files of a customer. */
const FILES = 6;
const ALL = { c001: FILES, c002: FILES, c003: FILES, c004: FILES, c005: FILES };

let server: PostgresServer;
let target: SmallTarget;

beforeAll(async () => {
  server = await startPostgres({ major: 15 });
  target = await generateRollout(server, Object.keys(ALL).length, WAVES);
}, 120_000);

afterAll(() => server?.stop());

interface Entry {
  readonly path: string;
  readonly state: string;
  readonly class: string;
  readonly lock: string;
  readonly changes: readonly string[];
  readonly rows?: number;
  readonly bytes?: number;
}

interface PlanDocument {
  readonly format: number;
  readonly targets: readonly [
    {
      readonly database: readonly Entry[];
      readonly schemas: readonly {
        readonly schema: string;
        readonly wave: string;
        readonly files: readonly Entry[];
      }[];
    },
  ];
}

interface Planned extends Rollout {
  readonly folder: string;
  /** Path of the plan file. */
  readonly plan: string;
  writePlan(...args: readonly string[]): ReturnType<Rollout['run']>;
  carryOut(...args: readonly string[]): ReturnType<Rollout['run']>;
}

async function open(): Promise<Planned> {
  const rollout = await openRollout(server, target);
  const folder = emptyFolder();
  const plan = join(folder, 'plan.json');
  return {
    ...{ ...rollout, folder, plan },
    writePlan: (...args) => rollout.run('apply', '--plan-out', plan, ...args),
    carryOut: (...args) => rollout.run('apply', '--plan', plan, ...args),
  };
}

const planOf = ({ folder }: Planned) => JSON.parse(read(folder, 'plan.json')) as PlanDocument;

/** Returns the number of applied files by schema. */
async function applied({ query }: Rollout): Promise<Readonly<Record<string, number>>> {
  const rows =
    await query(`SELECT schema_name, count(*) FILTER (WHERE outcome = 'applied')::int AS n
    FROM cdc_management.migration_history WHERE schema_name <> '' GROUP BY 1 ORDER BY 1`);
  return Object.fromEntries(rows.map((row) => [String(row['schema_name']), Number(row['n'])]));
}

const generate = async ({ root }: Rollout) =>
  expect(await runCommand(root, ['generate'])).toMatchObject({ exitCode: 0 });

it('writes the pending files to a plan, changes nothing, and then applies exactly this plan', async () => {
  const rollout = await open();
  const out = await rollout.writePlan();
  expect(out).toMatchObject({ exitCode: 0, stderr: '' });
  expect(out.stdout).toMatch(/^sink_asma.directory in nonprod: 32 files to apply to 5 schemas\n/);
  expect(out.stdout).toMatch(/^rest +4 +tables\/Actor.sql +free +none +new table$/m);
  expect(await rollout.query(`SELECT to_regnamespace('c001') AS schema`)).toEqual([
    { schema: null },
  ]);
  const { format, targets } = planOf(rollout);
  expect(format).toBe(1);
  expect(targets[0].database.map(({ path }) => path)).toEqual([
    'schemas/create-schemas.sql',
    'infrastructure/cdc-management.sql',
  ]);
  expect(targets[0].schemas.map(({ schema, wave }) => `${schema} ${wave}`)).toEqual([
    'c001 first',
    'c002 rest',
    'c003 rest',
    'c004 rest',
    'c005 rest',
  ]);
  expect(await rollout.carryOut('--wave', 'first')).toMatchObject({
    exitCode: 0,
    stderr: expect.not.stringContaining('failed'),
  });
  expect(await applied(rollout)).toEqual({ c001: FILES });
  expect(await rollout.carryOut('--schema', 'c003')).toMatchObject({ exitCode: 0 });
  expect(await applied(rollout)).toEqual({ c001: FILES, c003: FILES });
  expect(await rollout.carryOut()).toMatchObject({ exitCode: 0 });
  expect(await applied(rollout)).toEqual(ALL);
  expect((await rollout.run('check')).exitCode).toBe(0);
  const again = await rollout.carryOut();
  expect(again.exitCode).toBe(0);
  expect(again.stdout).toContain('files: 0 applied');
});

it('writes the class and lock of each change, and the size of its table, to the plan', async () => {
  const rollout = await open();
  expect((await rollout.run('apply')).exitCode).toBe(0);
  await rollout.query(`ALTER TABLE c001."Fraver" ALTER COLUMN "FraverId" TYPE smallint;
    ALTER TABLE c002."Fraver" ALTER COLUMN "FraverId" TYPE smallint;
    INSERT INTO c002."Fraver" ("FraverId", "__source") SELECT n, repeat('x', 100) FROM generate_series(1, 2000) AS n;
    ANALYZE c002."Fraver";
    ALTER TABLE c003."Fraver" ALTER COLUMN "FraverId" TYPE text;
    ALTER TABLE c003."Region" RENAME COLUMN "__source" TO origin;
    ALTER TABLE c004."Region" DROP COLUMN "__source";
    ALTER TABLE c004."Fraver" DROP CONSTRAINT "pk_Fraver";
    ALTER TABLE c005."Fraver" ALTER COLUMN "FraverId" TYPE smallint;
    CREATE VIEW c005.used AS SELECT "FraverId" FROM c005."Fraver"`);
  // Another session uses a table. The plan does not wait for it.
  const other = server.connect({ database: rollout.database, max: 1 });
  await other.unsafe('BEGIN; LOCK TABLE c002."Fraver" IN ACCESS EXCLUSIVE MODE').simple();
  const out = await rollout.writePlan('--again');
  await other.end();
  expect(out.exitCode).toBe(5);
  const find = (schema: string, path: string) =>
    planOf(rollout)
      .targets[0].schemas.find((one) => one.schema === schema)!
      .files.find((file) => file.path === path)!;
  expect(find('c001', 'tables/Fraver.sql')).toMatchObject({
    state: 'applied',
    class: 'rewrite',
    lock: 'ACCESS EXCLUSIVE during the rewrite',
    changes: ['column "FraverId": smallint to integer (rewrite)'],
  });
  const sized = find('c002', 'tables/Fraver.sql');
  expect(sized).toMatchObject({ class: 'rewrite', rows: 2000 });
  expect(sized.bytes).toBeGreaterThan(200_000);
  expect(find('c003', 'tables/Fraver.sql')).toMatchObject({
    class: 'unsafe',
    lock: 'none, because it is refused',
    changes: ['column "FraverId": text to integer (unsafe)'],
  });
  expect(find('c003', 'tables/Region.sql')).toMatchObject({
    class: 'unsafe',
    changes: [
      'column "origin" looks like "__source", renamed by hand (unsafe)',
      'new column "__source": text (free)',
    ],
  });
  expect(find('c004', 'tables/Region.sql')).toMatchObject({
    class: 'free',
    lock: 'ACCESS EXCLUSIVE for a moment',
    changes: ['new column "__source": text (free)'],
  });
  expect(find('c004', 'tables/Fraver.sql')).toMatchObject({
    class: 'rewrite',
    changes: ['its primary key is added again (rewrite)'],
  });
  expect(find('c005', 'tables/Fraver.sql')).toMatchObject({
    class: 'unsafe',
    changes: [
      'column "FraverId": smallint to integer (rewrite)',
      '"FraverId" is used by view c005.used (owner postgres)',
    ],
  });
  expect(find('c005', 'tables/Region.sql')).toMatchObject({ class: 'free', lock: 'none' });
  // The small limit refuses the larger of the two tables.
  await rollout.query(
    `UPDATE cdc_management.setting SET value = '100000' WHERE name = 'rewrite_limit_bytes'`,
  );
  await rollout.writePlan('--again');
  expect(find('c001', 'tables/Fraver.sql').class).toBe('rewrite');
  expect(find('c002', 'tables/Fraver.sql').class).toBe('unsafe');
  expect((await rollout.writePlan('--again', '--allow-rewrite')).exitCode).toBe(5);
  expect(find('c002', 'tables/Fraver.sql').class).toBe('rewrite');
  // The run makes exactly the changes of the plan.
  const run = await rollout.carryOut();
  expect(run.exitCode).toBe(5);
  expect(
    await rollout.query(`SELECT nspname || ' ' || format_type(atttypid, atttypmod) AS type
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relname = 'Fraver' AND attname = 'FraverId' ORDER BY 1`),
  ).toEqual(
    ['c001 integer', 'c002 integer', 'c003 text', 'c004 integer', 'c005 smallint'].map((type) => ({
      type,
    })),
  );
});

it('classifies a change as hand-written, not unsafe, if a manual file of the plan may make it', async () => {
  const rollout = await open();
  expect((await rollout.run('apply')).exitCode).toBe(0);
  await rollout.query(`ALTER TABLE c001."Fraver" ALTER COLUMN "FraverId" TYPE text;
    ALTER TABLE c001."Region" ALTER COLUMN "__source_ts_ms" TYPE text`);
  write(
    rollout.root,
    'migrations/manual/0001-fraver.sql',
    `ALTER TABLE "{{SCHEMA}}"."Fraver" ALTER COLUMN "FraverId" TYPE integer USING "FraverId"::integer;\n`,
  );
  await generate(rollout);
  const files = () => planOf(rollout).targets[0].schemas[0]!.files;
  const ofTable = (name: string) => files().find(({ path }) => path === `tables/${name}.sql`);
  expect((await rollout.writePlan('--again', '--schema', 'c001')).exitCode).toBe(5);
  expect(ofTable('Region')).toMatchObject({ class: 'unsafe' });
  expect(ofTable('Fraver')).toMatchObject({
    class: 'hand-written',
    lock: 'not known',
    changes: [
      'column "FraverId": text to integer (unsafe)',
      'refused unless manual/0001-fraver.sql makes it possible, which runs before',
    ],
  });
  await rollout.query(
    'ALTER TABLE c001."Region" ALTER COLUMN "__source_ts_ms" TYPE bigint USING 1',
  );
  expect((await rollout.writePlan('--again', '--schema', 'c001')).exitCode).toBe(0);
  expect((await rollout.carryOut('--schema', 'c001')).exitCode).toBe(0);
});

it('skips a schema whose structure has changed since the plan, and reports the change', async () => {
  const rollout = await open();
  expect((await rollout.run('apply')).exitCode).toBe(0);
  edit(rollout.root, 'services/adopus.yaml', '        ignore_columns: [Døv]\n', '');
  await generate(rollout);
  expect((await rollout.writePlan()).exitCode).toBe(0);
  // Changes a table of the plan, another table, an applied table, and adds a customer.
  await rollout.query(`ALTER TABLE c001."Actor" ADD COLUMN extra integer;
    CREATE TABLE c002.other (n integer)`);
  expect((await rollout.run('apply', '--schema', 'c003')).exitCode).toBe(0);
  edit(
    rollout.root,
    'source-groups.yaml',
    '    c005:',
    '    c006: { schemas: [dbo], nonprod: { server: default, database: c006 } }\n    c005:',
  );
  await generate(rollout);
  const before =
    await rollout.query(`SELECT xmin::text, schema_name, file FROM cdc_management.migration_history
    WHERE schema_name IN ('c001', 'c002', 'c003') ORDER BY 2, 3`);
  const run = await rollout.carryOut();
  expect(run.exitCode).toBe(1);
  const lines = run.stdout.split('\n');
  expect(lines).toContain('c001 skipped: Actor: its structure has changed since the plan');
  expect(lines).toContain(
    'c002 skipped: the structure of other tables or views has changed since the plan',
  );
  expect(lines).toContain('c006 skipped: is not in the plan');
  expect(lines).toContain('the plan is stale: write it again with apply --plan-out');
  expect(run.stdout).not.toContain('c003');
  expect(
    await rollout.query(`SELECT xmin::text, schema_name, file FROM cdc_management.migration_history
    WHERE schema_name IN ('c001', 'c002', 'c003') ORDER BY 2, 3`),
  ).toEqual(before);
  const columns =
    await rollout.query(`SELECT nspname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE relname = 'Actor' AND attname = 'Døv' ORDER BY 1`);
  expect(columns.map(({ nspname }) => nspname)).toEqual(['c003', 'c004', 'c005']);
  expect(await rollout.query(`SELECT to_regnamespace('c006') AS schema`)).toEqual([
    { schema: null },
  ]);
  const json = JSON.parse((await rollout.carryOut('--json')).stdout);
  expect(json.targets[0].waves[0].stale).toEqual([
    { schema: 'c001', reasons: ['Actor: its structure has changed since the plan'] },
  ]);
  await rollout.writePlan();
  expect(await rollout.carryOut()).toMatchObject({ exitCode: 0 });
  expect((await rollout.run('status')).exitCode).toBe(0);
});

it('skips schemas with changed files, and all schemas if a database file is not in the plan', async () => {
  const rollout = await open();
  expect((await rollout.run('apply', '--wave', 'first')).exitCode).toBe(0);
  await rollout.writePlan();
  edit(rollout.root, 'services/adopus.yaml', '        ignore_columns: [Døv]\n', '');
  await generate(rollout);
  const run = await rollout.carryOut();
  expect(run.exitCode).toBe(1);
  expect(run.stdout).toContain('c001 skipped: is not in the plan');
  expect(run.stdout).toContain(
    'c002 skipped: tables/Actor.sql: the file has changed since the plan',
  );
  expect(await applied(rollout)).toEqual({ c001: FILES });
  write(rollout.root, 'migrations/manual/0001-all.sql', 'SELECT 1;\n');
  await generate(rollout);
  const none = await rollout.carryOut();
  expect(none.exitCode).toBe(1);
  expect(none.stdout).toContain(
    'nothing was done: manual/0001-all.sql: is pending and not in the plan',
  );
});

it('continues with the same plan after apply was killed', async () => {
  const rollout = await open();
  await rollout.writePlan();
  const child = startCommand(rollout.root, small('apply', '--plan', rollout.plan), rollout.env);
  const end = finish(child);
  for (let count = 0; count < FILES + 3 && child.exitCode === null; await sleep(5)) {
    const counts = await applied(rollout).catch(() => ({}));
    count = Object.values(counts).reduce((sum, n) => sum + n, 0);
  }
  child.kill('SIGKILL');
  await end;
  const counts = Object.values(await applied(rollout).catch(() => ({})));
  expect(counts.reduce((sum, n) => sum + n, 0)).toBeLessThan(5 * FILES);
  const next = await rollout.carryOut('--lock-timeout', '30s');
  expect(next).toMatchObject({ exitCode: 0, stdout: expect.not.stringContaining('skipped') });
  expect(await applied(rollout)).toEqual(ALL);
});

it('refuses a plan that is damaged or for another environment, sink or wave', async () => {
  const rollout = await open();
  await rollout.writePlan();
  const text = read(rollout.folder, 'plan.json');
  const refused = async (damaged: string) => {
    write(rollout.folder, 'plan.json', damaged);
    const { exitCode, stderr } = await rollout.carryOut();
    expect(stderr).toContain(rollout.plan);
    return { exitCode, stderr };
  };
  const WAY_OUT = 'write the plan again with cdc manage-migrations apply --plan-out';
  for (const [damaged, message] of [
    [text.slice(0, text.length / 2), 'invalid JSON'],
    [text.replace('"format": 1', '"format": 2'), 'found 2, written by a newer version'],
    [text.replace('  "format": 1,\n', ''), 'expected a plan of format 1, found none'],
    [text.replace('"schema": "c001"', '"scheme": "c001"'), 'unknown key "scheme"'],
    [text.replace(/sha256:[0-9a-f]/, 'sha256:x'), 'expected sha256: and 64 hexadecimal digits'],
    ['[]', 'expected a plan, found a list'],
    ['', 'invalid JSON'],
  ] as const) {
    const { exitCode, stderr } = await refused(damaged);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(message) });
    if (!message.includes('newer')) expect(stderr).toContain(WAY_OUT);
  }
  expect((await refused(text.replace('"env": "nonprod"', '"env": "prod"'))).stderr).toContain(
    'expected a plan for --env nonprod, found one for prod',
  );
  const ofOther = text.replace('"set": "sink_asma.directory"', '"set": "sink_other.orders"');
  expect(await refused(ofOther)).toEqual({
    exitCode: 2,
    stderr: expect.stringContaining(
      'expected a plan for sink_asma.directory, found one for sink_other.orders',
    ),
  });
  write(rollout.folder, 'plan.json', text);
  edit(rollout.root, 'sink-groups.yaml', 'customers: [c001]', 'customers: [c001, c002]');
  expect(await rollout.carryOut()).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('c002 is in wave first, and in the plan in rest'),
  });
  expect(await rollout.run('apply', '--plan', join(rollout.folder, 'none.json'))).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('none.json: cannot be read'),
  });
  expect(await rollout.query(`SELECT to_regnamespace('c001') AS schema`)).toEqual([
    { schema: null },
  ]);
});
