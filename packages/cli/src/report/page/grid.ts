import { listViews, type Cell, type View } from './cells.ts';
import { element } from './element.ts';
import { addressOf, nameOf, tableLink, tenantLink } from './links.ts';
import { icon, markOf } from './marks.ts';
import { countOf, matches, number, stateOfLetter, type Column, type Model } from './model.ts';

const ROW_PX = 26;
/** Width of a cell: more where there is room for it. */
const CELL_PX = { least: 26, most: 38 } as const;
const ROW_HEAD_PX = 160;
/** Rows above and below those that are seen. */
const MARGIN_ROWS = 8;
/** A printed page has no more. */
const PRINTED_ROWS = 400;
/** Maximum number of tenants that keep the order of the configuration at first. */
const FEW_ROWS = 60;

const HINT = 'Click a cell, or move with the arrow keys, to see its files here.';

/** The grid of tenants and tables. */
export interface Grid {
  readonly root: HTMLElement;
  readonly search: (query: string) => void;
  /** Fills the room that there is now. */
  readonly fit: () => void;
  /** Puts all rows into the document, up to what a printer should get. */
  readonly showAll: () => void;
}

interface State {
  view: View;
  query: string;
  /** Word of the legend that rows must have; an empty text for all. */
  word: string;
  isWorstFirst: boolean;
  rows: readonly number[];
  columns: readonly Column[];
  /** The cell that the keys act on: -1 is the head of a row or a column. */
  at: { row: number; column: number };
}

