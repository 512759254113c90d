import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFolder, type Program, removeFolder, startProgram } from './program.ts';
import type { KafkaRecord } from './kafka-broker.ts';
import { openPrograms } from './programs.ts';

export interface PipelineOptions {
  /** A configuration of Bento or Redpanda Connect, as YAML. */
  readonly config: string;
  /** Environment variables for the configuration: `${NAME}`. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A running configuration. It logs errors and retries, as for users. */
export interface Pipeline {
  readonly pid: number;
  readonly isRunning: boolean;
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again. A running pipeline is stopped first. */
  restart(): Promise<void>;
  /** Stops it gracefully: in-flight records are written and committed. */
  stop(): Promise<void>;
  log(): string;
}

/** A record for a pipeline without a broker. */
export interface PlayedRecord extends Omit<KafkaRecord, 'key' | 'value'> {
  readonly topic: string;
  readonly key: string | Buffer | null;
  readonly value: string | Buffer | null;
}

export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const folder = createFolder('pipeline');
  const start = await prepare(options, folder);
  let program = start('run');
  return {
    get pid() {
      return program.pid;
    },
    get isRunning() {
      return program.isRunning;
    },
    kill: (signal) => program.kill(signal),
    async restart() {
      await program.stop();
      program = start('run');
    },
    async stop() {
      await program.stop();
      removeFolder(folder);
    },
    log: () => program.log(),
  };
}

/**
 * Runs a configuration whose input is `kafka_franz` on these records instead of a broker, until the output has written
 * all of them. Throws with the log after a timeout, because a blocked pipeline retries forever.
 */
export async function runPipeline(
  options: PipelineOptions & { readonly records: readonly PlayedRecord[] },
  { withinMs = 60_000 } = {},
): Promise<string> {
  const folder = createFolder('pipeline');
  const file = join(folder, 'records.jsonl');
  writeFileSync(file, options.records.map((record) => `${encodeRecord(record)}\n`).join(''));
  try {
    const start = await prepare(
      { ...options, env: { ...options.env, WIRE_RECORDS: file } },
      folder,
    );
    const program = start('run');
    const isDone = await Promise.race([
      program.exited.then(() => true),
      sleep(withinMs, false, { ref: false }),
    ]);
    if (isDone) return program.log();
    await program.kill('SIGKILL');
    throw new Error(`the pipeline is stuck after ${withinMs} ms:\n${program.log()}`);
  } finally {
    removeFolder(folder);
  }
}

/** Lints a configuration with the engine. Returns the problems, or an empty text. */
export async function lintPipeline(options: PipelineOptions): Promise<string> {
  const folder = createFolder('pipeline');
  try {
    const program = (await prepare(options, folder))('lint');
    await program.exited;
    return program.log().replaceAll(folder, '');
  } finally {
    removeFolder(folder);
  }
}

/** Disables the engine's own HTTP server, which would listen on every address. */
const COMMANDS = { run: ['run', '--set', 'http.enabled=false'], lint: ['lint'] };

async function prepare(
  { config, env = {} }: PipelineOptions,
  folder: string,
): Promise<(command: keyof typeof COMMANDS) => Program> {
  const { bin } = await openPrograms();
  const file = join(folder, 'pipeline.yaml');
  writeFileSync(file, config);
  return (command) =>
    startProgram({ command: join(bin, 'pipeline'), args: [...COMMANDS[command], file], env });
}

function encodeRecord({ key, value, ...record }: PlayedRecord): string {
  return JSON.stringify({ ...record, key: encodeBytes(key), value: encodeBytes(value) });
}

function encodeBytes(bytes: string | Buffer | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('base64');
}
