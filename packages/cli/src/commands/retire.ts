import { Option, type Command } from 'commander';
import type { CommandContext } from './command-context.ts';
import type { RetireCommandOptions } from '../retire/retire.ts';
import { parseList } from './option-values.ts';
import { addTargetOptions } from './target-options.ts';

/** Adds `cdc manage-migrations retire`. */
export function addRetire(migrations: Command, { setExitCode }: CommandContext): void {
  const command = migrations
    .command('retire')
    .description(
      'Ends the merges of a table or a customer that was removed from the configuration. Drops staging tables, procedures and bookkeeping, and keeps final tables.',
    );
  addTargetOptions(command)
    .option('--table <name...>', 'these tables (<Table> or <schema>.<Table>)')
    .addOption(
      new Option('--customer <a,b>', 'all tables of the schemas of these customers')
        .argParser(parseList)
        .conflicts(['table', 'schema']),
    )
    .option('--discard-events', 'discard events that are staged, refused or in the dead letters')
    .option('--drop', 'print SQL that drops the final tables, for you to run')
    .option('--dry-run', 'print what the command would retire, and change nothing')
    .action(async (options: Omit<RetireCommandOptions, 'root'>) => {
      const { retire } = await import('../retire/retire.ts');
      setExitCode(await retire({ ...options, ...migrations.opts<{ root?: string }>() }));
    });
}