/** Builds the grid. Only the rows that are seen are in the document, so that thousands of tenants are no more work. */
export function buildGrid(model: Model): Grid {
  const views = listViews(model);
  const state: State = {
    ...{ view: views[0]!, query: '', word: '', isWorstFirst: model.rows.length > FEW_ROWS },
    ...{ rows: model.rows, columns: model.columns, at: { row: 0, column: 0 } },
  };
  const cells = (schema: number, column: Column) => state.view.cellOf(schema, column);
  const caption = element('caption', { class: 'hidden' }, 'Tenants and tables');
  const head = element('thead');
  const body = element('tbody');
  const table = element(
    'table',
    {
      role: 'grid',
      tabindex: 0,
      class: 'grid',
      'aria-label': 'State of each table in each tenant',
    },
    caption,
    head,
    body,
  );
  const scroller = element('div', { class: 'grid-scroll' }, table);
  const legend = element('div', {
    class: 'legend',
    role: 'group',
    'aria-label': 'Only tenants with',
  });
  const info = element('div', { class: 'cell-info', 'aria-live': 'polite' });
  const count = element('p', { class: 'muted count', role: 'status' });
  let first = 0;
  let isUsed = false;

  const select = () => {
    const { view, query, word } = state;
    const isTenant = (row: number) => matches(query, nameOf(model, row));
    const named =
      query === '' ? model.columns : model.columns.filter(({ name }) => matches(query, name));
    const byTenant = query !== '' && model.rows.some(isTenant);
    state.columns = byTenant || named.length === 0 ? model.columns : named;
    const rows = model.rows
      .filter((row) => query === '' || isTenant(row) || (!byTenant && named.length > 0))
      .filter(
        (row) =>
          word === '' || state.columns.some((column) => cells(row, column).words.includes(word)),
      );
    state.rows = state.isWorstFirst ? sortWorstFirst(rows) : rows;
    state.columns = state.columns.filter(
      (column) => column.merged >= 0 || view.name === 'files' || view.name === 'drift',
    );
    state.at = { row: 0, column: 0 };
    first = 0;
    scroller.scrollTop = 0;
    table.setAttribute('aria-rowcount', String(state.rows.length + 2));
    table.setAttribute('aria-colcount', String(state.columns.length + 1));
    table.classList.toggle('wide', view.name === 'lag');
    count.textContent =
      state.rows.length === model.rows.length
        ? countOf(model.rows.length, 'tenant')
        : `${number(state.rows.length)} of ${countOf(model.rows.length, 'tenant')}`;
    head.replaceChildren(...renderHead());
    fit();
    renderLegend();
    renderRows();
    describe();
  };

  const sortWorstFirst = (rows: readonly number[]) => {
    const weights = rows.map((row) => ({
      row,
      weight: sum(state.columns.map((column) => weigh(cells(row, column).weight))),
    }));
    return weights.sort((one, other) => other.weight - one.weight).map(({ row }) => row);
  };

  /** Gives the cells the width that there is. */
  const fit = () => {
    const room = (scroller.clientWidth - ROW_HEAD_PX) / Math.max(1, state.columns.length);
    const width = Math.min(CELL_PX.most, Math.max(CELL_PX.least, room));
    if (state.view.name === 'lag') table.style.removeProperty('--cell');
    else table.style.setProperty('--cell', `${width}px`);
  };

  const renderHead = () => {
    const { columns, rows } = state;
    const sort = element(
      'button',
      {
        type: 'button',
        class: 'sort',
        tabindex: -1,
        click: () => {
          state.isWorstFirst = !state.isWorstFirst;
          select();
        },
      },
      state.isWorstFirst ? 'Worst first' : 'In order',
    );
    const names = columns.map((column, index) =>
      element(
        'th',
        { scope: 'col', id: idOf(-1, index), 'aria-colindex': index + 2, title: column.name },
        element('span', { class: 'upright' }, column.name),
      ),
    );
    const worst = columns.map((column) => worstOf(rows.map((row) => cells(row, column))));
    return [
      element(
        'tr',
        { 'aria-rowindex': 1 },
        element('th', { scope: 'col', class: 'corner', 'aria-colindex': 1 }, sort),
        ...names,
      ),
      element(
        'tr',
        { class: 'sum', 'aria-rowindex': 2 },
        element('th', { scope: 'row', 'aria-colindex': 1 }, `Worst of ${number(rows.length)}`),
        ...worst.map((one, index) => renderCell(one, { row: -2, column: index })),
      ),
    ];
  };

  const renderLegend = () => {
    const counts = countWords(model, state.view, cells);
    legend.replaceChildren(
      ...state.view.words
        .filter((word) => (counts.get(word) ?? 0) > 0)
        .map((word) => {
          const { tone, sign } = toneOf(state.view, word);
          return element(
            'button',
            {
              type: 'button',
              class: `chip tone-${tone}`,
              'aria-pressed': String(state.word === word),
              click: () => {
                state.word = state.word === word ? '' : word;
                select();
                legend.querySelector<HTMLElement>('[aria-pressed=true]')?.focus();
              },
            },
            sign !== '' && icon(sign),
            `${word} `,
            element('span', { class: 'chip-count' }, number(counts.get(word)!)),
          );
        }),
    );
  };

  const renderRows = (all = false) => {
    const { rows } = state;
    const seen = Math.ceil((scroller.clientHeight || 600) / ROW_PX);
    const from = all ? 0 : Math.max(0, first - MARGIN_ROWS);
    const to = all
      ? Math.min(rows.length, PRINTED_ROWS)
      : Math.min(rows.length, first + seen + MARGIN_ROWS);
    body.replaceChildren(
      spacer(from * ROW_PX),
      ...rows.slice(from, to).map((row, index) => renderRow(row, from + index)),
      spacer((rows.length - to) * ROW_PX),
    );
    mark();
  };

  const renderRow = (schema: number, row: number) =>
    element(
      'tr',
      { 'aria-rowindex': row + 3 },
      element(
        'th',
        { scope: 'row', id: idOf(row, -1), 'aria-colindex': 1, title: nameOf(model, schema) },
        nameOf(model, schema),
      ),
      ...state.columns.map((column, index) =>
        renderCell(cells(schema, column), { row, column: index }),
      ),
    );

  const mark = () => {
    if (!isUsed) return;
    table.querySelector('.active')?.classList.remove('active');
    const id = idOf(state.at.row, state.at.column);
    const active = document.getElementById(id);
    active?.classList.add('active');
    if (active) table.setAttribute('aria-activedescendant', id);
    else table.removeAttribute('aria-activedescendant');
  };

  const describe = () => {
    const { row, column } = state.at;
    const schema = state.rows[row];
    const shown = state.columns[column];
    if (!isUsed && schema !== undefined) return info.replaceChildren(HINT);
    info.replaceChildren(...describeCell(model, schema, shown));
  };

  const moveTo = (row: number, column: number) => {
    isUsed = true;
    const last = state.rows.length - 1;
    state.at = {
      row: Math.min(Math.max(row, -1), last),
      column: Math.min(Math.max(column, -1), state.columns.length - 1),
    };
    const headPx = head.offsetHeight;
    const top = state.at.row * ROW_PX;
    const room = scroller.clientHeight - headPx - ROW_PX;
    if (state.at.row >= 0) {
      if (top < scroller.scrollTop) scroller.scrollTop = top;
      else if (top > scroller.scrollTop + room) scroller.scrollTop = top - room;
      follow();
    }
    mark();
    const active = document.getElementById(idOf(state.at.row, state.at.column));
    active?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    describe();
  };

  const open = () => {
    const { row, column } = state.at;
    const schema = state.rows[row];
    const chosen = state.columns[column];
    const name = chosen && model.tables.find(({ table: one }) => one === chosen.name);
    if (row === -1 && name) {
      location.hash = addressOf({
        ...{ kind: 'table', target: model.index, name: `${name.schema}.${name.table}` },
      });
    } else if (schema !== undefined) {
      location.hash = addressOf({
        ...{ kind: 'tenant', target: model.index, name: nameOf(model, schema) },
      });
    }
  };

  const follow = () => {
    const now = Math.floor(scroller.scrollTop / ROW_PX);
    if (now === first) return;
    first = now;
    renderRows();
  };

  table.addEventListener('focus', () => {
    if (!table.matches(':focus-visible')) return;
    isUsed = true;
    mark();
    describe();
  });
  table.addEventListener('keydown', (event) => {
    const { row, column } = state.at;
    const page = Math.max(1, Math.floor(scroller.clientHeight / ROW_PX) - 5);
    const end = event.ctrlKey || event.metaKey;
    const moves: Readonly<Record<string, () => void>> = {
      ArrowDown: () => moveTo(row + 1, column),
      ArrowUp: () => moveTo(row - 1, column),
      ArrowRight: () => moveTo(row, column + 1),
      ArrowLeft: () => moveTo(row, column - 1),
      PageDown: () => moveTo(row + page, column),
      PageUp: () => moveTo(Math.max(0, row - page), column),
      Home: () => moveTo(end ? 0 : row, 0),
      End: () => moveTo(end ? state.rows.length - 1 : row, state.columns.length - 1),
      Enter: open,
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  });
  table.addEventListener('click', (event) => {
    const cell = (event.target as Element).closest('td[id], th[id]');
    const [, row, column] = /^cell(-?\d+)_(-?\d+)$/.exec(cell?.id ?? '') ?? [];
    if (row === undefined) return;
    moveTo(Number(row), Number(column));
    if (row === '-1' || column === '-1') open();
  });
  scroller.addEventListener('scroll', follow, { passive: true });

  const viewChoice = element(
    'select',
    {
      id: 'grid-view',
      change: (event: Event) => {
        const chosen = (event.target as HTMLSelectElement).value;
        state.view = views.find(({ name }) => name === chosen)!;
        state.word = '';
        select();
      },
    },
    ...views.map(({ name, label }) => element('option', { value: name }, label)),
  );
  const root = element(
    'div',
    {},
    element(
      'div',
      { class: 'grid-bar' },
      element('label', { for: 'grid-view' }, 'Show '),
      viewChoice,
      legend,
      count,
    ),
    scroller,
    info,
  );
  select();
  return {
    root,
    search: (query) => {
      state.query = query;
      select();
    },
    fit: () => {
      fit();
      renderRows();
    },
    showAll: () => renderRows(true),
  };
}

/** One bad cell outweighs any number of better ones. */
function weigh(weight: number): number {
  return weight === 0 ? 0 : 10 ** Math.min(weight, 8);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function worstOf(cells: readonly Cell[]): Cell {
  return cells.reduce(
    (worst, cell) => (worst.words.length === 0 || cell.weight > worst.weight ? cell : worst),
    { tone: 'none', text: '', words: [], label: 'nothing', weight: 0 },
  );
}

function countWords(
  model: Model,
  view: View,
  cells: (schema: number, column: Column) => Cell,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const row of model.rows) {
    for (const column of model.columns) {
      if (view.name !== 'files' && view.name !== 'drift' && column.merged < 0) continue;
      for (const word of cells(row, column).words) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return counts;
}

const LAG_TONES: Readonly<Record<string, string>> = {
  ...{ 'over a day': 'error', 'over an hour': 'warning' },
  ...{ 'over a minute': 'info', 'under a minute': 'ok' },
};

function toneOf(view: View, word: string): { readonly tone: string; readonly sign: string } {
  return view.name === 'lag' ? { tone: LAG_TONES[word]!, sign: '' } : markOf(word);
}

function idOf(row: number, column: number): string {
  return `cell${row}_${column}`;
}

function renderCell(
  { tone, text, label }: Cell,
  { row, column }: { readonly row: number; readonly column: number },
): HTMLElement {
  return element('td', {
    ...{ id: idOf(row, column), 'aria-colindex': column + 2 },
    ...{ class: `cell tone-${tone}`, 'data-text': text, 'aria-label': label },
  });
}

function spacer(px: number): HTMLElement {
  const row = element('tr', { 'aria-hidden': 'true', class: 'spacer' });
  row.style.height = `${px}px`;
  return row;
}

/** What there is to say of a cell, with the links that lead on. */
function describeCell(
  model: Model,
  schema: number | undefined,
  column: Column | undefined,
): readonly (Node | string)[] {
  if (schema === undefined) return ['No tenant matches.'];
  const tenant = tenantLink(model, schema);
  if (!column) return [tenant];
  const { target } = model;
  const row = target.rows[target.rowOf[schema]!]!;
  const states = column.files.flatMap((file) => {
    const state = stateOfLetter(row[file]);
    return state === undefined ? [] : [`${target.files[file]!.path} ${state}`];
  });
  const more = listViews(model)
    .slice(1)
    .map((view) => view.cellOf(schema, column))
    .filter(({ words }) => words.length > 0 && words[0] !== 'fine')
    .map(({ label }) => label);
  return [
    element('strong', {}, tenant, ' · ', tableLink(model, column.name)),
    ` ${[...(states.length > 0 ? states : ['not here']), ...more].join(' · ')}`,
  ];
}
