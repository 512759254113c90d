import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config, SinkTable } from '@cdc-migrations/config';
import { resolveRepoPath } from '@cdc-migrations/generated-file';
import { manualChanges, renderManual, type ManualHints } from '@cdc-migrations/ddl-render';
import { shortName } from '@cdc-migrations/sql-text';
import {
  schemaLabel,
  type MigrationSet,
  type ReplicatedTable,
  type TableChange,
} from '@cdc-migrations/table-defs';
import { CommandError } from '../exit-code.ts';
import { readUserFiles } from '../repo/read-outputs.ts';
import { reasonOf } from '../repo/repo-files.ts';
import type { Diff, ManualFile } from './diff-result.ts';
import { groupByTable } from './change-facts.ts';

/**
 * Writes a manual file for each table with unsafe changes, under the next free number. An existing file is unchanged,
 * also one for the same changes.
 */
export function scaffoldManual(
  root: string,
  config: Config,
  { changes, sets }: Pick<Diff, 'changes' | 'sets'>,
): readonly ManualFile[] {
  return groupByTable(changes).flatMap(({ table, changes: own }): readonly ManualFile[] => {
    const set = sets.find(({ name }) => name === table.set);
    if (table.kind === 'existing' || !set) return [];
    const hints = findHints(config, table);
    const lines = manualChanges(table, own, hints);
    if (lines.length === 0) return [];
    const path = findManual(root, set, lines);
    if (path !== undefined) return [{ path, state: 'there already' }];
    const name = `${nextNumber(root, set)}-${nameOf(table, own, lines.length)}.sql`;
    const created = `${set.folder}/manual/${name}`;
    writeNew(root, created, renderManual(table, own, hints));
    return [{ path: created, state: 'created' }];
  });
}

function findHints({ services }: Config, table: ReplicatedTable): ManualHints {
  const isTable = (sink: SinkTable) =>
    shortName(sink.table) === table.name && sink.schema === schemaLabel(table);
  const found = services
    .filter(({ name }) => name === table.service)
    .flatMap(({ sinks }) => sinks.filter(({ sink }) => sink === table.set))
    .flatMap(({ tables }) => tables.filter(isTable))[0];
  const byName = (values: ReadonlyMap<string, string> | undefined) =>
    new Map([...(values ?? [])].map(([column, value]) => [shortName(column), value]));
  return {
    using: byName(found?.hints.using),
    beforeNotNull: byName(found?.hints.beforeNotNull),
  };
}

/** Finds the manual file that was scaffolded for all of these changes. */
function findManual(
  root: string,
  set: MigrationSet,
  changes: readonly string[],
): string | undefined {
  return readUserFiles(root, set, 'manual').find(({ text }) => {
    const lines = new Set(text.split('\n'));
    return changes.every((change) => lines.has(`-- Change: ${change}`));
  })?.path;
}

const DIGITS = 4;

function nextNumber(root: string, set: MigrationSet): string {
  const numbers = readUserFiles(root, set, 'manual').map(({ path }) =>
    Number(/^\d*/.exec(path.slice(`${set.folder}/manual/`.length))?.[0]),
  );
  return String(Math.max(0, ...numbers) + 1).padStart(DIGITS, '0');
}

/**
 * Names a manual file after the table, and the column if there is one. Removes characters that are special in shells
 * and file systems.
 */
function nameOf({ name }: ReplicatedTable, changes: readonly TableChange[], count: number): string {
  const unsafe = changes.filter((change) => change.class === 'unsafe');
  const [only] = unsafe;
  const part =
    count > 1 || !only
      ? []
      : only.kind === 'type changed'
        ? [only.after.name]
        : only.kind === 'partitions changed'
          ? ['partitions']
          : ['key'];
  return [name, ...part]
    .join('-')
    .replace(/[^\p{L}\p{N}_-]+/gu, '-')
    .slice(0, 80);
}

function writeNew(root: string, path: string, text: string): void {
  try {
    const file = resolveRepoPath(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    throw new CommandError(`${path}: cannot be written: ${reasonOf(error)}`, undefined, {
      cause: error,
    });
  }
}
