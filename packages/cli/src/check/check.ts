import { checkTarget, listSchemas, type Difference } from '@cdc-migrations/tracker';
import { EXIT } from '../exit-code.ts';
import type { TargetOptions } from '../target/open-targets.ts';
import { renderDifferences } from '../target/render-differences.ts';
import { reportTargets, withSession } from '../target/report-targets.ts';
import { countOf } from '../count-of.ts';
import type { TestCase } from '../render-junit.ts';
import type { Format } from '../report-lines.ts';

export interface CheckCommandOptions extends TargetOptions {
  readonly exclude?: readonly string[];
  readonly json?: boolean;
  readonly format?: Format | 'junit';
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
    const schemas = listSchemas(migrations, { tenants, only });
    return {
      cases: casesOf(schemas, differences),
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

/** Each schema is a test case, which fails if something in it differs. */
function casesOf(
  schemas: readonly string[],
  differences: readonly Difference[],
): readonly TestCase[] {
  const all = new Set([...schemas, ...differences.map(({ schema }) => schema)]);
  return [...all].map((schema) => ({
    name: schema,
    failures: renderDifferences(differences.filter((one) => one.schema === schema)),
  }));
}
