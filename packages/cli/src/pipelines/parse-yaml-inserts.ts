import { lengthProblem } from '@cdc-migrations/shape';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, visit } from 'yaml';
import type { Document, Node, Scalar } from 'yaml';
import { CommandError } from '../exit-code.ts';
import { linesOf, type Insert, type Written } from './insert.ts';
import { parseSqlInserts } from './parse-sql-inserts.ts';

/**
 * Parses the INSERTs anywhere in a configuration of Bento or Redpanda Connect: `sql_insert` and the statements of
 * `sql_raw`. Also reads a list of `{ table, columns }`, in YAML or JSON.
 *
 * @throws CommandError if the text is not YAML or is too long
 */
export function parseYamlInserts(file: string, text: string): readonly Insert[] {
  const length = lengthProblem(text);
  if (length !== undefined) throw new CommandError(`${file}: ${length}`);
  try {
    return parseInserts(file, text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // The parser calls itself for each level and runs out of stack.
    const message = `${file}: invalid YAML: nested too deeply`;
    throw new CommandError(message, undefined, { cause: error });
  }
}

function parseInserts(file: string, text: string): readonly Insert[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: false });
  const lineAt = (offset: number) => lines.linePos(offset).line;
  return [...documents].flatMap((document) => {
    const [error] = document.errors;
    if (error) {
      const [reason] = error.message.split(/ at line |\n/);
      throw new CommandError(`${file}:${lineAt(error.pos[0])}: invalid YAML: ${reason}`);
    }
    const reader = { anchors: listAnchors(document), merged: new Map(), lineAt };
    return [...findInserts(document.contents, '', reader)];
  });
}

interface Reader {
  /** Node of each alias. */
  readonly anchors: ReadonlyMap<unknown, unknown>;
  /** Entries of the mappings that were read. */
  readonly merged: Map<unknown, Entries>;
  readonly lineAt: (offset: number) => number;
}

/** Anchored nodes are found in their original position. */
function* findInserts(node: unknown, key: string, reader: Reader): Generator<Insert> {
  if (isSeq(node)) {
    for (const item of node.items) yield* findInserts(item, key, reader);
  }
  if (!isMap(node)) return;
  const entries = entriesOf(node, reader);
  const insert = key === 'sql_select' ? undefined : readInsert(node, entries, reader);
  if (insert) yield insert;
  const query = entries.get('query');
  if (isScalar(query)) {
    for (const raw of parseSqlInserts(String(query.value), lineAtIn(query, reader))) {
      yield raw.language === 'sql' ? { ...raw, ...readArguments(raw, entries, reader) } : raw;
    }
  }
  for (const { key: name, value } of node.items) {
    yield* findInserts(value, isScalar(name) ? String(name.value) : '', reader);
  }
}

function readInsert(node: Node, entries: Entries, reader: Reader): Insert | undefined {
  const [table, columns] = [entries.get('table'), entries.get('columns')];
  if (!isScalar(table) || !isSeq(columns)) return undefined;
  const line = reader.lineAt((table.range ?? node.range!)[0]);
  const named = columns.items.flatMap((item) => writtenOf(resolve(item, reader), reader) ?? []);
  const values = readMapping(entries, reader);
  const suffix = entries.get('suffix');
  const conflict = isScalar(suffix) && /\bon\s+conflict\b/i.test(String(suffix.value));
  return {
    ...{ line, table: String(table.value), columns: named },
    ...(conflict && { conflict: writtenOf(suffix, reader)! }),
    ...(values && { values, language: 'bloblang' as const }),
  };
}

/** Reads expressions for `$1`, `$2` and so on. */
function readArguments(
  { values = [] }: Insert,
  entries: Entries,
  reader: Reader,
): Pick<Insert, 'values' | 'language'> {
  const given = readMapping(entries, reader);
  const taken = values.map(({ text }) => /^\$(\d+)$/.exec(text)?.[1]);
  if (!given || taken.includes(undefined)) return {};
  const items = taken.map((number) => given[Number(number) - 1]);
  return items.includes(undefined)
    ? {}
    : { values: items as readonly Written[], language: 'bloblang' };
}

