import { setTimeout as sleep } from 'node:timers/promises';
import type { MssqlSession } from '../mssql/open-mssql.ts';
import { DEFAULT_TIMEOUT_MS, type SourceDatabase, type SourceOptions } from '../source-database.ts';
import { CaptureDisabledError, SourceError } from '../source-error.ts';
import { withRetry } from '../with-retry.ts';
import type { CaptureInstance, CaptureRequest, CaptureState } from './capture-state.ts';
import type { Finding, FindingCode } from './finding.ts';
import { formatLsn, readLsn, type Lsn } from './lsn.ts';
import { captures, findTable, planCapture, type TablePlan } from './plan-capture.ts';
import { readCaptureState } from './read-capture-state.ts';
import { callEnable, renderRotationSql } from './render-capture-sql.ts';

/** Position that all consumers of a table have read. If it is unknown, `reason` says why. */
export type Passed = { readonly lsn: Lsn } | { readonly lsn?: undefined; readonly reason: string };

/** Options for a rotation to new capture instances. */
export interface RotateCdcOptions extends SourceOptions {
  readonly accepted: readonly FindingCode[];
  readonly dryRun: boolean;
  /** Maximum time to wait for consumers. */
  readonly waitMs: number;
  /** Reads the current positions of the consumers of all tables. */
  readonly readPassed: () => Promise<(table: CaptureRequest) => Passed>;
}

/** Next step of a table. It is derived from the catalog of the source, so an interrupted rotation can be resumed. */
export type RotationStep =
  | { readonly kind: 'none' }
  /** Creates a second instance, because the first instance does not capture all columns. */
  | { readonly kind: 'create'; readonly instance: string; readonly columns: readonly string[] }
  /** Waits, because consumers still need the old instance. */
  | {
      readonly kind: 'wait';
      readonly old: string;
      readonly instance: string;
      readonly needs: Lsn;
      readonly passed?: Lsn;
      readonly reason?: string;
    }
  /** Drops the old instance, because all consumers have passed the start of the new instance. */
  | { readonly kind: 'drop'; readonly old: string; readonly instance: string }
  | { readonly kind: 'blocked'; readonly reason: string };

/** Result for one table. */
export interface RotationResult {
  readonly schema: string;
  readonly table: string;
  readonly state: 'kept' | 'rotated' | 'would be rotated' | 'waiting' | 'blocked' | 'failed';
  /** Steps that were done, or that a dry run would do. */
  readonly done: readonly string[];
  readonly next: RotationStep;
  /** Error message of the server. */
  readonly reason?: string;
}

/** Results for the tables of a database. */
export interface RotateCdcResult {
  readonly database: string;
  readonly findings: readonly Finding[];
  readonly tables: readonly RotationResult[];
  /** The next steps as a script, for a login with more rights. */
  readonly sql: string;
}

/** Interval between two reads of the consumers' positions. */
const POLL_MS = 2000;

/**
 * Rotates tables of SQL Server to capture instances with all columns of their definitions. It creates a second
 * instance, waits until the consumers have passed its start, and drops the first one. It stores no state: after an
 * interruption it continues from the catalog of the source.
 *
 * @throws SourceError, and CaptureDisabledError if the database has no change data capture.
 */
export async function rotateCdc(
  source: SourceDatabase,
  requests: readonly CaptureRequest[],
  options: RotateCdcOptions,
): Promise<RotateCdcResult> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, onEvent = () => undefined, dryRun, waitMs } = options;
  const { database, server } = source;
  const { openMssql } = await import('../mssql/open-mssql.ts');
  onEvent({ kind: 'connecting', database, host: server.host });
  /** Runs a task on its own connection, so that no connection is held while waiting for consumers. */
  const inSession = async <T>(task: (session: MssqlSession) => Promise<T>): Promise<T> => {
    const session = await withRetry(() => openMssql(source, timeoutMs), onEvent);
    try {
      return await task(session);
    } finally {
      session.close();
    }
  };
  const deadline = performance.now() + waitMs;
  const work = new Map<CaptureRequest, { done: string[]; reason?: string | undefined }>(
    requests.map((request) => [request, { done: [] }]),
  );
  const reported = new Set<string>();
  const say = (table: string, step: string) => onEvent({ kind: 'rotating', database, table, step });
  for (;;) {
    const { look, isMoving } = await inSession(async (session) => {
      const found = await lookAt(session, requests, options);
      let hasMoved = false;
      for (const { request, plan, step } of dryRun ? [] : found.steps) {
        const of = work.get(request)!;
        const label = `${plan.schema}.${plan.table}`;
        const text = describeStep(step);
        if (step.kind === 'wait' && !reported.has(label)) {
          reported.add(label);
          say(label, text);
        }
        if (of.reason !== undefined || (step.kind !== 'create' && step.kind !== 'drop')) continue;
        say(label, text);
        of.reason = of.done.includes(text)
          ? `could not ${text}: the server reported no error, and its catalog does not show it`
          : await runStep(session, plan, step);
        if (of.reason !== undefined) continue;
        of.done.push(text);
        hasMoved = true;
      }
      return { look: found, isMoving: hasMoved };
    });
    if (dryRun) return dryResult(database, look);
    if (isMoving) continue;
    const isWaiting = look.steps.some(({ step }) => step.kind === 'wait');
    const leftMs = deadline - performance.now();
    if (!isWaiting || leftMs <= 0) return finalResult(database, look, work);
    await sleep(Math.min(POLL_MS, leftMs));
  }
}

