import { baselineTarget } from '@cdc-migrations/tracker';
import { EXIT } from '../exit-code.ts';
import type { TargetOptions } from '../target/open-targets.ts';
import { summarizeDifferences } from '../target/render-differences.ts';
import { reportTargets } from '../target/report-targets.ts';
import { countOf } from '../count-of.ts';

export interface BaselineCommandOptions extends TargetOptions {
  readonly json?: boolean;
}

/** Records existing objects of targets and returns the exit code: 1 if something differs from its definition. */
export async function baseline(options: BaselineCommandOptions): Promise<number> {
  return reportTargets(options, async ({ label, address, migrations, tenants }) => {
    const result = await baselineTarget(address(), migrations, { tenants, only: options.schema });
    const { recorded, differences } = result;
    return {
      exitCode: differences.length > 0 ? EXIT.differences : EXIT.done,
      lines: [
        `${label}: ${countOf(recorded.length, 'file')} recorded, ${countOf(differences.length, 'difference')}`,
        ...summarizeDifferences(differences),
      ],
      document: result,
    };
  });
}
