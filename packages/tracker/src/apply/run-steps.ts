import { quoteLiteral } from '@cdc-migrations/sql-text';
import { isUserFile } from '@cdc-migrations/table-defs';
import type {
  AppliedFile,
  ApplyEvent,
  ApplyResult,
  FileFailure,
  WaitingFile,
} from './apply-event.ts';
import { applyFile, type ApplyFileOptions, type FileOutcome } from './apply-file.ts';
import { NO_SCHEMAS, type SchemaWork, type Work } from './file-transaction.ts';
import { buildRecreation, readObstructed, splitFiles, type ObstructedFile } from './dependants.ts';
import {
  isBehindTables,
  isWithoutTransaction,
  needs,
  WHOLE_DATABASE,
  type MigrationFile,
} from '../migrations/migrations.ts';
import type { ApplyPlan, SchemaRun } from './plan-apply.ts';
import type { Session } from '../session/session.ts';
import {
  lockHolders,
  lockName,
  newTag,
  taggedSessions,
  watchBlockers,
  type LockBlocker,
} from '../session/take-lock.ts';
import { TargetError } from '../session/target-error.ts';

export interface Sessions {
  /** Session with the lock. No new work starts after it is lost. */
  readonly control: Session;
  readonly workers: readonly Session[];
}

export interface RunOptions extends Omit<ApplyFileOptions, 'onRetry' | 'tag'> {
  readonly canary: number;
  /** Number of failed schemas that stops the run. */
  readonly stopAfter: number;
  readonly onEvent: (event: ApplyEvent) => void;
}

/** Error: the session with the lock was lost during an apply. */
export class LockLostError extends Error {
  override readonly name = 'LockLostError';
  constructor() {
    super('the connection that held the lock was lost; applied files are recorded: apply again');
  }
}

/** Results so far. */
interface Counts {
  readonly applied: AppliedFile[];
  readonly failures: FileFailure[];
  readonly waiting: WaitingFile[];
  /** Schemas that failed. */
  readonly failed: Set<string>;
  /** Refused files and the files that wait for them, by schema. */
  readonly stopped: Map<string, MigrationFile[]>;
  /** Schemas of the steps so far. */
  readonly due: Set<string>;
  readonly begun: Set<string>;
  done: number;
  isStopped: boolean;
}

/** SQLSTATE of a lock timeout. */
const LOCK_NOT_AVAILABLE = '55P03';

/** A running plan. */
interface Run {
  readonly plan: ApplyPlan;
  readonly sessions: Sessions;
  readonly options: RunOptions;
  readonly tally: Counts;
  /** End of the last transaction that drops an object of the whole database. They run one after the other. */
  turn: Promise<unknown>;
}

/** Result of applying files, without the other facts about the target. */
export type Outcome = Omit<ApplyResult, 'mergeProblems' | 'stale' | 'tightened' | 'indexes'>;

/**
 * Explains that a missing schema with bookkeeping is never created again. Its tables would be empty and count as
 * merged.
 */
export function schemaIsGone(schema: string): FileFailure {
  return {
    kind: 'unsafe',
    schema,
    path: 'schemas/create-schemas.sql',
    message: 'the schema is missing, and files were applied to it before',
    code: 'CD005',
    hint: `Rename it back. If it was dropped permanently: CALL cdc_management.clean_up_schema(${quoteLiteral(schema)}), and apply again.`,
    ...{ detail: undefined, context: undefined, statement: undefined },
  };
}

/** Runs a plan step by step. */
export async function runSteps(
  sessions: Sessions,
  plan: ApplyPlan,
  options: RunOptions,
): Promise<Outcome> {
  const counts: Counts = {
    applied: [],
    failures: plan.gone.map(schemaIsGone),
    waiting: [],
    failed: new Set(),
    stopped: new Map(),
    due: new Set(),
    begun: new Set(),
    done: 0,
    isStopped: false,
  };
  const run = {
    plan,
    sessions,
    options,
    tally: counts,

    turn: Promise.resolve(),
  };
  for (const step of plan.steps) {
    if (counts.isStopped) break;
    if (step.kind === 'database') await applyToDatabase(run, step.files, step.schemas);
    else await applyToSchemas(run, step.runs);
  }
  return {
    applied: counts.applied,
    appliedBefore: plan.appliedCount,
    failures: counts.failures,
    waiting: counts.waiting,
    notBegun: plan.schemas.filter((schema) => !counts.begun.has(schema)),
    schemaCount: plan.schemaCount,
  };
}

/** Applies files of the whole database. If one fails, no schema begins. */
async function applyToDatabase(
  run: Run,
  files: readonly MigrationFile[],
  schemas: SchemaWork,
): Promise<void> {
  const { tally } = run;
  const isBehind = files.some(isBehindTables);
  const areBegun = [...tally.due].every((schema) => tally.begun.has(schema));
  if (isBehind && (tally.failures.length > 0 || !areBegun)) {
    const failed = new Set(tally.failures.map(({ schema, path }) => schema || path));
    const reason = failed.size > 0 ? [...failed].join(', ') : 'schemas that were not started';
    wait(run, WHOLE_DATABASE, files, reason);
    return;
  }
  const [first, ...others] = files.map((file) => ({ file, schema: WHOLE_DATABASE }));
  const work = { schemas, files: [first!, ...others] as const };
  if ((await applyWork(run, run.sessions.workers[0]!, work)).kind !== 'applied') {
    run.tally.isStopped = true;
  }
}

