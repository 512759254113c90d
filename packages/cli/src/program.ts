import { Command } from 'commander';
import { addGenerate } from './commands/generate.ts';

/** What a command gets from the shell that runs it. */
export interface CommandContext {
  readonly setExitCode: (exitCode: number) => void;
}

/** Commands of `cdc manage-migrations`, in the order of the help; what a command needs is loaded when it runs. */
const COMMANDS: readonly ((migrations: Command, context: CommandContext) => void)[] = [addGenerate];

/** The command line. */
export function buildProgram(context: CommandContext): Command {
  const program = new Command('cdc')
    .description(
      'Copies of SQL Server databases in PostgreSQL: from the catalog of the source to the SQL of the target.',
    )
    .exitOverride()
    .showHelpAfterError('(--help lists the options)')
    .helpCommand(false);
  const migrations = program
    .command('manage-migrations')
    .description('Makes the migrations of an implementation repo, from any folder of it.')
    .option(
      '--root <folder>',
      'implementation repo, instead of the one that holds the working directory',
    );
  for (const add of COMMANDS) add(migrations, context);
  return program;
}
