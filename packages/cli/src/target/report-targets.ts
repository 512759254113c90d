import { openSession, type Session } from '@cdc-migrations/tracker';
import { CommandError } from '../exit-code.ts';
import { locateTargetError } from './locate-target-error.ts';
import type { CommandTarget, TargetOptions } from './open-targets.ts';
import { selectTargets } from './select-targets.ts';
import { withTargets } from './with-targets.ts';
import { worstExitCode } from './worst-exit-code.ts';
import { print, printMessage, printJson } from '../print.ts';

/** What there is to say of a target. */
export interface TargetReport {
  readonly exitCode: number;
  readonly lines: readonly string[];
  /** What `--json` says, beside the target. */
  readonly document: object;
}

/**
 * Asks each target of an environment and prints what there is to say of them: lines, or one JSON document.
 *
 * @param application how the session is named at the target.
 */
export async function reportTargets(
  options: TargetOptions & { readonly json?: boolean },
  application: string,
  ask: (session: Session, target: CommandTarget) => Promise<TargetReport>,
): Promise<number> {
  return withTargets(options, async ({ targets }) => {
    const reports: TargetReport[] = [];
    for (const target of selectTargets(targets, options.schema))
      reports.push(await askOne(target, application, ask));
    return printReports(reports, options);
  });
}

/** Prints reports and gives the exit code of all together. */
export function printReports(
  reports: readonly TargetReport[],
  { json }: { readonly json?: boolean },
): number {
  if (json) printJson({ targets: reports.map(({ document }) => document) });
  else print(reports.flatMap(({ lines }) => lines));
  return worstExitCode(reports.map(({ exitCode }) => exitCode));
}

async function askOne(
  target: CommandTarget,
  application: string,
  ask: (session: Session, target: CommandTarget) => Promise<TargetReport>,
): Promise<TargetReport> {
  const { label } = target;
  try {
    const session = openSession(target.address(), application);
    try {
      const report = await ask(session, target);
      return { ...report, document: { target: label, ...report.document } };
    } finally {
      await session.close();
    }
  } catch (error) {
    const located = locateTargetError(error, label);
    if (!(located instanceof CommandError)) throw located;
    printMessage(located.message);
    const document = { target: label, error: located.message };
    return { exitCode: located.exitCode, lines: [], document };
  }
}
