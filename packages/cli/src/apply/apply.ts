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
import { print, printMessage, printJson, printScript } from '../print.ts';

export interface ApplyCommandOptions extends TargetOptions {
  readonly jobs?: number;
  readonly canary?: number;
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
    const ends = [];
    for (const target of targets) ends.push(await applyTo(target, options));
    if (options.json) {
      printJson({ targets: ends.map(({ document }) => document) });
    }
    return worstExitCode(ends.map(({ exitCode }) => exitCode));
  });
}

interface End {
  readonly exitCode: number;
  /** What `--json` says. */
  readonly document: object;
}

/** Edited files of any target stop the command before the first statement to any. */
function refuse({ migrations, label }: CommandTarget): void {
  locating(label, () => refuseProblems(migrations));
}

async function applyTo(target: CommandTarget, options: ApplyCommandOptions): Promise<End> {
  const { migrations, tenants, label } = target;
  try {
    const address = target.address();
    if (options.dryRun) return await planTo(target, address, options);
    const progress = standardError(process.env);
    const result = await applyMigrations(address, migrations, {
      tenants,
      only: options.schema,
      again: options.again,
      jobs: options.jobs,
      canary: options.canary,
      onError: options.onError,
      lockTimeoutMs: options.lockTimeout,
      allowRewrite: options.allowRewrite,
      allowOlder: options.allowOlder,
      onEvent: reportProgress(progress),
    });
    if (!options.json) {
      const matrix = options.env === 'embedded' ? await readMatrix(target, address) : [];
      print([...matrix, ...renderSummary(label, result)]);
    }
    return { exitCode: exitCodeOf(result), document: { target: label, ...result } };
  } catch (error) {
    const located = locateTargetError(error, label, target.place);
    if (!(located instanceof CommandError)) throw located;
    printMessage(located.message);
    return { exitCode: located.exitCode, document: { target: label, error: located.message } };
  }
}

async function planTo(
  { migrations, tenants, label }: CommandTarget,
  address: TargetAddress,
  options: ApplyCommandOptions,
): Promise<End> {
  const session = openSession(address, 'cdc apply --dry-run');
  try {
    const plan = planApply(migrations, await readTarget(session, migrations), {
      tenants,
      only: options.schema,
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
