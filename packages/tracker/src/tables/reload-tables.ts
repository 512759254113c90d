import { setTimeout as sleep } from 'node:timers/promises';
import { quoteLiteral } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import { isPassing } from '../apply/apply-file.ts';
import { tryUntil } from '@cdc-migrations/session';
import { locateTables } from '../check/compare-relations.ts';
import {
  isSelected,
  readTransaction,
  UnknownTableError,
  type TableSelection,
} from '../merge/merge-statements.ts';
import { runMerges } from '../merge/run-merges.ts';
import type { Migrations } from '../migrations/migrations.ts';
import { NoBookkeepingError } from '../history/no-bookkeeping-error.ts';
import { listSchemas } from '../apply/plan-apply.ts';
import { readIfThere } from '../session/read-if-there.ts';
import { refuseStandby } from '../history/read-target.ts';
import { openSession, type Session, type TargetAddress } from '../session/session.ts';
import { TargetError } from '../session/target-error.ts';

/** Rows to reload: of a table, or of one customer in a table of several. */
export interface ReloadTarget {
  readonly schema: string;
  readonly table: string;
  /** Column of the customer in a table of several. */
  readonly customerColumn: string | null;
  /** Value of that column. Null for the rows of all. */
  readonly customer: string | null;
}

/** A reload that has begun and not ended. */
export interface OpenReload extends ReloadTarget {
  readonly id: string;
  /** Time in ISO 8601. */
  readonly begunAt: string;
  readonly begunBy: string;
  /** Rows that an interrupted `finish` has removed already. */
  readonly swept: number;
}

/** Number of rows of a reload. */
export interface ReloadCounts {
  /** Rows in the snapshot since it began. */
  readonly read: number;
  /** Rows that other events inserted or changed since. */
  readonly changed: number;
  /** All other rows, which are removed. */
  readonly unread: number;
}

/** Result of the beginning of a reload. */
export interface BegunReload extends ReloadTarget {
  /** `open` means that it was begun before. */
  readonly outcome: 'begun' | 'open' | 'refused' | 'failed';
  readonly begunAt: string | null;
  readonly begunBy: string | null;
  readonly reason: string | null;
}

/** An open reload with the numbers of its rows. */
export interface ReloadState extends OpenReload {
  /** Null if they cannot be counted. */
  readonly counts: ReloadCounts | null;
  /** Why they cannot be counted. */
  readonly reason: string | null;
}

/** Options of `finishReloads`. */
export interface FinishOptions {
  /** Only counts rows. */
  readonly isDryRun: boolean;
  /** Maximum percentage of rows to remove. */
  readonly maxShare: number;
  /** Allows the removal of rows although no row of a snapshot has come since the beginning. */
  readonly withoutReads: boolean;
  /** True if the replay of a possible loss has ended. */
  readonly isReplayed: boolean;
  /** Blocks of a batch. */
  readonly blocks?: number;
  readonly onProgress?: (reload: OpenReload, step: FinishStep) => void;
}

/** Progress of finishing a reload. `removing` comes after a batch. */
export type FinishStep =
  | { readonly kind: 'merging' | 'counting' }
  | { readonly kind: 'removing'; readonly removed: number; readonly of: number };

/** Result of the end of a reload. */
export interface FinishedReload extends OpenReload {
  /** `found` means a dry run. */
  readonly outcome: 'finished' | 'found' | 'refused' | 'failed' | 'locked';
  /** Counts before rows were removed. Null if they could not be counted. */
  readonly counts: ReloadCounts | null;
  readonly reason: string | null;
}

const RETRY_FOR_MS = 60_000;
/** Blocks of a final table that one transaction sweeps: 2 MB. */
const BLOCKS = 256;
/** SQLSTATE of a refusal. */
const REFUSED = 'CD005';

/** Selection of open reloads. The default is all. */
export interface ReloadSelection extends TableSelection {
  /** Schemas of customers, or values of the customer's column. */
  readonly customers?: readonly string[] | undefined;
}

/** Selection of tables and customers to reload. */
export interface ReloadTargetOptions extends ReloadSelection {
  readonly tenants: readonly string[];
  readonly customerColumnOf: (table: ReplicatedTable) => string | undefined;
  /** Returns the value of the customer's column for a customer. */
  readonly customerIdOf: (customer: string) => string;
}

/**
 * Lists the selected tables of the definitions. A table of several customers is listed once for each selected customer.
 */
