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
      'Creates an implementation repo with an example table. You can run generate in it at once. ' +
        'Never overwrites a file.',
    )
    .argument('[folder]', 'folder of the repo, created if it is missing', '.')
    .addOption(
      new Option(
        '--pattern <pattern>',
        'distribution of customers: one database per customer, or all customers in one database',
      ).choices(PATTERNS),
    )
    .addOption(
      new Option(
        '--type <type>',
        'type of the source databases (default: mssql for db-per-tenant, else postgres)',
      ).choices(TYPES),
    )
    .option(
      '--name <name>',
      'name of the source group and the Nx project (default: name of the folder)',
    )
    .option('--service <name>', 'name of the first service (default: the value of --name)')
    .addOption(new Option('--ci <ci>', 'add a CI workflow').choices(CIS).default('github'))
    .option(
      '--nx',
      'run the steps and CI with Nx (default if nx.json contains the plugin of this project)',
    )
    .option('--no-nx', 'run the steps and CI without Nx')
    .option('--dry-run', 'list every file, and write nothing')
    .option('--json', 'print one JSON document on standard output, with the contents of the files')
    .action(async (folder: string, options: Omit<InitOptions, 'folder'>) => {
      const { init } = await import('../init/init.ts');
      setExitCode(init({ ...options, folder }));
    });
  requireOption(command, 'pattern', PATTERNS.join(' or '));
}
