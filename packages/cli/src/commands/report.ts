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
        'The page is self-contained, so you can send it to others.',
    );
  addTargetOptions(command)
    .option('--out <file>', 'write the page to this file')
    .option('--since <commit>', 'also show changes to the definitions since this git commit')
    .option('--drift', 'also show the differences that check finds')
    .option(
      '--exclude <glob...>',
      'ignore objects whose <schema>.<name> matches one of these globs',
    )
    .action(async (options: Omit<ReportOptions, 'root'>) => {
      const { report } = await import('../report/report.ts');
      setExitCode(await report({ ...options, ...migrations.opts<{ root?: string }>() }));
    });
}
