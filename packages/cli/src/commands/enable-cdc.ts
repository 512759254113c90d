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
        'a publication and replica identities in PostgreSQL. Reports problems first. Enabled tables are unchanged.',
    )
    .option('--env <env>', 'environment of the source')
    .option('--customer <a,b>', 'databases of these customers', parseList)
    .option('--all', 'databases of all customers that have the environment')
    .option('--table <name...>', 'only these tables, by <Table> or <schema>.<Table>')
    .option('--dry-run', 'print what would be done, and change nothing')
    .option('--emit-sql', 'print a script for the DBA, and change nothing')
    .option(
      '--accept <codes>',
      'continue despite these risks: large-object, collation, …',
      parseList,
    )
    .option('--second-instance', 'create a second capture instance if the first has other columns')
    .option(
      '--rotate',
      'SQL Server: move to an instance with new columns: create it, wait for the consumers, drop the old one',
    )
    .option(
      '--passed-lsn <lsn>',
      'with --rotate: commit_lsn of the stored offset of Debezium (pipelines by LSN have a cursor in the target)',
    )
    .option(
      '--wait <time>',
      'with --rotate: how long to wait for consumers, for example 10m (0); run it again to continue',
      parseDuration,
    )
    .option('--publication <name>', 'PostgreSQL: the publication (cdc_<database>)')
    .option('--slot-name <name>', 'PostgreSQL: the replication slot (as the publication)')
    .option('--create-slot', 'PostgreSQL: create the slot too, which keeps WAL from then on')
    .option('--timeout <seconds>', 'timeout for connecting, and for each query', parseTimeout)
    .option('--json', 'print one JSON document on standard output, the rest on standard error')
    .action(async (options: Omit<EnableCdcCommandOptions, 'root'>) => {
      const { enableCdc } = await import('../source/enable-cdc.ts');
      setExitCode(await enableCdc({ ...options, ...migrations.opts<{ root?: string }>() }));
    });
  requireOption(command, 'env', 'an environment of source-groups.yaml');
}
