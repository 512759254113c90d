import { visible } from '@cdc-migrations/generated-file';
import { MANAGEMENT_SCHEMA } from '@cdc-migrations/table-defs';
import type { ApplyEvent, ApplyResult } from './apply-event.ts';
import {
  declareIndexes,
  placeFinals,
  readIndexWork,
  type IndexOutcome,
  type IndexWork,
  type PlacedFinal,
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
} from './tighten-columns.ts';
import { undoReads, withLock, type LockHolder } from '../session/take-lock.ts';
import { withWorkers } from '../session/with-workers.ts';

/** How an apply works, and on what. */
export interface ApplyOptions extends PlanOptions {
  /** How many schemas are worked on at once; default 4. */
  readonly jobs?: number | undefined;
  /** So many schemas go first, alone; the others follow when none of these has failed. */
  readonly canary?: number | undefined;
  /** Number of schemas that fail after which no other begins; without it all others go on. */
  readonly stopAfter?: number | undefined;
  /** How long another apply is waited for; default 10 s. */
  readonly lockTimeoutMs?: number | undefined;
  readonly allowRewrite?: boolean | undefined;
  /** Let infrastructure that is older than that of the target replace it. */
  readonly allowOlder?: boolean | undefined;
  /** Does only what this says, in schemas that have not changed since. */
  readonly planned?: PlannedTarget | undefined;
  readonly onEvent?: ((event: ApplyEvent) => void) | undefined;
}

/** Files are not as `generate` wrote them, so nothing is applied. */
export class FilesRefusedError extends Error {
  override readonly name = 'FilesRefusedError';
  constructor(readonly problems: readonly FileProblem[]) {
    super(problems.map(({ message }) => visible(message)).join('\n'));
  }
}

const DEFAULT_JOBS = 4;
const DEFAULT_LOCK_TIMEOUT_MS = 10_000;

/** How long a file comes back. */
const RETRY_FOR_MS = 60_000;

/**
 * Brings a target up to date: a plan from its history first, then every schema by itself, several beside each other. A
 * file and its history row are one transaction. Then columns become NOT NULL of which every row has a value. Where no
 * file is to be applied nothing is asked but the lock, the history, the schemas, what keeps tables from being merged, and
 * columns that are to become NOT NULL, and declared indexes.
 *
 * @throws FilesRefusedError, UnsafeSchemaNameError, ForeignObjectsError, EncodingError, RoleMissingError,
 * ManualFilesEditedError, SeveralStatementsError, ClientCommandError, PlaceholderError, StandbyError, NoConnectionError before anything is applied;
 * LockNotObtainedError; TargetError when the target is not there.
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
      // A plan file says all that is to be done.
      const schemas = options.planned ? [] : listSchemas(migrations, options);
      const finals = placeFinals(migrations, schemas, options.tenants);
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
      if (plan.steps.length === 0) {
        const tightened = await tightenAlone(address, loose.filter(ofPlan));
        const { indexes, failures } = await declareAlone(address, works.filter(isPresent), onEvent);
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
              reader,
              await readIndexWork(reader, begunOf(finals.filter(isPresent), result)),
              onEvent,
            )
          : NO_INDEXES;
        return {
          ...result,
          failures: [...result.failures, ...failures],
          indexes,
          stale,
          tightened: reader ? await tightenColumns(reader, left.filter(ofPlan)) : [],
          mergeProblems: problemsOf(reader ? await readTargetProblems(reader) : []),
        };
      });
    });
  } finally {
    await control.close();
  }
}

/** Reads structures behind other reads, one of which may have failed. */
async function readAgain(
  control: Session,
  migrations: Migrations,
  options: PlanOptions,
): Promise<Structures> {
  await undoReads(control);
  return readStructures(control, migrations, options);
}

/** Another session than that of the lock, whose transaction changes nothing; none where there is nothing to do. */
async function tightenAlone(
  address: TargetAddress,
  columns: readonly LooseColumn[],
): Promise<readonly TightenedColumn[]> {
  if (columns.length === 0) return [];
  return withWorkers(address, 1, ([worker]) => tightenColumns(worker, columns));
}

const NO_INDEXES: IndexOutcome = { indexes: [], failures: [] };

/** Tables whose file was applied, now or before: what a file of them was refused for may be a column of an index. */
function begunOf(
  finals: readonly PlacedFinal[],
  { failures, waiting, notBegun }: Outcome,
): readonly PlacedFinal[] {
  const key = (schema: string, path: string) => `${schema}\0${path}`;
  const left = new Set([...failures, ...waiting].map(({ schema, path }) => key(schema, path)));
  return finals.filter(
    ({ schema, path }) => !left.has(key(schema, path)) && !notBegun.includes(schema),
  );
}

/** As `tightenAlone`. */
async function declareAlone(
  address: TargetAddress,
  works: readonly IndexWork[],
  onEvent: (event: ApplyEvent) => void,
): Promise<IndexOutcome> {
  if (works.length === 0) return NO_INDEXES;
  return withWorkers(address, 1, ([worker]) => declareIndexes(worker, works, onEvent));
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
