import { styleText } from 'node:util';

/** What an output can show. */
export interface Terminal {
  /** Width in columns. Undefined if the output is no terminal: then nothing is cut, wrapped or coloured. */
  readonly width: number | undefined;
  readonly hasColor: boolean;
}

/** Output for results: standard output, or a pipe or file in its place. */
type Output = Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>;

/** Width if a terminal does not know its own. */
const USUAL_WIDTH = 80;

/**
 * Returns what an output can show. Colours need a terminal. `FORCE_COLOR` overrides `NO_COLOR` and `TERM=dumb`, but adds
 * no colours to a pipe: Nx sets it for every task, and other programs read what it stores.
 *
 * @see https://no-color.org
 * @see https://force-color.org
 */
export function terminalOf({ isTTY, columns }: Output, env: NodeJS.ProcessEnv): Terminal {
  if (isTTY !== true) return { width: undefined, hasColor: false };
  return { width: columns > 0 ? columns : USUAL_WIDTH, hasColor: wantsColor(env) };
}

function wantsColor({ FORCE_COLOR: forced, NO_COLOR: refused, TERM }: NodeJS.ProcessEnv): boolean {
  if (forced) return forced !== '0' && forced !== 'false';
  return !refused && TERM !== 'dumb';
}

type Style = 'red' | 'yellow' | 'green' | 'bold';

/** Styles of the words for states, levels and classes. Colour repeats what the word says. */
const WORDS: Readonly<Record<string, Style>> = {
  error: 'red',
  failed: 'red',
  edited: 'red',
  unsafe: 'red',
  refused: 'red',
  warning: 'yellow',
  pending: 'yellow',
  outdated: 'yellow',
  missing: 'yellow',
  extra: 'yellow',
  different: 'yellow',
  rewrite: 'yellow',
  ok: 'green',
  applied: 'green',
  free: 'green',
};

/** Returns the style of a word, if it is one for a state, a level or a class. */
export function styleOf(word: string): Style | undefined {
  return Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
}

/** Colours a text. */
export function paint(text: string, style: Style | undefined): string {
  // From Node 22 on the function would ask its own stream.
  return style === undefined ? text : styleText(style, text, { validateStream: false });
}

/** Colours the word for a state, a level or a class at the start of a line: `warning: …`, `missing  blue.Actor`. */
export function paintLine(line: string): string {
  const [word = ''] = /^[a-z]+(?=: | {2}|$)/.exec(line) ?? [];
  return paint(word, styleOf(word)) + line.slice(word.length);
}

/** Letters that take two columns, and marks that take none. */
const WIDE =
  /\p{Extended_Pictographic}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
const MARK = /\p{Mark}/u;

/** Returns the number of columns that a text takes on a terminal. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const letter of text) columns += MARK.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1;
  return columns;
}
