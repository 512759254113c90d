import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseSeed } from '../../../../tools/event-model/src/choose-seed.ts';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { EXIT } from '../exit-code.ts';
import { type AsmaSource, createAsmaSource } from '../source/asma-source.fixture.ts';
import { type CommandRun, finish, startCommand } from './cli.fixture.ts';
import { type Fault, startFaultProxy } from './fault-proxy.fixture.ts';
import {
  EXISTING,
  generateSmall,
  small,
  type SmallTarget,
  stageActors,
} from './small-target.fixture.ts';

const FAULTS: readonly Fault[] = [
  ...(['cancelled', 'lock timed out', 'refused', 'terminated', 'cut', 'gone'] as const),
];

interface FaultedCommand {
  readonly args: readonly string[];
  /** State of the database, or the implementation repo whose sources are read. */
  readonly before: 'empty' | 'applied' | 'staged' | 'foreign' | 'sources';
  /** Exit code without a fault. */
  readonly exitCode: number;
  /** Allowed exit codes with a fault: the whole target, some tenants or a table failed. */
  readonly failed: readonly number[];
  /** Exit code without any response. The default is 2. */
  readonly unanswered?: number;
}

const COMMANDS: Readonly<Record<string, FaultedCommand>> = {
  apply: {
    ...{ args: small('apply', '--schema', 'blue'), before: 'empty' },
    ...{ exitCode: 0, failed: [2, 3] },
  },
  'apply --plan-out': {
    ...{ args: small('apply', '--plan-out', '/dev/null', '--again'), before: 'applied' },
    ...{ exitCode: 0, failed: [2] },
  },
  'apply without changes': { args: small('apply'), before: 'applied', exitCode: 0, failed: [2] },
  'apply --dry-run': {
    ...{ args: small('apply', '--dry-run'), before: 'empty' },
    ...{ exitCode: 0, failed: [2] },
  },
  status: { args: small('status'), before: 'applied', exitCode: 0, failed: [2] },
  check: { args: small('check'), before: 'applied', exitCode: 0, failed: [2] },
  baseline: {
    ...{ args: small('baseline', '--schema', 'blue'), before: 'foreign' },
    ...{ exitCode: 0, failed: [1, 2] },
  },
  merge: { args: small('merge', '--jobs', '2'), before: 'staged', exitCode: 0, failed: [2, 3] },
  'merge --replay-dead-letters': {
    ...{ args: small('merge', '--replay-dead-letters', '--jobs', '1'), before: 'staged' },
    ...{ exitCode: 1, failed: [2, 3] },
  },
  'merge --watch': {
    ...{ args: small('merge', '--watch', '--jobs', '1'), before: 'staged' },
    ...{ exitCode: 0, failed: [2, 3] },
  },
  metrics: {
    ...{ args: small('metrics'), before: 'applied' },
    ...{ exitCode: 0, failed: [3], unanswered: 3 },
  },
  report: {
    ...{ args: small('report', '--json'), before: 'applied' },
    ...{ exitCode: 0, failed: [2] },
  },
  'dead-letters list': {
    ...{ args: small('dead-letters list'), before: 'applied' },
    ...{ exitCode: 0, failed: [2] },
  },
  'reload begin': {
    ...{ args: small('reload begin', '--table', 'Actor'), before: 'applied' },
    ...{ exitCode: 0, failed: [2, 3] },
  },
  'reload status': {
    ...{ args: small('reload status'), before: 'applied' },
    ...{ exitCode: 0, failed: [2] },
  },
  'schema-docs': {
    ...{ args: ['schema-docs', '--env', 'dev', '--service', 'chat'], before: 'sources' },
    ...{ exitCode: 0, failed: [2] },
  },
  diff: { args: ['diff', '--env', 'dev'], before: 'sources', exitCode: 0, failed: [2] },
};

/** Maximum duration of a command. Alone it takes less than a second. */
const ENDS_WITHIN_MS = 30_000;
/** Timeout of a row, which runs the command for each of its queries on a busy machine. */
const ROW_TIMEOUT_MS = 600_000;
/** Time after which an endless command receives SIGTERM. */
const WATCHED_MS = 1200;
/** Number of queries of an endless command that have faults. */
const MAX_QUERIES = 40;
/** Parallel runs of commands. */
const RUNS = 3;
/** A sixth of the queries have one of the six faults, depending on the seed. `CDC_FAULTS=all` tests all with each. */
const SHARE = process.env['CDC_FAULTS'] === 'all' ? 1 : 6 * FAULTS.length;
const SEED = chooseSeed();

let server: PostgresServer;
let target: SmallTarget;
let source: AsmaSource;

