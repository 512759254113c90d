import { Option, type Command } from 'commander';
import type { GeneratePipelinesOptions } from '../pipelines/generate-pipelines.ts';
import type { CommandContext } from './command-context.ts';

const MORE_HELP = `
Exit codes:
  0  done, or nothing to do
  1  --check: files are stale
  2  a mistake in the options or the configuration, or a file that cannot be
     read or written; nothing is written
  6  a generated file was edited, or another file has the name of a generated
     file; nothing is written
`;

/** Adds `cdc manage-pipelines generate`. */
export function addGeneratePipelines(pipelines: Command, { setExitCode }: CommandContext): void {
  pipelines
    .command('generate')
    .description(
      'Writes pipelines/: the pipelines that fill the staging tables of each sink and environment, and the connectors of the sources. ' +
        'Writes nothing if there is any error.',
    )
    .option('--dry-run', 'list every file that would change, and write nothing')
    .addOption(
      new Option(
        '--check',
        'list every stale or edited file, write nothing, and end with exit code 1 or 6 if there are any',
      ).conflicts(['dryRun', 'force']),
    )
    .option('--force', 'overwrite edited generated files, and remove other files from pipelines/')
    .option('--json', 'print one JSON document on standard output, and messages on standard error')
    .addHelpText('after', MORE_HELP)
    .action(async (options: Omit<GeneratePipelinesOptions, 'root'>) => {
      const { generatePipelines } = await import('../pipelines/generate-pipelines.ts');
      setExitCode(generatePipelines({ ...options, ...pipelines.opts<{ root?: string }>() }));
    });
}
