import { readFileSync } from 'node:fs';
import { ConfigError } from '@cdc-migrations/config';
import { FileError, nearest, type Problem } from '@cdc-migrations/shape';
import { Command, CommanderError } from 'commander';
import { addApply } from './commands/apply.ts';
import { addBaseline } from './commands/baseline.ts';
import { addCheck } from './commands/check.ts';
import { addCheckPipelines } from './commands/check-pipelines.ts';
import { addCleanCdc } from './commands/clean-cdc.ts';
import { addCompletions } from './commands/completions.ts';
import { addDeadLetters } from './commands/dead-letters.ts';
import { addDiff } from './commands/diff.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEnableCdc } from './commands/enable-cdc.ts';
import { addExplain } from './commands/explain.ts';
import { addGenerate } from './commands/generate.ts';
import { addGeneratePipelines } from './commands/generate-pipelines.ts';
import { addInit } from './commands/init.ts';
import { addLint } from './commands/lint.ts';
import { addMerge } from './commands/merge.ts';
import { addMetrics } from './commands/metrics.ts';
import { addReload } from './commands/reload.ts';
import { addRename } from './commands/rename.ts';
import { addReport } from './commands/report.ts';
import { addRetire } from './commands/retire.ts';
import { addSchemaDocs } from './commands/schema-docs.ts';
import { addExamples } from './commands/examples.ts';
import { addStatus } from './commands/status.ts';
import { addTypes } from './commands/types.ts';
import { addVerify } from './commands/verify.ts';
import type { CommandContext } from './commands/command-context.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { findRoot } from './repo/find-root.ts';
import { print, printAnnotations, printJson, printMessage } from './print.ts';

/** Adds a command. Its code is loaded when it runs. */
type AddCommand = (parent: Command, context: CommandContext) => void;

/** Commands of `cdc manage-migrations`, in the order of the help. */
const COMMANDS: readonly AddCommand[] = [
  addSchemaDocs,
  addGenerate,
  addDiff,
  addApply,
  addStatus,
  addCheck,
  addVerify,
  addBaseline,
  addRename,
  addRetire,
  addReload,
  addMerge,
  addDeadLetters,
  addMetrics,
  addReport,
  addEnableCdc,
  addCleanCdc,
  addTypes,
  addExplain,
  addLint,
  addDoctor,
];

/** Commands of `cdc manage-pipelines`. */
const PIPELINE_COMMANDS: readonly AddCommand[] = [addGeneratePipelines, addCheckPipelines];

/** Commands directly under `cdc`. */
const OWN_COMMANDS: readonly AddCommand[] = [
  addInit,
  (program) => addCompletions(program, SHORT_FORM_OF),
];

/** Command group that may be omitted. */
const SHORT_FORM_OF = 'manage-migrations';

/** Names of errors about the user's files. Their message is complete without a stack. */
const USER_ERRORS = new Set(['CommandError', 'ConfigError', 'FileError', 'RepoPathError']);

/** Runs a command line, including the two words of the program, and prints errors. */
export async function runProgram(argv: readonly string[], context: CommandContext): Promise<void> {
  const program = buildProgram(context);
  try {
    await program.parseAsync(expandShortForm(program, argv));
  } catch (error) {
    const exitCode = exitCodeOf(error);
    context.setExitCode(exitCode);
    const message = messageOf(error);
    // Commander has printed its errors already, and help is not a failure.
    if (!(error instanceof CommanderError)) printMessage(message);
    const problems = problemsOf(error);
    annotate(program, problems);
    if (exitCode === EXIT.done || !argv.includes('--json')) return;
    const located = problems.map(({ at, line, message }) => ({
      ...{ file: at.file, line, keys: at.keys, message },
    }));
    printJson({
      exitCode,
      errors: message.split('\n'),
      ...(located.length > 0 && { problems: located }),
    });
  }
}

function problemsOf(error: unknown): readonly Problem[] {
  return error instanceof ConfigError || error instanceof FileError ? error.problems : [];
}

/** Annotates the problems of an error in the files of the pull request. */
function annotate(program: Command, problems: readonly Problem[]): void {
  const given = program.commands.map((group) => group.opts<{ root?: string }>().root);
  const annotations = problems.flatMap(({ at, line, message }) =>
    line === undefined ? [] : [{ file: at.file, line, message }],
  );
  if (annotations.length === 0) return;
  printAnnotations(findRoot(given.find((root) => root !== undefined)), annotations);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommandError) return error.exitCode;
  if (error instanceof Error && 'isEdited' in error && error.isEdited === true) return EXIT.edited;
  return error instanceof CommanderError && error.exitCode === 0 ? EXIT.done : EXIT.usage;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof CommanderError || USER_ERRORS.has(error.name)) return error.message;
  return `${error.stack}\nThis is a bug in cdc manage-migrations, not a problem of your files.`;
}

/** Builds the command line. */
function buildProgram(context: CommandContext): Command {
  const program = new Command('cdc')
    .description(
      'Replicates SQL Server and PostgreSQL databases to PostgreSQL: generates and applies the SQL of change data capture.',
    )
    .exitOverride()
    .configureOutput({ writeErr: (text) => printMessage(text.trimEnd()) })
    .showHelpAfterError('(--help lists the options)')
    .configureHelp({ showGlobalOptions: true, subcommandTerm: (command) => command.name() })
    .option('-V, --version', 'print the version')
    .on('option:version', printVersion)
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText(
      'after',
      `\ncdc <command> is short for cdc ${SHORT_FORM_OF} <command>: cdc apply --env prod`,
    );
  const migrations = addGroup(
    program,
    SHORT_FORM_OF,
    'Generates, applies and monitors the migrations of an implementation repo. Works in any folder of the repo.',
  );
  for (const add of COMMANDS) add(migrations, context);
  const pipelines = addGroup(
    program,
    'manage-pipelines',
    'Generates and checks the pipelines of an implementation repo. Works in any folder of the repo.',
  );
  for (const add of PIPELINE_COMMANDS) add(pipelines, context);
  for (const add of OWN_COMMANDS) add(program, context);
  addExamples(program);
  return program;
}

/**
 * Expands `cdc apply` and `cdc help apply` to those of `cdc manage-migrations`, also if the name is misspelled and
 * closest to one of those commands.
 */
function expandShortForm(program: Command, argv: readonly string[]): readonly string[] {
  const [runtime, script, word, ...rest] = argv;
  if (word === undefined || word.startsWith('-')) return argv;
  const namesOf = (command: Command) => command.commands.map((one) => one.name());
  const own = [...namesOf(program), 'help'];
  const short = namesOf(program.commands.find((one) => one.name() === SHORT_FORM_OF)!);
  if (word === 'help' && short.includes(rest[0] ?? ''))
    return [runtime!, script!, SHORT_FORM_OF, word, ...rest];
  if (own.includes(word)) return argv;
  return short.includes(nearest(word, [...short, ...own]) ?? '')
    ? [runtime!, script!, SHORT_FORM_OF, word, ...rest]
    : argv;
}

/** Adds a group of commands that work on an implementation repo. */
function addGroup(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .helpCommand('help [command]', 'show the help of a command')
    .option(
      '--root <folder>',
      'folder of the implementation repo (default: the working directory, or its nearest parent with a source-groups.yaml)',
    );
}

/** Prints the version, which is read only here. */
function printVersion(): never {
  const { version } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  ) as { readonly version: string };
  print([version]);
  throw new CommanderError(0, 'commander.version', version);
}