/** Applies canaries first, then all others. Each session takes the next schema when it is free. */
async function applyToSchemas(run: Run, runs: readonly SchemaRun[]): Promise<void> {
  const { canary } = run.options;
  for (const { schema } of runs) run.tally.due.add(schema);
  const going = runs.filter(({ schema }) => !run.tally.failed.has(schema));
  await applyConcurrently(run, going.slice(0, canary));
  if (canary > 0 && run.tally.failures.length > 0) run.tally.isStopped = true;
  if (!run.tally.isStopped) await applyConcurrently(run, going.slice(canary));
}

async function applyConcurrently(run: Run, runs: readonly SchemaRun[]): Promise<void> {
  const waiting = [...runs];
  const workers = run.sessions.workers.map(async (session) => {
    while (!run.tally.isStopped && !session.isLost) {
      const next = waiting.shift();
      if (!next) return;
      await applyToSchema(run, session, next);
    }
  });
  const ends = await Promise.allSettled(workers);
  const defect = ends.find((end) => end.status === 'rejected');
  if (defect) throw defect.reason;
}

/**
 * Applies the files of a schema until one fails. A table that is refused as unsafe skips only its staging file and the
 * later files that need it.
 */
async function applyToSchema(
  run: Run,
  session: Session,
  { schema, files }: SchemaRun,
): Promise<void> {
  const { tally, options, plan } = run;
  const start = performance.now();
  const failuresBefore = tally.failures.length;
  const refused = new Set<unknown>();
  /** Files that were not applied and that later hand-written files may need. */
  const stopped = tally.stopped.get(schema) ?? [];
  tally.stopped.set(schema, stopped);
  let applied = 0;
  tally.begun.add(schema);
  let isKnown = false;
  let obstructed: readonly ObstructedFile[] = [];
  let queue: readonly (MigrationFile | readonly MigrationFile[])[] = files;
  for (let at = 0; at < queue.length; at++) {
    if (!isKnown && (queue[at] as MigrationFile).table) {
      // Reads after the manual files, which may have removed blocking objects.
      isKnown = true;
      const left = files.slice(at);
      const found = await attemptRead(() =>
        readObstructed(session, plan.migrations, { schema, files: left }),
      );
      if (found instanceof TargetError) {
        const [{ path }] = left as [MigrationFile];
        fail(run, { kind: 'failed', schema, path, ...factsOf(found), statement: undefined });
        tally.failed.add(schema);
        wait(run, schema, left.slice(1), path);
        break;
      }
      obstructed = found;
      const { before, together, after } = splitFiles(left, obstructed);
      queue = [
        ...files.slice(0, at),
        ...before,
        ...(together.length > 0 ? [together] : []),
        ...after,
      ];
    }
    const file = queue[at]!;
    if (!('path' in file)) {
      const end = await applyTogether(run, session, { schema, files }, obstructed);
      applied += end.applied;
      for (const one of end.refused) {
        refused.add(one.table);
        stopped.push(one);
      }
      if (end.failed === undefined) continue;
      tally.failed.add(schema);
      wait(run, schema, [...end.waiting, ...queue.slice(at + 1).flat()], end.failed);
      break;
    }
    if (file.table && refused.has(file.table)) continue;
    const missing = isBehindTables(file)
      ? stopped.find(({ name }) => needs(file, name))
      : undefined;
    if (missing) {
      wait(run, schema, [file], missing.path);
      stopped.push(file);
      continue;
    }
    const work = { schemas: NO_SCHEMAS, files: [{ file, schema }] as const };
    const { kind: end } = await applyWork(run, session, work);
    if (end === 'applied') applied++;
    else if (end === 'unsafe' && file.table) {
      refused.add(file.table);
      stopped.push(file);
    } else {
      tally.failed.add(schema);
      wait(run, schema, queue.slice(at + 1).flat(), file.path);
      break;
    }
  }
  const failures = tally.failures.slice(failuresBefore).filter((one) => one.schema === schema);
  if (failures.length > 0 && failedSchemas(tally.failures).size >= options.stopAfter)
    tally.isStopped = true;
  tally.done++;
  options.onEvent({
    kind: 'schema done',
    schema,
    done: Math.min(tally.done, plan.schemas.length),
    total: plan.schemas.length,
    files: applied,
    failures: failures.length,
    durationMs: performance.now() - start,
  });
}

/**
 * Applies the files of obstructed tables and their blocking objects in one transaction. Repeats it without a table that
 * is refused.
 */