export function listReloadTargets(
  migrations: Migrations,
  { tenants, customers, customerColumnOf, customerIdOf, ...selection }: ReloadTargetOptions,
): readonly ReloadTarget[] {
  const { pattern } = migrations.set;
  return locateTables(migrations, listSchemas(migrations, { tenants }), tenants).flatMap(
    ({ schema, table }): readonly ReloadTarget[] => {
      const name = { schema, table: table.name };
      if (table.kind !== 'replicated' || !isSelected(name, selection)) return [];
      if (pattern === 'db-per-tenant' && table.schema.scope === 'tenant') {
        const isOfCustomer = customers?.includes(schema) ?? true;
        return isOfCustomer ? [{ ...name, customerColumn: null, customer: null }] : [];
      }
      const customerColumn = customerColumnOf(table) ?? null;
      // The snapshot of a source database that all customers share has the rows of all.
      const isOfSeveral = pattern === 'db-per-tenant';
      if (!customers)
        return [{ ...name, customerColumn: isOfSeveral ? customerColumn : null, customer: null }];
      if (customerColumn === null) return [];
      return customers.map((one) => ({ ...name, customerColumn, customer: customerIdOf(one) }));
    },
  );
}

/**
 * Begins reloads: records which events of the tables are older than the next snapshot. An open reload is unchanged, so
 * an interrupted run can be repeated.
 *
 * @throws NoBookkeepingError, StandbyError, TargetError
 */
export async function beginReloads(
  session: Session,
  locations: readonly ReloadTarget[],
): Promise<readonly BegunReload[]> {
  await refuseOlder(session);
  const results: BegunReload[] = [];
  for (const location of locations) results.push(await beginOne(session, location));
  return results;
}

async function beginOne(session: Session, location: ReloadTarget): Promise<BegunReload> {
  const { schema, table, customerColumn, customer } = location;
  const none = { begunAt: null, begunBy: null };
  try {
    const [row] = await session.write<Pick<OpenReload, 'begunAt' | 'begunBy'> & { isNew: boolean }>(
      `SET LOCAL lock_timeout = '10s';
SELECT ${iso('(begun).begun_at')} AS "begunAt", (begun).begun_by AS "begunBy", is_new AS "isNew"
FROM cdc_management.begin_reload(${[schema, table, customerColumn, customer].map(literal).join(', ')})`,
    );
    const { isNew, ...begun } = row!;
    return { ...location, ...begun, outcome: isNew ? 'begun' : 'open', reason: null };
  } catch (error) {
    return { ...location, ...none, ...describeFailure(error) };
  }
}

/**
 * Reads the open reloads of a target with the numbers of their rows. Reads each of these tables once.
 *
 * @throws NoBookkeepingError, TargetError
 */
export async function readReloads(
  session: Session,
  selection: ReloadSelection,
): Promise<readonly ReloadState[]> {
  const states: ReloadState[] = [];
  for (const reload of await listOpen(session, selection))
    states.push(await readState(session, reload));
  return states;
}

async function readState(session: Session, reload: OpenReload): Promise<ReloadState> {
  try {
    return { ...reload, counts: sum(await countRows(session, reload)), reason: null };
  } catch (error) {
    return { ...reload, counts: null, reason: describeFailure(error).reason };
  }
}

/**
 * Removes the rows that no event has inserted or changed since their reloads began, and ends the reloads. Merges staged
 * events first. Each batch is a transaction, so an interrupted run can be repeated.
 *
 * @throws NoBookkeepingError, StandbyError, and TargetError if the target is not reachable
 */
export async function finishReloads(
  address: TargetAddress,
  selection: ReloadSelection,
  options: FinishOptions,
): Promise<readonly FinishedReload[]> {
  const session = openSession(address, 'cdc reload');
  try {
    await refuseOlder(session);
    const results: FinishedReload[] = [];
    for (const reload of await listOpen(session, selection))
      results.push(await finishOne(address, session, reload, options));
    return results;
  } finally {
    await session.close();
  }
}

