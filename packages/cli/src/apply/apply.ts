import {
  applyMigrations,
  buildStatus,
  openSession,
  planApply,
  readTarget,
  refuseProblems,
  renderScript,
  schemaIsGone,
  type ApplyResult,
  type TargetAddress,
} from '@cdc-migrations/tracker';
import { CommandError, EXIT } from '../exit-code.ts';
import { renderMatrix } from '../status/render-matrix.ts';
import { locateTargetError, locating } from '../target/locate-target-error.ts';
import type { CommandTarget, TargetOptions } from '../target/open-targets.ts';
import { selectTargets } from '../target/select-targets.ts';
import { withTargets } from '../target/with-targets.ts';
import { worstExitCode } from '../target/worst-exit-code.ts';
import { reportProgress, standardError } from './progress.ts';
import { renderSummary } from './render-summary.ts';
import {
  refuseUnknownWaves,
  rollOut,
  schemasOf,
  type Portion,
  type PortionEnd,
  type TargetEnd,
} from './roll-out.ts';
import { print, printMessage, printJson, printScript } from '../print.ts';

export interface ApplyCommandOptions extends TargetOptions {
  readonly jobs?: number;
  readonly canary?: number;
  readonly wave?: readonly string[];
  readonly dryRun?: boolean;
  readonly onError?: 'continue' | 'stop';
  /** Milliseconds. */
  readonly lockTimeout?: number;
  readonly allowRewrite?: boolean;
  readonly allowOlder?: boolean;
  readonly again?: boolean;
  readonly json?: boolean;
}

/** Applies the migrations of a repo to the targets of an environment and returns the exit code. */
export async function apply(options: ApplyCommandOptions): Promise<number> {
  return withTargets(options, async (repo) => {
    const targets = selectTargets(repo.targets, options.schema);
    for (const target of targets) refuse(target);
    refuseCanaryOfWaves(targets, options);
    if (options.dryRun) return planAll(targets, options);
    const ends = await rollOut(targets, options.wave, (portion) => applyPortion(portion, options));
    if (options.json) printJson({ targets: ends.map(documentOf) });
    return worstExitCode(
      ends.flatMap(({ portions, notBegun }) => [
        ...portions.map(({ exitCode }) => exitCode),
        ...(notBegun.length > 0 ? [EXIT.tenantsFailed] : []),
      ]),
    );
  });
}

/** @throws CommandError */
function refuseCanaryOfWaves(
  targets: readonly CommandTarget[],
  { canary }: ApplyCommandOptions,
): void {
  if (canary === undefined || targets.every(({ waves }) => waves.length === 0)) return;
  throw new CommandError(
    '--canary: the waves of sink-groups.yaml say which customers go first; leave it out, or use --wave',
  );
}

/** Edited files of any target stop the command before the first statement to any. */
function refuse({ migrations, label }: CommandTarget): void {
  locating(label, () => refuseProblems(migrations));
}

async function applyPortion(
  { target, wave, stopAfter }: Portion,
  options: ApplyCommandOptions,
): Promise<PortionEnd> {
  const { migrations, tenants, label } = target;
  try {
    const address = target.address();
    const progress = standardError(process.env);
    const result = await applyMigrations(address, migrations, {
      tenants,
      only: options.schema,
      among: wave?.schemas,
      again: options.again,
      jobs: options.jobs ?? wave?.jobs,
      canary: options.canary,
      stopAfter: options.onError === 'stop' ? 1 : stopAfter,
      lockTimeoutMs: options.lockTimeout,
      allowRewrite: options.allowRewrite,
      allowOlder: options.allowOlder,
      onEvent: reportProgress(progress),
    });
    if (!options.json) {
      const matrix = options.env === 'embedded' ? await readMatrix(target, address) : [];
      print([...matrix, ...renderSummary(wave ? `${label}, wave ${wave.name}` : label, result)]);
    }
    return { exitCode: exitCodeOf(result), result };
  } catch (error) {
    const { exitCode, message } = locateFailure(error, target);
    return { exitCode, result: undefined, error: message };
  }
}

/** Prints why a target could not be worked on; a defect is thrown. */
function locateFailure(error: unknown, { label, place }: CommandTarget): CommandError {
  const located = locateTargetError(error, label, place);
  if (!(located instanceof CommandError)) throw located;
  printMessage(located.message);
  return located;
}

/** What `--json` says of a target. */
function documentOf({ target: { label, waves }, portions, notBegun }: TargetEnd): object {
  const errors = portions.flatMap(({ error }) => error ?? []);
  const results = portions.flatMap(({ result }) => result ?? []);
  const [only] = results;
  if (waves.length === 0) {
    return { target: label, ...(errors.length > 0 ? { error: errors[0] } : only) };
  }
  return {
    target: label,
    ...(errors.length > 0 && { error: errors[0] }),
    waves: [
      ...portions.map(({ wave, result }) => ({ wave: wave!.name, ...result })),
      ...notBegun.map((wave) => ({ wave: wave.name, notBegun: wave.schemas })),
    ],
  };
}

/** Prints the script of each target. */
async function planAll(
  targets: readonly CommandTarget[],
  options: ApplyCommandOptions,
): Promise<number> {
  refuseUnknownWaves(targets, options.wave);
  const ends = [];
  for (const target of targets) {
    try {
      ends.push(await planTo(target, target.address(), options));
    } catch (error) {
      const { exitCode, message } = locateFailure(error, target);
      ends.push({ exitCode, document: { target: target.label, error: message } });
    }
  }
  if (options.json) printJson({ targets: ends.map(({ document }) => document) });
  return worstExitCode(ends.map(({ exitCode }) => exitCode));
}

async function planTo(
  { migrations, tenants, label, waves }: CommandTarget,
  address: TargetAddress,
  options: ApplyCommandOptions,
): Promise<{ readonly exitCode: number; readonly document: object }> {
  const session = openSession(address, 'cdc apply --dry-run');
  try {
    const plan = planApply(migrations, await readTarget(session, migrations), {
      tenants,
      only: options.schema,
      among: schemasOf(waves, options.wave),
      again: options.again,
    });
    const script = renderScript(plan, options);
    if (!options.json) printScript(script);
    for (const schema of plan.gone) {
      const { message, hint } = schemaIsGone(schema);
      printMessage(`${label}: ${schema}: ${message}; ${hint}`);
    }
    const exitCode = plan.gone.length > 0 ? EXIT.unsafe : EXIT.done;
    return { exitCode, document: { target: label, script, gone: plan.gone } };
  } finally {
    await session.close();
  }
}

async function readMatrix(
  { migrations, tenants }: CommandTarget,
  address: TargetAddress,
): Promise<readonly string[]> {
  const session = openSession(address, 'cdc status');
  try {
    return renderMatrix(
      buildStatus(migrations, await readTarget(session, migrations), { tenants }),
    );
  } finally {
    await session.close();
  }
}

function exitCodeOf({ failures, notBegun, mergeProblems }: ApplyResult): number {
  return worstExitCode([
    ...(mergeProblems.length > 0 ? [EXIT.differences] : []),
    ...failures.map(({ kind }) => (kind === 'unsafe' ? EXIT.unsafe : EXIT.tenantsFailed)),
    ...(notBegun.length > 0 ? [EXIT.tenantsFailed] : []),
  ]);
}
