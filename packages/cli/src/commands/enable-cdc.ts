import type { Command } from 'commander';
import type { CommandContext } from './command-context.ts';
import type { EnableCdcCommandOptions } from '../source/enable-cdc.ts';
import { parseDuration } from '../target/parse-duration.ts';
import { parseList, parseTimeout, requireOption } from './option-values.ts';

/** Adds `cdc manage-migrations enable-cdc`. */
export function addEnableCdc(migrations: Command, { setExitCode }: CommandContext): void {
  const command = migrations
    .command('enable-cdc')
    .description(
      'Enables change data capture for the tables of the definitions: capture instances in SQL Server, ' +
        'a publication and replica identities in PostgreSQL. Reports problems before it changes anything. Skips tables that are enabled already.',
    )
    .option('--env <env>', 'environment of the source')
    .option('--customer <a,b>', 'only the databases of these customers', parseList)
    .option('--all', 'the databases of all customers in this environment')
    .option('--table <name...>', 'only these tables (<Table> or <schema>.<Table>)')
    .option('--dry-run', 'print the changes, and change nothing')
    .option('--emit-sql', 'print a script for the DBA, and change nothing')
    .option('--accept <codes>', 'accept these risks: large-object, collation, …', parseList)
    .option(
      '--second-instance',
      'SQL Server: create a second capture instance if the first has different columns',
    )
    .option(
      '--rotate',
      'SQL Server: replace an instance whose columns changed: create a new one, wait for the consumers, drop the old one',
    )
    .option(
      '--passed-lsn <lsn>',
      'with --rotate: the commit_lsn in the offset that Debezium has stored (not needed with positions: lsn)',
    )
    .option(
      '--wait <time>',
      'with --rotate: how long to wait for consumers, for example 10m (default: 0); run the command again to continue',
      parseDuration,
    )
    .option('--publication <name>', 'PostgreSQL: name of the publication (default: cdc_<database>)')
    .option(
      '--slot-name <name>',
      'PostgreSQL: name of the replication slot (default: the name of the publication)',
    )
    .option('--create-slot', 'PostgreSQL: also create the slot, which retains WAL from then on')
    .option('--timeout <seconds>', 'timeout for connecting, and for each query', parseTimeout)
    .option('--json', 'print one JSON document on standard output, and messages on standard error')
    .action(async (options: Omit<EnableCdcCommandOptions, 'root'>) => {
      const { enableCdc } = await import('../source/enable-cdc.ts');
      setExitCode(await enableCdc({ ...options, ...migrations.opts<{ root?: string }>() }));
    });
  requireOption(command, 'env', 'an environment of source-groups.yaml');
}
