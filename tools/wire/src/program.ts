import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Programs } from './programs.ts';

/** A child process. Its stdin is a pipe that ends with this process, and it exits at the end of its stdin. */
export interface Program {
  readonly pid: number;
  /** Resolves when it has exited. */
  readonly exited: Promise<void>;
  readonly isRunning: boolean;
  /** Returns its stderr, and its stdout unless that has answers. */
  log(): string;
  /** Sends a signal and waits for its exit. `SIGKILL` simulates a crash. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Stops it gracefully. */
  stop(): Promise<void>;
}

/** A program that answers each line of JSON with a line of JSON. */
export interface Answering<Request, Answer> extends Program {
  ask(request: Request): Promise<Answer>;
}

export interface ProgramOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>> | undefined;
}

const STOPPED_WITHIN_MS = 20_000;

export function startProgram(options: ProgramOptions): Program {
  const child = spawnPiped(options);
  const log = collect(child, ['stdout', 'stderr']);
  return controlled(child, log);
}

export function startAnswering<Request, Answer>(
  options: ProgramOptions,
): Answering<Request, Answer> {
  const child = spawnPiped(options);
  const log = collect(child, ['stderr']);
  const program = controlled(child, log);
  const waiting: ((line: string | Error) => void)[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => waiting.shift()?.(line));
  const gone = () => new Error(`${options.command} ${options.args[0] ?? ''} ended:\n${log()}`);
  void program.exited.then(() => {
    for (const answer of waiting.splice(0)) answer(gone());
  });
  return Object.defineProperties(
    {
      ask: async (request: Request) => {
        if (!program.isRunning) throw gone();
        const line = await new Promise<string | Error>((resolve) => {
          waiting.push(resolve);
          child.stdin?.write(`${JSON.stringify(request)}\n`);
        });
        if (typeof line !== 'string') throw line;
        return JSON.parse(line) as Answer;
      },
    },
    Object.getOwnPropertyDescriptors(program),
  ) as Answering<Request, Answer>;
}

/** Runs a main class in a small JVM that exits with this process. */
export function startJava(
  { classPath }: Programs,
  args: readonly string[],
  { heapMb = 256, env }: { heapMb?: number; env?: ProgramOptions['env'] } = {},
): Program {
  const memory = [`-Xmx${heapMb}m`, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  const logs = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
  return startProgram({
    command: 'java',
    args: [...memory, ...logs, '-cp', classPath, 'Attached', ...args],
    env,
  });
}

/** Waits until `isReady`. Throws the program's log if it exits first or after a timeout. */
export async function waitUntil(
  isReady: () => Promise<boolean>,
  { program, what, withinMs }: { program: Program; what: string; withinMs: number },
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await isReady())) {
    if (!program.isRunning) throw new Error(`${what}: the program ended:\n${program.log()}`);
    if (Date.now() > deadline) {
      await program.kill('SIGKILL');
      throw new Error(`${what}: not within ${withinMs} ms:\n${program.log()}`);
    }
    await sleep(100);
  }
}

export function createFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `wire-${name}-`));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

/** Finds free ports. They are not reserved. */
export async function findFreePorts(count: number): Promise<number[]> {
  const probes = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const probe of probes) {
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
    const address = probe.address();
    if (address === null || typeof address === 'string') throw new Error('no free TCP port');
    ports.push(address.port);
  }
  await Promise.all(probes.map((probe) => new Promise((resolve) => probe.close(resolve))));
  return ports;
}

function spawnPiped({ command, args, env = {} }: ProgramOptions): ChildProcess {
  return spawn(command, [...args], { stdio: 'pipe', env: { ...process.env, ...env } });
}

/** Keeps the end of its output. */
function collect(child: ChildProcess, streams: readonly ('stdout' | 'stderr')[]): () => string {
  let text = '';
  for (const stream of streams) {
    child[stream]?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-LOG_CHARACTERS);
    });
  }
  return () => text;
}

const LOG_CHARACTERS = 200_000;

function controlled(child: ChildProcess, log: () => string): Program {
  let isRunning = true;
  const exited = new Promise<void>((resolve) => {
    const end = () => {
      isRunning = false;
      resolve();
    };
    child.once('close', end);
    child.once('error', end);
  });
  child.stdin?.on('error', () => undefined);
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  return {
    pid: child.pid ?? 0,
    exited,
    get isRunning() {
      return isRunning;
    },
    log,
    kill,
    async stop() {
      child.stdin?.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), STOPPED_WITHIN_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}
