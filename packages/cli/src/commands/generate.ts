import { Option, type Command } from 'commander';
import type { GenerateOptions } from '../generate/generate-options.ts';
import { STAGES } from '../generate/stage.ts';
import { printError } from '../print.ts';
import type { CommandContext } from './command-context.ts';

interface RefreshOption {
  readonly refresh?: boolean;
}

const MORE_HELP = `
--table and --service can be combined with --only. The stages schemas and
infrastructure write no files for individual tables, so they refuse these
options.

Environment:
  CDC_DB_USER  role that inserts into staging tables and runs merges (default:
               postgres). Required if the generated files name a different role

Exit codes:
  0  done, or nothing to do
  1  --check: files are stale
  2  a mistake in the options or the configuration, or a file that cannot be
     read or written; nothing is written
  6  a generated file was edited, or another file has the name of a generated
     file; nothing is written
`;

/** Adds `cdc manage-migrations generate`. */
export function addGenerate(migrations: Command, { setExitCode }: CommandContext): void {
  migrations
    .command('generate')
    .description(
      'Writes table definitions and SQL from the configuration and the snapshots in generated/schemas/. ' +
        'Writes nothing if there is any error.',
    )
    .option('--service <name...>', 'only the files of tables of these services')
    .option('--table <name...>', 'only the files of these tables (<Table> or <schema>.<Table>)')
    .addOption(
      new Option(
        '--only <stage>',
        'run only this stage, with the output of earlier stages',
      ).choices(STAGES),
    )
    .option('--dry-run', 'list every file that would change, and write nothing')
    .addOption(
      new Option(
        '--check',
        'list every stale or edited file, write nothing, and end with exit code 1 or 6 if there are any',
      ).conflicts(['dryRun', 'force']),
    )
    .addOption(
      new Option('--refresh', 'read the databases first, like schema-docs').conflicts([
        'dryRun',
        'check',
      ]),
    )
    .option(
      '--force',
      'overwrite edited generated files, and other files that have the name of a generated file',
    )
    .option('--json', 'print one JSON document on standard output, and messages on standard error')
    .addHelpText('after', MORE_HELP)
    .action(async ({ refresh, ...options }: Omit<GenerateOptions, 'root'> & RefreshOption) => {
      const { root } = migrations.opts<{ root?: string }>();
      const all = { ...options, ...(root !== undefined && { root }) };
      if (refresh) {
        const { refreshSnapshots } = await import('../source/schema-docs.ts');
        await refreshSnapshots(all);
      }
      const { generate } = await import('../generate/generate.ts');
      setExitCode(generate({ ...all, refresh: refresh === true }));
      if (!options.check || options.only) return;
      const { summarizeLint } = await import('../lint/lint.ts');
      const summary = await summarizeLint(root);
      if (summary !== undefined) printError([summary]);
    });
}