async function finishOne(
  address: TargetAddress,
  session: Session,
  reload: OpenReload,
  options: FinishOptions,
): Promise<FinishedReload> {
  let counts: ReloadCounts | null = null;
  const end = (outcome: FinishedReload['outcome'], reason: string | null = null) => ({
    ...{ ...reload, counts, outcome, reason },
  });
  try {
    const tell = (step: FinishStep) => options.onProgress?.(reload, step);
    if (!options.isDryRun) tell({ kind: 'merging' });
    const unmerged = options.isDryRun ? null : await mergeStaged(address, session, reload);
    if (unmerged !== null) return end('failed', unmerged);
    tell({ kind: 'counting' });
    const byCustomer = await countRows(session, reload);
    counts = sum(byCustomer);
    const refusal =
      (await readProblem(session, reload, options)) ?? refusalOf(reload, byCustomer, options);
    if (refusal !== null) return end('refused', refusal);
    if (options.isDryRun) return end('found');
    const left = await sweep(session, reload, {
      ...options,
      onBatch: (removed) => tell({ kind: 'removing', removed, of: counts!.unread }),
    });
    if (left !== null) return end(left.outcome, left.reason);
    await session.write(`SELECT cdc_management.end_reload(${reload.id}, 'finished')`);
    return end('finished');
  } catch (error) {
    const { outcome, reason } = describeFailure(error);
    return end(outcome, reason);
  }
}

/** Merges staged events. Returns the reason of a failure, or null. Another session may hold the table for some time. */
async function mergeStaged(
  address: TargetAddress,
  session: Session,
  { schema, table }: OpenReload,
): Promise<string | null> {
  const now = await readTransaction(session);
  const name = `${schema}.${table}`;
  let failure: string | null = null;
  const isMerged = await tryUntil(RETRY_FOR_MS, async () => {
    const merged = await runMerges(address, { tables: [name], jobs: 1 });
    failure = merged.lost ?? merged.tables.find((one) => one.failure !== null)?.failure ?? null;
    if (failure !== null) return true;
    const [row] = await session.read<{ holds: boolean }>(
      `SELECT cdc_management.holds_events_before(${literal(schema)}, ${literal(table)}, ${literal(now)}::xid8) AS holds`,
    );
    return row!.holds ? undefined : true;
  });
  return failure ?? (isMerged ? null : 'events that were staged before are not merged: see status');
}

/** Returns the reason why the counts forbid it, or null. */
function refusalOf(
  { swept }: OpenReload,
  byCustomer: readonly CustomerCounts[],
  { withoutReads, maxShare }: FinishOptions,
): string | null {
  const { read, changed, unread } = sum(byCustomer);
  if (unread === 0) return null;
  const silent = byCustomer.filter((one) => one.unread > 0 && one.read === 0);
  if (silent.length > 0 && swept === 0 && !withoutReads) {
    const names = silent.flatMap(({ customer }) => (customer === null ? [] : [customer]));
    const of = names.length > 0 ? ` of ${names.join(', ')}` : '';
    return `no row of a snapshot${of} has arrived since the reload began: wait for it, or, if the source has no rows, finish with --without-reads`;
  }
  // Each customer has its own snapshot, which can be incomplete while those of others are complete.
  for (const one of byCustomer.length > 1 ? byCustomer : []) {
    const share = shareOf(one.unread, one.read + one.changed);
    if (share > maxShare) return tooMany(`${one.unread} rows of ${one.customer}`, share, maxShare);
  }
  const share = shareOf(unread + swept, read + changed);
  return share > maxShare ? tooMany(`${unread} rows`, share, maxShare) : null;
}

/** Returns the percentage of removed rows in all rows. */
function shareOf(goes: number, stays: number): number {
  return goes === 0 ? 0 : (goes / (goes + stays)) * 100;
}

function tooMany(rows: string, share: number, maxShare: number): string {
  const text = share.toFixed(share < 10 ? 1 : 0);
  return `${rows} would be removed, ${text}% of all, more than ${maxShare}%: check some of them, and raise --max-share if the source does not have them`;
}

/** Removes rows batch by batch until none is left. */
async function sweep(
  session: Session,
  { id }: OpenReload,
  {
    blocks = BLOCKS,
    isReplayed,
    onBatch,
  }: FinishOptions & { readonly onBatch: (removed: number) => void },
): Promise<{ readonly outcome: 'failed' | 'locked'; readonly reason: string } | null> {
  let removed = 0;
  for (let isKept = false; ;) {
    const parts = await session.read<{ relation: string; first: string }>(
      `SELECT relation::text, first_block::text AS first FROM cdc_management.find_unread(${id}, ${blocks})`,
    );
    if (parts.length === 0) return null;
    if (isKept) return { outcome: 'failed', reason: KEPT };
    const before = removed;
    for (const { relation, first } of parts) {
      const started = performance.now();
      const swept = await retrying(async () => {
        const [row] = await session.write<{ swept: string }>(
          `SELECT cdc_management.sweep_unread(${id}, ${relation}, ${first}, ${blocks}, ${isReplayed})::text AS swept`,
        );
        return Number(row!.swept);
      });
      if (swept === undefined)
        return { outcome: 'locked', reason: 'other sessions hold the table; run finish again' };
      removed += swept;
      onBatch(removed);
      // The claim of a batch blocks merges of the table. They get the same time.
      await sleep(Math.min(1000, performance.now() - started));
    }
    isKept = removed === before; // or events have come for all of them in between
  }
}

