import type { Command } from 'commander';
import type { CommandContext } from './command-context.ts';
import type { TypesOptions } from '../types/types.ts';

/** Adds `cdc manage-migrations types`. */
export function addTypes(migrations: Command, { setExitCode }: CommandContext): void {
  migrations
    .command('types')
    .description(
      'Lists columns whose values the target does not store exactly, with the reason and what to do.',
    )
    .option('--service <name...>', 'only tables of these services')
    .option('--table <name...>', 'only these tables (<Table> or <schema>.<Table>)')
    .option('--json', 'print one JSON document on standard output, and messages on standard error')
    .action(async (options: Omit<TypesOptions, 'root'>) => {
      const { types } = await import('../types/types.ts');
      setExitCode(types({ ...options, ...migrations.opts<{ root?: string }>() }));
    });
}
