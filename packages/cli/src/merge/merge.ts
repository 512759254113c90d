import { runMerges, type MergeResult } from '@cdc-migrations/tracker';
import { standardError } from '../apply/progress.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { shellWord } from '../init/scaffold-options.ts';
import { locateTargetError } from '../target/locate-target-error.ts';
import { EMBEDDED, type CommandTarget, type TargetOptions } from '../target/open-targets.ts';
import { withTargets } from '../target/with-targets.ts';
import { worstExitCode } from '../target/worst-exit-code.ts';
import { reportMerges } from './report-merges.ts';
import { renderResult } from './render-result.ts';
import { untilSignal } from './until-signal.ts';
import { print, printError, printJson, printMessage } from '../print.ts';

export interface MergeCommandOptions extends TargetOptions {
  readonly table?: readonly string[];
  readonly jobs?: number;
  readonly watch?: boolean;
  /** In milliseconds. */
  readonly interval?: number;
  readonly replayDeadLetters?: boolean;
  readonly json?: boolean;
}

/** Merges staged events in all targets of an environment in parallel and returns the exit code. */
export async function merge(options: MergeCommandOptions): Promise<number> {
  const work = async ({ targets }: { readonly targets: readonly CommandTarget[] }) => {
    const progress = standardError(process.env);
    if (options.watch) printError(describeWatch(targets, options));
    const ends = await untilSignal(progress, (signal) =>
      Promise.all(
        targets.map((target) =>
          mergeTarget(target, options, {
            signal,
            ...reportMerges(progress, {
              prefix: targets.length > 1 ? `${target.label}: ` : '',
              isWatching: options.watch === true,
            }),
          }),
        ),
      ),
    );
    if (options.json) printJson({ targets: ends.map(({ document }) => document) });
    else print(ends.flatMap(({ lines }) => lines));
    return worstExitCode(ends.map(({ exitCode }) => exitCode));
  };
  return withTargets(options, work, { endsOnSignal: true });
}

/** Says what `--watch` does until when, and how to look at an embedded target, whose server runs for as long. */
function describeWatch(
  targets: readonly CommandTarget[],
  { env, interval = 1000 }: MergeCommandOptions,
): readonly string[] {
  const every = interval < 1000 ? `${interval} ms` : `${interval / 1000} s`;
  return [
    `merging staged events every ${every} until Ctrl-C or SIGTERM`,
    ...(env === EMBEDDED ? targets.map(describePsql) : []),
  ];
}

function describePsql({ label, address }: CommandTarget): string {
  const { server, database } = address();
  return `${label}: psql -h ${shellWord(server.host)} -U ${server.user} -d ${shellWord(database)}`;
}

interface End {
  readonly exitCode: number;
  readonly lines: readonly string[];
  /** Document for `--json`. */
  readonly document: object;
}

interface MergeShell extends ReturnType<typeof reportMerges> {
  readonly signal: AbortSignal;
}

async function mergeTarget(
  { label, place, address }: CommandTarget,
  options: MergeCommandOptions,
  { signal, onEvent, finish }: MergeShell,
): Promise<End> {
  try {
    const result = await runMerges(address(), {
      schemas: options.schema,
      tables: options.table,
      jobs: options.jobs,
      everyMs: options.watch ? options.interval : undefined,
      replay: options.replayDeadLetters,
      signal,
      onEvent,
    });
    finish();
    return {
      exitCode: exitCodeOf(result),
      lines: renderResult(label, result),
      document: { target: label, ...result },
    };
  } catch (error) {
    finish();
    const located = locateTargetError(error, label, place);
    if (!(located instanceof CommandError)) throw located;
    printMessage(located.message);
    const document = { target: label, error: located.message };
    return { exitCode: located.exitCode, lines: [], document };
  }
}

function exitCodeOf({
  tables,
  replays,
  mergeProblems,
  lockedStaging,
  heldTables,
  lost,
}: MergeResult): number {
  const hasFailed =
    [...tables, ...replays].some(({ failure }) => failure !== null) ||
    mergeProblems.length + lockedStaging.length + heldTables.length > 0;
  return worstExitCode([
    ...(hasFailed || lost !== null ? [EXIT.tenantsFailed] : []),
    ...(replays.some(({ dead }) => dead > 0) ? [EXIT.differences] : []),
  ]);
}
