import { element } from './element.ts';
import type { Model } from './model.ts';

/** A place of the page, as the hash of its address has it. */
export type Place =
  | { readonly kind: 'overview'; readonly target: number; readonly section?: string }
  | { readonly kind: 'tenant' | 'table'; readonly target: number; readonly name: string };

/** The address of a place: `#/0/tenant/blue`. */
export function addressOf(place: Place): string {
  const start = `#/${place.target}`;
  if (place.kind === 'overview') return place.section ? `${start}/${place.section}` : start;
  return `${start}/${place.kind}/${encodeURIComponent(place.name)}`;
}

/** The place of an address; the overview for any other text. */
export function placeOf(hash: string, targets: number): Place {
  const [, first = '0', kind, name] = hash.split('/');
  const index = Number(first);
  const target = Number.isInteger(index) && index >= 0 && index < targets ? index : 0;
  if ((kind === 'tenant' || kind === 'table') && name) {
    return { kind, target, name: decode(name) };
  }
  return { kind: 'overview', target, ...(kind && { section: kind }) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A link to the page of a tenant. */
export function tenantLink(model: Model, schema: number): HTMLElement {
  const name = nameOf(model, schema);
  return element(
    'a',
    { href: addressOf({ kind: 'tenant', target: model.index, name }), class: 'name' },
    name,
  );
}

/** A link to the page of a table, or its name if the configuration does not have it. */
export function tableLink(model: Model, column: string, text = column): HTMLElement {
  const table = model.tables.find((one) => one.table === column);
  if (!table) return element('span', { class: 'name' }, text);
  const name = `${table.schema}.${table.table}`;
  const href = addressOf({ kind: 'table', target: model.index, name });
  return element('a', { href, class: 'name' }, text);
}

/** What people call a schema. */
export function nameOf({ target }: Model, schema: number): string {
  return target.schemas[schema] || '(database)';
}
