import type { Argument, Command, Option } from 'commander';
import type { LiveKind } from './live-values.ts';

/** The word that a shell calls the program with for names of the configuration: `cdc __complete tables …`. */
export const LIVE_COMMAND = '__complete';

/** A command as shells complete it. */
export interface CompletedCommand {
  /** Words of the command, separated by blanks: `manage-migrations generate`. Empty for `cdc` itself. */
  readonly path: string;
  readonly subcommands: readonly CompletedWord[];
  readonly options: readonly CompletedOption[];
  /** Value after the command. */
  readonly argument: CompletedValue;
}

export interface CompletedWord {
  readonly word: string;
  readonly description: string;
}

export interface CompletedOption extends CompletedWord {
  /** Undefined for an option without a value. */
  readonly value: CompletedValue | undefined;
}

/** What a value can be: words to choose from, names of the configuration, a folder, or what no shell can know. */
export type CompletedValue =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'live'; readonly of: LiveKind }
  | { readonly kind: 'folder' }
  | { readonly kind: 'anything' };

/** Builds the model of a command and all its subcommands from their definitions. */
export function completionModel(
  command: Command,
  path = '',
  inherited: readonly CompletedOption[] = [],
): readonly CompletedCommand[] {
  const help = command.createHelp();
  const subcommands = help.visibleCommands(command);
  const own = help.visibleOptions(command).flatMap((option) => completeOption(option, command));
  const passedOn = own.filter(({ word }) => word !== '--help' && word !== '--version');
  const [argument] = command.registeredArguments;
  const here: CompletedCommand = {
    path,
    subcommands: subcommands.map((sub) => ({ word: sub.name(), description: sub.description() })),
    options: [...own, ...inherited],
    argument: argument ? valueOf(argument, argument.name()) : { kind: 'words', words: [] },
  };
  const deeper = subcommands.flatMap((sub) =>
    completionModel(sub, below(path, sub.name()), [...passedOn, ...inherited]),
  );
  return [here, ...deeper].map((entry) =>
    entry.path === below(path, 'help') ? { ...entry, argument: wordsOf(here) } : entry,
  );
}

function below(path: string, word: string): string {
  return path === '' ? word : `${path} ${word}`;
}

function completeOption(option: Option, command: Command): readonly CompletedOption[] {
  if (!option.long) return [];
  const value = option.required || option.optional ? optionValue(option, command) : undefined;
  return [{ word: option.long, description: option.description, value }];
}

/** Options whose values are names of the configuration. */
const LIVE_OPTIONS: { readonly [option: string]: LiveKind } = {
  '--customer': 'customers',
  '--env': 'target-environments',
  '--schema': 'schemas',
  '--service': 'services',
  '--sink': 'sinks',
  '--table': 'tables',
  '--wave': 'waves',
};

/** Commands whose `--env` is that of a source. */
const ON_SOURCES = new Set(['schema-docs', 'generate', 'diff', 'enable-cdc', 'clean-cdc']);

function optionValue(option: Option, command: Command): CompletedValue {
  const of = LIVE_OPTIONS[option.long!];
  // These begin a repo: names are new.
  if (of === undefined || option.argChoices || command.name() === 'init') {
    return valueOf(option, option.flags);
  }
  const isOfSource = of === 'target-environments' && ON_SOURCES.has(command.name());
  return { kind: 'live', of: isOfSource ? 'source-environments' : of };
}

function valueOf({ argChoices }: Option | Argument, text: string): CompletedValue {
  if (argChoices) return { kind: 'words', words: argChoices };
  if (text === 'table') return { kind: 'live', of: 'tables' };
  return { kind: text.includes('folder') ? 'folder' : 'anything' };
}

function wordsOf({ subcommands }: CompletedCommand): CompletedValue {
  const words = subcommands.map(({ word }) => word).filter((word) => word !== 'help');
  return { kind: 'words', words };
}
