/** What an element can hold; nothing is shown for `null` and `false`. */
export type Child = Node | string | number | null | false;

type Value = string | number | boolean | ((event: never) => void) | undefined;

/**
 * Creates an element. Text stays text: nothing in it becomes markup.
 *
 * @example
 * element('a', { href: '#/tables' }, 'Tables')
 */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, Value>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const created = document.createElement(name);
  fill(created, attributes, children);
  return created;
}

/** Creates an element of SVG. */
export function svg(
  name: keyof SVGElementTagNameMap,
  attributes: Readonly<Record<string, Value>> = {},
  ...children: readonly Child[]
): SVGElement {
  const created = document.createElementNS('http://www.w3.org/2000/svg', name);
  fill(created, attributes, children);
  return created;
}

function fill(
  target: Element,
  attributes: Readonly<Record<string, Value>>,
  children: readonly Child[],
): void {
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') target.addEventListener(key, value as EventListener);
    else if (value === true) target.setAttribute(key, '');
    else if (value !== undefined && value !== false) target.setAttribute(key, String(value));
  }
  for (const child of children) {
    if (child === null || child === false) continue;
    target.append(typeof child === 'number' ? String(child) : child);
  }
}
