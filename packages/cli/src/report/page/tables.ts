import type { PageChanges, PageColumn, PageTable } from '../page-data.ts';
import { element, type Child } from './element.ts';
import { growing, renderOwnFindings } from './findings.ts';
import { addressOf, tableLink, tenantLink } from './links.ts';
import { badge, markOf } from './marks.ts';
import {
  countOf,
  duration,
  matches,
  number,
  stateOfLetter,
  STATES,
  time,
  type Column,
  type FileState,
  type Model,
} from './model.ts';

/** A table that scrolls by itself where the page is too narrow for it. */
export function wideTable(
  label: string,
  head: readonly (readonly [text: string, isNumber?: boolean])[],
  rows: readonly HTMLElement[],
): HTMLElement {
  return element(
    'div',
    { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': label },
    element(
      'table',
      { class: 'data' },
      element('caption', { class: 'hidden' }, label),
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          ...head.map(([text, isNumber]) =>
            element('th', { scope: 'col', class: isNumber ? 'number' : undefined }, text),
          ),
        ),
      ),
      element('tbody', {}, ...rows),
    ),
  );
}

function cell(...children: readonly Child[]): HTMLElement {
  return element('td', {}, ...children);
}

function count(value: number, isBad = false): HTMLElement {
  const tone = isBad && value > 0 ? ' tone-error strong' : '';
  return element('td', { class: `number${tone}` }, value === 0 ? '–' : number(value));
}

/** All tables of the target, with where they come from and how they are doing. */
export function renderTables(model: Model, query: string): HTMLElement {
  const found = model.tables.filter(
    ({ table, schema, source }) => query === '' || matches(query, table, schema, source),
  );
  if (found.length === 0) {
    const nothing = query === '' ? 'No tables.' : 'No table matches the search.';
    return element('p', { class: 'empty' }, nothing);
  }
  return wideTable(
    'Tables',
    [
      ['Table'],
      ['Source'],
      ['Key'],
      ['Columns', true],
      ['Not exact', true],
      ['Not applied', true],
      ['Failing', true],
      ['Dead', true],
      ['Most lag', true],
    ],
    found.map((table) => renderRow(model, table)),
  );
}

function renderRow(model: Model, table: PageTable): HTMLElement {
  const column = model.columns.find(({ name }) => name === table.table);
  const { open, failing, dead, lag } = column ? sumColumn(model, column) : NOTHING;
  const lossy = table.columns.filter(
    ({ exactness }) => markOf(exactness).tone !== 'ok' && exactness !== '',
  );
  return element(
    'tr',
    {},
    element(
      'th',
      { scope: 'row' },
      tableLink(model, table.table, `${table.schema}.${table.table}`),
    ),
    cell(element('span', { class: 'name' }, table.source)),
    cell(element('span', { class: 'name' }, table.key.join(', ') || '–')),
    count(table.columns.length),
    count(lossy.length),
    count(open, true),
    count(failing, true),
    count(dead, true),
    element('td', { class: 'number' }, lag === undefined ? '–' : duration(lag)),
  );
}

interface ColumnSum {
  readonly open: number;
  readonly failing: number;
  readonly dead: number;
  readonly lag: number | undefined;
}

const NOTHING: ColumnSum = { open: 0, failing: 0, dead: 0, lag: undefined };

function sumColumn(model: Model, column: Column): ColumnSum {
  let { open, failing, dead, lag } = NOTHING;
  for (const row of model.rows) {
    const state = model.stateOf(row, column);
    if (state !== undefined && state !== 'applied') open++;
    for (const [mark, value] of model.marksOf(row, column)) {
      if (mark === 'failing' || mark === 'blocked') failing++;
      if (mark === 'dead letters' || mark === 'refused events') dead += value;
    }
    const own = model.lagOf(row, column);
    if (own !== undefined) lag = Math.max(lag ?? 0, own);
  }
  return { open, failing, dead, lag };
}

/** The page of a table: its way from the source, its columns, and how it is doing in each tenant. */
export function renderTablePage(model: Model, name: string): readonly HTMLElement[] {
  const table = model.tables.find(({ schema, table: one }) => `${schema}.${one}` === name);
  if (!table) return [heading(model, 'No such table'), element('p', {}, name)];
  const column = model.columns.find((one) => one.name === table.table);
  const findings = model.target.findings.filter((one) => one.column === table.table);
  return [
    heading(model, `${table.schema}.${table.table}`),
    element(
      'dl',
      { class: 'facts' },
      ...table.facts.flatMap(([label, text]) => [
        element('dt', {}, label),
        element('dd', { class: 'name' }, text),
      ]),
    ),
    section('Columns', renderColumns(table)),
    ...(table.leftOut.length > 0
      ? [
          section(
            'Columns of the source that are left out',
            wideTable(
              'Columns of the source that are left out',
              [['Column'], ['Type'], ['Why']],
              table.leftOut.map(([column, type, why]) =>
                element(
                  'tr',
                  {},
                  element('th', { scope: 'row', class: 'name' }, column),
                  element('td', { class: 'name' }, type),
                  element('td', { class: 'text' }, why),
                ),
              ),
            ),
          ),
        ]
      : []),
    section('Needs attention', renderOwnFindings(model, findings)),
    ...(column ? [section('Tenants', renderStates(model, column))] : []),
  ];
}

