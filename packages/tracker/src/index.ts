export { applyMigrations, FilesRefusedError, refuseProblems } from './apply-migrations.ts';
export type { ApplyOptions } from './apply-migrations.ts';
export type {
  AppliedFile,
  ApplyEvent,
  ApplyResult,
  FileFailure,
  WaitingFile,
} from './apply-event.ts';
export { baselineTarget } from './baseline-target.ts';
export type { BaselineResult, PlacedPath } from './baseline-target.ts';
export { buildStatus, isUpToDate } from './build-status.ts';
export type { FileStatus, SchemaStatus, Status } from './build-status.ts';
export { checkTarget } from './check-target.ts';
export type { CheckOptions } from './check-target.ts';
export { diagnoseTarget } from './diagnose-target.ts';
export type { ServerSetting, TargetDiagnosis } from './diagnose-target.ts';
export type { Difference, Repair } from './difference.ts';
export { fileState } from './file-state.ts';
export type { FileState } from './file-state.ts';
export { PlaceholderError } from './file-transaction.ts';
export type { SchemaWork } from './file-transaction.ts';
export { NOTHING as NO_EVENTS, addCounts, labelOf } from './merge/merge-event.ts';
export type {
  MergeCounts,
  MergeEvent,
  ReasonCount,
  TableMerge,
  TableName,
  TableReplay,
} from './merge/merge-event.ts';
export { discardLetters, groupLetters, readLetters } from './merge/dead-letters.ts';
export type { Letter, LetterFilter, LetterGroup, LetterKind } from './merge/dead-letters.ts';
export { describeLeftOut } from './merge/left-out.ts';
export type { LeftOut } from './merge/left-out.ts';
export { UnknownTableError } from './merge/merge-statements.ts';
export type { TableSelection } from './merge/merge-statements.ts';
export { runMerges } from './merge/run-merges.ts';
export type { MergeOptions, MergeResult } from './merge/run-merges.ts';
export { findLeftovers, readKnownTables } from './known-tables.ts';
export type { KnownTable, Leftover } from './known-tables.ts';
export { readStructures, relationOf } from './narrow-plan.ts';
export type {
  PlannedFile,
  PlannedSchema,
  PlannedTarget,
  StaleSchema,
  Structures,
} from './narrow-plan.ts';
export { NoBookkeepingError } from './no-bookkeeping-error.ts';
export type { FailedStatement } from './find-statement.ts';
export { WHOLE_DATABASE } from './migrations.ts';
export type { FileIdentity, FileProblem, MigrationFile, Migrations } from './migrations.ts';
export { ForeignObjectsError } from './foreign-objects.ts';
export type { ForeignObject } from './foreign-objects.ts';
export {
  EncodingError,
  listSchemas,
  ManualFilesEditedError,
  planApply,
  RoleMissingError,
  UnsafeSchemaNameError,
} from './plan-apply.ts';
export type { ApplyPlan, ApplyStep, PlanOptions, SchemaRun } from './plan-apply.ts';
export { ManifestMissingError, readMigrations } from './read-migrations.ts';
export type { SetFacts } from './read-migrations.ts';
export { readDependants } from './dependants.ts';
export type { Dependants, InTheWay, ObstructedFile, RetypedColumn } from './dependants.ts';
export { readSizes } from './read-sizes.ts';
export type { Sizes, TableSize } from './read-sizes.ts';
export { readTableHealth } from './read-table-health.ts';
export type { TableHealth } from './read-table-health.ts';
export { readChangeCursors } from './read-change-cursors.ts';
export type { ChangeCursor } from './read-change-cursors.ts';
export { readConcerns } from './read-concerns.ts';
export type {
  BackfillConcern,
  ColumnConcern,
  Concerns,
  DeadLetters,
  FailingMerge,
  HeldMerge,
  RefusedEvents,
  LockedTable,
  LossCause,
  LostStaging,
  LostStream,
  MergeProblem,
} from './read-concerns.ts';
export { HistoryError, readTarget, StandbyError } from './read-target.ts';
export type { History, HistoryEntry, HistoryGroup, TargetState } from './read-target.ts';
export {
  beginReloads,
  cancelReloads,
  finishReloads,
  isReloadSelected,
  placesToReload,
  readReloads,
} from './reload-tables.ts';
export type {
  BegunReload,
  FinishOptions,
  FinishStep,
  FinishedReload,
  OpenReload,
  PlaceOptions,
  ReloadCounts,
  ReloadPlace,
  ReloadSelection,
  ReloadState,
} from './reload-tables.ts';
export { NotDefinedError, renameTarget } from './rename-target.ts';
export type { Renamed, RenameOptions, Renaming } from './rename-target.ts';
export { retireTables, StillDefinedError } from './retire-tables.ts';
export type {
  RetiredTable,
  RetireOptions,
  RetireResult,
  RetireSelection,
  SharedRows,
  TableLeft,
} from './retire-tables.ts';
export { readObstacles, renderScript } from './render-script.ts';
export type { Obstacles } from './render-script.ts';
export { failedSchemas, LockLostError, schemaIsGone } from './run-steps.ts';
export { ClientCommandError, SeveralStatementsError } from './refused-statements.ts';
export { openSession } from './session.ts';
export type { Isolation, Rows, Session, TargetAddress } from './session.ts';
export { describeHolder, LockNotObtainedError, readLocks } from './take-lock.ts';
export type { HeldLock, LockHolder } from './take-lock.ts';
export type { TightenedColumn } from './tighten-columns.ts';
export { TargetError } from './target-error.ts';
export type { ErrorFacts } from './target-error.ts';
export { NoConnectionError } from './with-workers.ts';
export type { RelationGroup } from './read-structure.ts';
