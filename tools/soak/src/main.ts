import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { runCrashRound } from './crash-round.ts';
import { CRASH_KINDS, CRASH_SETTINGS } from './crash-server.ts';
import { runReloadRound } from './reload-round.ts';
import { type RoundResult, runRound } from './run-round.ts';
import { type ServerKind, type SoakTarget, startSoakTarget } from './soak-target.ts';

const USAGE =
  'npm run soak -- [--rounds N] [--minutes M] [--seed S] [--server 15|18|debian] [--crashes] [--reloads]: a round for each seed from S on; --files: only damaged files; --wire: real pipelines; --year: 60 changes of a repo, several times; --faults: each fault in each query of a command; --settings: hostile settings one by one and traps; without arguments: rounds, reloads and files';

const SERVERS: readonly ServerKind[] = [15, 18, 'debian'];

interface SoakOptions {
  readonly rounds: number;
  readonly minutes: number;
  readonly seed: number;
  readonly server: ServerKind;
  /** Crashes the server in each round, instead of accidents of sessions. */
  readonly crashes: boolean;
  /** Reloads tables whose source lost events. Every fourth round has crashes. */
  readonly reloads: boolean;
}

/** Runs rounds with seeds from `seed` on, until the number or the time is reached. */
async function soak(options: SoakOptions, target: SoakTarget): Promise<number> {
  const end = Date.now() + options.minutes * 60_000;
  const failed: number[] = [];
  const sums = { events: 0, merges: 0, accidents: 0, replayed: 0 };
  let rounds = 0;
  for (; rounds < options.rounds && Date.now() < end; rounds++) {
    const seed = options.seed + rounds;
    const started = Date.now();
    const result = await runOne(target, seed, options).catch(describeFailure);
    for (const key of COUNTED) sums[key] += result[key];
    if (result.differences.length > 0) failed.push(seed);
    const lines = [`seed ${seed}: ${countsOf(result)}, ${Date.now() - started} ms`];
    say([...lines, ...result.differences].join('\n  '));
  }
  say(`${rounds} rounds: ${countsOf(sums)}`);
  say(failed.length === 0 ? 'no difference' : `different: seeds ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
}

type Counts = Pick<RoundResult, (typeof COUNTED)[number]>;

const COUNTED = ['events', 'merges', 'accidents', 'replayed'] as const;

function countsOf(counts: Counts): string {
  return COUNTED.map((key) => `${counts[key]} ${key}`).join(', ');
}

function runOne(target: SoakTarget, seed: number, { crashes, reloads }: SoakOptions) {
  if (reloads) return runReloadRound(target, seed, { crashes: crashes || seed % 4 === 0 });
  if (!crashes) return runRound(target, seed);
  return runCrashRound(target, seed, CRASH_KINDS[seed % CRASH_KINDS.length]!);
}

function describeFailure(error: Error & { readonly query?: string }) {
  const query = error.query === undefined ? [] : [error.query.slice(0, 500)];
  return {
    differences: [String(error.stack), ...query],
    events: 0,
    merges: 0,
    accidents: 0,
    replayed: 0,
  };
}

function parseOptions(): SoakOptions {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string' },
      minutes: { type: 'string' },
      seed: { type: 'string' },
      server: { type: 'string', default: '15' },
      crashes: { type: 'boolean', default: false },
      reloads: { type: 'boolean', default: false },
    },
  });
  const unlimited = values.minutes === undefined ? '20' : 'Infinity';
  const server = SERVERS.find((kind) => String(kind) === values.server);
  const options = {
    rounds: Number(values.rounds ?? unlimited),
    minutes: Number(values.minutes ?? 'Infinity'),
    seed: Number(values.seed ?? Math.floor(Math.random() * 2 ** 31)),
    crashes: values.crashes,
    reloads: values.reloads,
  };
  const isSensible = options.rounds > 0 && options.minutes > 0 && Number.isInteger(options.seed);
  if (!isSensible || server === undefined) throw new Error(USAGE);
  return { ...options, server };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function soakMerges(more: Partial<SoakOptions> = {}): Promise<number> {
  const options = { ...parseOptions(), ...more };
  const target = await startSoakTarget(
    options.server,
    options.crashes || options.reloads ? CRASH_SETTINGS : {},
  );
  try {
    return await soak(options, target);
  } finally {
    await target.stop();
  }
}

/** Runs a spec, whose duration depends on variables. Those of the caller override `env`. Returns its exit code. */
function runSpec(spec: string, env: Readonly<Record<string, string>> = {}): number {
  const options = { env: { ...env, ...process.env }, stdio: 'inherit' } as const;
  return spawnSync('npx', ['jest', spec, '-w', '1'], options).status ?? 1;
}

/** Long forms of specs, with the variables that lengthen them. `CDC_TEST_SEED` repeats a run. */
const SPECS: Readonly<Record<string, () => number>> = {
  '--files': () => runSpec('tools/soak/src/damaged-files.spec.ts', { CDC_MUTATIONS: '10000' }),
  '--wire': () =>
    runSpec('tools/e2e/src/asma-pipeline.spec.ts', {
      CDC_WIRE_CHANGES: '100000',
      CDC_WIRE_RESTARTS: '3',
    }),
  '--year': () =>
    runSpec('packages/cli/src/apply/year.spec.ts', { CDC_YEAR: '60', CDC_YEAR_RUNS: '3' }),
  '--faults': () => runSpec('packages/cli/src/target/faults.spec.ts', { CDC_FAULTS: 'all' }),
  '--settings': () =>
    runSpec('tools/e2e/src/hostile-settings.spec.ts', { CDC_SETTINGS: 'single' }) ||
    runSpec('packages/cli/src/apply/creating-role.spec.ts', { CDC_TRAPS: 'all' }),
};

async function main(): Promise<number> {
  const [, , ...args] = process.argv;
  if (process.env['CDC_EVOLUTION_WALKS']) return runSpec('tools/e2e/src/evolution-walks.spec.ts');
  const spec = args.length === 1 ? SPECS[args[0]!] : undefined;
  if (spec) return spec();
  const damaged = args.length === 0 ? SPECS['--files']!() : 0;
  const reloads = args.length === 0 ? await soakMerges({ reloads: true }) : 0;
  return (await soakMerges()) || reloads || damaged;
}

process.exitCode = await main();
