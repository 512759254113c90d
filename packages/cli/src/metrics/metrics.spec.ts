import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresServer } from '@cdc-migrations/postgres-fixture';
import { load } from 'js-yaml';
import { BLUE, finish, runCommand, startBlue, startCommand } from '../target/cli.fixture.ts';
import { METRICS } from './metric-table.ts';

const TARGET = 'sink_asma.directory in prod';

let repo: Awaited<ReturnType<typeof startBlue>>;
let server: PostgresServer;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  repo = await startBlue();
  ({ server, env } = repo);
  const sql = server.connect({ database: 'directory', max: 1, fetch_types: false });
  const stage = (offset: number, name: string) =>
    sql`INSERT INTO blue."stg_Distrikt" ("DistriktID", "Navn", "_customer_id", "__source_db", "__source_table",
        "__cdc_operation", "__kafka_partition", "__kafka_offset", "__source_ts_ms")
      VALUES (${offset}, ${name}, '0a827150-1332-5167-993b-68db156438cb', 'AdOpus', 'Distrikt', 'c', 0, ${offset},
        extract(epoch FROM now() - interval '90 seconds')::bigint * 1000)`;
  for (const offset of [0, 1, 2]) await stage(offset, 'navn');
  await stage(3, 'x'.repeat(200));
  await runCommand(repo.root, ['merge', ...BLUE], env);
  await stage(4, 'waits');
  await sql`UPDATE cdc_management.pending_merge SET marked_at = now() - interval '20 minutes'`;
  await sql`INSERT INTO cdc_management.refused_event (topic, error) VALUES ('t', 'no table')`;
  await sql.end();
}, 120_000);

afterAll(async () => {
  await repo?.stop();
});

/** Returns the value of the only series with these labels, or NaN. */
function valueOf(text: string, name: string, labels: Readonly<Record<string, string>>): number {
  const line = text
    .split('\n')
    .filter((candidate) => candidate.startsWith(`${name}{`))
    .find((candidate) =>
      Object.entries(labels).every(([label, value]) => candidate.includes(`${label}="${value}"`)),
    );
  return Number(line?.split(' ').at(-1));
}

