import { visible } from '@cdc-migrations/generated-file';
import { MANAGEMENT_SCHEMA } from '@cdc-migrations/table-defs';
import type { ApplyEvent, ApplyResult } from './apply-event.ts';
import {
  declareIndexes,
  listFinalTables,
  readIndexWork,
  type IndexOutcome,
  type IndexWork,
  type FinalTableInSchema,
} from './declare-indexes.ts';
import { TABLE_LOCK_TIMEOUT_MS } from './file-transaction.ts';
import { readTargetProblems, type MergeProblem } from '../status/read-concerns.ts';
import { runSteps, schemaIsGone, type Outcome } from './run-steps.ts';
import type { FileProblem, Migrations } from '../migrations/migrations.ts';
import { filesOf, listSchemas, planApply, type ApplyPlan, type PlanOptions } from './plan-apply.ts';
import { narrowPlan, readStructures, type PlannedTarget, type Structures } from './narrow-plan.ts';
import { readTarget, refuseStandby } from '../history/read-target.ts';
import { openSession, type Session, type TargetAddress } from '../session/session.ts';
import {
  readLooseColumns,
  tightenColumns,
  type LooseColumn,
  type TightenedColumn,
  type TightenOptions,
} from './tighten-columns.ts';
import { undoReads, withLock, type LockHolder } from '../session/take-lock.ts';
import { withWorkers } from '../session/with-workers.ts';

/** Options of an apply. */
export interface ApplyOptions extends PlanOptions {
  /** Number of schemas in parallel. The default is 4. */
  readonly jobs?: number | undefined;
  /** Number of schemas that are applied first. The others follow if none of them failed. */
  readonly canary?: number | undefined;
  /** Number of failed schemas that stops the apply. The default is no limit. */
  readonly stopAfter?: number | undefined;
  /** Wait for the lock of another apply in milliseconds. The default is 10 s. */
  readonly lockTimeoutMs?: number | undefined;
  readonly allowRewrite?: boolean | undefined;
  /** Allows infrastructure that is older than that of the target to replace it. */
  readonly allowOlder?: boolean | undefined;
  /** Applies only this plan, in schemas that have not changed since. */
  readonly planned?: PlannedTarget | undefined;
  readonly onEvent?: ((event: ApplyEvent) => void) | undefined;
}

/** Error: files were edited or are stale, so nothing is applied. */
export class FilesRefusedError extends Error {
  override readonly name = 'FilesRefusedError';
  constructor(readonly problems: readonly FileProblem[]) {
    super(problems.map(({ message }) => visible(message)).join('\n'));
  }
}

const DEFAULT_JOBS = 4;
const DEFAULT_LOCK_TIMEOUT_MS = 10_000;

/** Time for retries of a file, in milliseconds. */
const RETRY_FOR_MS = 60_000;

/**
 * Brings a target up to date. Plans from its history first, then applies schemas in parallel. A file and its history
 * row are one transaction. Afterwards, columns whose rows all have a value become NOT NULL. If no file is pending, it
 * reads only the lock, the history, the schemas, problems of merges, columns to tighten and declared indexes.
 *
 * @throws FilesRefusedError, UnsafeSchemaNameError, ForeignObjectsError, EncodingError, RoleMissingError,
 *   ManualFilesEditedError, SeveralStatementsError, ClientCommandError, PlaceholderError, StandbyError,
 *   NoConnectionError before anything is applied. Also throws LockNotObtainedError, and TargetError if the target is
 *   not reachable.
 */
