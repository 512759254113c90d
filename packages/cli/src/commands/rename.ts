import { Option, type Command } from 'commander';
import type { CommandContext } from './command-context.ts';
import type { RenameCommandOptions } from '../retire/rename.ts';
import { requireOption } from './option-values.ts';
import { addTargetOptions } from './target-options.ts';

/** Adds `cdc manage-migrations rename`. */
export function addRename(migrations: Command, { setExitCode }: CommandContext): void {
  const command = migrations
    .command('rename')
    .description(
      'Renames a table, or the schema of a customer or a service, after its name has changed in the configuration. Keeps events, records of deletes, offsets and history.',
    );
  addTargetOptions(command)
    .option('--table <name>', 'this table (<Table> or <schema>.<Table>)')
    .addOption(
      new Option('--customer <name>', 'the schema of this customer or service').conflicts([
        'table',
        'schema',
      ]),
    )
    .option('--to <name>', 'the new name, as in the configuration')
    .option('--dry-run', 'print what the command would rename, and change nothing')
    .action(async (options: Omit<RenameCommandOptions, 'root'>) => {
      const { rename } = await import('../retire/rename.ts');
      setExitCode(await rename({ ...options, ...migrations.opts<{ root?: string }>() }));
    });
  requireOption(command, 'to', 'the name in the configuration');
}
