import { setTimeout as sleep } from 'node:timers/promises';
import { knownNames } from '@cdc-migrations/shape';
import { failedSchemas, WHOLE_DATABASE, type ApplyResult } from '@cdc-migrations/tracker';
import { countOf } from '../count-of.ts';
import { CommandError } from '../exit-code.ts';
import { printMessage } from '../print.ts';
import type { CommandTarget, TargetWave } from '../target/open-targets.ts';

/** Part of a target that is applied at once: all of it, or a wave. */
export interface Portion {
  readonly target: CommandTarget;
  readonly wave: TargetWave | undefined;
  /** Number of failed schemas that stops the portion. Undefined means that the options decide. */
  readonly stopAfter: number | undefined;
  /** False if an earlier wave of the same rollout was applied to the target. */
  readonly isFirst: boolean;
  /** False if a later wave has schemas of the target. */
  readonly isLast: boolean;
}

/** End of a portion. */
export interface PortionEnd {
  readonly exitCode: number;
  /** Undefined if the target could not be used. */
  readonly result: ApplyResult | undefined;
  readonly error?: string;
}

/** A target with its results by wave. */
export interface TargetEnd {
  readonly target: CommandTarget;
  /** Results of the waves. One without a wave if the sink group has none. */
  readonly portions: readonly (PortionEnd & { readonly wave: TargetWave | undefined })[];
  /** Waves that did not start. */
  readonly notBegun: readonly TargetWave[];
}

/**
 * Applies to all targets at once. Sink groups with waves run wave by wave, in all of their databases, until a wave
 * stops the rollout.
 */
export async function rollOut(
  targets: readonly CommandTarget[],
  names: readonly string[] | undefined,
  applyPortion: (portion: Portion) => Promise<PortionEnd>,
): Promise<readonly TargetEnd[]> {
  refuseUnknownWaves(targets, names);
  const ends: TargetEnd[] = [];
  for (const group of new Set(targets.map((target) => target.group))) {
    const own = targets.filter((target) => target.group === group);
    if (own[0]!.waves.length > 0) ends.push(...(await applyWaves(own, names, applyPortion)));
    else if (names === undefined) {
      for (const target of own) {
        const all = { wave: undefined, stopAfter: undefined, isFirst: true, isLast: true };
        const end = await applyPortion({ target, ...all });
        ends.push({ target, portions: [{ ...end, wave: undefined }], notBegun: [] });
      }
    }
  }
  return ends;
}

/** @throws CommandError for a wave that no sink group has */
export function refuseUnknownWaves(
  targets: readonly CommandTarget[],
  names: readonly string[] | undefined,
): void {
  const known = [...new Set(targets.flatMap(({ waves }) => waves.map(({ name }) => name)))];
  for (const name of names ?? []) {
    if (known.includes(name)) continue;
    const place = known.length === 0 ? 'sink-groups.yaml has no waves' : knownNames(name, known);
    throw new CommandError(`--wave ${name}: unknown wave; ${place}`);
  }
}

async function applyWaves(
  targets: readonly CommandTarget[],
  names: readonly string[] | undefined,
  applyPortion: (portion: Portion) => Promise<PortionEnd>,
): Promise<readonly TargetEnd[]> {
  const order = targets[0]!.waves.filter(({ name }) => !names || names.includes(name));
  if (order.length === 0) return [];
  const portions = new Map(
    targets.map((target) => [target, [] as (PortionEnd & { readonly wave: TargetWave })[]]),
  );
  let begun = 0;
  let wait: { readonly ms: number; readonly after: string } | undefined;
  for (const { name, pauseMs, stopAfter = 1 } of order) {
    if (wait) await pause(wait, name);
    const size = targets.reduce((sum, target) => sum + waveOf(target, name).schemas.length, 0);
    printMessage(`wave ${++begun} of ${order.length}, ${name}: ${countOf(size, 'schema')}`);
    const ends: PortionEnd[] = [];
    for (const target of targets) {
      const wave = waveOf(target, name);
      const left = stopAfter - countFailed(ends);
      // If no customer takes part, the files of the whole database still run with the first wave.
      const hasWork = wave.schemas.length > 0 || (begun === 1 && hasNoSchemas(target));
      if (!hasWork || left <= 0 || ends.some(isBroken)) continue;
      const isFirst = portions.get(target)!.length === 0;
      const later = order.slice(begun).map((one) => waveOf(target, one.name));
      const isLast = later.every(({ schemas }) => schemas.length === 0);
      const end = await applyPortion({ target, wave, stopAfter: left, isFirst, isLast });
      ends.push(end);
      portions.get(target)!.push({ ...end, wave });
    }
    const failed = countFailed(ends);
    if (failed >= stopAfter || ends.some(isBroken)) {
      const later = order.slice(begun).map((wave) => wave.name);
      const limit = failed >= stopAfter ? `, stop_after is ${stopAfter}` : '';
      const why = failed > 0 ? `: ${countOf(failed, 'schema')} failed${limit}` : '';
      const left = later.length > 0 ? `; waves not started: ${later.join(', ')}` : '';
      printMessage(`stopped in wave ${name}${why}${left}`);
      break;
    }
    const didWork = ends.some(({ result }) => result!.applied.length > 0);
    wait = didWork && pauseMs ? { ms: pauseMs, after: name } : undefined;
  }
  return targets.map((target) => ({
    target,
    portions: portions.get(target)!,
    notBegun: order.slice(begun).map(({ name }) => waveOf(target, name)),
  }));
}

/** Returns the schemas of the selected waves. Returns undefined, which means all, if no wave is selected. */
export function schemasOf(
  waves: readonly TargetWave[],
  names: readonly string[] | undefined,
): readonly string[] | undefined {
  return (
    names && waves.filter(({ name }) => names.includes(name)).flatMap(({ schemas }) => schemas)
  );
}

function waveOf({ waves }: CommandTarget, name: string): TargetWave {
  return waves.find((wave) => wave.name === name)!;
}

/** Returns true if the target stopped early or a file of the whole database failed, which all schemas need. */
function isBroken({ result }: PortionEnd): boolean {
  return (
    !result || result.notBegun.length > 0 || failedSchemas(result.failures).has(WHOLE_DATABASE)
  );
}

function countFailed(ends: readonly PortionEnd[]): number {
  return ends.reduce((sum, { result }) => sum + failedSchemas(result?.failures ?? []).size, 0);
}

async function pause({ ms, after }: { ms: number; after: string }, next: string): Promise<void> {
  printMessage(`wave ${after} is done; wave ${next} begins in ${Math.round(ms / 1000)} s`);
  await sleep(ms);
}

function hasNoSchemas({ waves }: CommandTarget): boolean {
  return waves.every(({ schemas }) => schemas.length === 0);
}
