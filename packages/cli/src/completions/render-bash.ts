import { LIVE_COMMAND, type CompletedCommand, type CompletedValue } from './completion-model.ts';

/** Renders the script for bash: `source <(cdc completions bash)`. */
export function renderBash(commands: readonly CompletedCommand[]): string {
  const paths = commands.map(({ path }) => path).filter((path) => path !== '');
  const valued = commands.flatMap(({ path, options }) =>
    options.flatMap(({ word, value }) => (value ? [{ at: `${path} ${word}`, value }] : [])),
  );
  return `# Completion of cdc in bash; put this into ~/.bashrc: source <(cdc completions bash)
# Names of the configuration are data: nothing here expands or runs them.
_cdc_live() {
  local name written=$cur
  if [[ $cur == [\\"\\']* ]]; then written=\${cur:1}; fi
  COMPREPLY=()
  while IFS= read -r name; do
    if [[ $name != "$written"* && $(printf %q "$name") != "$written"* ]]; then continue; fi
    if [[ $written == "$cur" ]]; then printf -v name %q "$name"; fi
    COMPREPLY+=("$name")
  done < <("\${COMP_WORDS[0]}" ${LIVE_COMMAND} "$1" "\${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)
}
_cdc() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} at='' i
  # bash takes --option=value for three words.
  if [[ $cur == '=' ]]; then cur=''; elif [[ $prev == '=' ]]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i - 1]}" in
      ${patterns(valued.map(({ at }) => at))}) continue ;;
    esac
    case "${AT_NEXT}" in
      ${patterns(paths)}) at="${AT_NEXT}" ;;
    esac
  done
  COMPREPLY=()
  case "$at $prev" in
${valued.map(({ at, value }) => `    ${quote(at)}) ${reply(value)}; return ;;`).join('\n')}
  esac
  case "$at" in
${commands.map(renderCommand).join('\n')}
  esac
}
complete -F _cdc cdc
`;
}

/** Path with the current word. */
const AT_NEXT = '${at:+$at }${COMP_WORDS[i]}';

function renderCommand({ path, subcommands, options, argument }: CompletedCommand): string {
  const flags = options.map(({ word }) => word).join(' ');
  const words = subcommands.map(({ word }) => word).join(' ');
  const behind = words === '' ? reply(argument) : reply({ kind: 'words', words: [words] });
  return `    ${quote(path)})
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W ${quote(flags)} -- "$cur")); else ${behind}; fi ;;`;
}

function reply(value: CompletedValue): string {
  switch (value.kind) {
    case 'words':
      return `COMPREPLY=($(compgen -W ${quote(value.words.join(' '))} -- "$cur"))`;
    case 'live':
      return `_cdc_live ${value.of}`;
    case 'folder':
      return 'compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur"))';
    case 'anything':
      return 'COMPREPLY=()';
  }
}

function patterns(texts: readonly string[]): string {
  return texts.map(quote).join(' | ');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
