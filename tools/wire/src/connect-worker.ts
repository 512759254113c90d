import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFolder, findFreePorts, removeFolder, startJava, waitUntil } from './program.ts';
import { openPrograms } from './programs.ts';

/** A connector in the form of `POST /connectors`. */
export interface Connector {
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
}

export interface ConnectOptions {
  /** `127.0.0.1:<port>` of the broker. */
  readonly broker: string;
  readonly connectors: readonly Connector[];
  /** Settings of the worker that override ours. */
  readonly worker?: Readonly<Record<string, string>>;
  /** Environment variables of the worker for connectors: `${env:NAME}`. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Kafka Connect with its connectors in one process, and its offsets in a file. */
export interface ConnectWorker {
  readonly pid: number;
  /** Reads the stored offsets of a connector, one for each partition of its source. */
  readOffsets(name: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Reads the state of each connector's tasks, with `trace` for a failed task. */
  readTasks(name: string): Promise<readonly Task[]>;
  /** Restarts the failed tasks of a connector. */
  restartTasks(name: string): Promise<void>;
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again with the same connectors and stored offsets. A running worker is stopped first. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  log(): string;
}

export interface Task {
  readonly state: string;
  readonly trace?: string;
}

const READY_WITHIN_MS = 300_000;

/** Default settings: plain JSON, and frequent offset commits, so that a restart repeats some work. */
const WORKER = {
  'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'key.converter.schemas.enable': 'false',
  'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'value.converter.schemas.enable': 'false',
  'offset.flush.interval.ms': '500',
  'plugin.discovery': 'service_load',
  'config.providers': 'env',
  'config.providers.env.class': 'org.apache.kafka.common.config.provider.EnvVarConfigProvider',
};

/** Starts Kafka Connect and waits until the tasks of all connectors run. */
export async function startConnectWorker(options: ConnectOptions): Promise<ConnectWorker> {
  const programs = await openPrograms();
  const folder = createFolder('connect');
  const [port = 0] = await findFreePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const files = options.connectors.map((connector, index) => {
    const file = join(folder, `connector-${index}.json`);
    writeFileSync(file, JSON.stringify(connector));
    return file;
  });
  const worker = join(folder, 'worker.properties');
  const settings = {
    ...WORKER,
    'bootstrap.servers': options.broker,
    'offset.storage.file.filename': join(folder, 'offsets'),
    listeners: url,
    ...options.worker,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(worker, lines.join(''));

  const readTasks = async (name: string): Promise<readonly Task[]> => {
    const answer = await fetch(`${url}/connectors/${encodeURIComponent(name)}/status`);
    return answer.ok ? ((await answer.json()) as { tasks: Task[] }).tasks : [];
  };
  const readOffsets = async (name: string) => {
    const answer = await fetch(`${url}/connectors/${encodeURIComponent(name)}/offsets`);
    if (!answer.ok) throw new Error(`${name} has no offsets: ${await answer.text()}`);
    const { offsets } = (await answer.json()) as { offsets: { offset: Record<string, unknown> }[] };
    return offsets.map(({ offset }) => offset);
  };
  const start = async () => {
    const args = ['org.apache.kafka.connect.cli.ConnectStandalone', worker, ...files];
    const program = startJava(programs, args, { heapMb: 512, env: options.env });
    const runs = async ({ name }: Connector) => {
      const tasks = await readTasks(name).catch(() => []);
      const failed = tasks.find(({ state }) => state === 'FAILED');
      if (failed) {
        await program.stop();
        throw new Error(`the connector ${name} failed: ${failed.trace}\n${program.log()}`);
      }
      return tasks.length > 0 && tasks.every(({ state }) => state === 'RUNNING');
    };
    const isReady = async () => (await Promise.all(options.connectors.map(runs))).every(Boolean);
    await waitUntil(isReady, { program, what: 'Kafka Connect', withinMs: READY_WITHIN_MS });
    return program;
  };
  let program = await start().catch((error: unknown) => {
    removeFolder(folder);
    throw error;
  });
  return {
    get pid() {
      return program.pid;
    },
    readOffsets,
    readTasks,
    async restartTasks(name) {
      const path = `connectors/${encodeURIComponent(name)}/restart?includeTasks=true&onlyFailed=true`;
      const answer = await fetch(`${url}/${path}`, { method: 'POST' });
      if (!answer.ok) throw new Error(`${name} cannot be restarted: ${await answer.text()}`);
    },
    kill: (signal) => program.kill(signal),
    async restart() {
      await program.stop();
      program = await start();
    },
    async stop() {
      await program.stop();
      removeFolder(folder);
    },
    log: () => program.log(),
  };
}
