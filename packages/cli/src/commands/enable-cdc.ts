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
      'Switches change data capture on for the tables of the definitions: capture instances in SQL Server, ' +
        'a publication and replica identities in PostgreSQL. Reports problems first; what is on already stays.',
    )
    .option('--env <env>', 'environment of the source')
    .option('--customer <a,b>', 'databases of these customers', parseList)
    .option('--all', 'databases of all customers that have the environment')
    .option('--table <name...>', 'only these tables, by <Table> or <schema>.<Table>')
    .option('--dry-run', 'say what would be done, and change nothing')
    .option('--emit-sql', 'print a script for the DBA, and change nothing')
    .option(
      '--accept <codes>',
      'go on in spite of these risks: large-object, collation, …',
      parseList,
    )
    .option('--second-instance', 'a second capture instance where the first has other columns')
    .option(
      '--rotate',
      'SQL Server: move to an instance with new columns: create it, wait until consumers are there, drop the old one',
    )
    .option(
      '--passed-lsn <lsn>',
      'with --rotate: commit_lsn of the stored offset of Debezium (pipelines by LSN have a cursor in the target)',
    )
    .option(
      '--wait <time>',
      'with --rotate: how long consumers are waited for, as 10m (0); run it again to go on',
      parseDuration,
    )
    .option('--publication <name>', 'PostgreSQL: the publication (cdc_<database>)')
    .option('--slot-name <name>', 'PostgreSQL: the replication slot (as the publication)')
    .option('--create-slot', 'PostgreSQL: create the slot too, which keeps WAL from then on')
    .option('--timeout <seconds>', 'for connecting, and again for each query', parseTimeout)
    .option('--json', 'one JSON document on standard output, all else on standard error')
    .action(async (options: Omit<EnableCdcCommandOptions, 'root'>) => {
      const { enableCdc } = await import('../source/enable-cdc.ts');
      setExitCode(await enableCdc({ ...options, ...migrations.opts<{ root?: string }>() }));
    });
  requireOption(command, 'env', 'an environment of source-groups.yaml');
}
