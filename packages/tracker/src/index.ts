export { applyMigrations, FilesRefusedError, refuseProblems } from './apply/apply-migrations.ts';
export type { ApplyOptions } from './apply/apply-migrations.ts';
export type {
  AppliedFile,
  ApplyEvent,
  ApplyResult,
  DeclaredIndex,
  FileFailure,
  WaitingFile,
} from './apply/apply-event.ts';
export { baselineTarget } from './apply/baseline-target.ts';
export type { BaselineResult, PathInSchema } from './apply/baseline-target.ts';
export { buildStatus, isUpToDate } from './status/build-status.ts';
export type { FileStatus, SchemaStatus, Status } from './status/build-status.ts';
export { checkTarget } from './check/check-target.ts';
export type { CheckOptions } from './check/check-target.ts';
export { diagnoseTarget } from './check/diagnose-target.ts';
export type { ServerSetting, TargetDiagnosis } from './check/diagnose-target.ts';
export type { Difference, Repair } from './check/difference.ts';
export { fileState } from './history/file-state.ts';
export type { FileState } from './history/file-state.ts';
export { PlaceholderError } from './apply/file-transaction.ts';
export type { SchemaWork } from './apply/file-transaction.ts';
export { NOTHING as NO_EVENTS, addCounts, labelOf } from './merge/merge-event.ts';
export type {
  MergeCounts,
  MergeEvent,
  ReasonCount,
  TableMerge,
  TableName,
  TableReplay,
} from './merge/merge-event.ts';
export { discardDeadLetters, groupDeadLetters, readDeadLetters } from './merge/dead-letters.ts';
export type {
  DeadLetter,
  DeadLetterFilter,
  DeadLetterGroup,
  DeadLetterKind,
} from './merge/dead-letters.ts';
export { describeLeftOut } from './merge/left-out.ts';
export type { LeftOut } from './merge/left-out.ts';
export { UnknownTableError } from './merge/merge-statements.ts';
export type { TableSelection } from './merge/merge-statements.ts';
export { runMerges } from './merge/run-merges.ts';
export type { MergeOptions, MergeResult } from './merge/run-merges.ts';
export { findLeftovers, readKnownTables } from './tables/known-tables.ts';
export type { KnownTable, Leftover } from './tables/known-tables.ts';
export { readStructures, relationOf } from './apply/narrow-plan.ts';
export type {
  PlannedFile,
  PlannedSchema,
  PlannedTarget,
  StaleSchema,
  Structures,
} from './apply/narrow-plan.ts';
export { NoBookkeepingError } from './history/no-bookkeeping-error.ts';
export type { FailedStatement } from './apply/find-statement.ts';
export { WHOLE_DATABASE } from './migrations/migrations.ts';
export type {
  FileIdentity,
  FileProblem,
  MigrationFile,
  Migrations,
} from './migrations/migrations.ts';
export { ForeignObjectsError } from './session/foreign-objects.ts';
export type { ForeignObject } from './session/foreign-objects.ts';
export {
  EncodingError,
  listSchemas,
  ManualFilesEditedError,
  planApply,
  RoleMissingError,
  UnsafeSchemaNameError,
} from './apply/plan-apply.ts';
export type { ApplyPlan, ApplyStep, PlanOptions, SchemaRun } from './apply/plan-apply.ts';
export { ManifestMissingError, readMigrations } from './migrations/read-migrations.ts';
export type { SetFacts } from './migrations/read-migrations.ts';
export { readDependants } from './apply/dependants.ts';
export type { Dependants, InTheWay, ObstructedFile, RetypedColumn } from './apply/dependants.ts';
export { readSizes } from './status/read-sizes.ts';
export type { Sizes, TableSize } from './status/read-sizes.ts';
export { readChangeCursors, readTableHealth } from './status/read-table-health.ts';
export type { ChangeCursor, TableHealth } from './status/read-table-health.ts';
export { readConcerns } from './status/read-concerns.ts';
export type {
  BackfillConcern,
  ColumnConcern,
  Concerns,
  DeadLetterCounts,
  FailingMerge,
  HeldMerge,
  RefusedEvents,
  LockedTable,
  LossCause,
  LostStaging,
  LostStream,
  MergeProblem,
} from './status/read-concerns.ts';
export { HistoryError, readTarget, StandbyError } from './history/read-target.ts';
export type { History, HistoryEntry, HistoryGroup, TargetState } from './history/read-target.ts';
export {
  beginReloads,
  cancelReloads,
  finishReloads,
  isReloadSelected,
  listReloadTargets,
  readReloads,
} from './tables/reload-tables.ts';
export type {
  BegunReload,
  FinishOptions,
  FinishStep,
  FinishedReload,
  OpenReload,
  ReloadTargetOptions,
  ReloadCounts,
  ReloadTarget,
  ReloadSelection,
  ReloadState,
} from './tables/reload-tables.ts';
export type { RenamedFile } from './tables/renamed-files.ts';
export { NotDefinedError, renameTarget } from './tables/rename-target.ts';
export type { Renamed, RenameOptions, RenameWait, Renaming } from './tables/rename-target.ts';
export { retireTables, StillDefinedError } from './tables/retire-tables.ts';
export type {
  RetiredTable,
  RetireOptions,
  RetireResult,
  RetireSelection,
  SharedRows,
  TableLeft,
} from './tables/retire-tables.ts';
export { readObstacles, renderScript } from './apply/render-script.ts';
export type { Obstacles } from './apply/render-script.ts';
export { failedSchemas, LockLostError, schemaIsGone } from './apply/run-steps.ts';
export { ClientCommandError, SeveralStatementsError } from './migrations/refused-statements.ts';
export { openSession } from './session/session.ts';
export type { Isolation, Rows, Session, TargetAddress } from './session/session.ts';
export {
  describeBlocker,
  describeHolder,
  LockNotObtainedError,
  readLocks,
} from './session/take-lock.ts';
export type { HeldLock, LockBlocker, LockHolder } from './session/take-lock.ts';
export type { TightenedColumn } from './apply/tighten-columns.ts';
export { TargetError } from './session/target-error.ts';
export type { ErrorFacts } from './session/target-error.ts';
export { NoConnectionError } from './session/with-workers.ts';
export { findHandRenames } from './check/hand-renames.ts';
export type { HandRename, NamedColumn } from './check/hand-renames.ts';
export { readStructure } from './check/read-structure.ts';
export type { RelationGroup, StructureScope } from './check/read-structure.ts';
export { compareRelations } from './check/compare-relations.ts';
