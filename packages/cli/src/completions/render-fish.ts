import {
  LIVE_COMMAND,
  type CompletedCommand,
  type CompletedOption,
  type CompletedValue,
} from './completion-model.ts';

/** Renders the script for fish: `cdc completions fish | source`. */
export function renderFish(commands: readonly CompletedCommand[]): string {
  const paths = commands.map(({ path }) => path).filter((path) => path !== '');
  const valued = [
    ...new Set(
      commands.flatMap(({ options }) =>
        options.filter(({ value }) => value !== undefined).map(({ word }) => word),
      ),
    ),
  ];
  return `# Completion of cdc in fish; put this into config.fish: cdc completions fish | source
function __cdc_at
    set -l at ''
    set -l before ''
    for word in (commandline -opc)[2..]
        if not contains -- "$before" ${valued.map(quote).join(' ')}
            set -l next (string trim -- "$at $word")
            if contains -- "$next" ${paths.map(quote).join(' ')}
                set at "$next"
            end
        end
        set before "$word"
    end
    test "$at" = "$argv[1]"
end
function __cdc_live
    set -l words (commandline -opc)
    command $words[1] ${LIVE_COMMAND} $argv[1] $words[2..] 2>/dev/null
end
complete -c cdc -f
${commands.flatMap(renderCommand).join('\n')}
`;
}

function renderCommand({
  path,
  subcommands,
  options,
  argument,
}: CompletedCommand): readonly string[] {
  const start = `complete -c cdc -n ${quote(`__cdc_at ${quote(path)}`)}`;
  const words = subcommands.map(
    ({ word, description }) => `${start} -a ${quote(word)} -d ${quote(description)}`,
  );
  const behind = argumentOf(argument);
  return [
    ...words,
    ...(subcommands.length === 0 && behind !== '' ? [`${start} ${behind}`] : []),
    ...options.map((option) => `${start} ${optionOf(option)}`),
  ];
}

function optionOf({ word, description, value }: CompletedOption): string {
  const name = `-l ${word.replace(/^--/, '')} -d ${quote(description)}`;
  if (!value) return name;
  return `${name} -x ${argumentOf(value)}`.trim();
}

function argumentOf(value: CompletedValue): string {
  switch (value.kind) {
    case 'words':
      return value.words.length === 0 ? '' : `-a ${quote(value.words.join(' '))}`;
    case 'live':
      return `-a '(__cdc_live ${value.of})'`;
    case 'folder':
      return "-a '(__fish_complete_directories)'";
    case 'anything':
      return '';
  }
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
