import { lengthFault } from '@cdc-migrations/shape';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, visit } from 'yaml';
import type { Document, Node, Scalar } from 'yaml';
import { CommandError } from '../exit-code.ts';
import { linesOf, type Insert, type Written } from './insert.ts';
import { parseSqlInserts } from './parse-sql-inserts.ts';

/**
 * The INSERTs of a configuration of Bento or Redpanda Connect, wherever they are in it: those of `sql_insert`, and
 * statements of `sql_raw`. A list of `{ table, columns }`, also in JSON, is read in the same way.
 *
 * @throws CommandError for what is no YAML, or too long for a file that somebody writes.
 */
export function parseYamlInserts(file: string, text: string): readonly Insert[] {
  const length = lengthFault(text);
  if (length !== undefined) throw new CommandError(`${file}: ${length}`);
  try {
    return parseInserts(file, text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // The parser calls itself for each level.
    const message = `${file}: invalid YAML: expected fewer levels, found thousands`;
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
  /** The node that each alias stands for. */
  readonly anchors: ReadonlyMap<unknown, unknown>;
  /** Entries of the mappings that have been read. */
  readonly merged: Map<unknown, Entries>;
  readonly lineAt: (offset: number) => number;
}

/** What is behind an anchor is found where it stands. */
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

/** Expressions in place of `$1`, `$2` and so on. */
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

/** Line of a place in a text of several lines, which begins in the line below its mark `|`. */
function lineAtIn(scalar: Scalar, { lineAt }: Reader): (offset: number) => number {
  const text = String(scalar.value);
  const isBlock = scalar.type === 'BLOCK_LITERAL' || scalar.type === 'BLOCK_FOLDED';
  const first = lineAt(scalar.range![0]) + (isBlock ? 1 : 0);
  const lineIn = linesOf(text);
  return (offset) => first + lineIn(offset) - 1;
}

type Entries = ReadonlyMap<string, unknown>;

const READ = new Set(['table', 'columns', 'suffix', 'query', 'args_mapping']);

/** The entries of a mapping that are read, with those that it merges; once for each, as merges can double at every level. */
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

/** What each alias stands for: the last node before it with its anchor. The parser would search all of them for each. */
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

/** One token of Bloblang: a comment, a text, or any other letter. */
const TOKEN = /#[^\n]*|"""[^]*?"""|"(?:[^"\\\n]|\\.)*"|[^]/gu;

/** The items of the list that a mapping gives to `root`; undefined where it does not write one. */
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
