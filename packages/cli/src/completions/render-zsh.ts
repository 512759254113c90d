import {
  LIVE_COMMAND,
  type CompletedCommand,
  type CompletedValue,
  type CompletedWord,
} from './completion-model.ts';

/** Renders the script for zsh. It is saved as `_cdc` in a folder of `fpath`, or sourced after compinit. */
export function renderZsh(commands: readonly CompletedCommand[]): string {
  const paths = commands.map(({ path }) => path).filter((path) => path !== '');
  const valued = commands.flatMap(({ path, options }) =>
    options.flatMap(({ word, value }) => (value ? [{ at: `${path} ${word}`, value }] : [])),
  );
  return `#compdef cdc
# Completion of cdc in zsh; put this into ~/.zshrc, behind compinit: source <(cdc completions zsh)
_cdc_live() {
  local -a names=("\${(@f)$("\${(Q)words[1]}" ${LIVE_COMMAND} $1 "\${(@Q)words[2,CURRENT-1]}" 2>/dev/null)}")
  compadd -a -- names
}
_cdc() {
  local at='' i prev=\${words[CURRENT-1]}
  if [[ $PREFIX == --*=* ]]; then prev=\${PREFIX%%=*}; compset -P '*='; fi
  for ((i = 2; i < CURRENT; i++)); do
    case "$at \${words[i-1]}" in
      ${patterns(valued.map(({ at }) => at))}) continue ;;
    esac
    case "${AT_NEXT}" in
      ${patterns(paths)}) at="${AT_NEXT}" ;;
    esac
  done
  case "$at $prev" in
${valued.map(({ at, value }) => `    ${quote(at)}) ${reply(value)}; return ;;`).join('\n')}
  esac
  case "$at" in
${commands.map(renderCommand).join('\n')}
  esac
}
if [[ $funcstack[1] == _cdc ]]; then _cdc "$@"; else compdef _cdc cdc; fi
`;
}

/** Path with the current word. */
const AT_NEXT = '${at:+$at }${words[i]}';

function renderCommand({ path, subcommands, options, argument }: CompletedCommand): string {
  const behind = subcommands.length > 0 ? describe('command', subcommands) : reply(argument);
  return `    ${quote(path)})
      if [[ $PREFIX == -* ]]; then
        ${describe('option', options)}
      else
        ${behind}
      fi ;;`;
}

function describe(tag: string, words: readonly CompletedWord[]): string {
  const entries = words.map(({ word, description }) =>
    quote(`${word}:${description.replaceAll(':', '\\:')}`),
  );
  return `local -a entries=(${entries.join(' ')}); _describe ${tag} entries`;
}

function reply(value: CompletedValue): string {
  switch (value.kind) {
    case 'words':
      return value.words.length === 0 ? 'true' : `compadd -- ${value.words.map(quote).join(' ')}`;
    case 'live':
      return `_cdc_live ${value.of}`;
    case 'folder':
      return '_path_files -/';
    case 'anything':
      return "_message 'a value'";
  }
}

function patterns(texts: readonly string[]): string {
  return texts.map(quote).join(' | ');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
