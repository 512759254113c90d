import { Option, type Command } from 'commander';
import type { GeneratePipelinesOptions } from '../pipelines/generate-pipelines.ts';
import type { CommandContext } from './command-context.ts';

const MORE_HELP = `
Exit codes:
  0  done, or nothing to do
  1  --check: files are stale
  2  a mistake in the options or the configuration, or a file that cannot be
     read or written; nothing is written
  6  a generated file was edited, or another file is in its place; nothing is
     written
`;

/** Adds `cdc manage-pipelines generate`. */
export function addGeneratePipelines(pipelines: Command, { setExitCode }: CommandContext): void {
  pipelines
    .command('generate')
    .description(
      'Writes pipelines/: what fills the staging tables of each sink and environment, and the connectors of the sources. ' +
        'Nothing is written when there is a mistake anywhere.',
    )
    .option('--dry-run', 'write nothing; name every file that would change')
    .addOption(
      new Option(
        '--check',
        'write nothing; name every file that is stale or edited, and exit 1 or 6',
      ).conflicts(['dryRun', 'force']),
    )
    .option(
      '--force',
      'write over generated files that were edited, and remove other files from pipelines/',
    )
    .option('--json', 'one JSON document on standard output, all else on standard error')
    .addHelpText('after', MORE_HELP)
    .action(async (options: Omit<GeneratePipelinesOptions, 'root'>) => {
      const { generatePipelines } = await import('../pipelines/generate-pipelines.ts');
      setExitCode(generatePipelines({ ...options, ...pipelines.opts<{ root?: string }>() }));
    });
}
