import type { PageFinding } from '../page-data.ts';
import { element, type Child } from './element.ts';
import { nameOf, tableLink, tenantLink } from './links.ts';
import { badge } from './marks.ts';
import { countOf, matches, number, type Model } from './model.ts';

/** How many are shown before somebody asks for more. */
const STEP = 25;
const SHOWN_TENANTS = 6;
/** A text up to this length stands beside what it is about. */
const SHORT_TEXT = 48;

/** The causes that keep files or events back, each once, with the tenants that have it. */
export function renderFindings(model: Model, query: string): HTMLElement {
  const all = model.target.findings;
  const found = all.filter((finding) => isFound(model, finding, query));
  if (found.length === 0) {
    const nothing =
      all.length === 0
        ? 'Nothing: all files are applied, and events arrive.'
        : 'Nothing matches the search.';
    return element('p', { class: 'empty' }, nothing);
  }
  return growing(found, (finding) => renderFinding(model, finding));
}

function isFound(model: Model, { kind, about, items }: PageFinding, query: string): boolean {
  if (query === '') return true;
  if (matches(query, kind, about)) return true;
  return items.some(([schema, text]) =>
    matches(query, kind, about, nameOf(model, schema), model.texts[text]!),
  );
}

/** Findings of one tenant or one table. */
export function renderOwnFindings(
  model: Model,
  findings: readonly PageFinding[],
  schema?: number,
): HTMLElement {
  if (findings.length === 0) return element('p', { class: 'empty' }, 'Nothing.');
  return growing(findings, (finding) => renderFinding(model, finding, schema));
}

function renderFinding(model: Model, finding: PageFinding, only?: number): HTMLElement {
  const { kind, level, about, column, count } = finding;
  const items =
    only === undefined ? finding.items : finding.items.filter(([schema]) => schema === only);
  const schemas = [...new Set(items.map(([schema]) => schema))];
  const texts = [...new Set(items.map(([, text]) => text))];
  const [text = ''] = texts.length === 1 ? [model.texts[texts[0]!]!] : [];
  const isShort = text !== '' && text.length <= SHORT_TEXT && !text.includes('\n');
  const isCounted = only === undefined && count > items.length;
  return element(
    'li',
    { class: 'finding' },
    element(
      'div',
      { class: 'finding-head' },
      badge(level, kind),
      column === '' ? element('span', { class: 'name' }, about) : tableLink(model, column, about),
      isCounted && element('span', { class: 'muted' }, `${number(count)} events`),
      only === undefined && where(model, schemas),
      isShort && element('span', { class: 'finding-text' }, text),
    ),
    texts.length === 1
      ? !isShort && renderText(text)
      : details(`${countOf(texts.length, 'message')}`, () =>
          growing(items, ([schema, text]) =>
            element(
              'li',
              {},
              only === undefined && schema >= 0 && tenantLink(model, schema),
              only === undefined && ' ',
              renderText(model.texts[text]!),
            ),
          ),
        ),
  );
}

/** The first line of a message, and the others if somebody asks for them. */
function renderText(text: string): HTMLElement {
  const [first = '', ...more] = text.split('\n');
  return element(
    'div',
    { class: 'finding-text' },
    first,
    more.length > 0 &&
      details('more', () =>
        element('div', { class: 'lines' }, ...more.map((line) => element('div', {}, line))),
      ),
  );
}

/** `in 3 tenants: blue, green, red`. */
function where(model: Model, schemas: readonly number[]): Child {
  const named = schemas.filter((schema) => schema >= 0);
  if (named.length === 0) return null;
  if (named.length === 1 && named[0] === model.database) {
    return element('span', { class: 'muted' }, 'in the database');
  }
  const shown = named.slice(0, SHOWN_TENANTS);
  const rest = named.slice(SHOWN_TENANTS);
  return element(
    'span',
    { class: 'where' },
    element('span', { class: 'muted' }, `in ${countOf(named.length, 'tenant')}: `),
    ...commas(shown.map((schema) => tenantLink(model, schema))),
    rest.length > 0 &&
      details(`and ${number(rest.length)} more`, () =>
        growing(rest, (schema) => element('li', {}, tenantLink(model, schema))),
      ),
  );
}

function commas(nodes: readonly Node[]): readonly Child[] {
  return nodes.flatMap((node, index) => (index === 0 ? [node] : [', ', node]));
}

/** What is made when somebody opens it. */
function details(summary: string, make: () => Node): HTMLElement {
  const made = element('details', {}, element('summary', {}, summary));
  made.addEventListener('toggle', () => {
    if (made.open && made.childElementCount === 1) made.append(make());
  });
  return made;
}

/** A list that shows some items, and more if asked to. */
export function growing<Item>(
  items: readonly Item[],
  render: (item: Item) => HTMLElement,
): HTMLElement {
  const list = element('ul', { class: 'list' });
  let shown = 0;
  const more = element('button', { type: 'button', class: 'button more', click: () => grow(true) });
  const grow = (isAsked = false) => {
    const next = items.slice(shown, shown + STEP).map(render);
    list.append(...next);
    shown += next.length;
    const left = items.length - shown;
    more.hidden = left === 0;
    more.textContent = `Show ${number(Math.min(STEP, left))} of ${number(left)} more`;
    if (isAsked) next[0]?.querySelector<HTMLElement>('a, summary')?.focus();
  };
  grow();
  return element('div', {}, list, more);
}
