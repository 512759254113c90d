import { setTimeout as sleep } from 'node:timers/promises';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApplyEvent } from './apply-event.ts';
import {
  ACTOR,
  buildMigrations,
  column,
  FRAVER,
  openTarget,
  REGION,
  SET,
  startTarget,
  TENANTS,
  writeSet,
  type SetContents,
  type Target,
} from '../target.fixture.ts';

/** Files of a tenant: a table file and a staging file for each of three tables. */
const OF_TENANT = 6;
const FOUR = ['bkai', 'blue', 'briga', 'bufar'];
const MIGRATIONS = buildMigrations();
const OF_FOUR = buildMigrations({ tenants: FOUR });

let server: Target;
let target: Target;
beforeAll(async () => {
  server = await startTarget(15);
});
afterAll(() => server?.stop());
beforeEach(async () => {
  target = await openTarget(server.server);
});

const history = () =>
  target.query(`SELECT schema_name AS schema, count(*) FILTER (WHERE outcome = 'applied')::int AS applied,
      bool_and(statements > 0 AND applied_by = 'postgres') AS good, max(xmin::text::int) AS version
    FROM cdc_management.migration_history GROUP BY 1 ORDER BY 1`);
const withEvents = async (options = {}, migrations = MIGRATIONS) => {
  const events: ApplyEvent[] = [];
  const onEvent = (event: ApplyEvent) => void events.push(event);
  return { result: await target.apply(migrations, { onEvent, ...options }), events };
};
/** Prevents the creation of the table `Fraver`. */
const blockCreation = (schema: string) =>
  target.query(`CREATE SCHEMA ${schema}; CREATE TYPE ${schema}."Fraver" AS (n integer)`);

it('applies every file to every tenant, records it, reports it, and does nothing the second time', async () => {
  const { result, events } = await withEvents();
  expect(result).toMatchObject({
    ...{ appliedBefore: 0, failures: [], waiting: [], notBegun: [], schemaCount: 2 },
    ...{ stale: [], mergeProblems: [] },
  });
  expect(result.applied).toHaveLength(2 + 2 * OF_TENANT);
  expect((await history()).map(({ schema, applied, good }) => [schema, applied, good])).toEqual([
    ['', 2, true],
    ['avansas', OF_TENANT, true],
    ['blue', OF_TENANT, true],
  ]);
  const of = (kind: ApplyEvent['kind']) => events.filter((event) => event.kind === kind);
  expect(of('planned')).toEqual([{ kind: 'planned', schemas: 2, files: 2 + 2 * OF_TENANT }]);
  expect(of('file applied')).toHaveLength(2 + 2 * OF_TENANT);
  expect(of('schema done').map((event) => [event.kind, 'done' in event && event.done])).toEqual([
    ['schema done', 1],
    ['schema done', 2],
  ]);
  const { schemas } = await target.status(MIGRATIONS);
  const states = schemas.flatMap(({ files }) => files.map(({ state }) => state));
  expect(new Set(states)).toEqual(new Set(['applied']));
  expect(await target.check(MIGRATIONS)).toEqual([]);
  const again = await withEvents();
  expect(again.result).toMatchObject({ applied: [], appliedBefore: 2 + 2 * OF_TENANT });
  expect(again.events).toEqual([{ kind: 'planned', schemas: 0, files: 0 }]);
});

it('a schema that fails does not affect the others, and a repeated apply changes only that schema', async () => {
  await blockCreation('blue');
  const failed = await target.apply(OF_FOUR, { tenants: FOUR });
  expect(failed.failures).toEqual([
    expect.objectContaining({
      ...{ kind: 'failed', schema: 'blue', path: 'tables/Fraver.sql' },
      code: expect.stringMatching(/^\w{5}$/),
      statement: {
        line: expect.any(Number),
        text: expect.stringContaining(`CALL cdc_management.converge_table('blue', 'Fraver'`),
      },
    }),
  ]);
  const before = await history();
  expect(before.map(({ schema, applied }) => [schema, applied])).toEqual([
    ['', 2],
    ['bkai', OF_TENANT],
    ['blue', 1],
    ['briga', OF_TENANT],
    ['bufar', OF_TENANT],
  ]);
  await target.query('DROP TYPE blue."Fraver"');
  expect(await target.apply(OF_FOUR, { tenants: FOUR })).toMatchObject({ failures: [] });
  const after = await history();
  for (const n of [0, 1, 3, 4]) expect(after[n]).toEqual(before[n]);
  expect(after[2]).toMatchObject({ applied: OF_TENANT });
});

