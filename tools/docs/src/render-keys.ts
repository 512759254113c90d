import { KEYS, IGNORED_KEY_NAMES, type ConfigFile } from './config-files.ts';
import { MEANINGS, NEEDED_ALL_THE_SAME } from './key-meanings.ts';
import { code, markdownTable } from './markdown-table.ts';
import type { KeyEntry } from './read-keys.ts';

/** Renders the keys of a hand-written file. */
export function renderKeys(file: string): string {
  if (!(file in KEYS)) throw new Error(`no such file: ${file}`);
  const keys = KEYS[file as ConfigFile];
  const meanings = MEANINGS[file as ConfigFile];
  refuseStrangers(file, keys, meanings);
  const shown = keys.filter(
    ({ path }) => file !== 'sink-groups' || meanings[path] !== MEANINGS['source-groups'][path],
  );
  return markdownTable(
    ['key', 'value', 'default', ''],
    shown.map((entry) => [code(entry.path), entry.value, defaultOf(entry), meanings[entry.path]!]),
  );
}

/** Renders the keys that are accepted anywhere. */
export function renderLeftAlone(): string {
  return IGNORED_KEY_NAMES.map(code).join(', ');
}

function defaultOf({ path, needed, default: value }: KeyEntry): string {
  if (needed || NEEDED_ALL_THE_SAME.includes(path)) return 'required';
  return value === undefined ? '–' : code(value.replaceAll('"', ''));
}

/** Throws for a key without an explanation, and for an explanation without a key. */
function refuseStrangers(
  file: string,
  keys: readonly KeyEntry[],
  meanings: Readonly<Record<string, string>>,
): void {
  const paths = keys.map(({ path }) => path);
  const unexplained = paths.filter((path) => !Object.hasOwn(meanings, path));
  const strange = Object.keys(meanings).filter((path) => !paths.includes(path));
  if (unexplained.length + strange.length === 0) return;
  throw new Error(
    `key-meanings.ts, ${file}: not explained: ${unexplained.join(', ') || 'none'}; no such key: ${strange.join(', ') || 'none'}`,
  );
}
