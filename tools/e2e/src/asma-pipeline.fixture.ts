import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type PostgresServer, startDebianPostgres } from '@cdc-migrations/postgres-fixture';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import {
  type ConnectWorker,
  type KafkaBroker,
  type Offsets,
  type Pipeline,
  startConnectWorker,
  startKafkaBroker,
  startPipeline,
} from '@cdc-migrations/wire';
import type { Sql } from 'postgres';
import { ASMA, createSources, SERVICES, SINKS, tablesOf } from './asma.fixture.ts';

const CDC = join(__dirname, '../../../packages/cli/bin/cdc.js');
const PARTITIONS = 3;

/** Database of each sink in the environment `dev`. */
const DATABASES: Readonly<Record<string, string>> = {
  'sink_warehouse.analytics': 'analytics_dev',
  'sink_portal.search': 'search_dev',
};

/** Parts that can be restarted. Pipelines are restarted together. */
export const PARTS = ['source', 'connect', 'broker', 'pipelines', 'target'] as const;
export type Part = (typeof PARTS)[number];

/** A pipeline with its source and target. */
export interface Flow {
  readonly sink: string;
  readonly service: string;
  readonly group: string;
  readonly tables: readonly ReplicatedTable[];
  pipeline?: Pipeline;
}

/** All parts between the sources of asma and its final tables, as a user runs them in the environment `dev`. */
export interface AsmaPipeline {
  readonly source: PostgresServer;
  readonly broker: KafkaBroker;
  /** Sessions in the sinks' databases. */
  readonly sinks: ReadonlyMap<string, Sql>;
  readonly flows: readonly Flow[];
  /** Other events: restarted tasks, and streams that were reset. */
  readonly notes: string[];
  /** Starts Debezium's connectors and the pipelines. The sources must have rows. */
  connect(): Promise<void>;
  restart(part: Part, isKilled: boolean): Promise<void>;
  /**
   * Waits until each connector has stored that its snapshot is complete, which needs a change of its source. Debezium
   * repeats a snapshot that is not, and never sends the deletes in between.
   */
  untilSnapshotStored(): Promise<void>;
  /** Propagates new columns of the sources through all parts. */
  followSources(): Promise<void>;
  /** Runs a command in the implementation repo. Returns its exit code. */
  run(...args: readonly string[]): Promise<number>;
  tablesOf(sink: string): readonly ReplicatedTable[];
  stop(): Promise<void>;
}

