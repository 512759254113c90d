import type { Command } from 'commander';
import type { CheckCommandOptions } from '../check/check.ts';
import type { CommandContext } from './command-context.ts';
import { addTargetOptions, formatOption } from './target-options.ts';
import { FORMATS } from '../report-lines.ts';

/** Adds `cdc manage-migrations check`. */
export function addCheck(migrations: Command, { setExitCode }: CommandContext): void {
  const command = migrations
    .command('check')
    .description(
      'Compares the structure of targets with the definitions. Changes nothing. Ends with exit code 1 on drift.',
    );
  addTargetOptions(command)
    .addOption(formatOption([...FORMATS, 'junit']))
    .option(
      '--exclude <glob...>',
      'ignore objects whose <schema>.<name> matches one of these globs',
    )
    .action(async (options: Omit<CheckCommandOptions, 'root'>) => {
      const { check } = await import('../check/check.ts');
      setExitCode(await check({ ...options, ...migrations.opts<{ root?: string }>() }));
    });
}