function readMapping(entries: Entries, reader: Reader): readonly Written[] | undefined {
  const mapping = entries.get('args_mapping');
  if (!isScalar(mapping)) return undefined;
  return listOfRoot(String(mapping.value), lineAtIn(mapping, reader));
}

/** Returns the line of an offset in a block text, which begins below its `|`. */
function lineAtIn(scalar: Scalar, { lineAt }: Reader): (offset: number) => number {
  const text = String(scalar.value);
  const isBlock = scalar.type === 'BLOCK_LITERAL' || scalar.type === 'BLOCK_FOLDED';
  const first = lineAt(scalar.range![0]) + (isBlock ? 1 : 0);
  const lineIn = linesOf(text);
  return (offset) => first + lineIn(offset) - 1;
}

type Entries = ReadonlyMap<string, unknown>;

const READ = new Set(['table', 'columns', 'suffix', 'query', 'args_mapping']);

/**
 * Returns the entries of a mapping with its merged ones. Each mapping is read once, because merges can double at every
 * level.
 */
function entriesOf(node: unknown, reader: Reader): Entries {
  const known = reader.merged.get(node);
  if (known) return known;
  const found = new Map<string, unknown>();
  if (!isMap(node)) return found;
  reader.merged.set(node, found);
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? String(key.value) : '';
    const resolved = resolve(value, reader);
    if (READ.has(name)) found.set(name, resolved);
    else if (name === '<<') {
      for (const [other, merged] of entriesOf(resolved, reader)) {
        if (!found.has(other)) found.set(other, merged);
      }
    }
  }
  return found;
}

function resolve(node: unknown, { anchors }: Reader): unknown {
  return isAlias(node) ? anchors.get(node) : node;
}

/** Maps each alias to the last node before it with its anchor. The parser would search all of them for each alias. */
function listAnchors(document: Document): ReadonlyMap<unknown, unknown> {
  const [last, anchors] = [new Map<string, unknown>(), new Map<unknown, unknown>()];
  visit(document, {
    Node: (_, node) => {
      if (isAlias(node)) anchors.set(node, last.get(node.source));
      else if (node.anchor !== undefined) last.set(node.anchor, node);
    },
  });
  return anchors;
}

function writtenOf(node: unknown, { lineAt }: Reader): Written | undefined {
  return isScalar(node) ? { text: String(node.value), line: lineAt(node.range![0]) } : undefined;
}

/** A token of Bloblang: a comment, a text, or any other character. */
const TOKEN = /#[^\n]*|"""[^]*?"""|"(?:[^"\\\n]|\\.)*"|[^]/gu;

/** Returns the items of the list that a mapping assigns to `root`, or undefined if it has another form. */
function listOfRoot(
  mapping: string,
  lineAt: (offset: number) => number,
): readonly Written[] | undefined {
  const start = /^[ \t]*root\s*=\s*\[/m.exec(mapping);
  if (!start) return undefined;
  const items: Written[] = [];
  let item = '';
  let from: number | undefined;
  let depth = 1;
  const end = () => {
    if (from !== undefined) items.push({ text: item.trim(), line: lineAt(from) });
    item = '';
    from = undefined;
  };
  const token = new RegExp(TOKEN);
  token.lastIndex = start.index + start[0].length;
  for (let match = token.exec(mapping); match; match = token.exec(mapping)) {
    const [text] = match;
    if (text.startsWith('#')) continue;
    if ('([{'.includes(text)) depth++;
    if (')]}'.includes(text)) depth--;
    if (depth === 0) {
      end();
      return items;
    }
    if (text === ',' && depth === 1) {
      end();
      continue;
    }
    if (/\S/.test(text)) from ??= match.index;
    item += text;
  }
  return undefined;
}
