import { checkTarget } from '@cdc-migrations/tracker';
import { EXIT } from '../exit-code.ts';
import type { TargetOptions } from '../target/open-targets.ts';
import { renderDifferences } from '../target/render-differences.ts';
import { reportTargets, withSession } from '../target/report-targets.ts';
import { countOf } from '../count-of.ts';

export interface CheckCommandOptions extends TargetOptions {
  readonly exclude?: readonly string[];
  readonly json?: boolean;
}

const WAY_OUT =
  'apply --again creates what is missing and repairs our routines, triggers and indexes; what else is different or extra stays: change it by hand, or in the configuration';

/** Compares the structure of targets with the definitions, and returns the exit code: 1 when something differs. */
export async function check(options: CheckCommandOptions): Promise<number> {
  const { schema: only, exclude } = options;
  return reportTargets(options, async (target) => {
    const { label, migrations, tenants, knownTenants } = target;
    const differences = await withSession(target, 'cdc check', (session) =>
      checkTarget(session, migrations, { tenants, knownTenants, only, exclude }),
    );
    const isSame = differences.length === 0;
    return {
      exitCode: isSame ? EXIT.done : EXIT.differences,
      lines: [
        `${label}: ${isSame ? 'as defined' : countOf(differences.length, 'difference')}`,
        ...renderDifferences(differences),
        ...(isSame ? [] : [WAY_OUT]),
      ],
      document: { differences },
    };
  });
}
