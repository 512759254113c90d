import type { Command } from 'commander';
import type { ExplainOptions } from '../explain/explain.ts';
import type { CommandContext } from './command-context.ts';

/** Adds `cdc manage-migrations explain`. */
export function addExplain(migrations: Command, { setExitCode }: CommandContext): void {
  migrations
    .command('explain')
    .description(
      'Shows the path of a table or a column: source, event, staging table, merge, final table, ' +
        'and the lines of the configuration that define it.',
    )
    .argument('<table>', '<Table> or <schema>.<Table>')
    .argument('[column]', 'name at the source or in PostgreSQL (default: the whole table)')
    .option('--service <name...>', 'only tables of these services')
    .option('--json', 'print one JSON document on standard output, and messages on standard error')
    .action(
      async (
        table: string,
        column: string | undefined,
        options: Pick<ExplainOptions, 'service' | 'json'>,
      ) => {
        const { explain } = await import('../explain/explain.ts');
        const { root } = migrations.opts<{ root?: string }>();
        setExitCode(explain({ ...options, root, table, column }));
      },
    );
}
