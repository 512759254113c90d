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

/** Runs a command in this process, which takes a fraction of the time. Its environment has only `PATH` and `env`. */
export async function cdcHere(
  args: readonly string[],
  env: CdcOptions['env'] = {},
): Promise<CdcRun> {
  const printed = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    jest.spyOn(process[stream], 'write').mockImplementation((text) => {
      printed[stream] += String(text);
      return true;
    }),
  );
  const replaced = process.env;
  process.env = { PATH: replaced['PATH'], ...env };
  try {
    let code = 0;
    await runProgram(['node', 'cdc', ...args], { setExitCode: (exitCode) => (code = exitCode) });
    return { code, ...printed };
  } finally {
    process.env = replaced;
    for (const spy of spies) spy.mockRestore();
  }
}

/** Runs `cdc manage-migrations generate` in the folder `cwd`. */
export function generate(
  cwd: string,
  args: readonly string[] = [],
  env: CdcOptions['env'] = {},
): CdcRun {
  return cdc(['manage-migrations', 'generate', ...args], { cwd, env });
}
