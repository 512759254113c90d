import { markOf, type Tone } from './marks.ts';
import { duration, number, STATES, type Column, type MergeMark, type Model } from './model.ts';

/** What a cell of the grid shows. */
export interface Cell {
  readonly tone: Tone;
  /** A sign, or a number with its unit. */
  readonly text: string;
  /** Words of the legend that the cell counts for. */
  readonly words: readonly string[];
  /** What screen readers say. */
  readonly label: string;
  /** Worse is higher: `worst first` sorts by it. */
  readonly weight: number;
}

/** A way to look at the grid. */
export interface View {
  readonly name: string;
  readonly label: string;
  /** Words of the legend, worst first. */
  readonly words: readonly string[];
  readonly cellOf: (schema: number, column: Column) => Cell;
}

const NOTHING: Cell = { tone: 'none', text: '', words: [], label: 'not here', weight: 0 };

/** The ways to look at a target: by state, by merge, by lag and, if it was checked, by drift. */
export function listViews(model: Model): readonly View[] {
  return [
    filesView(model),
    mergesView(model),
    lagView(model),
    ...(model.target.isChecked ? [driftView(model)] : []),
  ];
}

function cell(word: string, weight: number, more: Partial<Cell> = {}): Cell {
  const { tone, sign } = markOf(word);
  return { tone, text: sign, words: [word], label: word, weight, ...more };
}

const FINE = cell('fine', 0);

function filesView(model: Model): View {
  const cells = new Map(
    STATES.map((state, index) => [state, cell(state, STATES.length - 1 - index)]),
  );
  return {
    ...{ name: 'files', label: 'Files', words: STATES },
    cellOf: (schema, column) => cells.get(model.stateOf(schema, column)!) ?? NOTHING,
  };
}

const MARKS: readonly MergeMark[] = [
  ...([
    'failing',
    'blocked',
    'possible loss',
    'dead letters',
    'refused events',
    'waiting',
  ] as const),
];

function mergesView(model: Model): View {
  return {
    ...{ name: 'merges', label: 'Merges', words: [...MARKS, 'fine'] },
    cellOf: (schema, column) => {
      if (column.merged < 0 || model.stateOf(schema, column) === undefined) return NOTHING;
      const marks = model.marksOf(schema, column);
      const [worst] = marks;
      if (!worst) return FINE;
      return cell(worst[0], MARKS.length - MARKS.indexOf(worst[0]), {
        words: marks.map(([mark]) => mark),
        label: marks.map(describeMark).join(', '),
      });
    },
  };
}

function describeMark([mark, count]: readonly [MergeMark, number]): string {
  if (mark === 'failing' || mark === 'blocked') return mark;
  return mark === 'waiting' ? `waiting for ${duration(count)}` : `${number(count)} ${mark}`;
}

/** Lags from these seconds on are a step worse. */
const LAGS: readonly (readonly [seconds: number, word: string, tone: Tone])[] = [
  [86_400, 'over a day', 'error'],
  [3600, 'over an hour', 'warning'],
  [60, 'over a minute', 'info'],
  [0, 'under a minute', 'ok'],
];

function lagView(model: Model): View {
  return {
    ...{ name: 'lag', label: 'Lag', words: LAGS.map(([, word]) => word) },
    cellOf: (schema, column) => {
      const lag = model.lagOf(schema, column);
      if (lag === undefined) return { ...NOTHING, label: 'no lag known' };
      const [, word, tone] = LAGS.find(([least]) => lag >= least)!;
      const text = duration(lag);
      return { tone, text, words: [word], label: `lag ${text}`, weight: lag };
    },
  };
}

function driftView(model: Model): View {
  const counts = new Map<string, number>();
  for (const { kind, column, items } of model.target.findings) {
    if (!kind.startsWith('drift')) continue;
    for (const [schema] of items) {
      const key = `${schema} ${column}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return {
    ...{ name: 'drift', label: 'Drift', words: ['different', 'fine'] },
    cellOf: (schema, column) => {
      if (model.stateOf(schema, column) === undefined) return NOTHING;
      const count = counts.get(`${schema} ${column.name}`);
      if (count === undefined) return FINE;
      const label = count === 1 ? '1 difference' : `${number(count)} differences`;
      return cell('different', count, { text: number(count), label });
    },
  };
}
