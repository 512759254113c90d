/** Values that generated YAML files can contain. */
export type YamlValue = string | number | boolean | null | readonly YamlValue[] | YamlMapping;

/** Keys and values. A Map keeps the order of keys that look like numbers, an object does not. */
export type YamlMapping =
  { readonly [key: string]: YamlValue | undefined } | ReadonlyMap<string, YamlValue | undefined>;

/**
 * Renders a value as YAML. The first `blockDepth` levels of nesting are in block style, and each value below them is
 * one line of JSON. One level below, a list of mappings still has one line per mapping. Keys with an undefined value
 * are omitted. Every line is valid YAML and can be parsed fast.
 *
 * @example
 * renderYaml({ name: 'Actor', columns: [{ name: 'actno', type: 'integer' }] })
 * // name: "Actor"
 * // columns:
 * //   - {"name": "actno", "type": "integer"}
 */
export function renderYaml(value: YamlMapping, blockDepth = 1): string {
  const lines: string[] = [];
  renderMapping(value, 0, blockDepth, lines);
  return `${lines.join('\n') || '{}'}\n`;
}

function renderMapping(
  value: YamlMapping,
  depth: number,
  blockDepth: number,
  lines: string[],
): void {
  const indent = '  '.repeat(depth);
  for (const [key, entry] of entriesOf(value)) {
    const head = `${indent}${renderKey(key)}:`;
    if (isList(entry) && entry.length > 0 && (depth < blockDepth || entry.every(isMapping))) {
      lines.push(head);
      for (const item of entry) lines.push(`${indent}  - ${renderFlow(item)}`);
    } else if (isMapping(entry) && depth < blockDepth && entriesOf(entry).length > 0) {
      lines.push(head);
      renderMapping(entry, depth + 1, blockDepth, lines);
    } else {
      lines.push(`${head} ${renderFlow(entry)}`);
    }
  }
}

const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Words that YAML 1.1 readers parse as booleans or null. */
const NOT_PLAIN = new Set(['y', 'n', 'yes', 'no', 'on', 'off', 'true', 'false', 'null']);

function renderKey(key: string): string {
  return PLAIN_KEY.test(key) && !NOT_PLAIN.has(key.toLowerCase()) ? key : quote(key);
}

function renderFlow(value: YamlValue): string {
  if (typeof value === 'string') return quote(value);
  if (isList(value)) return `[${value.map(renderFlow).join(', ')}]`;
  if (isMapping(value)) return renderFlowMapping(value);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`no YAML for ${value}`);
  return JSON.stringify(value);
}

/** Renders a mapping on one line. Most of a file consists of these, so no list of entries is built. */
function renderFlowMapping(value: YamlMapping): string {
  if (value instanceof Map) {
    return `{${entriesOf(value)
      .map(([key, entry]) => `${quote(key)}: ${renderFlow(entry)}`)
      .join(', ')}}`;
  }
  const mapping = value as { readonly [key: string]: YamlValue | undefined };
  let text = '';
  for (const key of Object.keys(mapping)) {
    const entry = mapping[key];
    if (entry === undefined) continue;
    text += `${text === '' ? '' : ', '}${quote(key)}: ${renderFlow(entry)}`;
  }
  return `{${text}}`;
}

/** Texts that need only quotes. */
const PLAIN_TEXT = /^[ !#-[\]-~]*$/;
/**
 * Characters that JSON does not escape, and that a YAML reader refuses or treats as a line break, or that change the
 * text direction.
 */
const NOT_YAML = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g;

function quote(text: string): string {
  if (PLAIN_TEXT.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(
    NOT_YAML,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function entriesOf(value: YamlMapping): [string, YamlValue][] {
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return entries.filter((entry): entry is [string, YamlValue] => entry[1] !== undefined);
}

function isList(value: YamlValue): value is readonly YamlValue[] {
  return Array.isArray(value);
}

function isMapping(value: YamlValue): value is YamlMapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
