import { readFileSync, writeFileSync } from 'node:fs';
import {
  flag,
  integer,
  oneOf,
  parseGenerated,
  renderGenerated,
  text,
  type EntriesOf,
  type GeneratedKind,
} from '@cdc-migrations/shape';
import type { PlannedFile, PlannedSchema, PlannedTarget } from '@cdc-migrations/tracker';
import * as v from 'valibot';
import { CommandError } from '../exit-code.ts';
import { reasonOf } from '../repo/repo-files.ts';

/** File that `apply --plan-out` writes and `apply --plan` runs. */
export interface PlanFile {
  readonly env: string;
  /** Options that change the statements that run. */
  readonly again: boolean;
  readonly allowRewrite: boolean;
  readonly allowOlder: boolean;
  readonly targets: readonly PlanTarget[];
}

/** Statements that would run in a target. */
export interface PlanTarget extends PlannedTarget {
  readonly set: string;
  readonly database: readonly PlanEntry[];
  readonly schemas: readonly PlanSchema[];
}

export interface PlanSchema extends PlannedSchema {
  readonly wave?: string;
  readonly files: readonly PlanEntry[];
}

export const PLAN_CLASSES = ['free', 'rewrite', 'unsafe', 'hand-written'] as const;

/** A file and its effect, as far as the target's catalog shows it. */
export interface PlanEntry extends PlannedFile {
  readonly state: (typeof PLAN_STATES)[number];
  /** Class as in `diff`. `hand-written` means unknown. */
  readonly class: (typeof PLAN_CLASSES)[number];
  /** Lock of the table. */
  readonly lock: string;
  readonly changes: readonly string[];
  /** Estimated rows and bytes of the table with its indexes. Absent if the target has no statistics. */
  readonly rows?: number;
  readonly bytes?: number;
}

export const PLAN_STATES = ['pending', 'outdated', 'failed', 'unsafe', 'applied'] as const;

const checksum = () =>
  v.pipe(
    text('sha256: and 64 hexadecimal digits'),
    v.regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256: and 64 hexadecimal digits'),
  );

const entries = v.array(
  v.strictObject({
    path: text('the path of a file of the set'),
    checksum: checksum(),
    structure: v.exactOptional(checksum()),
    state: oneOf(PLAN_STATES),
    class: oneOf(PLAN_CLASSES),
    lock: text('a lock'),
    changes: v.array(text('a change'), 'expected a list of changes'),
    rows: v.exactOptional(integer(0)),
    bytes: v.exactOptional(integer(0)),
  } satisfies EntriesOf<PlanEntry>),
  'expected a list of files',
);

const PLAN: GeneratedKind<PlanFile> = {
  what: 'a plan',
  syntax: 'json',
  command: 'cdc manage-migrations apply --plan-out',
  remedy: 'write the plan again with cdc manage-migrations apply --plan-out',
  schema: v.strictObject({
    env: text('the name of an environment'),
    again: flag(),
    allowRewrite: flag(),
    allowOlder: flag(),
    targets: v.array(
      v.strictObject({
        set: text('the name of a migration set'),
        database: entries,
        schemas: v.array(
          v.strictObject({
            schema: text('the name of a schema'),
            wave: v.exactOptional(text('the name of a wave')),
            structure: checksum(),
            files: entries,
          } satisfies EntriesOf<PlanSchema>),
          'expected a list of schemas',
        ),
      } satisfies EntriesOf<PlanTarget>),
      'expected a list of targets',
    ),
  } satisfies EntriesOf<PlanFile>),
};

/** Writes a plan file. */
export function writePlan(path: string, plan: PlanFile): void {
  try {
    writeFileSync(path, renderGenerated(PLAN, plan));
  } catch (error) {
    throw new CommandError(`${path}: cannot be written: ${reasonOf(error)}`);
  }
}

/**
 * Reads a plan file.
 *
 * @throws CommandError, FileError with every problem
 */
export function readPlan(path: string): PlanFile {
  let written: string;
  try {
    written = readFileSync(path, 'utf8');
  } catch (error) {
    throw new CommandError(`${path}: cannot be read: ${reasonOf(error)}`);
  }
  return parseGenerated(PLAN, written, path);
}
