import { element } from './element.ts';

/** Colours and signs of states: a sign always goes with a colour, for those who see no colours. */
export type Tone = 'ok' | 'error' | 'warning' | 'note' | 'info' | 'none';

interface Mark {
  readonly tone: Tone;
  readonly sign: string;
}

/** By state of a file, mark of a merge, level of a finding or class of a change. */
const MARKS: Readonly<Record<string, Mark>> = {
  applied: { tone: 'ok', sign: '✓' },
  pending: { tone: 'info', sign: '○' },
  outdated: { tone: 'note', sign: '↻' },
  missing: { tone: 'warning', sign: '?' },
  edited: { tone: 'warning', sign: '✎' },
  unsafe: { tone: 'error', sign: '!' },
  failed: { tone: 'error', sign: '✕' },

  fine: { tone: 'ok', sign: '✓' },
  failing: { tone: 'error', sign: '✕' },
  blocked: { tone: 'error', sign: '⊘' },
  'possible loss': { tone: 'error', sign: '!' },
  'dead letters': { tone: 'warning', sign: '†' },
  'refused events': { tone: 'warning', sign: '↩' },
  waiting: { tone: 'info', sign: '…' },

  error: { tone: 'error', sign: '✕' },
  warning: { tone: 'warning', sign: '!' },
  note: { tone: 'info', sign: 'i' },

  free: { tone: 'ok', sign: '✓' },
  informational: { tone: 'info', sign: 'i' },
  rewrite: { tone: 'warning', sign: '↻' },

  exact: { tone: 'ok', sign: '=' },
  widened: { tone: 'ok', sign: '⊃' },
  lossy: { tone: 'warning', sign: '≈' },
  unsupported: { tone: 'error', sign: '✕' },

  different: { tone: 'warning', sign: '≠' },
};

const UNKNOWN: Mark = { tone: 'none', sign: '' };

/** Sign and colour of a word. */
export function markOf(word: string): Mark {
  return MARKS[word] ?? UNKNOWN;
}

/** A word with its sign and colour. */
export function badge(word: string, text = word): HTMLElement {
  const { tone, sign } = markOf(word);
  return element('span', { class: `badge tone-${tone}` }, sign !== '' && icon(sign), text);
}

/** A sign that screen readers skip: the word is beside it. */
export function icon(sign: string): HTMLElement {
  return element('span', { 'aria-hidden': 'true', class: 'icon' }, sign);
}
