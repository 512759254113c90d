import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { METRICS } from '../metrics/metric-table.ts';
import { edit, emptyFolder } from '../repo.fixture.ts';
import { type CommandRun, finish, runCommand, startCommand } from '../target/cli.fixture.ts';
import { small, stageActors } from '../target/small-target.fixture.ts';
import { customers, generateRollout, openRollout, type Rollout } from './rollout.fixture.ts';

/** `CDC_NIGHT_CUSTOMERS=260` is the number on the page. `CDC_NIGHT_WRITE=1` writes the output into the page. */
const COUNT = Number(process.env['CDC_NIGHT_CUSTOMERS'] ?? 26);
const PAGE = join(__dirname, '../../../../docs/a-night.md');
const SERVICE = 'services/adopus.yaml';
const FRAVER = `        adopus.Fraver:
          from: dbo.Fraver
          target_exists: false
`;
const ALL = customers(COUNT);
const SOUTH = ALL.slice(6, Math.min(66, Math.floor(COUNT / 2)));
const WAVES = [
  `{ name: first, customers: [c001, c002], pause: 1s }`,
  `{ name: north, customers: [c003, c004, c005, c006] }`,
  `{ name: south, customers: [${SOUTH.join(', ')}], stop_after: 3 }`,
  `{ name: rest, jobs: 8, stop_after: 10 }`,
];

let server: PostgresServer;
let rollout: Rollout;
let plan: string;

beforeAll(async () => {
  server = await startPostgres({ major: 15, settings: { max_connections: '200' } });
  const target = await generateRollout(server, COUNT, WAVES);
  rollout = await openRollout(server, target);
  plan = join(emptyFolder(), 'plan.json');
  const generate = async () =>
    expect(await runCommand(rollout.root, ['generate'])).toMatchObject({ exitCode: 0 });
  // The state before the rollout: one table and one column fewer.
  edit(rollout.root, SERVICE, FRAVER, '');
  await generate();
  expect(await rollout.run('apply')).toMatchObject({ exitCode: 0 });
  const rows = ALL.map(
    (schema) => `INSERT INTO ${schema}."Actor" (actno, _customer_id)
      SELECT n, '0a827150-1332-5167-993b-68db156438cb' FROM generate_series(1001, 2000) AS n;
      ANALYZE ${schema}."Actor", ${schema}."stg_Actor"`,
  );
  await rollout.query(rows.join(';\n'));
  // Causes of later failures exist already: a leftover type and a trigger of the reports.
  await rollout.query(`CREATE TYPE c004."Fraver" AS (n integer);
    CREATE SCHEMA reports; CREATE TABLE reports.audit (n integer);
    CREATE FUNCTION reports.note() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN INSERT INTO reports.audit VALUES (1); RETURN NULL; END';
    CREATE TRIGGER note AFTER INSERT ON c010."Actor" FOR EACH ROW EXECUTE FUNCTION reports.note()`);
  edit(rollout.root, SERVICE, '        adopus.Region:\n', `${FRAVER}        adopus.Region:\n`);
  edit(rollout.root, SERVICE, '        ignore_columns: [Døv]\n', '');
  await generate();
}, 600_000);

afterAll(() => server?.stop());

/** Blocks of the page by name, as printed in this run. */
const blocks = new Map<string, string>();

/** Keeps the output of a command: all lines, or those that match the pattern. */
function show(name: string, command: string, run: CommandRun, pattern: RegExp): void {
  const both = command.startsWith('apply');
  const lines = `${both ? run.stderr : ''}${run.stdout}`
    .trimEnd()
    .split('\n')
    .filter((line) => pattern.test(line))
    .map((line) =>
      line
        .replace(/^\[\d+\/\d+ \d+%\]/, '[…]')
        .replace(/\b\d+\.\d s\b/, '0.1 s')
        .replace(/ since \S+Z/, ' since 2026-01-31T01:10:00Z')
        .replace(/ for \d+ s, last query at \S+Z/, ' for 3 s, last query at 2026-01-31T01:10:00Z')
        .replace(/pid \d+/, 'pid 4711'),
    );
  const once = lines.filter((line, at) => line !== lines[at - 1]);
  const filter =
    pattern === EVERYTHING ? '' : `${both ? ' 2>&1' : ''} | grep -E '${pattern.source}'`;
  const text = [`$ npx --no-install cdc manage-migrations ${command}${filter}`, ...once].join('\n');
  const before = blocks.get(name);
  blocks.set(name, before === undefined ? text : `${before}\n\n${text}`);
}