beforeAll(async () => {
  server = await startPostgres({ major: 15, settings: { max_connections: '300' } });
  source = await createAsmaSource(server);
  target = await generateSmall(server);
  await server.createDatabase({ name: 'empty' });
  await change('empty', EXISTING);
  const applied = await copyOf('empty', 'applied');
  expect((await run(applied, small('apply'), server.port)).exitCode).toBe(0);
  const staged = await copyOf('applied', 'staged');
  await change('staged', stageActors('blue', [1, 1], `repeat('x', 200)`));
  expect((await run(staged, small('merge'), server.port)).exitCode).toBe(0);
  await change('staged', `${stageActors('blue', [2, 5])}; ${stageActors('avansas', [1, 3])}`);
  await copyOf('applied', 'foreign');
  await change(
    'foreign',
    `DELETE FROM cdc_management.migration_history WHERE category IN ('tables', 'staging')`,
  );
});

afterAll(async () => {
  await server?.stop();
  source?.repo.remove();
});

describe.each(Object.entries(COMMANDS))('%s', (_name, command) => {
  let queries: readonly string[];
  beforeAll(async () => {
    const ended = await runWith(command);
    expect([ended.first.exitCode, ended.first.stderr]).toEqual([
      command.exitCode,
      expect.any(String),
    ]);
    queries = ended.queries.slice(0, MAX_QUERIES);
    expect(queries.length).toBeGreaterThan(0);
  });

  it.each(FAULTS)(
    'ends after a fault in one of its queries: %s',
    async (fault) => {
      const wrong: string[] = [];
      const left = [...queries.keys()].filter(
        (n) => (n + FAULTS.indexOf(fault) + SEED) % SHARE === 0,
      );
      const worker = async () => {
        for (let n = left.shift(); n !== undefined; n = left.shift()) {
          const ended = await runWith(command, { n, fault });
          for (const problem of problemsOf(ended, {
            ...command,
            failed: failedBy(fault, command),
          })) {
            const { stdout, stderr } = ended.first;
            wrong.push(
              `${n}: ${problem}: ${queries[n]!.slice(-80)}: ${(stderr + stdout).slice(0, 400)}`,
            );
          }
        }
      };
      await Promise.all(Array.from({ length: RUNS }, worker));
      expect(wrong).toEqual([]);
    },
    ROW_TIMEOUT_MS,
  );
});

describe('without any response from the server', () => {
  let ended: ReadonlyMap<string, CommandRun>;
  /** Each waits for its own timeout, so they run in parallel. */
  beforeAll(async () => {
    ended = new Map(
      await Promise.all(
        Object.entries(COMMANDS).map(async ([name, command]) => {
          return [name, await runUnanswered(command)] as const;
        }),
      ),
    );
  });

  it.each(Object.keys(COMMANDS))('%s ends with a timeout', (name) => {
    const { exitCode, stderr } = ended.get(name)!;
    expect(stderr).toMatch(/timeout, no response|no connection within 5 s/);
    expect(exitCode).toBe(COMMANDS[name]!.unanswered ?? 2);
  });
});

