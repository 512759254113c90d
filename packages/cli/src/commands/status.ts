import type { Command } from 'commander';
import type { CommandContext } from './command-context.ts';
import type { StatusCommandOptions } from '../status/status.ts';
import { addTargetOptions, formatOption } from './target-options.ts';

/** Adds `cdc manage-migrations status`. */
export function addStatus(migrations: Command, { setExitCode }: CommandContext): void {
  const command = migrations
    .command('status')
    .description(
      'Shows the state of each file in each schema: applied, pending, outdated, edited, failed, unsafe or missing. Also shows merge problems.',
    );
  addTargetOptions(command)
    .addOption(formatOption())
    .option('--offline', 'list the files without connecting to a target')
    .action(async (options: Omit<StatusCommandOptions, 'root'>) => {
      const { status } = await import('../status/status.ts');
      setExitCode(await status({ ...options, ...migrations.opts<{ root?: string }>() }));
    });
}
