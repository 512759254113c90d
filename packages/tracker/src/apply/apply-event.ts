import type { FailedStatement } from './find-statement.ts';
import type { StaleSchema } from './narrow-plan.ts';
import type { MergeProblem } from '../status/read-concerns.ts';
import type { LockBlocker, LockHolder } from '../session/take-lock.ts';
import type { TightenedColumn } from './tighten-columns.ts';

/** What happens during an apply, as it happens. */
export type ApplyEvent =
  /** Somebody else applies; we try again until the time is over. */
  | { readonly kind: 'waiting'; readonly holder: LockHolder | undefined }
  | { readonly kind: 'planned'; readonly schemas: number; readonly files: number }
  | { readonly kind: 'file applied'; readonly applied: AppliedFile }
  | { readonly kind: 'file failed'; readonly failure: FileFailure }
  /** A lock is in the way of a file. */
  | {
      readonly kind: 'file waits';
      readonly schema: string;
      readonly path: string;
      readonly reason: string;
      /** Who has the lock; empty where it was not seen. */
      readonly blockers: readonly LockBlocker[];
    }
  /** An index of the configuration is created, which can take long, and nobody waits for it. */
  | {
      readonly kind: 'index begins';
      readonly schema: string;
      readonly table: string;
      readonly index: string;
    }
  /** The files of a schema are over, `done` of `total` schemas with it. */
  | {
      readonly kind: 'schema done';
      readonly schema: string;
      readonly done: number;
      readonly total: number;
      readonly files: number;
      readonly failures: number;
      readonly durationMs: number;
    };

/** A file that was applied in a schema. */
export interface AppliedFile {
  /** Empty for a file that belongs to the whole database. */
  readonly schema: string;
  readonly path: string;
  readonly statements: number;
  readonly durationMs: number;
}

/** A file that could not be applied to a schema; `unsafe` files are left out and the schema goes on. */
export interface FileFailure {
  readonly kind: 'failed' | 'unsafe';
  readonly schema: string;
  readonly path: string;
  readonly message: string;
  /** SQLSTATE. */
  readonly code: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  readonly context: string | undefined;
  readonly statement: FailedStatement | undefined;
  /** Who had the lock that the file waited for. */
  readonly blockers?: readonly LockBlocker[] | undefined;
}

/** A file that was not tried, as what it needs is not there. */
export interface WaitingFile {
  readonly schema: string;
  readonly path: string;
  /** The file that failed or was refused; of a file of the whole database, the schemas. */
  readonly waitsFor: string;
}

/** An index of `indexes` in the configuration that an apply created or dropped. */
export interface DeclaredIndex {
  readonly schema: string;
  readonly table: string;
  readonly index: string;
  readonly action: 'created' | 'dropped';
}

/** What an apply has done. */
export interface ApplyResult {
  readonly applied: readonly AppliedFile[];
  /** Files in schemas that had been applied before. */
  readonly appliedBefore: number;
  readonly failures: readonly FileFailure[];
  readonly waiting: readonly WaitingFile[];
  /** Schemas that were not begun, as an earlier failure stopped the apply. */
  readonly notBegun: readonly string[];
  readonly schemaCount: number;
  /** With a plan file, schemas in which nothing was done, as something has changed since it was written. */
  readonly stale: readonly StaleSchema[];
  /** Columns that became NOT NULL, as every row has a value now. */
  readonly tightened: readonly TightenedColumn[];
  /** Indexes of the configuration that were created in tables with rows, or dropped. */
  readonly indexes: readonly DeclaredIndex[];
  /** What keeps tables of these schemas from being merged; applying again what is applied puts it right. */
  readonly mergeProblems: readonly MergeProblem[];
}
