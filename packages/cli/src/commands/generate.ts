import { Option, type Command } from 'commander';
import type { GenerateOptions } from '../generate/generate.ts';
import { STAGES } from '../generate/stage.ts';
import type { CommandContext } from '../program.ts';

/** `cdc manage-migrations generate`. */
export function addGenerate(migrations: Command, { setExitCode }: CommandContext): void {
  migrations
    .command('generate')
    .description(
      'Writes table definitions and SQL from the configuration and the snapshots in generated/schemas/. ' +
        'Nothing is written when there is a mistake anywhere.',
    )
    .option('--service <name...>', 'only the files of tables of these services')
    .option('--table <name...>', 'only the files of these tables, by <Table> or <schema>.<Table>')
    .addOption(
      new Option(
        '--only <stage>',
        'one stage, from what the stages before it have written',
      ).choices(STAGES),
    )
    .option('--dry-run', 'say what would change, and write nothing')
    .option(
      '--check',
      'write nothing; exit 1 when files are stale, 6 when generated files were edited',
    )
    .option('--force', 'write over generated files that were edited')
    .option('--json', 'one JSON document on standard output, all else on standard error')
    .addHelpText(
      'after',
      '\nEnvironment:\n  CDC_DB_USER  role that inserts into staging tables and runs merges (default: postgres)\n',
    )
    .action(async (options: Omit<GenerateOptions, 'root'>) => {
      const { generate } = await import('../generate/generate.ts');
      setExitCode(generate({ ...options, ...migrations.opts<{ root?: string }>() }));
    });
}
