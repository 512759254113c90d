import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Keys, Problem } from './problem.ts';

/** A YAML text with the line of every node, counted from 1. */
interface YamlPositions {
  readonly root: unknown;
  readonly resolve: (node: unknown) => unknown;
  readonly lineOf: (node: unknown) => number | undefined;
}

/**
 * Adds lines to problems and sorts them by file and line. The line is that of the key or item that the problem is
 * about, or of its nearest parent in the file.
 */
export function locateProblems(
  problems: readonly Problem[],
  readText: (file: string) => string | undefined,
): readonly Problem[] {
  const located: Problem[] = [];
  for (const file of [...new Set(problems.map(({ at }) => at.file))].sort()) {
    const inFile = problems.filter(({ at }) => at.file === file);
    located.push(...locateInFile(inFile, () => readText(file)).sort(byLine));
  }
  return located;
}

/** Finds every duplicate key of the mappings in a text, with its line. */
export function findDuplicateKeys(file: string, text: string): readonly Problem[] {
  const positions = readPositions(text);
  const problems: Problem[] = [];
  visit(positions.root, [], positions, (keys, key, line, first) => {
    const message = `duplicate key "${key}", first used on line ${first}`;
    problems.push({ at: { file, keys }, key, line, message });
  });
  return problems;
}

/** Reads a text with positions. This is slow and only done if there is a problem to report. */
function readPositions(text: string): YamlPositions {
  const lines = new LineCounter();
  const document = parseShallow(text, lines);
  return {
    root: document?.contents,
    resolve: (node) => (document && isAlias(node) ? node.resolve(document) : node),
    lineOf: (node) => {
      const start = isNode(node) ? node.range?.[0] : undefined;
      return start === undefined ? undefined : lines.linePos(start).line;
    },
  };
}

/**
 * Parses a text. Returns undefined if lists or mappings are nested thousands of levels deep, because the parser is
 * recursive.
 */
function parseShallow(text: string, lineCounter: LineCounter) {
  try {
    return parseDocument(text, {
      ...{ lineCounter, uniqueKeys: false },
      ...{ schema: 'failsafe', logLevel: 'silent' },
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function locateInFile(problems: readonly Problem[], readText: () => string | undefined): Problem[] {
  if (problems.every(({ line }) => line !== undefined)) return [...problems];
  const text = readText();
  if (text === undefined) return [...problems];
  const positions = readPositions(text);
  return problems.map((problem) =>
    problem.line === undefined ? { ...problem, line: lineOf(problem, positions) } : problem,
  );
}

function byLine(one: Problem, other: Problem): number {
  return (one.line ?? 0) - (other.line ?? 0);
}

function lineOf({ at, key }: Problem, { root, resolve, lineOf }: YamlPositions): number {
  let line = 1;
  let node = root;
  for (const step of key === undefined ? at.keys : [...at.keys, key]) {
    const holder = resolve(node);
    if (isMap(holder)) {
      const pair = holder.items.find((item) => isScalar(item.key) && item.key.value === step);
      if (!pair) return line;
      line = lineOf(pair.key) ?? line;
      node = pair.value;
    } else {
      node = isSeq(holder) ? holder.items[Number(step)] : undefined;
      line = lineOf(node) ?? line;
    }
  }
  return line;
}

type Found = (keys: Keys, key: string, line: number, firstLine: number) => void;

function visit(node: unknown, keys: Keys, positions: YamlPositions, found: Found): void {
  const { lineOf } = positions;
  if (isSeq(node)) {
    node.items.forEach((item, index) => visit(item, [...keys, index], positions, found));
  }
  if (!isMap(node)) return;
  const firstLines = new Map<string, number>();
  for (const pair of node.items) {
    const key = isScalar(pair.key) ? String(pair.key.value) : '';
    const line = lineOf(pair.key) ?? 1;
    const first = firstLines.get(key);
    if (first === undefined) firstLines.set(key, line);
    else found(keys, key, line, first);
    visit(pair.value, [...keys, key], positions, found);
  }
}