it('an unsafe change stops its table and staging files, and the other files of the schema are applied', async () => {
  await target.query(`CREATE SCHEMA blue; CREATE TABLE blue."Actor" AS SELECT 'x'::text AS actno`);
  const { failures, waiting } = await target.apply(MIGRATIONS);
  expect(failures).toEqual([
    expect.objectContaining({ kind: 'unsafe', schema: 'blue', path: 'tables/Actor.sql' }),
  ]);
  expect(waiting).toEqual([]);
  expect(
    await target.query(`SELECT category, table_name, outcome FROM cdc_management.migration_history
      WHERE schema_name = 'blue' AND table_name = 'Actor'`),
  ).toEqual([{ category: 'tables', table_name: 'Actor', outcome: 'unsafe' }]);
  expect((await history())[2]).toMatchObject({ schema: 'blue', applied: OF_TENANT - 2 });
  const blue = (await target.status(MIGRATIONS)).schemas.find(({ schema }) => schema === 'blue');
  expect(blue?.files.filter(({ state }) => state !== 'applied')).toMatchObject([
    { path: 'tables/Actor.sql', state: 'unsafe' },
    { path: 'staging/Actor-staging.sql', state: 'pending' },
  ]);
});

it.each([
  [{ canary: 1 }, ['blue', 'briga', 'bufar']],
  [{ stopAfter: 1, jobs: 1 }, ['blue', 'briga', 'bufar']],
  [{ stopAfter: 2, jobs: 1 }, []],
])(
  'with %j, a schema that fails keeps these schemas from starting: %j',
  async (options, notBegun) => {
    await blockCreation('bkai');
    const result = await target.apply(OF_FOUR, { tenants: FOUR, ...options });
    expect(result.failures.map(({ schema }) => schema)).toEqual(['bkai']);
    expect(result.notBegun).toEqual(notBegun);
  },
);

it.each([
  ['schemas that match a pattern', { only: ['bl*', 'bufar'] }, ['', 'blue', 'bufar']],
  ['selected names', { among: ['briga'] }, ['', 'briga']],
  [
    'selected names that match a pattern',
    { only: ['b*'], among: ['bkai', 'nobody'] },
    ['', 'bkai'],
  ],
])('applies only to %s', async (_, selection, expected) => {
  await target.apply(OF_FOUR, { tenants: FOUR, ...selection });
  expect((await history()).map(({ schema }) => schema)).toEqual(expected);
});

it('concurrent applies wait or report the holder of the lock, and apply each file only once', async () => {
  const waits: ApplyEvent[] = [];
  const onEvent = (event: ApplyEvent) => void (event.kind === 'waiting' && waits.push(event));
  const applies = [60_000, 60_000, 0].map((lockTimeoutMs) =>
    target.apply(OF_FOUR, { tenants: FOUR, lockTimeoutMs, onEvent }),
  );
  const ends = await Promise.allSettled(applies);
  const done = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
  expect(done.length).toBeGreaterThanOrEqual(2);
  for (const end of ends) {
    if (end.status === 'fulfilled') continue;
    expect(end.reason).toMatchObject({
      ...{ name: 'LockNotObtainedError', set: SET.name },
      holder: { application: 'cdc apply', user: 'postgres', pid: expect.any(Number) },
    });
  }
  expect(waits.length).toBeGreaterThanOrEqual(1);
  const applied = done.reduce((sum, result) => sum + result.applied.length, 0);
  expect(applied).toBe(2 + 4 * OF_TENANT);
  expect(await target.query('SELECT FROM cdc_management.migration_history')).toHaveLength(applied);
});

