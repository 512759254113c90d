import type { Command } from 'commander';
import type { CommandContext } from './command-context.ts';
import type { CleanCdcCommandOptions } from '../source/clean-cdc.ts';
import { parseDays, parseList, parseTimeout, requireOption } from './option-values.ts';

/** Adds `cdc manage-migrations clean-cdc`. */
export function addCleanCdc(migrations: Command, { setExitCode }: CommandContext): void {
  const command = migrations
    .command('clean-cdc')
    .description(
      'Deletes captured changes in SQL Server that are older than a given number of days.',
    )
    .option('--env <env>', 'environment of the source')
    .option('--days <days>', 'delete changes that are older than this number of days', parseDays)
    .option(
      '--not-past <lsn|file>',
      'position of the slowest consumer, whose unread changes are kept: 0x…, or a file with <capture instance>: "0x…" on each line',
    )
    .option('--customer <a,b>', 'only the databases of these customers', parseList)
    .option('--all', 'the databases of all customers in this environment')
    .option('--table <name...>', 'only these tables (<Table> or <schema>.<Table>)')
    .option('--dry-run', 'print the number of rows to delete, and change nothing')
    .option('--emit-sql', 'print a script for the DBA, and change nothing')
    .option('--timeout <seconds>', 'timeout for connecting, and for each query', parseTimeout)
    .option('--json', 'print one JSON document on standard output, and messages on standard error')
    .action(async (options: Omit<CleanCdcCommandOptions, 'root'>) => {
      const { cleanCdc } = await import('../source/clean-cdc.ts');
      setExitCode(await cleanCdc({ ...options, ...migrations.opts<{ root?: string }>() }));
    });
  requireOption(command, 'env', 'an environment of source-groups.yaml');
  requireOption(command, 'days', 'a number of days');
}
