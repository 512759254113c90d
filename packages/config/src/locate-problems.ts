import type { Problem } from './problem.ts';
import { readPositions, type YamlPositions } from './yaml-positions.ts';

/**
 * The problems with their lines, in order of file and line. The line is that of the key or item that the problem
 * is about, or of the nearest one above it that stands in the file.
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

function lineOf({ at, key }: Problem, { root, yaml, resolve, lineOf }: YamlPositions): number {
  let line = 1;
  let node = root;
  for (const step of key === undefined ? at.keys : [...at.keys, key]) {
    const holder = resolve(node);
    if (yaml.isMap(holder)) {
      const pair = holder.items.find((item) => yaml.isScalar(item.key) && item.key.value === step);
      if (!pair) return line;
      line = lineOf(pair.key) ?? line;
      node = pair.value;
    } else {
      node = yaml.isSeq(holder) ? holder.items[Number(step)] : undefined;
      line = lineOf(node) ?? line;
    }
  }
  return line;
}
