import type { Problem } from './problem.ts';
import type { Keys } from './report.ts';
import { readPositions, type YamlPositions } from './yaml-positions.ts';

/** Every key that stands twice in a mapping, with its line. */
export function findDuplicateKeys(file: string, text: string): readonly Problem[] {
  const positions = readPositions(text);
  const problems: Problem[] = [];
  visit(positions.root, [], positions, (keys, key, line, first) => {
    const message = `the key "${key}" stands in line ${first} too; a mapping has each key once`;
    problems.push({ at: { file, keys }, key, line, message });
  });
  return problems;
}

type Found = (keys: Keys, key: string, line: number, firstLine: number) => void;

function visit(node: unknown, keys: Keys, positions: YamlPositions, found: Found): void {
  const { yaml, lineOf } = positions;
  if (yaml.isSeq(node)) {
    node.items.forEach((item, index) => visit(item, [...keys, index], positions, found));
  }
  if (!yaml.isMap(node)) return;
  const firstLines = new Map<string, number>();
  for (const pair of node.items) {
    const key = yaml.isScalar(pair.key) ? String(pair.key.value) : '';
    const line = lineOf(pair.key) ?? 1;
    const first = firstLines.get(key);
    if (first === undefined) firstLines.set(key, line);
    else found(keys, key, line, first);
    visit(pair.value, [...keys, key], positions, found);
  }
}