it('prints the metrics of files, events and merges of a schema', async () => {
  const { stdout, stderr, exitCode } = await runCommand(repo.root, ['metrics', ...BLUE], env);
  expect([stderr, exitCode]).toEqual(['', 0]);
  const blue = { target: TARGET, schema: 'blue' };
  expect(stdout).toMatch(/# EOF\n$/);
  expect(valueOf(stdout, 'cdc_up', { target: TARGET })).toBe(1);
  expect(valueOf(stdout, 'cdc_files', { target: TARGET, state: 'applied' })).toBeGreaterThan(70);
  expect(valueOf(stdout, 'cdc_files', { target: TARGET, state: 'pending' })).toBe(0);
  expect(valueOf(stdout, 'cdc_dead_letters', blue)).toBe(1);
  expect(valueOf(stdout, 'cdc_refused_events', blue)).toBe(0);
  expect(valueOf(stdout, 'cdc_refused_events_without_table', { target: TARGET })).toBe(1);
  expect(valueOf(stdout, 'cdc_merge_failing_tables', blue)).toBe(0);
  expect(valueOf(stdout, 'cdc_merge_blocked_tables', blue)).toBe(0);
  expect(valueOf(stdout, 'cdc_possible_loss_streams', blue)).toBe(0);
  expect(valueOf(stdout, 'cdc_events_total', { ...blue, outcome: 'merged' })).toBe(3);
  expect(valueOf(stdout, 'cdc_events_total', { ...blue, outcome: 'dead' })).toBe(1);
  expect(valueOf(stdout, 'cdc_staging_bytes', blue)).toBeGreaterThan(0);
  const wait = valueOf(stdout, 'cdc_staged_wait_seconds', blue);
  expect(wait).toBeGreaterThanOrEqual(1200);
  expect(wait).toBeLessThan(1500);
  const lag = valueOf(stdout, 'cdc_replication_lag_seconds', blue);
  expect(lag).toBeGreaterThanOrEqual(89);
  expect(lag).toBeLessThan(300);
});

it('prints a series for each table with --by table', async () => {
  const { stdout } = await runCommand(repo.root, ['metrics', ...BLUE, '--by', 'table'], env);
  const table = (name: string) => ({ target: TARGET, schema: 'blue', table: name });
  expect(valueOf(stdout, 'cdc_dead_letters', table('Distrikt'))).toBe(1);
  expect(valueOf(stdout, 'cdc_dead_letters', table('Actor'))).toBe(0);
  // No event of the table was ever merged.
  expect(valueOf(stdout, 'cdc_replication_lag_seconds', table('Actor'))).toBeNaN();
});

it('reports an unreachable target as down, and exits with 3', async () => {
  const port = { POSTGRES_PROD_PORT: '1' };
  const run = await runCommand(repo.root, ['metrics', ...BLUE], { ...env, ...port });
  expect(run.exitCode).toBe(3);
  expect(valueOf(run.stdout, 'cdc_up', { target: TARGET })).toBe(0);
  expect(run.stdout).not.toContain('cdc_dead_letters{');
  expect(run.stderr).toContain(TARGET);
});

/** Returns the status of a request. Unlike `fetch`, it does not normalize the request target. */
async function statusOf(url: string, path: string): Promise<number> {
  const { hostname, port } = new URL(url);
  const call = request({ hostname, port, path, agent: false }).end();
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode!;
}

it('serves metrics and health checks until SIGTERM', async () => {
  const child = startCommand(repo.root, ['metrics', ...BLUE, '--listen', '0'], env);
  const [line] = (await once(child.stderr!, 'data')) as [Buffer];
  const [, url] = /^listening on (http:\/\/127\.0\.0\.1:\d+)\/metrics\n$/.exec(line.toString())!;
  const [one, two] = await Promise.all([fetch(`${url}/metrics`), fetch(`${url}/metrics`)]);
  expect(one.headers.get('content-type')).toBe(
    'application/openmetrics-text; version=1.0.0; charset=utf-8',
  );
  expect(valueOf(await one.text(), 'cdc_up', { target: TARGET })).toBe(1);
  expect(two.status).toBe(200);
  await two.text();
  const health = await fetch(`${url}/healthz`);
  expect([health.status, await health.text()]).toEqual([200, 'ok\n']);
  expect((await fetch(`${url}/other`)).status).toBe(404);
  expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405);
  for (const target of ['//', 'http://[', '*']) expect(await statusOf(url!, target)).toBe(404);
  await server.kill('SIGKILL');
  expect((await fetch(`${url}/healthz`)).status).toBe(503);
  await server.restart();
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  child.kill('SIGTERM');
  expect((await finish(child)).exitCode).toBe(0);
}, 60_000);

const DRIFT = { target: TARGET, schema: 'blue' };
const driftOf = (text: string) =>
  ['missing', 'different', 'extra'].map((kind) => valueOf(text, 'cdc_drift', { ...DRIFT, kind }));

/** Changes the target, and undoes the change after the test. */
async function withChange(change: string, back: string, test: () => Promise<void>): Promise<void> {
  const sql = server.connect({ database: 'directory', max: 1 });
  await sql.unsafe(change).simple();
  await test().finally(() => sql.unsafe(back).simple());
  await sql.end();
}

const EXTRA = ['CREATE TABLE blue.tmp_mine (n integer)', 'DROP TABLE blue.tmp_mine'] as const;

