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

/** Asks each target of an environment and prints what there is to say of them: lines, or one JSON document. */
export async function reportTargets(
  options: TargetOptions & { readonly json?: boolean },
  ask: (target: CommandTarget) => Promise<TargetReport>,
): Promise<number> {
  return withTargets(options, async ({ targets }) => {
    const reports: TargetReport[] = [];
    for (const target of selectTargets(targets, options.schema))
      reports.push(await askOne(target, ask));
    return printReports(reports, options);
  });
}

/** Does work in a session with a target, which is named `application` there. */
export async function withSession<Result>(
  { address }: CommandTarget,
  application: string,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const session = openSession(address(), application);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** Prints reports and gives the exit code of all together. */
export function printReports(
  reports: readonly TargetReport[],
  { json }: { readonly json?: boolean },
): number {
  const lines = reports.flatMap((report) => report.lines);
  if (json) printJson({ targets: reports.map(({ document }) => document) });
  else if (lines.length > 0) print(lines);
  return worstExitCode(reports.map(({ exitCode }) => exitCode));
}

async function askOne(
  target: CommandTarget,
  ask: (target: CommandTarget) => Promise<TargetReport>,
): Promise<TargetReport> {
  const { label } = target;
  try {
    const report = await ask(target);
    return { ...report, document: { target: label, ...report.document } };
  } catch (error) {
    const located = locateTargetError(error, label, target.place);
    if (!(located instanceof CommandError)) throw located;
    printMessage(located.message);
    const document = { target: label, error: located.message };
    return { exitCode: located.exitCode, lines: [], document };
  }
}
