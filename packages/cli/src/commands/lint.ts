import { Option, type Command } from 'commander';
import type { LintOptions } from '../lint/lint.ts';
import type { CommandContext } from './command-context.ts';

/** Adds `cdc manage-migrations lint`. */
export function addLint(migrations: Command, { setExitCode }: CommandContext): void {
  migrations
    .command('lint')
    .description(
      'Checks hand-written SQL for statements that are dangerous with change data capture. ' +
        'Also applies the rules of squawk if the implementation repo has squawk-cli.',
    )
    .option('--json', 'print one JSON document on standard output, and messages on standard error')
    .addOption(
      new Option('--format <format>', 'report format; sarif is for code scanning in CI')
        .choices(['text', 'sarif'])
        .default('text')
        .conflicts('json'),
    )
    .action(async (options: Omit<LintOptions, 'root'>) => {
      const { lint } = await import('../lint/lint.ts');
      setExitCode(await lint({ ...options, ...migrations.opts<{ root?: string }>() }));
    });
}
