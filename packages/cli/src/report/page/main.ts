import type { PageData } from '../page-data.ts';
import { element } from './element.ts';
import { renderFindings } from './findings.ts';
import { buildGrid, type Grid } from './grid.ts';
import { addressOf, placeOf, type Place } from './links.ts';
import { badge } from './marks.ts';
import { buildModel, countOf, time, type Model } from './model.ts';
import { countFigures, renderFigures, renderPipeline } from './overview.ts';
import { renderChanges, renderTablePage, renderTables, renderTenantPage } from './tables.ts';

const data = JSON.parse(document.getElementById('data')!.textContent!) as PageData;
const models = new Map<number, Model>();
const main = document.getElementById('main')!;
main.tabIndex = -1;

/** What the overview has, and the page of a table or a tenant has not. */
const view: { onSearch?: ((query: string) => void) | undefined; grid?: Grid | undefined } = {};

const search = element('input', {
  ...{ type: 'search', id: 'search', placeholder: 'Search tenants, tables, messages' },
  ...{ 'aria-keyshortcuts': '/', autocomplete: 'off', spellcheck: 'false' },
  input: () => {
    if (view.onSearch) view.onSearch(search.value.trim());
    else location.hash = addressOf({ kind: 'overview', target: here().target });
  },
});

function here(): Place {
  return placeOf(location.hash, data.targets.length);
}

function modelOf(index: number): Model {
  const model = models.get(index) ?? buildModel(data, index);
  models.set(index, model);
  return model;
}

const brand = element('a', { class: 'brand' });
const targetChoice = element('label', { class: 'target' });
const parts = element('nav', { 'aria-label': 'Parts of the page' });

function renderHeader(): HTMLElement {
  return element(
    'header',
    {},
    element(
      'button',
      { type: 'button', class: 'skip button', click: () => main.focus() },
      'Skip to the content',
    ),
    element(
      'div',
      { class: 'bar' },
      brand,
      data.targets.length > 1 && targetChoice,
      element(
        'div',
        { class: 'search', role: 'search' },
        element('label', { for: 'search', class: 'hidden' }, 'Search'),
        search,
        element('kbd', { 'aria-hidden': 'true' }, '/'),
      ),
      renderTheme(),
    ),
    parts,
  );
}

/** Makes the links of the header those of a target. The search stays where it is: somebody may be typing. */
function aimHeader(target: number): void {
  brand.href = addressOf({ kind: 'overview', target });
  brand.replaceChildren(
    element('span', { class: 'brand-sign', 'aria-hidden': 'true' }, '⇥'),
    `cdc ${data.env}`,
  );
  targetChoice.replaceChildren(...renderTargets(target));
  parts.replaceChildren(
    ...SECTIONS.filter(({ id }) => id !== 'changes' || data.since).map(({ id, title }) =>
      element('a', { href: addressOf({ kind: 'overview', target, section: id }) }, title),
    ),
  );
}

const SECTIONS = [
  { id: 'pipeline', title: 'Pipeline' },
  { id: 'attention', title: 'Needs attention' },
  { id: 'tenants', title: 'Tenants' },
  { id: 'tables', title: 'Tables' },
  { id: 'changes', title: 'Changes' },
] as const;

function renderTargets(target: number): readonly HTMLElement[] {
  const choose = (event: Event) => {
    const chosen = Number((event.target as HTMLSelectElement).value);
    location.hash = addressOf({ kind: 'overview', target: chosen });
  };
  const options = data.targets.map(({ label }, index) =>
    element('option', { value: index, selected: index === target }, label),
  );
  return [
    element('span', { class: 'hidden' }, 'Target'),
    element('select', { change: choose }, ...options),
  ];
}

const THEMES = ['auto', 'light', 'dark'] as const;

function renderTheme(): HTMLElement {
  const button = element('button', { type: 'button', class: 'button theme' });
  const show = (theme: string) => {
    if (theme === 'auto') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
    button.textContent = `Theme: ${theme}`;
  };
  button.addEventListener('click', () => {
    const next = THEMES[(THEMES.indexOf(readTheme()) + 1) % THEMES.length]!;
    try {
      localStorage.setItem('cdc-theme', next);
    } catch {
      chosenTheme = next; // A page in a sandbox keeps nothing.
    }
    show(next);
  });
  show(readTheme());
  return button;
}

let chosenTheme: (typeof THEMES)[number] = 'auto';

function readTheme(): (typeof THEMES)[number] {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem('cdc-theme')) ?? chosenTheme;
  } catch {
    return chosenTheme;
  }
}

