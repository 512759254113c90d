import { AsyncLocalStorage } from 'node:async_hooks';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { runProgram } from './program.ts';

export interface CdcRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CdcOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The command line, as it is installed. */
export const BIN = join(__dirname, '..', 'bin', 'cdc.js');

/** A command that takes longer hangs, and the test fails. */
const HANGS_MS = 180_000;

/** Runs the real command as a process. Its environment has only `PATH` and `env`. */
export function cdc(args: readonly string[], { cwd, env }: CdcOptions): CdcRun {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [BIN, ...args], {
    cwd,
    encoding: 'utf8',
    timeout: HANGS_MS,
    maxBuffer: Infinity,
    env: { PATH: process.env['PATH'], ...env },
  });
  if (error) throw error;
  return { code: status, stdout, stderr };
}

/** Runs `cdc manage-migrations generate` in the folder `cwd`. */
export function generate(
  cwd: string,
  args: readonly string[] = [],
  env: CdcOptions['env'] = {},
): CdcRun {
  return cdc(['manage-migrations', 'generate', ...args], { cwd, env });
}

/**
 * Runs a command from its sources in this process, which takes a fraction of the time of a process. Commands can run in
 * parallel. Each has its own output, exit code and environment of `PATH` and `env`.
 */
export function cdcHere(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CdcRun> {
  separateRuns();
  const run: Run = { stdout: '', stderr: '', env: { PATH: process.env['PATH'], ...env } };
  return running.run(run, async () => {
    let code = 0;
    await runProgram(['node', 'cdc', ...args], { setExitCode: (exitCode) => (code = exitCode) });
    return { code, stdout: run.stdout, stderr: run.stderr };
  });
}

interface Run {
  stdout: string;
  stderr: string;
  readonly env: NodeJS.ProcessEnv;
}

const running = new AsyncLocalStorage<Run>();
let isSeparated = false;

/** Gives each command in this process its own output and environment. */
function separateRuns(): void {
  if (isSeparated) return;
  isSeparated = true;
  for (const stream of ['stdout', 'stderr'] as const) {
    const write = process[stream].write.bind(process[stream]);
    process[stream].write = ((text: string | Uint8Array, ...rest: never[]) => {
      const run = running.getStore();
      if (!run) return write(text, ...rest);
      run[stream] += String(text);
      for (const done of rest as readonly unknown[]) if (typeof done === 'function') done();
      return true;
    }) as typeof write;
  }
  const own = process.env;
  const envOf = () => running.getStore()?.env ?? own;
  process.env = new Proxy(own, {
    get: (_, name) => Reflect.get(envOf(), name) as unknown,
    set: (_, name, value) => Reflect.set(envOf(), name, value),
    has: (_, name) => Reflect.has(envOf(), name),
    deleteProperty: (_, name) => Reflect.deleteProperty(envOf(), name),
    ownKeys: () => Reflect.ownKeys(envOf()),
    getOwnPropertyDescriptor: (_, name) => Reflect.getOwnPropertyDescriptor(envOf(), name),
  });
}