/** Runs a command against a server that accepts connections and never sends anything. */
async function runUnanswered(command: FaultedCommand): Promise<CommandRun> {
  let isAsked = false;
  const unresponsive = createServer((socket) => {
    isAsked = true;
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(unresponsive, 'listening');
  const { port } = unresponsive.address() as AddressInfo;
  const { root, remove } = await locationOf(command);
  const timeout = command.before === 'sources' ? ['--timeout', '5'] : [];
  const ended = await run(root, [...command.args, ...timeout], port, () => isAsked);
  unresponsive.close();
  await remove();
  return ended;
}

interface Ended {
  readonly first: CommandRun;
  /** A second run without a fault, if the command changes something. */
  readonly again: CommandRun | undefined;
  readonly queries: readonly string[];
  /** Remaining sessions at the server. */
  readonly sessions: readonly string[];
  /** Rows that were merged in the end. */
  readonly merged: number | undefined;
}

/** Lists what went wrong. A fault may also come too late to matter, or a retry may solve it. */
function problemsOf(
  { first, again, sessions, merged }: Ended,
  { exitCode: wanted, failed, before }: FaultedCommand,
): readonly string[] {
  const { exitCode, stdout, stderr } = first;
  if (exitCode === null) return [`it had to be killed after ${ENDS_WITHIN_MS / 1000} s`];
  const hasFailed = failed.includes(exitCode);
  return [
    ...(exitCode === wanted || hasFailed ? [] : [`exit code ${exitCode}`]),
    ...(hasFailed && `${stdout}${stderr}`.trim() === '' ? ['it does not say why it failed'] : []),
    ...(/defect|node:/.test(stderr) ? ['it calls itself defective'] : []),
    ...(sessions.length > 0 ? ['sessions are left'] : []),
    ...(again && again.exitCode !== wanted
      ? [`then exit code ${again.exitCode}: ${again.stderr.slice(0, 400)}`]
      : []),
    ...(isDone(first, again) ? [] : ['it said that all is done, and it was not']),
    ...(before === 'staged' && merged !== 7 ? [`${merged} rows were merged`] : []),
  ];
}

/** Returns the allowed exit codes. A lock timeout at a target has its own code, unless a read before it failed too. */
function failedBy(fault: Fault, { before, failed }: FaultedCommand): readonly number[] {
  return fault === 'lock timed out' && before !== 'sources' ? [...failed, EXIT.locked] : failed;
}

/** Returns true if an apply that reports success left nothing to do. */
function isDone(first: CommandRun, again: CommandRun | undefined): boolean {
  const hasApplied = first.exitCode === 0 && /[1-9]\d* applied, /.test(first.stdout);
  return !hasApplied || !again || / 0 applied, /.test(again.stdout);
}

/** Runs a command on a copy of a database through a proxy with a fault. */
async function runWith(
  { args, before }: FaultedCommand,
  armed?: { readonly n: number; readonly fault: Fault },
): Promise<Ended> {
  const { root, databases, remove } = await locationOf({ before });
  const proxy = await startFaultProxy(server.port);
  const lockers = databases.map((database) =>
    server.connect({ database, max: 1, fetch_types: false }),
  );
  await Promise.all(lockers.map((sql) => sql`SELECT pg_advisory_lock_shared(1)`));
  if (armed) proxy.arm(armed.n, armed.fault);
  const first = await run(root, args, proxy.port, () => proxy.queries.length > 0);
  await proxy.close();
  const sessions = await sessionsOf(proxy.clientPorts);
  const rest = args.filter((arg) => arg !== '--watch');
  const again = armed && CHANGES.has(before) ? await run(root, rest, server.port) : undefined;
  const [row] =
    before === 'staged'
      ? await lockers[0]!<{ n: number }[]>`
        SELECT count(*)::integer AS n FROM (TABLE blue."Actor" UNION ALL TABLE avansas."Actor") AS actor`
      : [];
  await Promise.all(lockers.map((sql) => sql.end()));
  await remove();
  return { first, again, queries: [...proxy.queries], sessions, merged: row?.n };
}

/** States that a command changes. */
const CHANGES: ReadonlySet<FaultedCommand['before']> = new Set(['empty', 'staged', 'foreign']);

interface Place {
  readonly root: string;
  readonly databases: readonly string[];
  readonly remove: () => Promise<void>;
}

/** Creates a private copy for a command. */
async function locationOf({ before }: Pick<FaultedCommand, 'before'>): Promise<Place> {
  if (before === 'sources') {
    const { repo, databases } = source;
    return { root: repo.root, databases, remove: () => Promise.resolve() };
  }
  const database = await server.createDatabase({ template: before });
  const root = target.copyFor(database);
  const remove = () => change('postgres', `DROP DATABASE ${database} WITH (FORCE)`);
  return { root, databases: [database], remove };
}

/** Runs a command to its end. An endless one runs for some time after `hasBegun`. A killed one has no exit code. */
async function run(
  root: string,
  args: readonly string[],
  port: number,
  hasBegun = () => true,
): Promise<CommandRun> {
  const address = { host: '127.0.0.1', port };
  const child = startCommand(root, args, { ...target.env(address), ...source.env(address) });
  const hang = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS);
  const ends = finish(child);
  if (args.includes('--watch')) {
    const isOver = () => child.exitCode !== null || child.signalCode !== null;
    while (!hasBegun() && !isOver()) await sleep(20);
    await sleep(WATCHED_MS);
    child.kill('SIGTERM');
  }
  const end = await ends;
  clearTimeout(hang);
  return end;
}

/** Returns the sessions from these ports that still exist after 5 seconds. */
async function sessionsOf(clientPorts: readonly number[]): Promise<readonly string[]> {
  const sql = server.connect({ max: 1, fetch_types: false });
  try {
    for (let waits = 0; ; waits++) {
      const rows = await sql<{ application_name: string }[]>`
        SELECT application_name FROM pg_stat_activity
        WHERE client_port = ANY (string_to_array(${clientPorts.join()}, ',')::integer[])`;
      if (rows.length === 0 || waits === 100) return rows.map((row) => row.application_name);
      await sleep(50);
    }
  } finally {
    await sql.end();
  }
}

/** Copies a database, with an implementation repo for it. */
async function copyOf(template: string, name: string): Promise<string> {
  await server.createDatabase({ name, template });
  return target.copyFor(name);
}

async function change(database: string, text: string): Promise<void> {
  const sql = server.connect({ database, max: 1, onnotice: () => {} });
  await sql.unsafe(text).simple();
  await sql.end();
}
