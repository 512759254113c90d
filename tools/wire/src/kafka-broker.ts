import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import {
  createFolder,
  findFreePorts,
  removeFolder,
  startAnswering,
  startJava,
  waitUntil,
} from './program.ts';
import { openPrograms } from './programs.ts';

export interface Position {
  readonly partition: number;
  readonly offset: number;
}

export interface KafkaRecord extends Position {
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** A single-node broker on the loopback interface that creates topics automatically. */
export interface KafkaBroker {
  /** `127.0.0.1:<port>`. Unchanged by `restart`. */
  readonly address: string;
  readonly pid: number;
  createTopic(topic: string, partitions: number): Promise<void>;
  /** Writes records and returns their positions. */
  write(topic: string, records: readonly WrittenRecord[]): Promise<readonly Position[]>;
  /** Reads all current records of the topic, in the order of each partition. */
  read(topic: string): Promise<KafkaRecord[]>;
  /** Reads the next offset of each partition. */
  readEnds(topic: string): Promise<Offsets>;
  /** Reads the committed offsets of a consumer group for the topic, by partition. */
  readCommitted(group: string, topic: string): Promise<Offsets>;
  /** Resets the offsets of a consumer group. Its consumers must have stopped. */
  commit(group: string, topic: string, offsets: Offsets): Promise<void>;
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same data. A running broker is stopped first. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  log(): string;
}

export interface WrittenRecord {
  readonly key: string | Buffer | null;
  readonly value: string | Buffer | null;
  /** The default is 0. */
  readonly partition?: number;
}

export type Offsets = Readonly<Record<string, number>>;

interface Answer {
  readonly error?: string;
  readonly records?: readonly (Omit<KafkaRecord, 'key' | 'value'> & {
    readonly key: string | null;
    readonly value: string | null;
  })[];
  readonly offsets?: Offsets;
}

const READY_WITHIN_MS = 120_000;
/** 16 bytes. Random ones could begin with `-`, which the format tool treats as an option. */
const CLUSTER_ID = Buffer.from('cdc-migrations-1').toString('base64url');

/**
 * Starts a broker.
 *
 * @param partitions number of partitions of an automatically created topic.
 */
export async function startKafkaBroker({ partitions = 1 } = {}): Promise<KafkaBroker> {
  const programs = await openPrograms();
  const folder = createFolder('kafka');
  const [port = 0, controllerPort = 0] = await findFreePorts(2);
  const config = join(folder, 'server.properties');
  writeFileSync(config, renderConfig({ folder, port, controllerPort, partitions }));
  const format = startJava(programs, [
    'kafka.tools.StorageTool',
    ...['format', '--cluster-id', CLUSTER_ID, '--config', config],
  ]);
  await format.exited;
  if (!existsSync(join(folder, 'data/meta.properties'))) {
    removeFolder(folder);
    throw new Error(`Kafka did not format its folder:\n${format.log()}`);
  }
  const start = async () => {
    const started = startJava(programs, ['kafka.Kafka', config]);
    const isReady = () => isListening(port);
    await waitUntil(isReady, { program: started, what: 'Kafka', withinMs: READY_WITHIN_MS });
    return started;
  };
  let broker = await start().catch((error: unknown) => {
    removeFolder(folder);
    throw error;
  });
  const address = `127.0.0.1:${port}`;
  const client = startAnswering<object, Answer>({
    command: join(programs.bin, 'kafka-client'),
    args: [],
    env: { WIRE_BROKER: address },
  });
  const ask = async (request: object): Promise<Answer> => {
    const answer = await client.ask(request);
    if (answer.error === undefined) return answer;
    throw new Error(`Kafka: ${answer.error}\n${broker.log().slice(-2000)}`);
  };
  return {
    address,
    get pid() {
      return broker.pid;
    },
    createTopic: async (topic, count) =>
      void (await ask({ op: 'create', topic, partitions: count })),
    async write(topic, records) {
      const answer = await ask({ op: 'write', topic, records: records.map(encodeRecord) });
      return (answer.records ?? []).map(({ partition, offset }) => ({ partition, offset }));
    },
    read: async (topic) => (await ask({ op: 'read', topic })).records?.map(decodeRecord) ?? [],
    readEnds: async (topic) => (await ask({ op: 'ends', topic })).offsets ?? {},
    readCommitted: async (group, topic) =>
      (await ask({ op: 'committed', group, topic })).offsets ?? {},
    commit: async (group, topic, offsets) =>
      void (await ask({ op: 'commit', group, topic, offsets })),
    kill: (signal) => broker.kill(signal),
    async restart() {
      await broker.stop();
      broker = await start();
    },
    async stop() {
      await client.stop();
      await broker.stop();
      removeFolder(folder);
    },
    log: () => broker.log(),
  };
}

function renderConfig(place: {
  folder: string;
  port: number;
  controllerPort: number;
  partitions: number;
}): string {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${place.controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${place.port},CONTROLLER://127.0.0.1:${place.controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(place.folder, 'data'),
    'num.partitions': place.partitions,
    'offsets.topic.num.partitions': 1,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const end = (isThere: boolean) => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

function encodeRecord({ key, value, partition = 0 }: WrittenRecord): object {
  return { partition, key: encodeBytes(key), value: encodeBytes(value) };
}

function encodeBytes(bytes: string | Buffer | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('base64');
}

function decodeRecord(record: NonNullable<Answer['records']>[number]): KafkaRecord {
  return { ...record, key: decodeBytes(record.key), value: decodeBytes(record.value) };
}

function decodeBytes(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text, 'base64');
}
