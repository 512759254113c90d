import { type Command } from 'commander';
import type { CommandContext } from './command-context.ts';
import type { SchemaDocsOptions } from '../source/schema-docs-options.ts';
import { parseList, parseTimeout } from './option-values.ts';

/** Adds `cdc manage-migrations schema-docs`. */
export function addSchemaDocs(migrations: Command, { setExitCode }: CommandContext): void {
  migrations
    .command('schema-docs')
    .description(
      'Reads the structure of the validation database of each service and writes it to generated/schemas/. ' +
        'Writes nothing if a database cannot be read.',
    )
    .option('--env <env>', 'environment of the source (default: validation_env of the service)')
    .option('--service <name...>', 'only the databases of these services')
    .option(
      '--customer <a,b>',
      'read the databases of these customers instead of the validation databases',
      parseList,
    )
    .option('--all', 'with --compare: all customers in this environment')
    .option('--compare', 'show how the customers differ from the snapshots, and write nothing')
    .option('--if-changed', 'skip databases whose structure has not changed since the snapshot')
    .option('--force', 'overwrite edited snapshots')
    .option('--timeout <seconds>', 'timeout for connecting, and for each query', parseTimeout)
    .option('--json', 'print one JSON document on standard output, and messages on standard error')
    .action(async (options: Omit<SchemaDocsOptions, 'root'>) => {
      const { schemaDocs } = await import('../source/schema-docs.ts');
      setExitCode(await schemaDocs({ ...options, ...migrations.opts<{ root?: string }>() }));
    });
}
