import { checkTarget, openSession, type Difference } from '@cdc-migrations/tracker';
import { CommandError, EXIT } from '../exit-code.ts';
import { locateTargetError } from '../target/locate-target-error.ts';
import type { CommandTarget, TargetOptions } from '../target/open-targets.ts';
import { withTargets } from '../target/with-targets.ts';
import { worstExitCode } from '../target/worst-exit-code.ts';

export interface CheckCommandOptions extends TargetOptions {
  readonly schema?: readonly string[];
  readonly exclude?: readonly string[];
  readonly json?: boolean;
}

/** Compares the structure of targets with the definitions, and returns the exit code: 1 when something differs. */
export async function check(options: CheckCommandOptions): Promise<number> {
  return withTargets(options, async ({ targets }) => {
    const ends: End[] = [];
    for (const target of targets) ends.push(await checkOne(target, options));
    const text = options.json
      ? JSON.stringify({ targets: ends.map(({ document }) => document) }, null, 2)
      : ends.flatMap(({ lines }) => lines).join('\n');
    process.stdout.write(`${text}\n`);
    return worstExitCode(ends.map(({ exitCode }) => exitCode));
  });
}

interface End {
  readonly exitCode: number;
  readonly lines: readonly string[];
  /** What `--json` says. */
  readonly document: object;
}

async function checkOne(target: CommandTarget, options: CheckCommandOptions): Promise<End> {
  const { label, migrations, tenants } = target;
  try {
    const session = openSession(target.address(), 'cdc check');
    try {
      const { schema: only, exclude } = options;
      const differences = await checkTarget(session, migrations, { tenants, only, exclude });
      return {
        exitCode: differences.length > 0 ? EXIT.differences : EXIT.done,
        lines: renderDifferences(label, differences),
        document: { target: label, differences },
      };
    } finally {
      await session.close();
    }
  } catch (error) {
    const located = locateTargetError(error, label);
    if (!(located instanceof CommandError)) throw located;
    const document = { target: label, error: located.message };
    return { exitCode: located.exitCode, lines: [located.message], document };
  }
}

function renderDifferences(label: string, differences: readonly Difference[]): readonly string[] {
  if (differences.length === 0) return [`${label}: as defined`];
  return [
    `${label}: ${differences.length} differences`,
    ...differences.map(({ kind, schema, name, message }) => {
      const place = name === '' ? schema : `${schema}.${name}`;
      return `${kind}  ${place}: ${message}`;
    }),
  ];
}
