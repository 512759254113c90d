import { load } from 'js-yaml';

/** What a YAML file of ours can hold. */
export type YamlValue =
  | string
  | number
  | boolean
  | null
  | readonly YamlValue[]
  | { readonly [key: string]: YamlValue | undefined };

/**
 * YAML text of a value: block style for the first `blockDepth` levels of nesting, one line of JSON below
 * them; keys whose value is undefined are left out. Every line is valid YAML and cheap to read back.
 *
 * @example
 * renderYaml({ name: 'Actor', columns: [{ name: 'actno', type: 'integer' }] })
 * // name: "Actor"
 * // columns:
 * //   - {"name": "actno", "type": "integer"}
 */
export function renderYaml(
  value: { readonly [key: string]: YamlValue | undefined },
  blockDepth = 1,
): string {
  const lines: string[] = [];
  renderMapping(value, 0, blockDepth, lines);
  return lines.join('\n') + '\n';
}

/** Value of a YAML text: fast for the form that `renderYaml` writes, any other YAML through js-yaml. */
export function parseYaml(text: string): unknown {
  return parseOwnForm(text) ?? load(text);
}

function renderMapping(
  value: { readonly [key: string]: YamlValue | undefined },
  depth: number,
  blockDepth: number,
  lines: string[],
): void {
  const indent = '  '.repeat(depth);
  for (const [key, entry] of Object.entries(value)) {
    if (entry === undefined) continue;
    const head = `${indent}${renderKey(key)}:`;
    if (!isNested(entry) || isEmpty(entry) || depth >= blockDepth) {
      lines.push(`${head} ${renderFlow(entry)}`);
    } else if (isList(entry)) {
      lines.push(head, ...entry.map((item) => `${indent}  - ${renderFlow(item)}`));
    } else {
      lines.push(head);
      renderMapping(entry, depth + 1, blockDepth, lines);
    }
  }
}

const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Words that YAML 1.1 readers take for booleans or null. */
const NOT_PLAIN = new Set(['y', 'n', 'yes', 'no', 'on', 'off', 'true', 'false', 'null']);

function renderKey(key: string): string {
  return PLAIN_KEY.test(key) && !NOT_PLAIN.has(key.toLowerCase()) ? key : JSON.stringify(key);
}

function renderFlow(value: YamlValue): string {
  if (isList(value)) return `[${value.map(renderFlow).join(', ')}]`;
  if (isNested(value)) {
    const entries: string[] = [];
    for (const key in value) {
      const entry = value[key];
      if (entry !== undefined) entries.push(`${JSON.stringify(key)}: ${renderFlow(entry)}`);
    }
    return `{${entries.join(', ')}}`;
  }
  return JSON.stringify(value);
}

type Nested = readonly YamlValue[] | { readonly [key: string]: YamlValue | undefined };

function isList(value: YamlValue): value is readonly YamlValue[] {
  return Array.isArray(value);
}

function isNested(value: YamlValue): value is Nested {
  return typeof value === 'object' && value !== null;
}

function isEmpty(value: Nested): boolean {
  return Object.keys(value).length === 0;
}

const LINE = /^( *)(?:- (.+)|("(?:[^"\\]|\\.)*"|[A-Za-z_][A-Za-z0-9_]*):(?: (.+))?)$/;

/** The value where every line has the form of `renderYaml`, else undefined. */
function parseOwnForm(text: string): unknown {
  const root: Record<string, unknown> = {};
  const open: { holder: Record<string, unknown> | unknown[]; depth: number }[] = [
    { holder: root, depth: 0 },
  ];
  let pending: { holder: Record<string, unknown>; key: string; depth: number } | undefined;
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const match = LINE.exec(line);
    if (!match) return undefined;
    const [, indent = '', item, key, value] = match;
    const depth = indent.length / 2;
    if (pending) {
      if (depth !== pending.depth + 1) return undefined;
      const holder = item === undefined ? {} : [];
      setEntry(pending.holder, pending.key, holder);
      open.push({ holder, depth });
      pending = undefined;
    }
    while (open.length > 1 && open[open.length - 1]!.depth > depth) open.pop();
    const { holder, depth: holderDepth } = open[open.length - 1]!;
    if (holderDepth !== depth || Array.isArray(holder) !== (item !== undefined)) return undefined;
    try {
      if (Array.isArray(holder)) holder.push(JSON.parse(item!));
      else {
        const name: string = key!.startsWith('"') ? JSON.parse(key!) : key!;
        if (Object.hasOwn(holder, name)) return undefined;
        if (value === undefined) pending = { holder, key: name, depth };
        else setEntry(holder, name, JSON.parse(value));
      }
    } catch {
      return undefined;
    }
  }
  return pending ? undefined : root;
}

/** Sets a key by definition, so that a column called `__proto__` is data like any other. */
function setEntry(holder: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(holder, key, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}
