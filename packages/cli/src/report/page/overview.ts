import { STATE_LETTERS } from '../page-data.ts';
import { element, svg, type Child } from './element.ts';
import { addressOf } from './links.ts';
import { icon, markOf } from './marks.ts';
import {
  bytes,
  countOf,
  duration,
  number,
  STATES,
  type FileState,
  type MergeMark,
  type Model,
} from './model.ts';

/** What there is to say of a target in numbers. */
export interface Figures {
  readonly files: ReadonlyMap<FileState, number>;
  /** Tables by mark, and the sum of what is counted. */
  readonly marks: ReadonlyMap<
    MergeMark,
    { readonly tables: number; readonly sum: number; readonly most: number }
  >;
  readonly merged: number;
  readonly mostLag: number | undefined;
  readonly drift: number;
}

/** Counts files, merges and differences. */
export function countFigures(model: Model): Figures {
  const { target } = model;
  const files = new Map<FileState, number>();
  const everyRow = [...model.rows, ...(model.database < 0 ? [] : [model.database])];
  const byRow = new Map<number, number>();
  for (const schema of everyRow) {
    const row = target.rowOf[schema]!;
    byRow.set(row, (byRow.get(row) ?? 0) + 1);
  }
  for (const [row, times] of byRow) {
    for (const state of STATES) {
      const letters = target.rows[row]!.split(STATE_LETTERS[state]).length - 1;
      if (letters > 0) files.set(state, (files.get(state) ?? 0) + letters * times);
    }
  }
  const marks = new Map<MergeMark, { tables: number; sum: number; most: number }>();
  let merged = 0;
  let mostLag: number | undefined;
  for (const schema of model.rows) {
    for (const column of model.columns) {
      if (column.merged < 0) continue;
      const lag = model.lagOf(schema, column);
      if (lag !== undefined) mostLag = Math.max(mostLag ?? 0, lag);
      merged++;
      for (const [mark, count] of model.marksOf(schema, column)) {
        const known = marks.get(mark) ?? { tables: 0, sum: 0, most: 0 };
        const { tables, sum, most } = known;
        marks.set(mark, { tables: tables + 1, sum: sum + count, most: Math.max(most, count) });
      }
    }
  }
  const drift = target.findings
    .filter(({ kind }) => kind.startsWith('drift'))
    .reduce((sum, { count }) => sum + count, 0);
  return { files, marks, merged, mostLag, drift };
}

/** Tiles with the numbers that matter, each of which leads to its part of the page. */
export function renderFigures(model: Model, figures: Figures): HTMLElement {
  const { target, index } = model;
  const all = [...figures.files.values()].reduce((sum, count) => sum + count, 0);
  const applied = figures.files.get('applied') ?? 0;
  const of = (mark: MergeMark) => figures.marks.get(mark) ?? { tables: 0, sum: 0, most: 0 };
  const tile = (label: string, value: string, tone: string, section: string, ...more: Child[]) =>
    element(
      'li',
      {},
      element(
        'a',
        {
          href: addressOf({ kind: 'overview', target: index, section }),
          class: `tile tone-${tone}`,
        },
        element('span', { class: 'tile-label' }, label),
        element('span', { class: 'tile-value' }, value),
        ...more,
      ),
    );
  const count = (label: string, value: number, tone: string, more: string) =>
    tile(
      label,
      number(value),
      value === 0 ? 'ok' : tone,
      'attention',
      element('span', { class: 'tile-more' }, value === 0 ? 'none' : more),
    );
  const broken = of('failing').tables + of('blocked').tables;
  const unread = of('dead letters').sum + of('refused events').sum;
  return element(
    'ul',
    { class: 'tiles' },
    tile(
      'Files applied',
      all === 0 ? '–' : number(applied),
      applied === all ? 'ok' : 'warning',
      'tenants',
      element('span', { class: 'tile-more' }, `of ${number(all)}`),
      shareBar(figures),
    ),
    count('Failing merges', broken, 'error', `of ${countOf(figures.merged, 'merge')}`),
    count('Dead and refused', unread, 'error', 'events in no final table'),
    count('Possible loss', of('possible loss').sum, 'error', 'streams to replay'),
    tile(
      'Most lag',
      figures.mostLag === undefined ? '–' : duration(figures.mostLag),
      'none',
      'tenants',
      element('span', { class: 'tile-more' }, 'source to final table'),
    ),
    target.isChecked
      ? count('Drift', figures.drift, 'warning', 'differences')
      : tile(
          'Drift',
          '–',
          'none',
          'attention',
          element('span', { class: 'tile-more' }, 'not checked'),
        ),
  );
}

