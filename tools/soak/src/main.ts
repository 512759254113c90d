import { parseArgs } from 'node:util';
import { runRound } from './run-round.ts';
import { type SoakTarget, startSoakTarget } from './soak-target.ts';

const USAGE = 'npm run soak -- [--rounds N] [--minutes M] [--seed S] [--major 15|18]';

interface SoakOptions {
  readonly rounds: number;
  readonly minutes: number;
  readonly seed: number;
  readonly major: 15 | 18;
}

/** Rounds of the seeds from `seed` on, until there were so many or the time is over. */
async function soak(options: SoakOptions, target: SoakTarget): Promise<number> {
  const end = Date.now() + options.minutes * 60_000;
  const failed: number[] = [];
  const sums = { rounds: 0, events: 0, merges: 0, accidents: 0 };
  while (sums.rounds < options.rounds && Date.now() < end) {
    const seed = options.seed + sums.rounds++;
    const started = Date.now();
    const result = await runRound(target, seed).catch((error: Error) => ({
      ...{
        differences: [
          String(error.stack),
          String((error as { query?: string }).query).slice(0, 300),
        ],
        tables: 0,
        events: 0,
        merges: 0,
        accidents: 0,
      },
    }));
    sums.events += result.events;
    sums.merges += result.merges;
    sums.accidents += result.accidents;
    if (result.differences.length > 0) failed.push(seed);
    const what = `${result.tables} tables, ${result.events} events, ${result.merges} merges, ${result.accidents} accidents`;
    say(
      `seed ${seed}: ${what}, ${Date.now() - started} ms${result.differences.map((text) => `\n  ${text}`).join('')}`,
    );
  }
  say(
    `${sums.rounds} rounds, ${sums.events} events, ${sums.merges} merges, ${sums.accidents} accidents`,
  );
  say(failed.length === 0 ? 'no difference' : `different: seeds ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
}

function parseOptions(): SoakOptions {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string' },
      minutes: { type: 'string' },
      seed: { type: 'string' },
      major: { type: 'string', default: '15' },
    },
  });
  const unlimited = values.minutes === undefined ? '20' : 'Infinity';
  const options = {
    rounds: Number(values.rounds ?? unlimited),
    minutes: Number(values.minutes ?? 'Infinity'),
    seed: Number(values.seed ?? Math.floor(Math.random() * 2 ** 31)),
    major: Number(values.major) === 18 ? (18 as const) : (15 as const),
  };
  if ([options.rounds, options.minutes].some((n) => !(n > 0)) || !Number.isInteger(options.seed))
    throw new Error(`not a number that makes sense; ${USAGE}`);
  return options;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

const options = parseOptions();
const target = await startSoakTarget(options.major);
try {
  process.exitCode = await soak(options, target);
} finally {
  await target.stop();
}
