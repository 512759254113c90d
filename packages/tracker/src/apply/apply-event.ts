import type { FailedStatement } from './find-statement.ts';
import type { StaleSchema } from './narrow-plan.ts';
import type { MergeProblem } from '../status/read-concerns.ts';
import type { LockBlocker, LockHolder } from '../session/take-lock.ts';
import type { TightenedColumn } from './tighten-columns.ts';

/** An event during an apply, reported as it happens. */
export type ApplyEvent =
  /** Another apply holds the lock. This apply retries until the timeout. */
  | { readonly kind: 'waiting'; readonly holder: LockHolder | undefined }
  | { readonly kind: 'planned'; readonly schemas: number; readonly files: number }
  | { readonly kind: 'file applied'; readonly applied: AppliedFile }
  | { readonly kind: 'file failed'; readonly failure: FileFailure }
  /** A lock blocks a file. */
  | {
      readonly kind: 'file waits';
      readonly schema: string;
      readonly path: string;
      readonly reason: string;
      /** Sessions that hold the lock. Empty if none was seen. */
      readonly blockers: readonly LockBlocker[];
    }
  /** A declared index is being created. This can take a long time, but blocks neither readers nor writers. */
  | {
      readonly kind: 'index begins';
      readonly schema: string;
      readonly table: string;
      readonly index: string;
    }
  /** Creating or dropping an index waits, without a timeout, until the transactions of these sessions end. */
  | {
      readonly kind: 'index waits';
      readonly schema: string;
      readonly table: string;
      readonly blockers: readonly LockBlocker[];
    }
  /** A column did not become NOT NULL because its table is locked; the next apply tries again. */
  | {
      readonly kind: 'column waits';
      readonly schema: string;
      readonly table: string;
      readonly column: string;
      readonly blockers: readonly LockBlocker[];
    }
  /** A schema is finished. So far, `done` of `total` schemas are finished. */
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
  /** Schema of the file. Empty for a file of the whole database. */
  readonly schema: string;
  readonly path: string;
  readonly statements: number;
  readonly durationMs: number;
}

/** A file that could not be applied to a schema. `unsafe` files are skipped and the schema continues. */
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
  /** Sessions that held the lock that the file waited for. */
  readonly blockers?: readonly LockBlocker[] | undefined;
}

/** A file that was not tried, because a file that it needs failed. */
export interface WaitingFile {
  readonly schema: string;
  readonly path: string;
  /** The failed or refused file. For a file of the whole database, the schemas. */
  readonly waitsFor: string;
}

/** An index of `indexes` in the configuration that an apply created or dropped. */
export interface DeclaredIndex {
  readonly schema: string;
  readonly table: string;
  readonly index: string;
  readonly action: 'created' | 'dropped';
}

/** Result of an apply. */
export interface ApplyResult {
  readonly applied: readonly AppliedFile[];
  /** Number of files in schemas that were applied before. */
  readonly appliedBefore: number;
  readonly failures: readonly FileFailure[];
  readonly waiting: readonly WaitingFile[];
  /** Schemas that did not start, because an earlier failure stopped the apply. */
  readonly notBegun: readonly string[];
  readonly schemaCount: number;
  /** Schemas in which a plan file was not run, because something has changed since it was written. */
  readonly stale: readonly StaleSchema[];
  /** Columns that became NOT NULL, because every row has a value now. */
  readonly tightened: readonly TightenedColumn[];
  /** Indexes of the configuration that were created in tables with rows, or dropped. */
  readonly indexes: readonly DeclaredIndex[];
  /** Changes that block merges in these schemas. `apply --again` repairs them. */
  readonly mergeProblems: readonly MergeProblem[];
}