const BAR = { width: 100, height: 6 } as const;

/** Shares of the states as a bar; the legend of the grid has the numbers. */
function shareBar({ files }: Figures): SVGElement {
  const all = [...files.values()].reduce((sum, count) => sum + count, 0);
  let x = 0;
  const parts = [...STATES].reverse().flatMap((state) => {
    const count = files.get(state);
    if (!count) return [];
    const width = Math.max(1, (BAR.width * count) / all);
    const part = svg('rect', {
      ...{ x, y: 0, width, height: BAR.height, class: `fill-${markOf(state).tone}` },
    });
    x += width;
    return [part];
  });
  return svg(
    'svg',
    {
      class: 'share',
      viewBox: `0 0 ${BAR.width} ${BAR.height}`,
      preserveAspectRatio: 'none',
      'aria-hidden': 'true',
    },
    ...parts,
  );
}

const SOURCES = { mssql: 'SQL Server', postgres: 'PostgreSQL' } as const;
const WRITERS: Readonly<Record<string, string>> = {
  bento: 'Bento',
  'debezium-jdbc': 'Debezium JDBC sink',
  'confluent-jdbc': 'Confluent JDBC sink',
};

/** The way of the events, from the source databases to the final tables, with what is wrong at each step. */
export function renderPipeline(model: Model, figures: Figures): HTMLElement {
  const { flow, health } = model.target;
  const of = (mark: MergeMark) => figures.marks.get(mark) ?? { tables: 0, sum: 0, most: 0 };
  const tables = model.tables.filter(
    ({ key, facts }) => key.length > 0 || facts.some(([label]) => label === 'merge'),
  ).length;
  const [merged = 0, deleted = 0, stale = 0] = health.today;
  const waiting = of('waiting');
  return element(
    'ol',
    { class: 'pipeline' },
    step('Source', SOURCES[flow.sourceType], [
      countOf(flow.databases, 'database'),
      `group ${flow.sourceGroup}`,
    ]),
    step(
      'Pipeline',
      WRITERS[flow.writer ?? ''] ?? 'Your pipeline',
      [countOf(flow.services.length, 'service'), flow.services.slice(0, 3).join(', ')],
      warn(of('refused events').sum, 'refused event'),
    ),
    step(
      'Staging tables',
      waiting.tables === 0 ? 'No event waits' : `${countOf(waiting.tables, 'table')} with events`,
      [
        waiting.tables === 0 ? '' : `oldest waits ${duration(waiting.most)}`,
        `${bytes(health.stagingBytes)} staged`,
      ],
      warn(of('possible loss').sum, 'stream to replay', 'streams to replay'),
    ),
    step(
      'Merge',
      `${number(merged + deleted)} merged today`,
      [
        `${number(stale)} stale`,
        figures.mostLag === undefined ? '' : `lag up to ${duration(figures.mostLag)}`,
      ],
      warn(of('failing').tables, 'failing merge'),
      warn(of('blocked').tables, 'blocked merge'),
      warn(of('dead letters').sum, 'dead letter'),
    ),
    step('Final tables', countOf(tables, 'table'), [
      `in ${countOf(model.rows.length, 'schema')}`,
      model.target.set,
    ]),
  );
}

function step(
  title: string,
  main: string,
  facts: readonly string[],
  ...more: readonly Child[]
): HTMLElement {
  return element(
    'li',
    { class: 'step' },
    element('span', { class: 'step-title' }, title),
    element('span', { class: 'step-main' }, main),
    ...facts
      .filter((fact) => fact !== '')
      .map((fact) => element('span', { class: 'step-fact' }, fact)),
    ...more,
  );
}

function warn(count: number, one: string, several = `${one}s`): Child {
  if (count === 0) return null;
  const text = `${number(count)} ${count === 1 ? one : several}`;
  return element('span', { class: 'step-fact tone-error strong' }, icon('✕'), text);
}