it('counts the differences that a check finds with --drift', async () => {
  const read = (...args: readonly string[]) => runCommand(repo.root, ['metrics', ...args], env);
  expect((await read(...BLUE)).stdout).not.toContain('cdc_drift{');
  await withChange(...EXTRA, async () => {
    const { stdout, stderr, exitCode } = await read(...BLUE, '--drift');
    expect([stderr, exitCode]).toEqual(['', 0]);
    expect(driftOf(stdout)).toEqual([0, 0, 1]);
    expect(
      valueOf(stdout, 'cdc_drift', { target: TARGET, schema: 'cdc_management', kind: 'missing' }),
    ).toBe(0);
    expect(valueOf(stdout, 'cdc_drift_check_failed', { target: TARGET })).toBe(0);
    const at = valueOf(stdout, 'cdc_drift_check_timestamp_seconds', { target: TARGET });
    expect(Math.abs(Date.now() / 1000 - at)).toBeLessThan(60);
    const rest = await read(...BLUE, '--drift', '--exclude', '*.tmp_*');
    expect(driftOf(rest.stdout)).toEqual([0, 0, 0]);
  });
  expect(await read(...BLUE, '--exclude', 'x')).toMatchObject({
    exitCode: 2,
    stderr: '--exclude needs --drift; add --drift\n',
  });
});

let onTestEnd = () => {};
afterEach(() => onTestEnd());

const WITH_EXISTING = [...BLUE, 'public'];

it('reports a failed drift check as a metric, keeps the previous result, and delays no scrape', async () => {
  const file = join(repo.root, 'migrations/validation/adopus_AdgangLinjer.sql');
  const validation = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    `SELECT nspname AS schema_name, '' AS table_name, '' AS column_name, '' AS problem
    FROM pg_catalog.pg_namespace WHERE nspname = 'broken' AND 1 / (nspname = 'other')::integer = 1\n`,
  );
  const args = ['metrics', ...WITH_EXISTING, '--drift', '200ms'];
  const child = startCommand(repo.root, [...args, '--listen', '0'], env);
  let stderr = '';
  child.stderr!.on('data', (data: Buffer) => (stderr += data.toString()));
  const [line] = (await once(child.stderr!, 'data')) as [Buffer];
  const [, url] = /listening on (\S+)/.exec(line.toString())!;
  const scrape = async () => (await fetch(url!)).text();
  const until = async (is: (text: string) => boolean) => {
    for (const deadline = Date.now() + 20_000; ; await sleep(50)) {
      const text = await scrape();
      if (is(text)) return text;
      if (Date.now() > deadline) throw new Error(`${stderr}${text}`);
    }
  };
  const hasFailed = (text: string) => valueOf(text, 'cdc_drift_check_failed', { target: TARGET });
  onTestEnd = () => {
    child.kill('SIGKILL');
    writeFileSync(file, validation);
  };
  // The first scrape has no result of a check yet.
  const first = await scrape();
  expect(valueOf(first, 'cdc_dead_letters', DRIFT)).toBe(1);
  expect(driftOf(first)).toEqual([NaN, NaN, NaN]);
  await until((text) => driftOf(text)[2] === 0);
  await withChange(...EXTRA, async () => {
    await until((text) => driftOf(text)[2] === 1);
    await withChange('CREATE SCHEMA broken', 'DROP SCHEMA broken', async () => {
      const broken = await until((text) => hasFailed(text) === 1);
      expect(driftOf(broken)).toEqual([0, 0, 1]);
      expect(valueOf(broken, 'cdc_dead_letters', DRIFT)).toBe(1);
      expect(stderr).toMatch(/check for drift: sink_asma\.directory in prod: .*division by zero/);
      const run = await runCommand(repo.root, args, env);
      expect(run).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('division') });
      expect(hasFailed(run.stdout)).toBe(1);
      expect(run.stdout).not.toContain('cdc_drift{');
    });
  });
  const repaired = await until((text) => hasFailed(text) === 0 && driftOf(text)[2] === 0);
  expect(driftOf(repaired)).toEqual([0, 0, 0]);
  child.kill('SIGTERM');
  expect((await finish(child)).exitCode).toBe(0);
}, 60_000);

it('reports a port that is in use, and an invalid address', async () => {
  const { port, host } = server;
  const listen = ['--listen', `${host}:${port}`];
  const { stderr, exitCode } = await runCommand(repo.root, ['metrics', ...BLUE, ...listen], env);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/^--listen .*EADDRINUSE/);
  const bad = await runCommand(repo.root, ['metrics', ...BLUE, '--listen', 'x:y'], env);
  expect(bad.stderr).toContain('expected <port> or <host>:<port>');
});

