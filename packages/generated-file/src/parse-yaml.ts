import { CORE_SCHEMA, load } from 'js-yaml';

/**
 * Parses a YAML text. Output of `renderYaml` is parsed fast. js-yaml parses any other YAML with the types of YAML 1.2,
 * so a date is text. Throws js-yaml's `YAMLException`, which contains the line. If a line of JSON contains a key twice,
 * the last value is used.
 */
export function parseYaml(text: string): unknown {
  return parseOwnForm(text) ?? load(text, { schema: CORE_SCHEMA });
}

interface Level {
  readonly depth: number;
  readonly mapping?: Record<string, unknown>;
  readonly list?: unknown[];
}

/** Parses the text if every line has the form of `renderYaml`. Returns undefined otherwise. */
function parseOwnForm(text: string): Record<string, unknown> | undefined {
  const root: Record<string, unknown> = {};
  const open: Level[] = [{ depth: 0, mapping: root }];
  let level = open[0]!;
  let head: { readonly holder: Record<string, unknown>; readonly key: string } | undefined;
  let seen = false;
  for (const line of unixLines(text)) {
    if (line === '' || line.startsWith('#')) continue;
    const indent = indentOf(line);
    const isItem = line.startsWith('- ', indent);
    if (head) {
      if (indent !== 2 * level.depth + 2) return undefined;
      level = isItem
        ? { depth: level.depth + 1, list: [] }
        : { depth: level.depth + 1, mapping: {} };
      open.push(level);
      setEntry(head.holder, head.key, level.list ?? level.mapping);
      head = undefined;
    }
    while (indent < 2 * level.depth) {
      open.pop();
      level = open[open.length - 1]!;
    }
    if (indent !== 2 * level.depth) return undefined;
    if (isItem) {
      const item = parseJson(line.slice(indent + 2));
      if (item === undefined || !level.list) return undefined;
      level.list.push(item);
      continue;
    }
    const holder = level.mapping;
    const entry = splitEntry(line, indent);
    if (!holder || !entry || Object.hasOwn(holder, entry.key)) return undefined;
    seen = true;
    if (entry.rest === '') head = { holder, key: entry.key };
    else {
      const value = parseJson(entry.rest);
      if (value === undefined) return undefined;
      setEntry(holder, entry.key, value);
    }
  }
  return head || !seen ? undefined : root;
}

/** Splits a text into lines and removes carriage returns from a checkout and a byte order mark. */
function unixLines(text: string): string[] {
  const start = text.startsWith('\ufeff') ? text.slice(1) : text;
  return (start.includes('\r') ? start.replaceAll('\r\n', '\n') : start).split('\n');
}

const SPACE = 32;

function indentOf(line: string): number {
  let indent = 0;
  while (line.charCodeAt(indent) === SPACE) indent++;
  return indent;
}

const KEY = /([A-Za-z_][A-Za-z0-9_]*|"(?:[^"\\]|\\.)*"):(?: (?=.)|$)/y;

/** Splits a line into its key and the JSON after it. The JSON is '' if the value begins on the next line. */
function splitEntry(line: string, indent: number): { key: string; rest: string } | undefined {
  KEY.lastIndex = indent;
  const written = KEY.exec(line)?.[1];
  if (written === undefined) return undefined;
  const key = written.startsWith('"') ? parseJson(written) : written;
  return typeof key === 'string' ? { key, rest: line.slice(KEY.lastIndex) } : undefined;
}

/** Parses a JSON text. Returns undefined if it is invalid. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Defines a key as an own property, so that a column called `__proto__` is ordinary data. */
function setEntry(holder: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') holder[key] = value;
  else
    Object.defineProperty(holder, key, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
}
