import type { Command } from 'commander';
import type { BaselineCommandOptions } from '../baseline/baseline.ts';
import type { CommandContext } from './command-context.ts';
import { addTargetOptions } from './target-options.ts';

/** Adds `cdc manage-migrations baseline`. */
export function addBaseline(migrations: Command, { setExitCode }: CommandContext): void {
  const command = migrations
    .command('baseline')
    .description(
      'Records existing objects of a target as applied if they match the definitions. Lists objects that do not match, and ends with exit code 1 if there are any. ' +
        'Changes only the history.',
    );
  addTargetOptions(command).action(async (options: Omit<BaselineCommandOptions, 'root'>) => {
    const { baseline } = await import('../baseline/baseline.ts');
    setExitCode(await baseline({ ...options, ...migrations.opts<{ root?: string }>() }));
  });
}