export async function applyMigrations(
  address: TargetAddress,
  migrations: Migrations,
  options: ApplyOptions,
): Promise<ApplyResult> {
  refuseProblems(migrations);
  const { onEvent = () => {}, jobs = DEFAULT_JOBS } = options;
  const control = openSession(address, 'cdc apply');
  const lock = {
    timeoutMs: options.lockTimeoutMs ?? DEFAULT_LOCK_TIMEOUT_MS,
    onWait: (holder: LockHolder | undefined) => onEvent({ kind: 'waiting', holder }),
  };
  try {
    return await withLock(control, migrations.set.name, lock, async () => {
      // A plan file lists everything to do.
      const schemas = options.planned ? [] : listSchemas(migrations, options);
      const finals = listFinalTables(migrations, schemas, options.tenants);
      const [state, , found, , loose, , works] = await Promise.all([
        readTarget(control, migrations),
        undoReads(control),
        readTargetProblems(control),
        undoReads(control),
        readLooseColumns(control),
        undoReads(control),
        readIndexWork(control, finals),
      ]);
      refuseStandby(state);
      const whole = planApply(migrations, state, options);
      const { plan, stale } = options.planned
        ? narrowPlan(whole, options.planned, await readAgain(control, migrations, options), options)
        : { plan: whole, stale: [] };
      const problemsOf = (problems: readonly MergeProblem[]) =>
        problems.filter(
          ({ schema }) => schema === MANAGEMENT_SCHEMA || plan.present.includes(schema),
        );
      onEvent({ kind: 'planned', schemas: plan.schemas.length, files: countFiles(plan) });
      const isPresent = ({ schema }: { readonly schema: string }) => plan.present.includes(schema);
      const ofPlan = (column: LooseColumn) => !options.planned && isPresent(column);
      const tightening: TightenOptions = {
        control,
        set: migrations.set.name,
        onLocked: (column, blockers) => onEvent({ kind: 'column waits', ...column, blockers }),
      };
      if (plan.steps.length === 0) {
        const tightened = await tightenAlone(address, loose.filter(ofPlan), tightening);
        const { indexes, failures } = await declareAlone(address, works.filter(isPresent), {
          control,
          onEvent,
        });
        const nothing = nothingToDo(plan);
        return {
          ...nothing,
          failures: [...nothing.failures, ...failures],
          ...{ stale, tightened, indexes, mergeProblems: problemsOf(found) },
        };
      }
      await undoReads(control);
      const count = Math.max(1, Math.min(jobs, plan.schemas.length));
      return await withWorkers(address, count, async (workers) => {
        const result = await runSteps({ control, workers }, plan, {
          tableLockTimeoutMs: TABLE_LOCK_TIMEOUT_MS,
          retryForMs: RETRY_FOR_MS,
          allowRewrite: options.allowRewrite ?? false,
          allowOlder: options.allowOlder,
          again: options.again,
          canary: options.canary ?? 0,
          stopAfter: options.stopAfter ?? Infinity,
          onEvent,
        });
        const reader = workers.find(({ isLost }) => !isLost);
        const left = reader ? await readLooseColumns(reader) : [];
        const { indexes, failures } = reader
          ? await declareIndexes(
              { worker: reader, control },
              await readIndexWork(reader, begunOf(finals.filter(isPresent), result)),
              onEvent,
            )
          : NO_INDEXES;
        return {
          ...result,
          failures: [...result.failures, ...failures],
          indexes,
          stale,
          tightened: reader ? await tightenColumns(reader, left.filter(ofPlan), tightening) : [],
          mergeProblems: problemsOf(reader ? await readTargetProblems(reader) : []),
        };
      });
    });
  } finally {
    await control.close();
  }
}

/** Reads structures after other reads, one of which may have failed. */
async function readAgain(
  control: Session,
  migrations: Migrations,
  options: PlanOptions,
): Promise<Structures> {
  await undoReads(control);
  return readStructures(control, migrations, options);
}

/**
 * Tightens columns in another session than that of the lock, whose transaction changes nothing. Opens none if there is
 * nothing to do.
 */
async function tightenAlone(
  address: TargetAddress,
  columns: readonly LooseColumn[],
  options: TightenOptions,
): Promise<readonly TightenedColumn[]> {
  if (columns.length === 0) return [];
  return withWorkers(address, 1, ([worker]) => tightenColumns(worker, columns, options));
}

const NO_INDEXES: IndexOutcome = { indexes: [], failures: [] };

/**
 * Returns tables with an applied file, now or before. A column of an index may be missing because a file was refused.
 */
function begunOf(
  finals: readonly FinalTableInSchema[],
  { failures, waiting, notBegun }: Outcome,
): readonly FinalTableInSchema[] {
  const key = (schema: string, path: string) => `${schema}\0${path}`;
  const left = new Set([...failures, ...waiting].map(({ schema, path }) => key(schema, path)));
  return finals.filter(
    ({ schema, path }) => !left.has(key(schema, path)) && !notBegun.includes(schema),
  );
}

/** Creates declared indexes in another session, like `tightenAlone`. */
async function declareAlone(
  address: TargetAddress,
  works: readonly IndexWork[],
  {
    control,
    onEvent,
  }: { readonly control: Session; readonly onEvent: (event: ApplyEvent) => void },
): Promise<IndexOutcome> {
  if (works.length === 0) return NO_INDEXES;
  return withWorkers(address, 1, ([worker]) => declareIndexes({ worker, control }, works, onEvent));
}

/** Throws if a file is not as it was generated. */
export function refuseProblems({ problems }: Pick<Migrations, 'problems'>): void {
  if (problems.length > 0) throw new FilesRefusedError(problems);
}

function nothingToDo({ appliedCount, schemaCount, gone }: ApplyPlan): Outcome {
  const failures = gone.map(schemaIsGone);
  return {
    applied: [],
    appliedBefore: appliedCount,
    failures,
    waiting: [],
    notBegun: [],
    schemaCount,
  };
}

function countFiles({ steps }: ApplyPlan): number {
  return steps.reduce((sum, step) => sum + filesOf(step).length, 0);
}
