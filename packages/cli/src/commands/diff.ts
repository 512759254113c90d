import { Option, type Command } from 'commander';
import type { DiffOptions } from '../diff/diff.ts';
import type { CommandContext } from './command-context.ts';
import { parseTimeout } from './option-values.ts';
import { formatOption } from './target-options.ts';

const MORE_HELP = `
Exit codes:
  0  the definitions match the source and the configuration
  1  there are changes
  2  a mistake in the options or the configuration, or a source or target that
     cannot be read
  6  a definition was edited
`;

/** Adds `cdc manage-migrations diff`. */
export function addDiff(migrations: Command, { setExitCode }: CommandContext): void {
  migrations
    .command('diff')
    .description(
      'Shows changes to the source and the configuration since the table definitions were generated, ' +
        'with the class (free, rewrite, unsafe or informational) and the SQL of each change.',
    )
    .option('--env <env>', 'read the source in this environment (default: the snapshots)')
    .option(
      '--base <commit>',
      'compare with the definitions in this git commit instead of the files on disk',
    )
    .option(
      '--target <env>',
      'search the targets of this environment for views and other objects that block type changes',
    )
    .option('--table <name...>', 'only these tables (<Table> or <schema>.<Table>)')
    .option('--sql', 'print the SQL that would run in each schema')
    .addOption(
      new Option(
        '--json',
        'print one JSON document on standard output, and messages on standard error',
      ).conflicts('sql'),
    )
    .addOption(formatOption().conflicts(['json', 'sql']))
    .option(
      '--scaffold-manual',
      'for each table with unsafe changes, create an SQL file in migrations/manual/ that you review and edit',
    )
    .option('--timeout <seconds>', 'timeout for connecting, and for each query', parseTimeout)
    .addHelpText('after', MORE_HELP)
    .action(async (options: Omit<DiffOptions, 'root'>) => {
      const { diff } = await import('../diff/diff.ts');
      setExitCode(await diff({ ...options, ...migrations.opts<{ root?: string }>() }));
    });
}