/** Describes a step in a few words: `create the capture instance dbo_Actor_v2`. */
export function describeStep(step: RotationStep): string {
  switch (step.kind) {
    case 'none':
      return 'nothing to do';
    case 'create':
      return `create the capture instance ${step.instance}`;
    case 'drop':
      return `drop the capture instance ${step.old}`;
    case 'blocked':
      return step.reason;
    case 'wait': {
      const at = step.passed === undefined ? step.reason : `they are at ${formatLsn(step.passed)}`;
      return `wait until the consumers have passed ${formatLsn(step.needs)}, where ${step.instance} begins: ${at}`;
    }
  }
}

interface PlannedStep {
  readonly request: CaptureRequest;
  readonly plan: TablePlan;
  readonly step: RotationStep;
}

interface Look {
  readonly findings: readonly Finding[];
  readonly steps: readonly PlannedStep[];
}

async function lookAt(
  session: MssqlSession,
  requests: readonly CaptureRequest[],
  { accepted, readPassed }: RotateCdcOptions,
): Promise<Look> {
  const state = await readCaptureState(session, requests);
  if (!state.database.isEnabled) throw new CaptureDisabledError(session.source);
  const [[row] = []] = await session.batch('SELECT sys.fn_cdc_get_max_lsn() AS lsn;');
  const max = readLsn(row?.['lsn']);
  const { findings, tables } = planCapture(state, requests, { accepted, secondInstance: true });
  const steps: PlannedStep[] = [];
  let positions: ReturnType<typeof readPassed> | undefined;
  const passedBy = async (request: CaptureRequest) => (await (positions ??= readPassed()))(request);
  for (const [i, request] of requests.entries()) {
    const plan = tables[i]!;
    const step = await nextStep(state, plan, { max, readPassed: () => passedBy(request) });
    steps.push({ request, plan, step });
  }
  return { findings: findings.filter(({ code }) => code !== 'two-instances'), steps };
}

interface Positions {
  /** The last captured change. */
  readonly max: Lsn | undefined;
  readonly readPassed: () => Promise<Passed>;
}

async function nextStep(
  state: CaptureState,
  plan: TablePlan,
  { max, readPassed }: Positions,
): Promise<RotationStep> {
  const found = findTable(state, plan)?.instances ?? [];
  const instances = [...found].sort((a, b) => (a.startLsn < b.startLsn ? -1 : 1));
  const [old, newest] = instances;
  const blocked = (reason: string): RotationStep => ({ kind: 'blocked', reason });
  if (!old) {
    return blocked(
      plan.step === 'blocked'
        ? 'see the findings'
        : 'the table is not captured yet; enable-cdc without --rotate enables it',
    );
  }
  const covers = (instance: CaptureInstance) => captures(instance, plan.columns);
  if (!newest) {
    if (covers(old)) return { kind: 'none' };
    if (plan.step === 'blocked') return blocked('see the findings');
    return { kind: 'create', instance: plan.instance, columns: plan.columns };
  }
  if (covers(old) && covers(newest)) return { kind: 'none' };
  if (covers(old)) {
    return blocked(
      `${newest.name} is newer than ${old.name} and does not capture all columns of the definition; drop the unused one (sys.sp_cdc_disable_table)`,
    );
  }
  const passed = await readPassed();
  const wait = { old: old.name, instance: newest.name, needs: newest.startLsn };
  if (passed.lsn === undefined) return { kind: 'wait', ...wait, reason: passed.reason };
  if (max === undefined || passed.lsn > max) {
    const last =
      max === undefined ? 'nothing was captured yet' : `the last change is ${formatLsn(max)}`;
    return blocked(
      `the position ${formatLsn(passed.lsn)} of the consumers is later than all that was captured (${last}): it is of another database, or the source was restored`,
    );
  }
  if (passed.lsn < newest.startLsn) return { kind: 'wait', ...wait, passed: passed.lsn };
  return { kind: 'drop', old: old.name, instance: newest.name };
}

/** Runs a step. Returns the error message of the server if it failed. */
async function runStep(
  session: MssqlSession,
  plan: TablePlan,
  step: Extract<RotationStep, { kind: 'create' | 'drop' }>,
): Promise<string | undefined> {
  try {
    if (step.kind === 'create') await callEnable(session, plan);
    else {
      await session.call('sys.sp_cdc_disable_table', {
        source_schema: plan.schema,
        source_name: plan.table,
        capture_instance: step.old,
      });
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return error.message;
  }
}

function dryResult(database: string, { findings, steps }: Look): RotateCdcResult {
  const tables = steps.map(({ plan: { schema, table }, step }): RotationResult => ({
    ...{ schema, table, state: DRY_STATES[step.kind], done: [], next: step },
  }));
  return { database, findings, tables, sql: renderRotationSql(database, steps) };
}

const DRY_STATES = {
  none: 'kept',
  create: 'would be rotated',
  drop: 'would be rotated',
  wait: 'waiting',
  blocked: 'blocked',
} as const;

function finalResult(
  database: string,
  { findings, steps }: Look,
  work: ReadonlyMap<
    CaptureRequest,
    { readonly done: readonly string[]; readonly reason?: string | undefined }
  >,
): RotateCdcResult {
  const tables = steps.map(({ request, plan: { schema, table }, step }): RotationResult => {
    const { done, reason } = work.get(request)!;
    const result = { schema, table, done, next: step };
    if (reason !== undefined) return { ...result, state: 'failed', reason };
    if (step.kind === 'wait') return { ...result, state: 'waiting' };
    if (step.kind === 'blocked') return { ...result, state: 'blocked' };
    return { ...result, state: done.length > 0 ? 'rotated' : 'kept' };
  });
  return { database, findings, tables, sql: renderRotationSql(database, steps) };
}
