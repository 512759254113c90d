import type { Command } from 'commander';
import type { CheckPipelinesOptions } from '../pipelines/check-pipelines.ts';
import type { CommandContext } from './command-context.ts';

const MORE_HELP = `
Exit codes:
  0  all INSERTs match
  1  some INSERTs do not match
  2  a mistake in the options or the configuration, or a file that cannot be
     read or contains no INSERT
`;

/** Adds `cdc manage-pipelines check`. */
export function addCheckPipelines(pipelines: Command, { setExitCode }: CommandContext): void {
  pipelines
    .command('check')
    .description(
      'Lists INSERTs of pipelines that do not match the staging tables, with the reason for each. ' +
        'Reads configurations of Bento and Redpanda Connect, SQL, and JSON as [{"table": …, "columns": […]}].',
    )
    .argument('<file...>', '.yaml, .yml, .json or .sql')
    .option('--sink <sink>', 'only the staging tables of this sink: <sink group>.<database>')
    .option('--json', 'print one JSON document on standard output, and messages on standard error')
    .addHelpText('after', MORE_HELP)
    .action(async (files: readonly string[], options: Omit<CheckPipelinesOptions, 'root'>) => {
      const { checkPipelines } = await import('../pipelines/check-pipelines.ts');
      setExitCode(checkPipelines(files, { ...options, ...pipelines.opts<{ root?: string }>() }));
    });
}
