import type { Command } from 'commander';
import type { ReportOptions } from '../report/report.ts';
import type { CommandContext } from './command-context.ts';
import { addTargetOptions } from './target-options.ts';

/** `cdc manage-migrations report`. */
export function addReport(migrations: Command, { setExitCode }: CommandContext): void {
  const command = migrations
    .command('report')
    .description(
      'Writes one HTML page about targets: files by state, merges, lag, dead letters, drift, tables and their columns. ' +
        'The page loads nothing and can be sent to others.',
    );
  addTargetOptions(command)
    .option('--out <file>', 'the page')
    .option('--since <commit>', 'also what changed in the definitions since this commit of git')
    .option('--drift', 'also how the structure differs from the definitions, as check does')
    .option('--exclude <glob...>', 'objects to ignore, as globs over <schema>.<name>')
    .action(async (options: Omit<ReportOptions, 'root'>) => {
      const { report } = await import('../report/report.ts');
      setExitCode(await report({ ...options, ...migrations.opts<{ root?: string }>() }));
    });
}
