import { checkTarget, listSchemas, type Difference } from '@cdc-migrations/tracker';
import { EXIT } from '../exit-code.ts';
import type { TargetOptions } from '../target/open-targets.ts';
import {
  renderDifferences,
  renderRepair,
  summarizeDifferences,
} from '../target/render-differences.ts';
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
  'to repair, run the command, or the SQL in psql; --dry-run shows the SQL of apply, --exclude ignores objects that should stay';

/** Compares the structure of targets with the definitions. Returns the exit code: 1 if something differs. */
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
      cases: casesOf(schemas, differences, options.env),
      exitCode: isSame ? EXIT.done : EXIT.differences,
      lines: [
        `${label}: ${isSame ? 'matches the definitions' : countOf(differences.length, 'difference')}`,
        ...summarizeDifferences(differences, options.env),
        ...(isSame ? [] : [WAY_OUT]),
      ],
      document: {
        differences: differences.map((difference) => {
          const { repair: _, ...facts } = difference;
          const repair = renderRepair(difference, options.env);
          return { ...facts, ...(repair !== undefined && { repair }) };
        }),
      },
    };
  });
}

/** Builds a test case for each schema. It fails if something in the schema differs. */
function casesOf(
  schemas: readonly string[],
  differences: readonly Difference[],
  env: string,
): readonly TestCase[] {
  const all = new Set([...schemas, ...differences.map(({ schema }) => schema)]);
  return [...all].map((schema) => ({
    name: schema,
    failures: renderDifferences(
      differences.filter((one) => one.schema === schema),
      env,
    ),
  }));
}
