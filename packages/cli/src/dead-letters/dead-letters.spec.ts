import { join } from 'node:path';
import type { PostgresServer } from '@cdc-migrations/postgres-fixture';
import type { Sql } from 'postgres';
import { BLUE, runCommand, startBlue } from '../target/cli.fixture.ts';

const ASMA = join(__dirname, '../../../../fixtures/asma');
const LABEL = 'sink_asma.directory in prod';
const NO_POSITION = 'no stream position: partition and offset are needed';
const AT = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`;

let repo: Awaited<ReturnType<typeof startBlue>>;
let server: PostgresServer;
let env: NodeJS.ProcessEnv;
let sql: Sql;

beforeAll(async () => {
  repo = await startBlue();
  ({ server, env } = repo);
  sql = server.connect({ database: 'directory', max: 1, fetch_types: false });
}, 120_000);

afterAll(async () => {
  await sql?.end();
  await repo?.stop();
});

beforeEach(async () => {
  await sql`TRUNCATE cdc_management.dead_letter, cdc_management.refused_event RESTART IDENTITY`.simple();
  await stage(0, 'x'.repeat(200));
  await stage(1, 'x'.repeat(300));
  await stage(null, 'no offset');
  await runCommand(repo.root, ['merge', ...BLUE], env);
  await sql`INSERT INTO cdc_management.refused_event (schema_name, table_name, topic, kafka_partition, kafka_offset, value, error)
    VALUES ('blue', 'Distrikt', 'adopus.Distrikt', 0, 9, '\\x7b7d', 'invalid byte sequence'), (NULL, NULL, NULL, NULL, NULL, NULL, NULL)`;
});

const stage = (offset: number | null, name: string) =>
  sql`INSERT INTO blue."stg_Distrikt" ("DistriktID", "Navn", "_customer_id", "__source_db", "__source_table",
      "__cdc_operation", "__kafka_partition", "__kafka_offset")
    VALUES (${offset ?? 7}, ${name}, '0a827150-1332-5167-993b-68db156438cb', 'AdOpus', 'Distrikt', 'c', 0, ${offset})`;

const deadLetters = (...args: readonly string[]) =>
  runCommand(repo.root, ['dead-letters', args[0]!, ...BLUE, ...args.slice(1)], env);

const remaining = async () =>
  (
    await sql<{ reason: string }[]>`SELECT reason FROM cdc_management.dead_letter
      UNION ALL SELECT coalesce(error, '') FROM cdc_management.refused_event ORDER BY 1`
  ).map(({ reason }) => reason);

it('lists dead letters and refused events by table and reason', async () => {
  const { stdout, exitCode } = await deadLetters('list');
  expect(exitCode).toBe(1);
  const [label, ...lines] = stdout.trimEnd().split('\n');
  expect(label).toBe(`${LABEL}:`);
  expect(lines).toHaveLength(3);
  expect(lines).toEqual(
    expect.arrayContaining([
      expect.stringMatching(`^  blue.Distrikt: 1 dead letter \\(\\d\\), ${AT}: ${NO_POSITION}$`),
      expect.stringMatching(
        `^  blue.Distrikt: 1 refused event \\(r1\\), ${AT}: invalid byte sequence$`,
      ),
      expect.stringMatching(
        `^  blue.Distrikt: 2 dead letters \\(\\d to \\d\\), ${AT}: .*value too long`,
      ),
    ]),
  );
});

it.each([
  [['--table', 'Distrikt'], 4],
  [['--table', 'blue.Distrikt', '--reason', 'position'], 1],
  [['--table', 'Actor'], 0],
  [['--id', '2', '--id', '3'], 2],
  [['--id', 'r1'], 1],
])('lists only the events that %j selects', async (filter, count) => {
  const { stdout, exitCode } = await deadLetters('list', ...filter, '--json');
  expect(exitCode).toBe(count > 0 ? 1 : 0);
  const [{ groups }] = JSON.parse(stdout).targets;
  expect(groups.reduce((sum: number, group: { count: number }) => sum + group.count, 0)).toBe(
    count,
  );
});

it('lists refused events without a table if no schema or table is selected', async () => {
  const { stdout } = await runCommand(repo.root, ['dead-letters', 'list', '--env', 'prod'], env);
  expect(stdout).toMatch(new RegExp(`\n  \\?.\\?: 1 refused event \\(r2\\), ${AT}:`));
});

it('shows complete events, up to --limit', async () => {
  const { stdout } = await deadLetters('show', '--reason', 'position');
  expect(stdout).toMatch(
    new RegExp(
      `^${LABEL}:\n  blue.Distrikt: dead letter \\d, ${AT}, generation 0, partition 0, offset \\?\n    reason: ${NO_POSITION}\n    event: \\{.*"Navn":"no offset".*\\}\n$`,
    ),
  );
  const refused = await deadLetters('show', '--reason', 'byte sequence', '--json');
  expect(JSON.parse(refused.stdout).targets[0].letters).toEqual([
    expect.objectContaining({
      kind: 'refused event',
      position: { generation: null, partition: 0, offset: '9' },
      event: { topic: 'adopus.Distrikt', key: null, value: '7b7d' },
    }),
  ]);
  const { stdout: limited } = await deadLetters('show', '--limit', '1', '--json');
  expect(JSON.parse(limited).targets[0].letters).toHaveLength(1);
});

it('replays dead letters, and reports why some failed again', async () => {
  await sql`ALTER TABLE blue."Distrikt" ALTER COLUMN "Navn" TYPE varchar(250)`.simple();
  const { stdout, exitCode } = await deadLetters('replay', '--table', 'Distrikt');
  expect(exitCode).toBe(1);
  expect(stdout).toContain(
    'blue.Distrikt: 3 dead letters replayed: 1 merged, 0 deleted, 0 stale, 2 failed again\n',
  );
  expect(stdout).toMatch(
    /\n {2}1 × column "?Navn"?: value too long for type character varying\(250\)/,
  );
  expect(stdout).toContain(`\n  1 × ${NO_POSITION}\n`);
  await sql`ALTER TABLE blue."Distrikt" ALTER COLUMN "Navn" TYPE varchar(50) USING left("Navn", 50)`.simple();
});

it('replays refused events first, because dead letters may need their values', async () => {
  const { stdout } = await deadLetters('replay');
  const at = (what: string) => stdout.indexOf(`blue.Distrikt: ${what} replayed`);
  expect(at('1 refused event')).toBeGreaterThan(-1);
  expect(at('3 dead letters')).toBeGreaterThan(at('1 refused event'));
});

it('discards only the events that a filter selects', async () => {
  const all = await remaining();
  const refused = await deadLetters('discard');
  expect([refused.exitCode, refused.stderr]).toEqual([
    2,
    'expected --table, --reason or --id: discarded events cannot be restored; to discard all events of a schema, name each table in --table\n',
  ]);
  const dry = await deadLetters('discard', '--reason', 'too long', '--dry-run');
  expect(dry.stdout).toContain('  would discard blue.Distrikt: 2 dead letters');
  expect(await remaining()).toEqual(all);
  const { stdout, exitCode } = await deadLetters('discard', '--reason', 'too long');
  expect(exitCode).toBe(0);
  expect(stdout).toContain('  discarded blue.Distrikt: 2 dead letters');
  expect(await remaining()).toEqual(all.filter((reason) => !reason.includes('too long')));
  await deadLetters('discard', '--table', 'Distrikt');
  expect(await remaining()).toEqual(['']);
});

it.each([
  [['--id', '1; DROP'], 'expected an id such as 12 or r12'],
  [['--reason', ''], 'expected text that occurs in the reason of an event'],
])('refuses %j', async (filter, message) => {
  const all = await remaining();
  const { stderr, exitCode } = await deadLetters('discard', ...filter);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining(message)]);
  expect(await remaining()).toEqual(all);
});

it('refuses --id without --sink for several databases, and reports unknown tables and ids', async () => {
  const args = ['discard', '--env', 'dev', '--id', '1'];
  const several = await runCommand(ASMA, ['dead-letters', ...args]);
  expect(several).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining(
      '--id: expected --sink too, because each database has its own ids; known: sink_portal.search, sink_warehouse.analytics',
    ),
  });
  for (const command of ['list', 'show', 'discard'])
    expect(await deadLetters(command, '--id', '4711', '--id', 'r99')).toMatchObject({
      exitCode: 2,
      stderr:
        'dead-letters: no dead letter or refused event 4711, r99 in prod; dead-letters list shows the ids\n',
    });
  expect(await deadLetters('list', '--table', 'Distrkt')).toMatchObject({
    exitCode: 2,
    stderr: 'dead-letters: no table Distrkt in prod\n',
  });
});
