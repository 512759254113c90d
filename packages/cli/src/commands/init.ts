import { Option, type Command } from 'commander';
import { CIS, PATTERNS, TYPES } from '../init/scaffold-options.ts';
import type { InitOptions } from '../init/init.ts';
import type { CommandContext } from './command-context.ts';
import { requireOption } from './option-values.ts';

/** Adds `cdc init`. */
export function addInit(program: Command, { setExitCode }: CommandContext): void {
  const command = program
    .command('init')
    .description(
      'Makes a new implementation repo with an example table, of which SQL can be generated at once. ' +
        'No file that is there is written over.',
    )
    .argument('[folder]', 'where; made if it is not there', '.')
    .addOption(
      new Option(
        '--pattern <pattern>',
        'a database for each customer, or all in the same ones',
      ).choices(PATTERNS),
    )
    .addOption(
      new Option(
        '--type <type>',
        'what the sources are (default: mssql for db-per-tenant, else postgres)',
      ).choices(TYPES),
    )
    .option('--name <name>', 'source group, and so the Nx project (default: that of the folder)')
    .option('--service <name>', 'the first service (default: as --name)')
    .addOption(new Option('--ci <ci>', 'a workflow for CI').choices(CIS).default('github'))
    .option('--nx', 'steps and CI go through Nx (default: where nx.json has our plugin)')
    .option('--no-nx', 'steps and CI go through this command line')
    .option('--dry-run', 'write nothing; name every file')
    .option('--json', 'one JSON document on standard output, with the texts of the files')
    .action(async (folder: string, options: Omit<InitOptions, 'folder'>) => {
      const { init } = await import('../init/init.ts');
      setExitCode(init({ ...options, folder }));
    });
  requireOption(command, 'pattern', PATTERNS.join(' or '));
}