function renderColumns({ columns }: PageTable): HTMLElement {
  return wideTable(
    'Columns',
    [['Column'], ['Source'], ['Staging'], ['Final'], ['Exactness'], ['Notes']],
    columns.map((column) =>
      element(
        'tr',
        {},
        element(
          'th',
          { scope: 'row', class: 'name' },
          column.name,
          column.isKey && element('span', { class: 'key' }, 'key'),
        ),
        element(
          'td',
          { class: 'name' },
          column.source || element('span', { class: 'muted plain' }, column.role),
        ),
        element('td', { class: 'name' }, column.staging || '–'),
        element('td', { class: 'name' }, column.final),
        cell(column.exactness === '' ? '–' : badge(column.exactness)),
        cell(renderNotes(column)),
      ),
    ),
  );
}

function renderNotes({ notes, name }: PageColumn): Child {
  if (notes.length === 0) return null;
  return element(
    'details',
    {},
    element(
      'summary',
      {},
      countOf(notes.length, 'note'),
      element('span', { class: 'hidden' }, ` of ${name}`),
    ),
    element('ul', { class: 'notes' }, ...notes.map((note) => element('li', {}, note))),
  );
}

/** How many tenants have the table in which state, and those where it is not applied. */
function renderStates(model: Model, column: Column): HTMLElement {
  const byState = STATES.map((state) => ({
    state,
    rows: model.rows.filter((row) => model.stateOf(row, column) === state),
  })).filter(({ rows }) => rows.length > 0);
  return element(
    'div',
    {},
    ...byState.map(({ state, rows }) =>
      element(
        'details',
        state === 'applied' ? {} : { open: true },
        element('summary', {}, badge(state), ` in ${countOf(rows.length, 'tenant')}`),
        growing(rows, (row) => {
          const lag = model.lagOf(row, column);
          return element(
            'li',
            {},
            tenantLink(model, row),
            lag !== undefined && element('span', { class: 'muted' }, ` lag ${duration(lag)}`),
          );
        }),
      ),
    ),
  );
}

/** What changed in the definitions since a commit. */
export function renderChanges({ changes, warnings }: PageChanges): HTMLElement {
  if (changes.length === 0) return element('p', { class: 'empty' }, 'No definition has changed.');
  return element(
    'div',
    {},
    ...warnings.map((warning) => element('p', {}, badge('warning'), ` ${warning}`)),
    wideTable(
      'Changes',
      [['Table'], ['Change'], ['Class'], ['Lock'], ['SQL']],
      changes.map(({ table, what, class: made, lock, sql }) =>
        element(
          'tr',
          {},
          element('th', { scope: 'row', class: 'name' }, table),
          element('td', { class: 'text' }, what),
          cell(badge(made)),
          element('td', { class: 'text' }, lock),
          element('td', { class: 'name sql' }, ...sql.map((clause) => element('div', {}, clause))),
        ),
      ),
    ),
  );
}

/** The page of a tenant: the state of its files, table by table, and what is wrong with it. */
export function renderTenantPage(model: Model, name: string): readonly HTMLElement[] {
  const { target } = model;
  const schema = target.schemas.indexOf(name === '(database)' ? '' : name);
  if (schema < 0) return [heading(model, 'No such tenant'), element('p', {}, name)];
  const merged = target.health.lastMerges[schema] ?? 0;
  const files = target.files.map((_, file) => file);
  const columns = [...new Set(target.files.map(({ column }) => column))];
  return [
    heading(model, name, merged === 0 ? 'No merge yet' : `Last merge ${time(merged)}`),
    section('Needs attention', renderOwnFindings(model, model.findingsOf(schema), schema)),
    section(
      'Files',
      wideTable(
        'Files',
        [['Table or file'], ['State'], ['Merge'], ['Lag', true]],
        columns.flatMap((column) =>
          renderTenantRow(model, schema, {
            index: -1,
            name: column,
            files: files.filter((file) => target.files[file]!.column === column),
            merged: target.health.tables.indexOf(column),
          }),
        ),
      ),
    ),
  ];
}

/** A row for a table or another file; none if the schema does not have it. */
function renderTenantRow(model: Model, schema: number, column: Column): readonly HTMLElement[] {
  const { target } = model;
  const row = target.rows[target.rowOf[schema] ?? -1] ?? '';
  const states = column.files.flatMap((file) => {
    const state = stateOfLetter(row[file]);
    return state === undefined ? [] : [{ state, path: target.files[file]!.path }];
  });
  if (states.length === 0) return [];
  const lag = model.lagOf(schema, column);
  return [
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, tableLink(model, column.name)),
      cell(
        element(
          'span',
          { class: 'badges' },
          ...states.map(({ state, path }) => badge(state, describeFile(state, path))),
        ),
      ),
      cell(
        element(
          'span',
          { class: 'badges' },
          ...model.marksOf(schema, column).map(([mark]) => badge(mark)),
        ),
      ),
      element('td', { class: 'number' }, lag === undefined ? '–' : duration(lag)),
    ),
  ];
}

/** `tables applied`: a table has a file in two folders. */
function describeFile(state: FileState, path: string): string {
  return `${path.split('/')[0]} ${state}`;
}

/** A heading with the way back. */
function heading(model: Model, text: string, more = ''): HTMLElement {
  return element(
    'div',
    { class: 'heading' },
    element(
      'a',
      { href: addressOf({ kind: 'overview', target: model.index }), class: 'back' },
      '← Overview',
    ),
    element('h1', { tabindex: -1 }, text),
    more !== '' && element('p', { class: 'muted' }, more),
  );
}

/** A part of the page with its heading. */
export function section(title: string, ...children: readonly Child[]): HTMLElement {
  const id = title.toLowerCase().replaceAll(/[^a-z]+/g, '-');
  return element(
    'section',
    { 'aria-labelledby': `h-${id}`, id },
    element('h2', { id: `h-${id}` }, title),
    ...children,
  );
}
