import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseYaml } from '@cdc-migrations/generated-file';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import { columnOf, tableOf } from './evolution.fixture.ts';

type Values = Readonly<Record<string, string | null>>;

/** A state of the table `T`, and what to do in this state. */
export interface CaseState {
  readonly table: ReplicatedTable;
  /** SQL that users run before. */
  readonly manual: string | undefined;
  /** Events that are staged and merged. */
  readonly merged: readonly Values[];
  /** Events that are staged afterwards and wait. */
  readonly staged: readonly Values[];
}

/** Reads `before.yaml`, `between.yaml` if it exists, and `after.yaml` of a case. */
export function readCaseStates(folder: string): readonly CaseState[] {
  return ['before', 'between', 'after']
    .map((name) => join(folder, `${name}.yaml`))
    .filter((file) => existsSync(file))
    .map((file) => buildState(parseYaml(readFileSync(file, 'utf8')) as CaseYaml));
}

interface CaseYaml {
  readonly columns: Readonly<Record<string, string>>;
  readonly key?: readonly string[];
  readonly delete_mode?: 'hard' | 'soft';
  readonly manual?: string;
  readonly merged?: readonly Values[];
  readonly staged?: readonly Values[];
}

function buildState({ columns, key, delete_mode, manual, merged, staged }: CaseYaml): CaseState {
  const definitions = Object.entries(columns).map(([name, text]) => {
    const [, type = '', notNull, initial, backfill] =
      /^(.+?)( NOT NULL)?(?: DEFAULT (.+))?(?: BACKFILL (.+))?$/.exec(text)!;
    return columnOf(name, type, {
      nullable: !notNull,
      ...(initial && { initial }),
      ...(backfill && { backfill }),
    });
  });
  return {
    table: tableOf('T', definitions, {
      ...(key && { key }),
      ...(delete_mode && { deleteMode: delete_mode }),
    }),
    manual,
    merged: merged ?? [],
    staged: staged ?? [],
  };
}
