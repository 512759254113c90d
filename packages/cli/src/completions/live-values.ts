import { readConfig, type Config } from '@cdc-migrations/config';
import { visible } from '@cdc-migrations/generated-file';
import { print } from '../print.ts';
import { findRoot } from '../repo/find-root.ts';

/** Lists names of the configuration that an option takes, by the kind of its value. */
const VALUES = {
  customers: ({ sourceGroups }: Config) =>
    sourceGroups.flatMap((group) => (group.pattern === 'db-per-tenant' ? namesOf(group) : [])),
  schemas: ({ sourceGroups, services }: Config) =>
    sourceGroups.flatMap((group) =>
      group.pattern === 'db-per-tenant' ? namesOf(group) : services.map(({ name }) => name),
    ),
  services: ({ services }: Config) => services.map(({ name }) => name),
  sinks: ({ sinkGroups }: Config) =>
    sinkGroups.flatMap((group) => namesOf(group).map((name) => `${group.name}.${name}`)),
  'source-environments': ({ sourceGroups }: Config) => sourceGroups.flatMap(({ envs }) => envs),
  'target-environments': ({ sinkGroups }: Config) => [
    ...sinkGroups.flatMap(({ envs }) => envs),
    'embedded',
  ],
  tables: ({ services }: Config) =>
    services.flatMap(({ sinks }) =>
      sinks.flatMap(({ tables }) => tables.map(({ table }) => table)),
    ),
  waves: ({ sinkGroups }: Config) =>
    sinkGroups.flatMap(({ waves }) => waves.map(({ name }) => name)),
} satisfies Record<string, (config: Config) => readonly string[]>;

/** A kind of names that a shell asks for while a command line is written. */
export type LiveKind = keyof typeof VALUES;

/**
 * Prints names of the configuration, one a line. Prints nothing if there is no valid configuration: a shell has no place
 * for an error.
 *
 * @param words What stands behind `cdc` so far, for its `--root`.
 */
export function printLiveValues(kind: string, words: readonly string[]): void {
  if (!Object.hasOwn(VALUES, kind)) return;
  let config: Config;
  try {
    config = readConfig(findRoot(rootOf(words)));
  } catch {
    return;
  }
  const names = new Set(VALUES[kind as LiveKind](config));
  // A shell reads lines, and a terminal obeys control characters.
  print([...names].filter((name) => visible(name) === name));
}

function rootOf(words: readonly string[]): string | undefined {
  const at = words.findLastIndex((word) => word === '--root' || word.startsWith('--root='));
  if (at < 0) return undefined;
  // bash takes --root=folder for three words.
  return words[at] === '--root'
    ? words.slice(at + 1).find((word) => word !== '=')
    : words[at]!.slice('--root='.length);
}

function namesOf({ sources }: { readonly sources: readonly { readonly name: string }[] }) {
  return sources.map(({ name }) => name);
}