async function applyTogether(
  run: Run,
  session: Session,
  schemaRun: SchemaRun,
  obstructed: readonly ObstructedFile[],
): Promise<{
  readonly applied: number;
  readonly refused: readonly MigrationFile[];
  /** Path of the failed file. */
  readonly failed?: string;
  /** Files that were not applied, because they share its transaction. */
  readonly waiting: readonly MigrationFile[];
}> {
  const refused: MigrationFile[] = [];
  for (let left = obstructed; ;) {
    const [first, ...others] = left;
    if (!first) return { applied: 0, refused, waiting: [] };
    const work = buildRecreation(run.plan.migrations, schemaRun, [first, ...others]);
    const isShared = work.recreate?.files.some(({ schema }) => schema === WHOLE_DATABASE);
    const { kind, path } = await (isShared
      ? inTurn(run, () => applyWork(run, session, work))
      : applyWork(run, session, work));
    const files = work.files.map(({ file }) => file);
    if (kind === 'applied') return { applied: files.length, refused, waiting: [] };
    const unsafe = kind === 'unsafe' ? files.find((file) => file.path === path) : undefined;
    if (!unsafe) {
      const waiting = files.filter((file) => file.path !== path);
      return { applied: 0, refused, failed: path!, waiting };
    }
    refused.push(unsafe);
    const isOfIt = ({ path: other }: ObstructedFile) =>
      files.some((file) => file.path === other && file.table === unsafe.table);
    left = left.filter((one) => !isOfIt(one));
  }
}

/** Runs work when the previous one has ended, successfully or not. */
function inTurn<Result>(run: Run, work: () => Promise<Result>): Promise<Result> {
  const result = run.turn.then(work);
  run.turn = result.catch(() => undefined);
  return result;
}

/** Lists the schemas with a failed or refused file. */
export function failedSchemas(failures: readonly FileFailure[]): ReadonlySet<string> {
  return new Set(failures.map(({ schema }) => schema));
}

function wait(
  { tally }: Run,
  schema: string,
  files: readonly MigrationFile[],
  waitsFor: string,
): void {
  tally.waiting.push(...files.map(({ path }) => ({ schema, path, waitsFor })));
}

const NO_TIMEOUT = 'it runs outside of a transaction, so its waits for locks have no timeout';

async function applyWork(
  run: Run,
  session: Session,
  work: Work,
): Promise<{ readonly kind: FileOutcome['kind']; readonly path?: string }> {
  const { sessions, plan, options } = run;
  if (sessions.control.isLost) throw new LockLostError();
  const [{ file, schema }] = work.files;
  const tell = (reason: string, blockers: readonly LockBlocker[]) =>
    options.onEvent({ kind: 'file waits', schema, path: file.path, reason, blockers });
  const tag = newTag();
  const watch = isWithoutTransaction(file)
    ? watchBlockers(sessions.control, taggedSessions(tag), (found) => tell(NO_TIMEOUT, found))
    : watchBlockers(sessions.control, lockHolders(lockName(plan.migrations.set.name, schema)));
  const onRetry = (reason: string) => tell(reason, watch.take());
  const outcome = await attempt(() =>
    applyFile(session, plan.migrations, work, { ...options, onRetry, tag }),
  ).finally(watch.stop);
  if (outcome.kind === 'meanwhile') return { kind: 'applied' };
  if (outcome.kind === 'applied') {
    const { statements, durationMs } = outcome;
    work.files.forEach(({ file: { path } }, index) =>
      noteApplied(run, { schema, path, statements: statements[index]!, durationMs }),
    );
    return { kind: 'applied' };
  }
  const { kind, error, statement } = outcome;
  const { hint: said, ...facts } = factsOf(error);
  const paths = work.files.map((located) => located.file.path).join(', ');
  const own = work.recreate && outcome.placed?.file;
  const path = own?.path ?? paths;
  const hint = own && isUserFile(own) ? [said, undone(paths)].join('\n').trim() : said;
  const blockers = error.code === LOCK_NOT_AVAILABLE ? watch.take() : [];
  fail(run, {
    ...{ kind, schema, path, ...facts, hint, statement },
    ...(blockers.length > 0 && { blockers }),
  });
  return { kind, path };
}

function factsOf({ message, code, detail, hint, context }: TargetError) {
  return { message, code, detail, hint, context };
}

function fail({ tally, options }: Run, failure: FileFailure): void {
  tally.failures.push(failure);
  options.onEvent({ kind: 'file failed', failure });
}

async function attemptRead<Result>(read: () => Promise<Result>): Promise<Result | TargetError> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof TargetError) return error;
    throw error;
  }
}

/** Tells the author of a repeatable file that it fails around a change of type. */
function undone(paths: string): string {
  return `Its objects are dropped and created again for a change of type in ${paths}. All of it is rolled back.`;
}

type Failed = Extract<FileOutcome, { readonly error: TargetError }>;

/** Converts a lost connection to a failure. The other sessions may still have theirs. */
async function attempt(work: () => Promise<FileOutcome>): Promise<FileOutcome> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    return { kind: 'failed', error } satisfies Failed;
  }
}

function noteApplied({ tally, options }: Run, applied: AppliedFile): void {
  tally.applied.push(applied);
  options.onEvent({ kind: 'file applied', applied });
}