const EVERYTHING = /^/;
/** Lines of `apply` for the page: waves, totals and problems. */
const OF_APPLY = /^wave |^sink_|^stopped|waits|failed|skipped/;
/** Lines of `status` for the page: title, waves, errors and running applies. */
const OF_STATUS = /^sink_|^wave|^(first|north|south|rest) |SQLSTATE|is running/;
/** Lines of `metrics` for the page: files by state and problems. */
const OF_METRICS = /^cdc_(files|merge_failing).* [1-9]/;

/** Runs a command of the page. */
async function step(
  name: string,
  words: string,
  exitCode: number,
  pattern: RegExp,
): Promise<CommandRun> {
  const [command, ...args] = words.split(' ');
  const run = await rollout.run(
    command!,
    ...args.map((word) => (word === 'plan.json' ? plan : word)),
  );
  expect({ words, run }).toMatchObject({ words, run: { exitCode } });
  show(name, `${command} --env nonprod${args.map((word) => ` ${word}`).join('')}`, run, pattern);
  return run;
}

it(`prints the output of docs/a-night.md in a rollout to ${COUNT} customers`, async () => {
  await step('plan', 'apply --plan-out plan.json', 0, EVERYTHING);
  await step('first', 'apply --plan plan.json --wave first', 0, OF_APPLY);
  await step('first', 'status', 1, OF_STATUS);
  await step('first', 'metrics', 0, OF_METRICS);

  await north();
  await step('stopped', 'status', 1, OF_STATUS);
  await step('stopped', 'metrics', 0, OF_METRICS);

  // The customer that failed half-way still receives events.
  await rollout.query(stageActors('c004', [1, 10]));
  expect(await rollout.run('merge')).toMatchObject({ exitCode: 0 });
  expect(await rollout.query(`SELECT count(*)::int AS n FROM c004."Actor"`)).toEqual([{ n: 1010 }]);

  await rollout.query('DROP TYPE c004."Fraver"');
  await step('resumed', 'apply --plan plan.json', 0, OF_APPLY);
  await step('resumed', 'status', 0, OF_STATUS);

  // Events arrive and the table that the trigger writes to is missing.
  await rollout.query('DROP TABLE reports.audit');
  for (const schema of ['c001', 'c010']) await rollout.query(stageActors(schema, [1, 50]));
  await step('merge', 'merge', 3, EVERYTHING);
  await step('merge', 'status', 1, OF_STATUS);
  await step('merge', 'metrics', 0, OF_METRICS);
  await rollout.query('CREATE TABLE reports.audit (n integer)');
  await step('done', 'merge', 0, EVERYTHING);
  await step('done', 'status', 0, OF_STATUS);
  await step('done', 'metrics', 0, OF_METRICS);
  comparePage();
}, 1_200_000);

/** Applies the wave with the broken customer while a report reads a table and blocks it. */
async function north(): Promise<void> {
  const report = server.connect({ database: rollout.database, max: 1 });
  await report.unsafe(`SET application_name = 'sales report'`);
  await report.unsafe('BEGIN; SELECT count(*) FROM c005."Actor"').simple();
  const child = startCommand(rollout.root, small('apply', '--plan', plan), rollout.env);
  const end = finish(child);
  await new Promise<void>((resolve) => {
    child.stderr!.on('data', (data: Buffer) => {
      if (data.toString().includes('c005 tables/Actor.sql waits')) resolve();
    });
    child.once('close', () => resolve());
  });
  await step('waits', 'status', 1, OF_STATUS);
  await report.end();
  const run = await end;
  expect(run.exitCode).toBe(3);
  show('north', 'apply --env nonprod --plan plan.json', run, OF_APPLY);
}

/** Removes numbers with units and column widths, which depend on the number of customers. */
function withoutNumbers(text: string): string {
  return text
    .replace(/(?<![\w.])\d[\d.,]*/g, '#')
    .replace(/# [kMGT]B/g, '# B')
    .replace(/ +/g, ' ')
    .trim();
}

function comparePage(): void {
  const page = readFileSync(PAGE, 'utf8');
  const written = page.replace(
    /(<!-- night: (\w+) -->\n\n```console\n)[^]*?(\n```)/g,
    (_, begin: string, name: string, end: string) => `${begin}${blocks.get(name)}${end}`,
  );
  if (process.env['CDC_NIGHT_WRITE']) writeFileSync(PAGE, written);
  else expect(withoutNumbers(written)).toBe(withoutNumbers(page));
  expect([...page.matchAll(/<!-- night: (\w+) -->/g)].map(([, name]) => name)).toEqual([
    ...blocks.keys(),
  ]);
  const alerts = METRICS.flatMap(({ alert }) => alert?.name ?? []);
  const names = METRICS.map(({ name }) => name);
  for (const [name] of page.matchAll(/\bCdc[A-Z]\w+/g)) expect(alerts).toContain(name);
  for (const [, name] of page.matchAll(/`(cdc_\w+)`/g)) expect(names).toContain(name);
}