const KEPT = 'rows to remove remain: a trigger or a policy of the table keeps them';

/** Retries work on a table. Returns undefined if the table stayed locked. */
function retrying(work: () => Promise<number>): Promise<number | undefined> {
  return tryUntil(RETRY_FOR_MS, async () => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof TargetError && isPassing(error)) return undefined;
      throw error;
    }
  });
}

/**
 * Ends reloads without removing rows.
 *
 * @throws NoBookkeepingError, StandbyError, TargetError
 */
export async function cancelReloads(
  session: Session,
  selection: ReloadSelection,
): Promise<readonly OpenReload[]> {
  await refuseOlder(session);
  const open = await listOpen(session, selection);
  for (const { id } of open)
    await session.write(`SELECT cdc_management.end_reload(${id}, 'cancelled')`);
  return open;
}

/** Refuses a standby, and a target whose infrastructure does not support reloads. */
async function refuseOlder(session: Session): Promise<void> {
  const [found] = await session.read<{ there: boolean; isStandby: boolean }>(
    `SELECT pg_catalog.to_regclass('cdc_management.reload') IS NOT NULL AS there,
  pg_catalog.pg_is_in_recovery() AS "isStandby"`,
  );
  refuseStandby(found!);
  if (!found!.there) throw new NoBookkeepingError();
}

async function listOpen(
  session: Session,
  selection: ReloadSelection,
): Promise<readonly OpenReload[]> {
  const open = await readIfThere(() =>
    session.read<OpenReload>(`SELECT reload_id::text AS id, schema_name AS schema, table_name AS table,
  customer_column AS "customerColumn", customer, ${iso('begun_at')} AS "begunAt", begun_by AS "begunBy",
  swept::double precision AS swept
FROM cdc_management.reload
WHERE ended_at IS NULL
ORDER BY schema_name COLLATE "C", table_name COLLATE "C", customer COLLATE "C" NULLS FIRST`),
  );
  if (!open) throw new NoBookkeepingError();
  return open.filter((one) => isReloadSelected(one, selection));
}

/** Returns true if rows of a reload are in the selection. */
export function isReloadSelected(location: ReloadTarget, selection: ReloadSelection): boolean {
  const { customers } = selection;
  return (
    isSelected(location, selection) &&
    (customers === undefined || customers.includes(location.customer ?? location.schema))
  );
}

interface CustomerCounts extends ReloadCounts {
  /** Null if all rows belong to one. */
  readonly customer: string | null;
}

async function countRows(session: Session, { id }: OpenReload): Promise<readonly CustomerCounts[]> {
  return session.read<CustomerCounts>(
    `SELECT customer, read::double precision, changed::double precision, unread::double precision
FROM cdc_management.count_reload(${id})
ORDER BY customer`,
  );
}

async function readProblem(
  session: Session,
  { id }: OpenReload,
  { isReplayed }: FinishOptions,
): Promise<string | null> {
  const [row] = await session.read<{ problem: string | null }>(
    `SELECT cdc_management.reload_problem(${id}, ${isReplayed}) AS problem`,
  );
  return row!.problem;
}

function sum(all: readonly ReloadCounts[]): ReloadCounts {
  const total = (key: keyof ReloadCounts) => all.reduce((before, one) => before + one[key], 0);
  return { read: total('read'), changed: total('changed'), unread: total('unread') };
}

function describeFailure(error: unknown): {
  readonly outcome: 'refused' | 'failed';
  readonly reason: string;
} {
  if (error instanceof UnknownTableError) return { outcome: 'failed', reason: error.message };
  if (!(error instanceof TargetError) || error.kind === 'connection') throw error;
  const reason = [error.message, error.detail, error.hint].filter(Boolean).join('; ');
  return { outcome: error.code === REFUSED ? 'refused' : 'failed', reason };
}

function literal(value: string | null): string {
  return value === null ? 'NULL' : quoteLiteral(value);
}

function iso(value: string): string {
  return `pg_catalog.to_char(${value} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;
}
