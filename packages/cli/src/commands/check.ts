import type { Command } from 'commander';
import type { CheckCommandOptions } from '../check/check.ts';
import type { CommandContext } from './command-context.ts';
import { addTargetOptions } from './target-options.ts';

/** `cdc manage-migrations check`. */
export function addCheck(migrations: Command, { setExitCode }: CommandContext): void {
  const command = migrations
    .command('check')
    .description(
      'Compares the structure of targets with the definitions; reads only, exit 1 when it differs.',
    );
  addTargetOptions(command)
    .option('--exclude <glob...>', 'what not to tell, over <schema>.<name>')
    .action(async (options: Omit<CheckCommandOptions, 'root'>) => {
      const { check } = await import('../check/check.ts');
      setExitCode(await check({ ...options, ...migrations.opts<{ root?: string }>() }));
    });
}