function renderOverview(model: Model): readonly HTMLElement[] {
  const { target } = model;
  const title = [
    element('h1', { tabindex: -1 }, target.label),
    element(
      'p',
      { class: 'verdict' },
      target.error === null
        ? badge(target.isFine ? 'fine' : 'error', target.isFine ? 'All is well' : 'Needs attention')
        : badge('error', 'No answer'),
      element('span', {}, target.error ?? target.summary.join(', ')),
    ),
    element(
      'p',
      { class: 'muted' },
      `${time(data.madeAt)} · ${countOf(model.rows.length, 'tenant')} · ${countOf(model.tables.length, 'table')}`,
    ),
  ];
  if (target.error !== null) {
    const tables = titled('tables', renderTables(model, ''));
    return [...title, tables, ...changes()];
  }
  const figures = countFigures(model);
  const grid = buildGrid(model);
  view.grid = grid;
  const findings = element('div', {}, renderFindings(model, ''));
  const tables = element('div', {}, renderTables(model, ''));
  view.onSearch = (query) => {
    grid.search(query);
    findings.replaceChildren(renderFindings(model, query));
    tables.replaceChildren(renderTables(model, query));
  };
  return [
    ...title,
    renderFigures(model, figures),
    titled('pipeline', renderPipeline(model, figures)),
    titled('attention', findings),
    titled('tenants', ...renderWaves(model), grid.root),
    titled('tables', tables),
    ...changes(),
  ];
}

function changes(): readonly HTMLElement[] {
  return data.since ? [titled('changes', renderChanges(data.since))] : [];
}

function titled(id: (typeof SECTIONS)[number]['id'], ...children: readonly Node[]): HTMLElement {
  const { title } = SECTIONS.find((one) => one.id === id)!;
  const full = id === 'changes' ? `Changes since ${data.since?.commit}` : title;
  return element(
    'section',
    { id, 'aria-labelledby': `h-${id}` },
    element('h2', { id: `h-${id}` }, full),
    ...children,
  );
}

/** How far a rollout is. */
function renderWaves({ target: { waves } }: Model): readonly HTMLElement[] {
  if (waves.length === 0) return [];
  const text = waves.map(({ wave, counts: [customers = 0, applied = 0] }) =>
    element('li', {}, `${wave}: ${applied} of ${customers} applied`),
  );
  return [element('ul', { class: 'waves', 'aria-label': 'Waves' }, ...text)];
}

function leaveOverview(): void {
  view.onSearch = undefined;
  view.grid = undefined;
}

function render(): void {
  const place = here();
  const model = modelOf(place.target);
  leaveOverview();
  aimHeader(place.target);
  if (place.kind === 'overview') {
    main.replaceChildren(...renderOverview(model));
    if (search.value.trim() !== '') view.onSearch?.(search.value.trim());
  } else {
    const page = place.kind === 'tenant' ? renderTenantPage : renderTablePage;
    main.replaceChildren(...page(model, place.name));
  }
  view.grid?.fit(); // Its size is known only now.
}

let shown = '';

function follow(): void {
  const place = here();
  const { section: part } = place as { section?: string };
  const page = addressOf(place.kind === 'overview' ? { ...place, section: undefined! } : place);
  if (page !== shown) {
    render();
    scrollTo(0, 0);
    if (shown !== '' && document.activeElement !== search) {
      main.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
    }
    shown = page;
  }
  if (part !== undefined) document.getElementById(part)?.scrollIntoView();
}

addEventListener('hashchange', follow);
addEventListener('keydown', (event) => {
  const isTyping = (event.target as Element).closest('input, select, textarea') !== null;
  if (event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    search.focus();
  }
  if (event.key === 'Escape' && event.target === search) {
    search.value = '';
    view.onSearch?.('');
  }
});
addEventListener('resize', () => view.grid?.fit());
addEventListener('afterprint', () => view.grid?.fit());
addEventListener('beforeprint', () => {
  view.grid?.showAll();
  for (const details of document.querySelectorAll('details')) details.open = true;
});

document.body.prepend(renderHeader());
document.body.append(
  element(
    'footer',
    {},
    element(
      'p',
      {},
      element('kbd', {}, '/'),
      ' searches. In the grid, arrows move, ',
      element('kbd', {}, 'Enter'),
      ' opens.',
    ),
    element('p', {}, `Made by cdc manage-migrations report at ${time(data.madeAt)}.`),
  ),
);
follow();
performance.mark('interactive');
