import type { TextTable } from '../lay-out-table.ts';
import { countOf } from '../count-of.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { findRoot } from '../repo/find-root.ts';
import { EMBEDDED } from '../target/open-targets.ts';
import { withTargets } from '../target/with-targets.ts';
import { print, printJson } from '../print.ts';
import { examineRepo } from './examine-repo.ts';
import { examineSources } from './examine-sources.ts';
import { examineTarget } from './examine-target.ts';
import { fault, type Finding } from './finding.ts';

export interface DoctorOptions {
  readonly root?: string;
  readonly env: string;
  readonly sink?: readonly string[];
  /** Timeout of a source, in milliseconds. */
  readonly timeout: number;
  readonly json?: boolean;
}

/**
 * Checks the configuration, the generated files, the sources and the targets of an environment, and prints each problem
 * with what to do. Returns the exit code: 2 for an error, 1 for a warning. Values of variables are not printed.
 */
export async function doctor(options: DoctorOptions): Promise<number> {
  const root = findRoot(options.root);
  const { config, findings } = examineRepo(root);
  const { env, timeout: timeoutMs } = options;
  const all = [
    ...findings,
    ...(config && env !== EMBEDDED ? await examineSources(root, config, { env, timeoutMs }) : []),
    ...(config ? await examineTargets({ ...options, root }) : []),
  ];
  const exitCode = exitCodeOf(all);
  if (options.json) printJson({ exitCode, findings: all });
  else print(renderFindings(all));
  return exitCode;
}

async function examineTargets(options: DoctorOptions): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  try {
    await withTargets(options, async ({ targets }) => {
      for (const target of targets) findings.push(...(await examineTarget(target)));
      return EXIT.done;
    });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    findings.push(fault('targets', error.message, 'fix it first'));
  }
  return findings;
}

function exitCodeOf(findings: readonly Finding[]): number {
  const has = (wanted: Finding['level']) => findings.some(({ level }) => level === wanted);
  return has('error') ? EXIT.usage : has('warning') ? EXIT.differences : EXIT.done;
}

/** The worst is last, where a terminal shows it. */
const ORDER: readonly Finding['level'][] = ['ok', 'note', 'warning', 'error'];

function renderFindings(findings: readonly Finding[]): readonly (string | TextTable)[] {
  const sorted = ORDER.flatMap((wanted) =>
    gather(findings.filter(({ level }) => level === wanted)),
  );
  const table = {
    rows: sorted.map(({ level, about, says }) => [level, about, says]),
    below: sorted.map(({ solution }) => (solution === null ? [] : [`  what to do: ${solution}`])),
  };
  const counts = ORDER.slice(1).map((wanted) => {
    const count = findings.filter(({ level }) => level === wanted).length;
    return countOf(count, wanted);
  });
  return [...(sorted.length > 0 ? [table] : []), counts.reverse().join(', ')];
}

/** Merges findings with the same text into one. */
function gather(findings: readonly Finding[]): readonly Finding[] {
  const same = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = JSON.stringify([finding.says, finding.solution]);
    same.set(key, [...(same.get(key) ?? []), finding]);
  }
  return [...same.values()].map(([first, ...more]) =>
    more.length === 0 ? first! : { ...first!, about: `${first!.about} and ${more.length} more` },
  );
}