export async function openAsmaPipeline(): Promise<AsmaPipeline> {
  const root = mkdtempSync(join(tmpdir(), 'cdc-asma-'));
  cpSync(ASMA, root, { recursive: true });
  for (const file of ['source-groups.yaml', 'sink-groups.yaml']) withoutTls(join(root, file));
  addSignalTable(join(root, 'source-groups.yaml'));
  const [source, target, broker] = await Promise.all([
    startDebianPostgres({ settings: { wal_level: 'logical' } }),
    startDebianPostgres(),
    startKafkaBroker({ partitions: PARTITIONS }),
  ]);
  const env = {
    ...serverVariables('ASMA_SOURCE', source),
    ...serverVariables('WAREHOUSE', target),
    ...serverVariables('PORTAL', target),
    KAFKA_BROKERS: broker.address,
  };
  const notes: string[] = [];
  const sinks = new Map<string, Sql>();
  const flows: Flow[] = [];
  let worker: ConnectWorker | undefined;
  let merger: ChildProcess | undefined;
  let watch: NodeJS.Timeout | undefined;

  const run = async (...args: readonly string[]): Promise<number> => {
    const [group = '', command = '', ...rest] = args;
    const all = [CDC, group, '--root', root, command, ...rest];
    try {
      await promisify(execFile)(process.execPath, all, { env: { ...process.env, ...env } });
      return 0;
    } catch (cause) {
      const { code, stdout, stderr } = cause as { code: number; stdout: string; stderr: string };
      if (code === 1 && command === 'merge') return code;
      throw new Error(`cdc ${args.join(' ')}: exit code ${code}\n${stdout}${stderr}`, { cause });
    }
  };
  const migrate = async () => {
    await run('manage-migrations', 'generate');
    await run('manage-migrations', 'apply', '--env', 'dev');
    await run('manage-pipelines', 'generate');
  };
  const startFlow = async (flow: Flow): Promise<void> => {
    const file = join(root, 'pipelines', flow.sink, 'dev', `${flow.service}.yaml`);
    const config = readFileSync(file, 'utf8').replace(
      /^( +)consumer_group: .*$/m,
      '$&\n$1session_timeout: 6s',
    );
    flow.pipeline = await startPipeline({ config, env });
  };

  await createSources(source);
  for (const service of SERVICES) {
    const sql = source.connect({ database: `${service}_dev`, max: 1 });
    await sql`CREATE TABLE public.debezium_signal (id varchar(100) PRIMARY KEY, type varchar(32), data text)`;
    await sql.end();
  }
  for (const sink of SINKS) {
    const database = await target.createDatabase({ name: DATABASES[sink]! });
    const sql = target.connect({ database, max: 1, fetch_types: false, onnotice: () => {} });
    sinks.set(sink, sql);
    if (sink === 'sink_portal.search') {
      await sql.unsafe(readFileSync(join(root, 'existing/search.sql'), 'utf8')).simple();
    }
  }
  await migrate();
  await run('manage-migrations', 'enable-cdc', '--env', 'dev', '--all');
  for (const sink of SINKS) {
    for (const service of SERVICES) {
      const tables = tablesOf(sink, root).filter((table) => table.service === service);
      const group = `cdc-${sink}-dev-${service}`;
      if (tables.length > 0) flows.push({ sink, service, group, tables });
    }
  }
  const topics = new Set(flows.flatMap(({ tables }) => tables.map(topicOf)));
  for (const topic of topics) await broker.createTopic(topic, PARTITIONS);

  return {
    ...{ source, broker, sinks, flows, notes, run },
    tablesOf: (sink) => tablesOf(sink, root),
    async connect() {
      merger = startMerger(root, env);
      await Promise.all(flows.map(startFlow));
      worker = await startConnectWorker({
        broker: broker.address,
        connectors: SERVICES.map((service) => readConnector(root, service)),
        env,
      });
      watch = setInterval(() => void restartFailed(worker!, notes), 1000);
      await untilStreaming(source);
    },
    async restart(part, isKilled) {
      const how = isKilled ? 'SIGKILL' : 'SIGTERM';
      if (part === 'source') {
        if (isKilled) await source.kill(how);
        await source.restart();
      } else if (part === 'connect') {
        if (isKilled) await worker!.kill(how);
        await worker!.restart();
      } else if (part === 'broker') {
        if (isKilled) await broker.kill(how);
        await broker.restart();
      } else if (part === 'pipelines') {
        await Promise.all(
          flows.map(async ({ pipeline }) => {
            if (isKilled) await pipeline!.kill(how);
            await pipeline!.restart();
          }),
        );
      } else {
        if (isKilled) await target.kill(how);
        await target.restart();
        await Promise.all(SINKS.map((sink) => replayLost(sink)));
      }
    },
    untilSnapshotStored: () => untilSnapshotStored(worker!),
    async followSources() {
      await run('manage-migrations', 'schema-docs', '--env', 'dev');
      await migrate();
      await Promise.all(
        flows.map(async (flow) => {
          await flow.pipeline!.stop();
          await startFlow(flow);
        }),
      );
    },
    run,
    async stop() {
      clearInterval(watch);
      merger?.kill('SIGKILL');
      await Promise.all(flows.map(({ pipeline }) => pipeline?.kill('SIGKILL')));
      await worker?.kill('SIGKILL');
      await Promise.all([...flows.map(({ pipeline }) => pipeline?.stop()), worker?.stop()]);
      await Promise.all([broker.stop(), source.stop(), target.stop()]);
      rmSync(root, { recursive: true, force: true });
    },
  };

  /** Resets the pipelines of a sink to the positions that may have been lost, as documented in docs/reference/merging.md. */
  async function replayLost(sink: string): Promise<void> {
    const sql = sinks.get(sink)!;
    const losses = await retry(
      () => sql<Loss[]>`
        SELECT source_db, source_table, kafka_partition, replay_from FROM cdc_management.possible_loss`,
    );
    const ofSink = flows.filter((flow) => flow.sink === sink);
    if (losses.length === 0) return;
    await Promise.all(ofSink.map(({ pipeline }) => pipeline!.stop()));
    let replayed = 0;
    for (const { group, tables } of ofSink) {
      for (const table of tables) {
        const topic = topicOf(table);
        const committed = await broker.readCommitted(group, topic);
        const lost = losses.filter(
          (loss) =>
            loss.source_db === table.source.database && loss.source_table === table.source.table,
        );
        const back: Record<string, number> = {};
        for (const { kafka_partition: partition, replay_from: from } of lost) {
          const to = committed[partition] ?? 0;
          if (Number(from) >= to) continue;
          back[partition] = Number(from);
          replayed += to - Number(from);
        }
        if (Object.keys(back).length > 0) await broker.commit(group, topic, back);
      }
    }
    notes.push(`${sink}: ${losses.length} streams may be lost, ${replayed} offsets set back`);
    await Promise.all(ofSink.map(startFlow));
  }
}