it('apply waits for a lock in short attempts, and reports the session that holds it', async () => {
  await target.apply(MIGRATIONS);
  const wider = ACTOR.columns.map((one) => (one.name === 'Navn' ? column('Navn', 'text') : one));
  const newer = buildMigrations({ tables: [{ ...ACTOR, columns: wider }, FRAVER, REGION] });
  const reader = target.connect('report');
  await reader.unsafe('BEGIN; SELECT FROM blue."Actor"').simple();
  const events: ApplyEvent[] = [];
  const applying = target.apply(newer, { onEvent: (event) => void events.push(event) });
  const waits = () => events.filter(({ kind }) => kind === 'file waits');
  while (waits().length === 0) await sleep(20);
  // Other sessions can use the table between the attempts.
  await target.query(`UPDATE blue."Actor" SET "Navn" = ''`);
  await reader.unsafe('COMMIT').simple();
  await reader.end();
  expect(await applying).toMatchObject({ failures: [] });
  expect(waits()[0]).toEqual({
    ...{ kind: 'file waits', schema: 'blue', path: 'tables/Actor.sql' },
    reason: 'canceling statement due to lock timeout',
    blockers: [expect.objectContaining({ application: 'report', state: 'idle in transaction' })],
  });
});

it('a new tenant gets all files, and the other schemas are not changed', async () => {
  await target.apply(MIGRATIONS);
  const tenants = [...TENANTS, 'Ny-Kunde Øst'];
  const more = buildMigrations({ tenants });
  const { applied } = await target.apply(more, { tenants: ['blue', 'Ny-Kunde Øst'] });
  expect(applied.filter(({ schema }) => schema !== '')).toHaveLength(OF_TENANT);
  expect(
    await target.query(`SELECT to_regclass('"Ny-Kunde Øst"."stg_Actor"') IS NOT NULL AS there`),
  ).toEqual([{ there: true }]);
  expect(await target.check(more, { tenants })).toEqual([]);
});

it('`again` repeats generated and repeatable files, but not other hand-written files', async () => {
  const files = {
    'manual/0010-once.sql': 'CREATE TABLE "{{SCHEMA}}".once ();\n',
    'after/0010-late.sql': 'CREATE TABLE "{{SCHEMA}}".late ();\n',
    'repeatable/0010-view.sql': 'CREATE OR REPLACE VIEW "{{SCHEMA}}".seen AS SELECT 1 AS a;\n',
  };
  const migrations = buildMigrations({ files });
  await target.apply(migrations);
  const { applied, failures } = await target.apply(migrations, { again: true, only: ['blue'] });
  expect(failures).toEqual([]);
  expect(applied.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['tables/Actor.sql', 'repeatable/0010-view.sql']),
  );
  expect(applied).toHaveLength(2 + OF_TENANT + 1);
});

describe('a new role', () => {
  const withRole = (role: string) => buildMigrations({ role });
  /** Lists schemas without USAGE for the role. */
  const closedTo = async (role: string) =>
    (
      await target.query(`SELECT nspname AS schema FROM pg_namespace
        WHERE nspname IN ('cdc_management', 'avansas', 'blue')
          AND NOT has_schema_privilege('${role}', oid, 'USAGE') ORDER BY 1`)
    ).map(({ schema }) => schema);
  beforeAll(async () => {
    for (const role of ['cdc_one', 'cdc_other']) await server.server.createRole(role);
  });

  it('gets USAGE on each schema to which apply is run', async () => {
    await target.apply(withRole('cdc_one'));
    expect(await closedTo('cdc_one')).toEqual([]);
    const other = withRole('cdc_other');
    await target.apply(other, { only: ['blue'] });
    expect(await closedTo('cdc_other')).toEqual(['avansas']);
    await target.apply(other);
    expect(await closedTo('cdc_other')).toEqual([]);

    await target.query('DROP SCHEMA blue CASCADE; CREATE SCHEMA blue');
    const byHand = await target.apply(other, { only: ['blue'] });
    expect(byHand.mergeProblems).toContainEqual(
      expect.objectContaining({ table: 'Actor', problem: 'the final table is missing' }),
    );
    expect(await closedTo('cdc_other')).toEqual([]);

    await target.query('REVOKE USAGE ON SCHEMA avansas FROM cdc_other');
    expect((await target.apply(other)).applied).toMatchObject([
      { path: 'schemas/create-schemas.sql' },
    ]);
    expect(await closedTo('cdc_other')).toEqual([]);
  });
});

