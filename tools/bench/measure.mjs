import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * A command that runs as its own process.
 *
 * @typedef {object} Command
 * @property {string} name
 * @property {readonly string[]} argv
 * @property {string | (() => string)} cwd a function makes a folder for each run, outside of what is measured
 */

/**
 * Wall time and processor time of a process and its children, in seconds. Processor time is available only on Linux, in
 * steps of 10 ms.
 *
 * @typedef {{ readonly wall: number, readonly cpu: number | undefined }} Run
 */

/**
 * Runs commands in turn (A B C, A B C, …), so that a changing speed of the machine affects all of them equally. The
 * first round is a warm-up and not counted, unless it is disabled.
 *
 * @param {readonly Command[]} commands
 * @param {number} rounds
 * @param {{ readonly warmUp?: boolean }} [options]
 * @returns {readonly (readonly Run[])[]} the runs of each command, in the order of the rounds
 */
export function measureInTurn(commands, rounds, { warmUp = true } = {}) {
  /** @type {Run[][]} */
  const runs = commands.map(() => []);
  for (let round = warmUp ? 0 : 1; round <= rounds; round++) {
    commands.forEach((command, index) => {
      const run = measure(command);
      if (round > 0) runs[index]?.push(run);
    });
  }
  return runs;
}

/**
 * @param {Command} command
 * @returns {Run}
 */
function measure({ name, argv: [file, ...args], cwd }) {
  const folder = typeof cwd === 'string' ? cwd : cwd();
  const cpuBefore = readChildrenCpuSeconds();
  const start = process.hrtime.bigint();
  const { status, stdout, stderr } = spawnSync(file ?? '', args, {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const wall = Number(process.hrtime.bigint() - start) / 1e9;
  if (status !== 0) throw new Error(`${name}: exit ${status}\n${stdout}\n${stderr}`);
  const cpuAfter = readChildrenCpuSeconds();
  return { wall, cpu: cpuBefore && cpuAfter ? cpuAfter - cpuBefore : undefined };
}

const TICKS_PER_SECOND = 100;

/** Returns the processor time of all ended children: `cutime` and `cstime` of proc(5). */
function readChildrenCpuSeconds() {
  if (process.platform !== 'linux') return undefined;
  const afterName = readFileSync('/proc/self/stat', 'utf8').split(') ')[1] ?? '';
  const fields = afterName.split(' ');
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
}
