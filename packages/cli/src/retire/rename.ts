import {
  renameTarget,
  type Renamed,
  type RenamedFile,
  type Renaming,
} from '@cdc-migrations/tracker';
import { countOf } from '../count-of.ts';
import { heldBy } from '../apply/progress.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { printMessage } from '../print.ts';
import type { TargetOptions } from '../target/open-targets.ts';
import { reportTargets } from '../target/report-targets.ts';
import { worstExitCode } from '../target/worst-exit-code.ts';

export interface RenameCommandOptions extends TargetOptions {
  readonly table?: string;
  readonly customer?: string;
  readonly to: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Renames a schema or a table in targets. Returns the exit code: 3 if it failed, 5 if it was refused. */
export async function rename(options: RenameCommandOptions): Promise<number> {
  const renaming = renamingOf(options);
  return reportTargets(options, async ({ label, address, migrations, tenants, knownTenants }) => {
    const files: RenamedFile[] = [];
    const results = await renameTarget(address(), migrations, {
      ...{ tenants, knownTenants, only: options.schema, renaming },
      isDryRun: options.dryRun === true,
      onWait: (wait) =>
        printMessage(
          `${label}: ${wait.schema} waits: ${[wait.reason, ...heldBy(wait)].join('; ')}`,
        ),
      onFile: (file) => {
        files.push(file);
        printMessage(`${label}: ${describeFile(file, renaming)}`);
      },
    });
    return {
      exitCode: worstExitCode(results.map(({ outcome }) => EXIT_CODES[outcome])),
      lines:
        results.length === 0
          ? [`${label}: no bookkeeping under the name ${renaming.from}`]
          : results.map((result) => `${label}: ${describe(result, renaming)}`),
      document: { results, files },
    };
  });
}

const EXIT_CODES: Readonly<Record<Renamed['outcome'], number>> = {
  renamed: EXIT.done,
  found: EXIT.done,
  refused: EXIT.unsafe,
  failed: EXIT.tenantsFailed,
};

const SAID: Readonly<Record<Renamed['outcome'], string>> = {
  renamed: 'renamed',
  found: 'would be renamed',
  refused: 'refused',
  failed: 'failed',
};

function renamingOf({ table, customer, to }: RenameCommandOptions): Renaming {
  if (table === undefined && customer === undefined)
    throw new CommandError('rename: expected --table or --customer');
  return customer === undefined
    ? { kind: 'table', from: table!, to }
    : { kind: 'customer', from: customer, to };
}

function describe({ schema, tables, outcome, reason }: Renamed, { kind, from, to }: Renaming) {
  const what =
    kind === 'customer'
      ? `schema ${from} to ${to} (${countOf(tables.length, 'table')})`
      : `${schema}.${tables[0]} to ${schema}.${to}`;
  return `${what}: ${SAID[outcome]}${reason === null ? '' : `: ${reason}`}`;
}

function describeFile({ path, state, line }: RenamedFile, { from, to }: Renaming): string {
  if (state === 'corrected') return `${path}: has ${to} in place of ${from}, and counts as applied`;
  return `warning: ${path}:${line}: has the old name ${from}; write ${to} there, generate, and run this command again, so that the file counts as applied and new databases accept it`;
}
