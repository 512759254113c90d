import { Option, type Command } from 'commander';
import type { DiffOptions } from '../diff/diff.ts';
import type { CommandContext } from './command-context.ts';
import { parseTimeout } from './option-values.ts';
import { formatOption } from './target-options.ts';

const MORE_HELP = `
Exit codes:
  0  the definitions are as the source and the configuration have it
  1  something changed
  2  a mistake in the options or the configuration, or a source or target that
     cannot be read
  6  a definition was edited
`;

/** Adds `cdc manage-migrations diff`. */
export function addDiff(migrations: Command, { setExitCode }: CommandContext): void {
  migrations
    .command('diff')
    .description(
      'Says what changed in the source or the configuration since the definitions were generated, how safe it is, ' +
        'and what would run.',
    )
    .option('--env <env>', 'the source as it is in this environment (default: the snapshots)')
    .option('--base <commit>', 'definitions of this commit of git, instead of those on disk')
    .option(
      '--target <env>',
      'asks the targets of this environment which views and other objects are in the way of changes of type',
    )
    .option('--table <name...>', 'only these tables, by <Table> or <schema>.<Table>')
    .option('--sql', 'the SQL that would run in each schema')
    .addOption(
      new Option(
        '--json',
        'one JSON document on standard output, all else on standard error',
      ).conflicts('sql'),
    )
    .addOption(formatOption().conflicts(['json', 'sql']))
    .option(
      '--scaffold-manual',
      'begin a file in migrations/manual/ for the unsafe changes of each table',
    )
    .option('--timeout <seconds>', 'for connecting, and again for each query', parseTimeout)
    .addHelpText('after', MORE_HELP)
    .action(async (options: Omit<DiffOptions, 'root'>) => {
      const { diff } = await import('../diff/diff.ts');
      setExitCode(await diff({ ...options, ...migrations.opts<{ root?: string }>() }));
    });
}