it('creates alerts and a dashboard from the same table of metrics', async () => {
  const alerts = load((await runCommand(repo.root, ['monitoring', 'alerts'])).stdout) as {
    groups: [{ rules: { alert: string; expr: string }[] }];
  };
  const rules = alerts.groups[0].rules;
  expect(rules).toHaveLength(METRICS.filter(({ alert }) => alert).length);
  expect(rules).toContainEqual({
    alert: 'CdcEventsWait',
    expr: 'cdc_staged_wait_seconds > 900',
    for: '5m',
    labels: { severity: 'critical' },
    annotations: {
      summary:
        'Time that the oldest staged event has waited for a merge. {{ $labels.target }}{{ with $labels.schema }}, schema {{ . }}{{ end }}: {{ $value }}',
      description: 'Check that `merge --watch` runs. `status` names a session that holds a table.',
    },
  });
  const { stdout } = await runCommand(repo.root, ['monitoring', 'dashboard']);
  const { panels } = JSON.parse(stdout) as {
    panels: { title: string; targets: { expr: string }[] }[];
  };
  expect(panels.map(({ title }) => title)).toEqual(METRICS.map(({ name }) => name));
  const exprOf = (name: string) => panels.find(({ title }) => title === name)!.targets[0]!.expr;
  expect(exprOf('cdc_drift')).toBe('topk(20, cdc_drift{target=~"$target", schema=~"$schema"} > 0)');
  expect(exprOf('cdc_drift_check_timestamp_seconds')).toBe(
    '1000 * cdc_drift_check_timestamp_seconds{target=~"$target"}',
  );
  expect(exprOf('cdc_events')).toBe(
    'sum by (target, outcome) (rate(cdc_events_total{target=~"$target", schema=~"$schema"}[5m]))',
  );
});

const PAGE = readFileSync(join(__dirname, '../../../../docs/operations.md'), 'utf8');

it('documents each metric with its meaning and its alert on the operations page', () => {
  const rows = [...PAGE.matchAll(/^\| `(cdc_\w+)` +\| (.*?) +\| (.*?) +\|$/gm)].map((row) =>
    row.slice(1),
  );
  expect(rows).toEqual(
    METRICS.map(({ name, help, scope, alert }) => [
      scope === 'counter' ? `${name}_total` : name,
      help,
      alert === undefined
        ? '–'
        : `${alert.above === undefined ? `below ${alert.below}` : `above ${alert.above}`} for ${alert.for}`,
    ]),
  );
});

const ON_CALL = readFileSync(join(__dirname, '../../../../docs/on-call.md'), 'utf8');
/** Commands of both pages, without those that are marked as examples. */
const COMMANDS = [
  ...`${PAGE}${ON_CALL.replaceAll(/<!-- example: [^`]*```sh[^`]*```/g, '')}`.matchAll(
    /^ *npx --no-install cdc manage-migrations (.+)$/gm,
  ),
].map(([, command]) => command!);

it.each(COMMANDS)('runs the command from the operations pages: %s', async (command) => {
  const args = command.match(/'[^']*'|\S+/g)!.map((word) => word.replace(/^'(.*)'$/, '$1'));
  const { exitCode, stderr } = await runCommand(repo.root, args, env);
  expect(stderr).not.toMatch(/error:|defect|--help/);
  // No source of this repo is reachable, and only doctor connects to them.
  expect(args[0] === 'doctor' ? [2] : [0, 1]).toContain(exitCode);
});

it.each([...ON_CALL.matchAll(/^ *```sql\n([^]*?)^ *```$/gm)].map(([, text]) => text!.trim()))(
  'runs the SQL from the on-call page: %s',
  async (text) => {
    const sql = server.connect({ database: 'directory', max: 1, fetch_types: false });
    await sql.unsafe(text).simple();
    await sql.end();
  },
);
