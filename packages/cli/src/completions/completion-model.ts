import type { Argument, Command, Option } from 'commander';

/** A command as a shell completes it. */
export interface CompletedCommand {
  /** The words in front, with blanks between them: `manage-migrations generate`; empty for `cdc` itself. */
  readonly path: string;
  readonly subcommands: readonly CompletedWord[];
  readonly options: readonly CompletedOption[];
  /** What stands behind the command. */
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

/** What a value can be: words to choose from, a folder, or what no shell can know. */
export type CompletedValue =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'folder' }
  | { readonly kind: 'anything' };

/** A command and all below it, as their definitions have them. */
export function completionModel(
  command: Command,
  path = '',
  inherited: readonly CompletedOption[] = [],
): readonly CompletedCommand[] {
  const help = command.createHelp();
  const subcommands = help.visibleCommands(command);
  const own = help.visibleOptions(command).flatMap(completeOption);
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

function completeOption(option: Option): readonly CompletedOption[] {
  if (!option.long) return [];
  const value = option.required || option.optional ? valueOf(option, option.flags) : undefined;
  return [{ word: option.long, description: option.description, value }];
}

function valueOf({ argChoices }: Option | Argument, text: string): CompletedValue {
  if (argChoices) return { kind: 'words', words: argChoices };
  return { kind: text.includes('folder') ? 'folder' : 'anything' };
}

function wordsOf({ subcommands }: CompletedCommand): CompletedValue {
  const words = subcommands.map(({ word }) => word).filter((word) => word !== 'help');
  return { kind: 'words', words };
}