interface Loss {
  readonly source_db: string;
  readonly source_table: string;
  readonly kafka_partition: number;
  readonly replay_from: string;
}

export function topicOf({ source: { database, schema, table } }: ReplicatedTable): string {
  return `asma-dev.${database}.${schema}.${table}`;
}

/** Counts the offsets that a pipeline has not committed. */
export async function readLag(broker: KafkaBroker, { group, tables }: Flow): Promise<number> {
  let lag = 0;
  for (const topic of tables.map(topicOf)) {
    const ends = await broker.readEnds(topic);
    const committed: Offsets = await broker.readCommitted(group, topic);
    for (const [partition, end] of Object.entries(ends)) lag += end - (committed[partition] ?? 0);
  }
  return lag;
}

/** Retries work until a restarted server accepts it. */
export async function retry<Result>(work: () => Promise<Result>, withinMs = 60_000) {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const { code = '' } = error as { readonly code?: string };
      const isOfStatement = /^[0-9A-Z]{5}$/.test(code) && !/^(?:08|57|53)/.test(code);
      if (isOfStatement || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/**
 * Waits until all connectors have finished their snapshots. An interrupted connector takes another snapshot, and a row
 * deleted between the two causes no event. No pipeline can detect that.
 */
async function untilStreaming(source: PostgresServer): Promise<void> {
  const sql = source.connect({ max: 1, fetch_types: false });
  const deadline = Date.now() + 60_000;
  for (;;) {
    const [row] =
      await sql`SELECT count(*)::int AS n FROM pg_stat_replication WHERE state = 'streaming'`;
    if (row!['n'] >= SERVICES.length) break;
    if (Date.now() > deadline) throw new Error(`only ${row!['n']} connectors stream`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await sql.end();
}

async function untilSnapshotStored(worker: ConnectWorker): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const offsets = await Promise.all(
      SERVICES.map((service) => worker.readOffsets(connectorOf(service))),
    );
    const isStored = offsets.every(
      (stored) => stored.length > 0 && stored.every((offset) => isPastSnapshot(offset)),
    );
    if (isStored) return;
    if (Date.now() > deadline)
      throw new Error(`snapshots are not complete: ${JSON.stringify(offsets)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** True for an offset of the last row of a snapshot, or after it. */
function isPastSnapshot(offset: Readonly<Record<string, unknown>>): boolean {
  return offset['snapshot'] === undefined || offset['last_snapshot_record'] === true;
}

const connectorOf = (service: string) => `cdc-asma-dev-${service}_dev`;

/** Restarts failed tasks, as users of Kafka Connect must do. */
async function restartFailed(worker: ConnectWorker, notes: string[]): Promise<void> {
  for (const service of SERVICES) {
    const name = connectorOf(service);
    const tasks = await worker.readTasks(name).catch(() => []);
    const failed = tasks.find(({ state }) => state === 'FAILED');
    if (failed === undefined) continue;
    notes.push(`task of ${name} failed: ${failed.trace?.split('\n').slice(0, 3).join(' ')}`);
    await worker.restartTasks(name).catch(() => undefined);
  }
}

function readConnector(root: string, service: string) {
  const file = join(root, `pipelines/sources/asma/dev/${service}_dev.json`);
  const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  return { name: config['name']!, config };
}

/** Starts the merge as a user runs it next to the pipelines. */
function startMerger(root: string, env: Readonly<Record<string, string>>): ChildProcess {
  const args = [CDC, 'manage-migrations', '--root', root, 'merge', '--env', 'dev', '--watch'];
  return spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: 'ignore' });
}

function serverVariables(prefix: string, { port, password }: PostgresServer) {
  return {
    [`${prefix}_DEFAULT_HOST`]: '127.0.0.1',
    [`${prefix}_DEFAULT_PORT`]: String(port),
    [`${prefix}_DEFAULT_USER`]: 'postgres',
    [`${prefix}_DEFAULT_PASSWORD`]: password,
  };
}

/** Adds the table that signals Debezium to take a snapshot. */
function addSignalTable(file: string): void {
  const text = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    text.replace('  type: postgres\n', '$&  signal_table: public.debezium_signal\n'),
  );
}

function withoutTls(file: string): void {
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replaceAll(/^( +)password: .*$/gm, '$&\n$1sslmode: disable'));
}