describe('apply refuses before any change', () => {
  const edited = () => {
    const set = writeSet();
    const file = join(set.root, 'migrations/tables/Actor.sql');
    writeFileSync(file, readFileSync(file, 'utf8').replace('CREATE TABLE', 'CREATE  TABLE'));
    return set.read();
  };
  const without = () => {
    const set = writeSet();
    rmSync(join(set.root, 'migrations/tables/Actor.sql'));
    return set.read();
  };
  const files = (text: string): SetContents => ({ files: { 'manual/0010-a.sql': text } });

  it.each([
    [
      'an edited file',
      edited,
      'FilesRefusedError',
      'tables/Actor.sql: this generated file was edited',
    ],
    ['a missing file', without, 'FilesRefusedError', 'tables/Actor.sql: is not there'],
    ['a role that does not exist', { role: 'nobody_here' }, 'RoleMissingError', '"nobody_here"'],
    [
      'a schema name that breaks out of its quotes',
      { tenants: ['a"b'] },
      'UnsafeSchemaNameError',
      'schema name "a"b"',
    ],
    [
      'two statements outside of a transaction',
      files('-- cdc: no-transaction\nDROP INDEX a;\nDROP INDEX b;\n'),
      'SeveralStatementsError',
      'manual/0010-a.sql',
    ],
    [
      'COPY FROM STDIN, which waits for data',
      files('COPY x FROM STDIN;\n'),
      'ClientCommandError',
      'COPY',
    ],
    ['a psql command', files('\\connect other\n'), 'ClientCommandError', 'a command of psql'],
  ] as const)('%s', async (_, contents, name, message) => {
    const migrations = typeof contents === 'function' ? contents() : buildMigrations(contents);
    const tenants = 'tenants' in contents ? contents.tenants! : TENANTS;
    const refused = target.apply(migrations, { tenants });
    await expect(refused).rejects.toMatchObject({ name });
    await expect(refused).rejects.toThrow(message);
    expect(await target.query(`SELECT to_regnamespace('cdc_management') AS schema`)).toEqual([
      { schema: null },
    ]);
  });

  it('a hand-written file that changed after it was applied', async () => {
    await target.apply(buildMigrations(files('CREATE TABLE public.first ();\n')));
    await expect(
      target.apply(buildMigrations(files('CREATE TABLE public.second ();\n'))),
    ).rejects.toMatchObject({ name: 'ManualFilesEditedError', paths: ['manual/0010-a.sql'] });
  });

  it.each([
    ['of a customer', 'blue', 'ForeignObjectsError'],
    ['of the bookkeeping', 'cdc_management', 'TargetError'],
  ])('a schema %s that another role owns', async (_, schema, name) => {
    await target.query(
      `CREATE ROLE ${schema}_owner; CREATE SCHEMA ${schema} AUTHORIZATION ${schema}_owner`,
    );
    const refused = target.apply(MIGRATIONS);
    await expect(refused).rejects.toMatchObject({ name });
    await expect(refused).rejects.toThrow(`${schema}_owner`);
  });

  it('a database with an encoding that cannot store every text', async () => {
    const sql = server.server.connect({ max: 1, onnotice: () => {} });
    await sql.unsafe(`DROP DATABASE "${target.database}" WITH (FORCE)`);
    await sql.unsafe(
      `CREATE DATABASE "${target.database}" TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`,
    );
    await sql.end();
    await expect(target.apply(MIGRATIONS)).rejects.toMatchObject({
      ...{ name: 'EncodingError', encoding: 'LATIN1' },
    });
  });
});
