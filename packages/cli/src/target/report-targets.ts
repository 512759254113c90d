import { openSession, type Session } from '@cdc-migrations/tracker';
import { CommandError } from '../exit-code.ts';
import { locateTargetError } from './locate-target-error.ts';
import type { CommandTarget, TargetOptions } from './open-targets.ts';
import { selectTargets } from './select-targets.ts';
import { withTargets } from './with-targets.ts';
import { worstExitCode } from './worst-exit-code.ts';
import { print, printMessage, printJson, printScript } from '../print.ts';
import { renderJunit, type TestCase, type TestSuite } from '../render-junit.ts';
import { renderMarkdown, type ReportLines } from '../report-lines.ts';

/** Report of a target. */
export interface TargetReport {
  readonly exitCode: number;
  readonly lines: ReportLines;
  /** Document for `--json`, without the target. */
  readonly document: object;
  /** Test cases for `--format junit`. */
  readonly cases?: readonly TestCase[];
  /** Reason why the target could not be queried. It was printed on standard error already. */
  readonly error?: string;
}

/**
 * Asks each target of an environment and prints what there is to say of them: lines, or one JSON document. `refuse` throws
 * before any target is asked if the command is not for these targets.
 */
export async function reportTargets(
  options: TargetOptions & { readonly json?: boolean; readonly format?: string },
  ask: (target: CommandTarget) => Promise<TargetReport>,
  refuse: (targets: readonly CommandTarget[]) => void = () => undefined,
): Promise<number> {
  return withTargets(options, async ({ targets }) => {
    const reports: TargetReport[] = [];
    const selected = selectTargets(targets, options.schema);
    refuse(selected);
    for (const target of selected) reports.push(await askOne(target, ask));
    return printReports(reports, options);
  });
}

/** Runs work in a session with a target, whose application_name is `application`. */
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

/** Prints reports and returns their common exit code. */
export function printReports(
  reports: readonly TargetReport[],
  { json, format }: { readonly json?: boolean; readonly format?: string },
): number {
  const isMarkdown = format === 'markdown';
  const lines = reports.flatMap(({ lines: own, error }): ReportLines => {
    if (!isMarkdown) return own;
    const all = error === undefined ? own : [error];
    return all.length > 0 ? renderMarkdown(all) : [];
  });
  if (format === 'junit') printScript(renderJunit(reports.map(suiteOf)));
  else if (json) printJson({ targets: reports.map(({ document }) => document) });
  else if (lines.length > 0) print(lines);
  return worstExitCode(reports.map(({ exitCode }) => exitCode));
}

function suiteOf({ document, cases = [], error }: TargetReport): TestSuite {
  const name = 'target' in document ? String(document.target) : '';
  return { name, cases: error === undefined ? cases : [{ name: 'connection', failures: [error] }] };
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
    return { exitCode: located.exitCode, lines: [], document, error: located.message };
  }
}
